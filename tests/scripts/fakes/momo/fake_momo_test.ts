import { assert, assertEquals } from "@std/assert";
import { type FakeMomoOptions, startFakeMomo } from "../../../../scripts/fakes/momo/fake_momo.ts";
import { localCourse, TRICKY_NUMBERS } from "../../../../scripts/fakes/momo/tricky_numbers.ts";

const CALLBACK = "http://127.0.0.1/callback";

/** A fake that remembers the callbacks that it brings, and how to ask it for money. */
function momoWith(options: FakeMomoOptions = {}) {
  const callbacks: string[] = [];
  async function bring(request: Request): Promise<Response> {
    const { externalId, status } = await request.json();
    callbacks.push(`${request.method} ${externalId} ${status}`);
    return new Response();
  }
  const momo = startFakeMomo({ ...options, bring });
  const subscription = { "ocp-apim-subscription-key": "local-collection-key" };

  async function token(): Promise<string> {
    const user = btoa(`${momo.settings.MTN_MOMO_COLLECTION_API_USER}:${momo.settings.MTN_MOMO_COLLECTION_API_KEY}`);
    const headers = { ...subscription, authorization: `Basic ${user}` };
    const answer = await fetch(`http://${momo.host}/collection/token/`, { method: "POST", headers });
    return (await answer.json()).access_token;
  }

  async function ask(headers: Record<string, string> = {}, body: Record<string, unknown> = {}): Promise<string> {
    const answer = await fetch(`http://${momo.host}/collection/v1_0/requesttopay`, {
      method: "POST",
      headers: {
        ...subscription,
        authorization: `Bearer ${await token()}`,
        "x-target-environment": "mtnrwanda",
        "x-reference-id": crypto.randomUUID(),
        "x-callback-url": CALLBACK,
        ...headers,
      },
      // A Blob, because Deno would send text again by itself.
      body: new Blob([JSON.stringify({
        amount: "500",
        currency: "RWF",
        externalId: "ref-1",
        payer: { partyIdType: "MSISDN", partyId: "250788000001" },
        payerMessage: "",
        payeeNote: "",
        ...body,
      })]),
    });
    const text = await answer.text();
    return text === "" ? String(answer.status) : `${answer.status} ${JSON.parse(text).code ?? ""}`.trim();
  }

  return { momo, ask, callbacks, [Symbol.asyncDispose]: () => momo[Symbol.asyncDispose]() };
}

Deno.test("the fake MoMo takes what MTN takes, and refuses what MTN refuses", async () => {
  await using fake = momoWith();
  const party = (partyId: string) => ({ payer: { partyIdType: "MSISDN", partyId } });

  const answers = [
    await fake.ask(),
    await fake.ask({ "x-reference-id": "00000000-0000-1000-8000-000000000000" }),
    await fake.ask({ "x-callback-url": "" }),
    await fake.ask({ "x-target-environment": "sandbox" }),
    await fake.ask({ authorization: "Bearer another" }),
    await fake.ask({ "ocp-apim-subscription-key": "another" }),
    await fake.ask({}, { amount: 500 }),
    await fake.ask({}, { amount: "0.5" }),
    await fake.ask({}, { currency: "XXX" }),
    await fake.ask({}, party("+250788000001")),
    await fake.ask({}, { payerMessage: "x".repeat(161) }),
  ];

  assertEquals(answers, [
    "202",
    "400 INVALID_REFERENCE_ID",
    "500 INVALID_CALLBACK_URL_HOST",
    "500 NOT_ALLOWED_TARGET_ENVIRONMENT",
    "401",
    "401",
    "400 INVALID_AMOUNT",
    "400 INVALID_AMOUNT",
    "500 INVALID_CURRENCY",
    "400 INVALID_PARTY",
    "400 INVALID_MESSAGE",
  ]);
  assertEquals(fake.momo.books.entries.size, 1);
});

Deno.test("the fake MoMo keeps a reference id for one request", async () => {
  await using fake = momoWith();
  const id = { "x-reference-id": crypto.randomUUID() };

  assertEquals([await fake.ask(id), await fake.ask(id, { amount: "900" })], ["202", "409 RESOURCE_ALREADY_EXIST"]);
  assertEquals(fake.momo.books.balance("RWF"), 500);
});

Deno.test("the fake MoMo calls back about what is decided, as often and in as wild an order as it is told", async () => {
  await using fake = momoWith({ course: ({ externalId }) => (externalId === "open" ? { afterMs: Infinity } : {}) });
  for (const externalId of ["a", "b", "open"]) await fake.ask({}, { externalId });

  await fake.momo.callbacks.deliver({ copies: 3, shuffled: true });
  const before = fake.callbacks.splice(0).map((callback) => callback.replace(/^(PUT|POST) /, "")).sort();
  fake.momo.books.decide();
  await fake.momo.callbacks.deliver();
  await fake.momo.callbacks.deliver();

  assertEquals(before, ["a", "a", "a", "b", "b", "b"].map((id) => `${id} SUCCESSFUL`));
  assertEquals(fake.callbacks.map((callback) => callback.replace(/^(PUT|POST) /, "")), ["open SUCCESSFUL"]);
});

Deno.test("the fake MoMo brings callbacks by PUT and by POST", async () => {
  await using fake = momoWith();
  for (let count = 0; count < 20; count++) await fake.ask();

  await fake.momo.callbacks.deliver();

  assertEquals(new Set(fake.callbacks.map((callback) => callback.split(" ")[0])), new Set(["PUT", "POST"]));
});

Deno.test("the fake MoMo may break off after it has taken a request", async () => {
  await using fake = momoWith();
  fake.momo.next({ accepts: true, answer: "close" }, { accepts: false, answer: { status: 500 } });

  const broken = await fake.ask().catch(() => "broken");
  const refused = await fake.ask({}, { externalId: "ref-2" }).catch(() => "500");

  assertEquals([broken, fake.momo.books.entries.size], ["broken", 1]);
  assert(refused.startsWith("500"));
});

Deno.test("the documentation lists every number whose owner does not simply pay", async () => {
  const page = await Deno.readTextFile(new URL("../../../../docs/payment_providers.md", import.meta.url));
  const listed = page.matchAll(/^\| `\+(\d{12})` *\| (`\w+`)?/gm);

  assertEquals(
    [...listed].map(([, number, reason]) => [number, reason?.replaceAll("`", "")]),
    Object.entries(TRICKY_NUMBERS).map(([number, { reason }]) => [number, reason]),
  );
  assertEquals(localCourse({ party: "250788000001" } as Parameters<typeof localCourse>[0]), { afterMs: 1_000 });
});
