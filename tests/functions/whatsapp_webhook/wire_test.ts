import { assertEquals, assertMatch } from "@std/assert";
import { bytesOf, messages, text } from "../../support/deliveries.ts";
import { useSettings } from "../../support/settings.ts";
import { webhookTest } from "../../support/webhook.ts";
import { sign } from "../../../scripts/fakes/graph/deliver.ts";

const QUERY = "?hub.mode=subscribe&hub.verify_token=local-verify-token&hub.challenge=1158201444";

webhookTest("GET answers Meta's handshake with the challenge", async ({ fetch }) => {
  const response = await fetch(QUERY);

  assertEquals(response.status, 200);
  assertEquals(await response.text(), "1158201444");
});

for (
  const [name, query, status] of [
    ["a wrong token", QUERY.replace("local-verify", "other-verify"), 403],
    ["another mode", QUERY.replace("subscribe", "unsubscribe"), 422],
    ["no challenge", QUERY.replace(/&hub.challenge.*/, ""), 422],
    ["no query", "", 422],
  ] as const
) {
  webhookTest(`GET with ${name} is refused`, async ({ fetch }) => {
    const response = await fetch(query);

    assertEquals(response.status, status);
    assertEquals((await response.text()).includes("1158201444"), false);
  });
}

webhookTest("POST accepts every secret of a rotation, and none other", async ({ send }) => {
  useSettings({ WHATSAPP_APP_SECRETS: "old-secret, new-secret" });
  const body = messages(text());

  assertEquals((await send(body, await sign(body, "old-secret"))).status, 200);
  assertEquals((await send(body, await sign(body, "new-secret"))).status, 200);
  assertEquals((await send(body, await sign(body, "local-app-secret"))).status, 401);
});

webhookTest(
  "POST without a configured secret lets nobody in and says that it is not configured",
  async ({ send, sql }) => {
    useSettings({ WHATSAPP_APP_SECRETS: undefined });
    const body = messages(text());

    const response = await send(body, await sign(body, "guessed"));

    assertEquals([response.status, (await response.json()).type], [503, "/problems/not_configured"]);
    assertEquals((await sql`select from public.whatsapp_deliveries`).length, 0);
  },
);

webhookTest("POST takes 3 MiB and refuses a byte more with 413, declared or streamed", async ({ send, fetch, sql }) => {
  const limit = 3 * 1024 * 1024;
  const padded = (size: number) => bytesOf(JSON.stringify({ padding: "x".repeat(size - 14) }));

  assertEquals((await send(padded(limit))).status, 200);
  assertEquals((await send(padded(limit + 1))).status, 413);
  const stream = new Blob([padded(limit + 1)]).stream();
  const response = await fetch("", { method: "POST", body: stream, headers: { "x-hub-signature-256": "sha256=00" } });
  assertEquals(response.status, 413);
  assertEquals((await sql`select from public.whatsapp_deliveries`).length, 1);
});

for (
  const [name, body] of [
    ["no JSON", bytesOf("not JSON at all")],
    ["nothing", new Uint8Array()],
    ["cut-off JSON", bytesOf('{"object":"whatsapp_business_account","entry":[')],
    ["bytes that are no UTF-8", new Uint8Array([0x22, 0xff, 0xfe, 0x22])],
    ["JSON too deep for Postgres", bytesOf("[".repeat(200_000) + "]".repeat(200_000))],
    ["deep JSON with a NUL", bytesOf(`${"[".repeat(8_000)}"\\u0000"${"]".repeat(8_000)}`)],
    ["a number too large for numeric", bytesOf('{"n":1e400000}')],
  ] as const
) {
  webhookTest(
    `POST of ${name}, signed, is answered 200, journaled byte for byte and shown as a dead letter`,
    async ({ send, sql }) => {
      const response = await send(body);

      assertEquals(response.status, 200);
      const [row] = await sql`
      select delivery.body, item.outcome, item.reason
      from public.whatsapp_deliveries as delivery
      join public.whatsapp_delivery_items as item on item.delivery_id = delivery.id`;
      assertEquals(new Uint8Array(row!.body), body);
      assertEquals([row!.outcome, row!.reason], ["dead_letter", "not_json"]);
    },
  );
}

webhookTest(
  "POST keeps NUL and lone surrogates: raw as sent, replaced in the stored message",
  async ({ send, sql }) => {
    const body = bytesOf(
      new TextDecoder().decode(messages(text({ id: "wamid.nul", text: { body: "NUL" } })))
        .replace('"NUL"', String.raw`"a\u0000b\ud800c"`),
    );

    const response = await send(body);

    assertEquals(response.status, 200);
    const [row] = await sql`
    select message.payload, delivery.body, delivery.sanitised_body is not null as is_sanitised
    from public.whatsapp_messages as message
    join public.whatsapp_deliveries as delivery on delivery.id = message.delivery_id`;
    assertEquals(row!.payload.text.body, "a\ufffdb\ufffdc");
    assertEquals(new Uint8Array(row!.body), body);
    assertEquals(row!.is_sanitised, true);
  },
);

webhookTest("a delivery's records carry the request's correlation id", async ({ fetch, sql }) => {
  const body = messages(text());
  const headers = { "x-hub-signature-256": await sign(body, "local-app-secret"), "x-correlation-id": "order-66" };

  await fetch("", { method: "POST", body, headers });

  const [row] = await sql`
    select message.correlation_id, delivery.correlation_id as journaled
    from public.whatsapp_messages as message, public.whatsapp_deliveries as delivery`;
  assertEquals([row!.correlation_id, row!.journaled], ["order-66", "order-66"]);
});

webhookTest("other methods are refused with 405 and Allow", async ({ fetch }) => {
  const response = await fetch("", { method: "PUT", body: "{}" });

  assertEquals(response.status, 405);
  assertMatch(response.headers.get("allow") ?? "", /GET.*POST|POST.*GET/);
  await response.body?.cancel();
});
