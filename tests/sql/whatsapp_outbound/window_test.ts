import { assertEquals } from "@std/assert";
import { createTestDatabase, rolledBack } from "../../support/database.ts";
import { change, inbox, messages, secondsAgo, text } from "../../support/deliveries.ts";
import { ingest } from "../../support/ingest.ts";
import {
  claimedIds,
  claimOnly,
  complete,
  enqueue,
  enqueueTemplate,
  fail,
  graphError,
  openWindow,
  outbound,
  outcomeOf,
  PHONE,
  report,
  template,
} from "./outbound.ts";

const database = await createTestDatabase();
const test = (name: string, body: Parameters<typeof rolledBack>[1]) => Deno.test(name, rolledBack(database, body));
const MINUTE = 60;
const DAY = 86_400;

test("free text to somebody who never wrote fails, and says why", async (sql) => {
  const id = await enqueue(sql);

  assertEquals([await claimedIds(sql), await outcomeOf(sql, id)], [[], "failed: window_closed"]);
});

test("a window that closes between enqueue and claim lets the template go instead", async (sql) => {
  await openWindow(sql);
  const id = await enqueue(sql, { fallback_template: template(), category: "utility" });
  await sql`update public.whatsapp_sessions set last_inbound_at = now() - interval '1 day', window_expires_at = now()`;

  const { request } = await claimOnly(sql);

  assertEquals([request.type, request.template, request.text], ["template", template(), undefined]);
  assertEquals((await outbound(sql, id)).is_fallback, true);
});

test("a window that closes without a fallback fails the message", async (sql) => {
  await openWindow(sql);
  const id = await enqueue(sql);
  await sql`update public.whatsapp_sessions set last_inbound_at = now() - interval '1 day', window_expires_at = now()`;

  await claimedIds(sql);

  assertEquals(await outcomeOf(sql, id), "failed: window_closed");
});

for (const [left, outcome] of [[1, "failed: window_closed"], [3, "sending"]] as const) {
  test(`a window with ${left} minutes left: ${outcome}`, async (sql) => {
    await openWindow(sql, PHONE, { timestamp: secondsAgo(DAY - left * MINUTE) });
    const id = await enqueue(sql);

    await claimedIds(sql);

    assertEquals(await outcomeOf(sql, id), outcome);
  });
}

test("a template needs no window", async (sql) => {
  const id = await enqueueTemplate(sql);

  assertEquals(await claimedIds(sql), [id]);
});

test("a window that Meta finds closed lets the fallback go, once", async (sql) => {
  await openWindow(sql);
  const id = await enqueue(sql, { fallback_template: template(), category: "utility" });
  await fail(sql, await claimOnly(sql), graphError(131047));

  const fallback = await claimOnly(sql);
  await fail(sql, fallback, graphError(131047));

  assertEquals([fallback.request.type, await outcomeOf(sql, id)], ["template", "failed: window_closed"]);
});

test("a closed window that a status tells of, after the message was taken, lets the fallback go", async (sql) => {
  await openWindow(sql);
  const id = await enqueue(sql, { fallback_template: template(), category: "utility" });
  const wamid = await complete(sql, await claimOnly(sql));

  await report(sql, id, wamid, "failed", { errors: [{ code: 131047 }] });

  const { request } = await claimOnly(sql);
  assertEquals([request.type, (await outbound(sql, id)).former_wamids], ["template", [wamid]]);
});

test("STOP between enqueue and claim: not sent, and said why", async (sql) => {
  await openWindow(sql);
  const id = await enqueue(sql);
  await ingest(sql, messages(text({ text: { body: "STOP" } })));

  assertEquals([await claimedIds(sql), await outcomeOf(sql, id)], [[], "failed: recipient_opted_out"]);
});

test("STOP and a closed window: the person's word is the reason", async (sql) => {
  await ingest(sql, messages(text({ text: { body: "STOP" }, timestamp: secondsAgo(2 * DAY) })));
  const id = await enqueue(sql);

  await claimedIds(sql);

  assertEquals(await outcomeOf(sql, id), "failed: recipient_opted_out");
});

test("marketing needs a start, what is asked for does not", async (sql) => {
  const news = await enqueueTemplate(sql, { category: "marketing", recipient_phone: "+250788000002" });
  const code = await enqueueTemplate(sql, { category: "authentication" });

  assertEquals([await claimedIds(sql), await outcomeOf(sql, news)], [[code], "failed: no_marketing_consent"]);
});

test("a template whose category nobody knows counts as marketing", async (sql) => {
  const id = await enqueue(sql, { message_type: "template", message_payload: { template: template() } });

  await claimedIds(sql);

  assertEquals(await outcomeOf(sql, id), "failed: no_marketing_consent");
});

test("Meta's category counts more than the caller's", async (sql) => {
  await openWindow(sql);
  await ingest(
    sql,
    change("template_category_update", {
      message_template_id: 1,
      message_template_name: "ride_update",
      message_template_language: "en",
      previous_category: "UTILITY",
      new_category: "MARKETING",
    }),
  );
  const id = await enqueueTemplate(sql, { category: "utility" });

  await claimedIds(sql);

  assertEquals(await outcomeOf(sql, id), "failed: no_marketing_consent");
});

test("a call opens the window as a message does", async (sql) => {
  const call = { id: "wacid.1", from: PHONE, event: "connect", direction: "USER_INITIATED", timestamp: secondsAgo() };
  await ingest(sql, change("calls", inbox({ calls: [call] })));

  const id = await enqueue(sql);

  assertEquals(await claimedIds(sql), [id]);
});

test("what was sent is the latest in the session", async (sql) => {
  await openWindow(sql, PHONE, { timestamp: secondsAgo(MINUTE) });
  await enqueue(sql);

  await complete(sql, await claimOnly(sql));

  const [session] = await sql`select last_outbound_at > last_inbound_at as is_answered from public.whatsapp_sessions`;
  assertEquals(session!.is_answered, true);
});
