import { assertEquals, assertRejects } from "@std/assert";
import { signalOf, verify } from "../../../../shared/payments/webhooks/stripe.ts";
import { type FakeStripe, startFakeStripe } from "../../../../scripts/fakes/stripe/fake_stripe.ts";

const SECRET = "whsec_local_stripe";

async function createIntent(stripe: FakeStripe, fields: Record<string, string> = {}, key = "key-1"): Promise<Response> {
  const headers = { authorization: `Bearer ${stripe.secretKey}`, "idempotency-key": key };
  const body = new URLSearchParams({ amount: "500", currency: "rwf", "metadata[attempt_id]": "a", ...fields });
  return await fetch(`${stripe.settings.STRIPE_API_URL}/v1/payment_intents`, { method: "POST", headers, body });
}

Deno.test("the fake Stripe repeats the first answer to a key, and refuses another request under it", async () => {
  await using stripe = startFakeStripe();

  const first = await createIntent(stripe);
  const again = await createIntent(stripe);
  const other = await createIntent(stripe, { amount: "900" });

  assertEquals(await again.json(), await first.json());
  assertEquals([first, again].map((answer) => answer.headers.get("idempotent-replayed")), [null, "true"]);
  assertEquals([other.status, (await other.json()).error.type], [400, "idempotency_error"]);
});

Deno.test("the fake Stripe tells of payments in events that verify as its own", async () => {
  const events: { body: Uint8Array<ArrayBuffer>; headers: Headers }[] = [];
  async function target(request: Request): Promise<Response> {
    events.push({ body: new Uint8Array(await request.arrayBuffer()), headers: request.headers });
    return new Response(null, { status: events.length === 1 ? 503 : 200 });
  }
  await using stripe = startFakeStripe({ webhook: { target, secret: SECRET } });
  const { id } = await (await createIntent(stripe)).json();

  stripe.confirm(id);
  await stripe.events.deliver();
  await stripe.events.deliver();

  const [refused, taken] = events;
  await verify(taken!.body, taken!.headers, [SECRET], new Date());
  await assertRejects(() => verify(taken!.body, taken!.headers, ["whsec_another"], new Date()));
  const event = signalOf(JSON.parse(new TextDecoder().decode(taken!.body)));
  assertEquals([event?.signal.status, event?.signal.provider_id, event?.signal.amount], ["succeeded", id, 500]);
  assertEquals(new TextDecoder().decode(refused!.body), new TextDecoder().decode(taken!.body));
});
