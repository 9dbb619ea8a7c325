import { assertEquals } from "@std/assert";
import { createTestDatabase, rolledBack } from "../../support/database.ts";
import { change, messages, NUMBER, text } from "../../support/deliveries.ts";
import { ingest } from "../../support/ingest.ts";
import { refusalOf } from "../whatsapp/sessions.ts";
import {
  claimedIds,
  claimOnly,
  complete,
  type Draft,
  enqueue,
  enqueued,
  enqueueTemplate,
  openWindow,
  outbound,
  outcomeOf,
  passTime,
  template,
} from "./outbound.ts";

const database = await createTestDatabase();
const test = (name: string, body: Parameters<typeof rolledBack>[1]) => Deno.test(name, rolledBack(database, body));
const CONTACT = crypto.randomUUID();

const FAULTS: [argument: string, draft: Draft][] = [
  ["phone_number_id", { phone_number_id: "" }],
  ["recipient_phone", { recipient_phone: "250788000001" }],
  ["recipient_phone", { recipient_phone: "+0788000001" }],
  ["recipient_user_id", { recipient_user_id: "250788000001" }],
  ["contact_id, recipient_phone, recipient_user_id", { recipient_phone: "+250788000001", contact_id: CONTACT }],
  ["contact_id, recipient_phone, recipient_user_id", { recipient_user_id: "RW.1", contact_id: CONTACT }],
  ["priority", { priority: 10 }],
  ["priority", { priority: null }],
  ["category", { category: "news" }],
  ["idempotency_key", { idempotency_key: "" }],
  ["idempotency_key", { idempotency_key: "x".repeat(256) }],
  ["scheduled_at", { scheduled_at: new Date(Date.now() + 36 * 86_400_000) }],
  ["expires_at", { expires_at: new Date(Date.now() - 1_000) }],
  ["expires_at", { scheduled_at: new Date(Date.now() + 9_000_000), expires_at: new Date(Date.now() + 8_000_000) }],
  ["max_attempts", { max_attempts: 0 }],
  [
    "fallback_template",
    { message_type: "template", message_payload: { template: template() }, fallback_template: template() },
  ],
];

for (const [argument, draft] of FAULTS) {
  test(`enqueue_whatsapp_message() names the argument at fault: ${JSON.stringify(draft).slice(0, 60)}`, async (sql) => {
    assertEquals(await refusalOf(sql, (inner) => enqueue(inner, draft)), ["invalid_argument", { argument }]);
  });
}

test("nobody to send to is a fault", async (sql) => {
  const [code] = await refusalOf(
    sql,
    (inner) => inner`select public.enqueue_whatsapp_message(${NUMBER}, 'text', '{"text": {"body": "Muraho"}}')`,
  );

  assertEquals(code, "invalid_argument");
});

test("content that Meta would refuse is refused at once, with the field named", async (sql) => {
  const [code, details] = await refusalOf(
    sql,
    (inner) => enqueue(inner, { message_payload: { text: { body: "x".repeat(4_097) } } }),
  );

  assertEquals(code, "invalid_whatsapp_message");
  assertEquals((details as { errors: { pointer: string }[] }).errors.map(({ pointer }) => pointer), ["/text/body"]);
});

test("a fallback that Meta would refuse is refused at once", async (sql) => {
  const [code] = await refusalOf(sql, (inner) => enqueue(inner, { fallback_template: { name: "ride_update" } }));

  assertEquals(code, "invalid_whatsapp_message");
});

test("a reaction quotes nothing", async (sql) => {
  const message_payload = { reaction: { message_id: "wamid.1", emoji: "👍" } };
  const [code] = await refusalOf(
    sql,
    (inner) => enqueue(inner, { message_type: "reaction", message_payload, reply_to: "wamid.1" }),
  );

  assertEquals(code, "invalid_whatsapp_message");
});

test("a template that is disabled is refused, one that is paused waits for its end", async (sql) => {
  await openWindow(sql);
  await tellTemplate(sql, "gone", "DISABLED");
  await tellTemplate(sql, "resting", "PAUSED");

  const gone = { message_payload: { template: template("gone") } };
  const [code] = await refusalOf(sql, (inner) => enqueueTemplate(inner, gone));
  const id = await enqueueTemplate(sql, { message_payload: { template: template("resting") } });
  await claimedIds(sql);

  assertEquals([code, await outcomeOf(sql, id)], ["invalid_whatsapp_message", "waiting: template_paused"]);
});

test("a contact that nobody knows is refused", async (sql) => {
  const [code] = await refusalOf(sql, (inner) => enqueue(inner, { contact_id: CONTACT }));

  assertEquals(code, "contact_not_found");
});

test("the same key and content is the same message", async (sql) => {
  const first = await enqueued(sql, { idempotency_key: "ride-1" });

  const again = await enqueued(sql, { idempotency_key: "ride-1", priority: 0 });

  assertEquals(first.is_duplicate, false);
  assertEquals(again, { message_id: first.message_id, state: "ready", is_duplicate: true });
});

test("a key is remembered when its message is through", async (sql) => {
  await openWindow(sql);
  const { message_id } = await enqueued(sql, { idempotency_key: "ride-1" });
  await complete(sql, await claimOnly(sql));

  assertEquals(await enqueued(sql, { idempotency_key: "ride-1" }), { message_id, state: "sent", is_duplicate: true });
});

const OTHERS: Draft[] = [
  { message_payload: { text: { body: "Mwaramutse" } } },
  { recipient_phone: "+250788000009" },
  { recipient_user_id: "RW.1" },
  { phone_number_id: "100000000000002" },
  { reply_to: "wamid.1" },
  { fallback_template: template() },
];

for (const other of OTHERS) {
  test(`the same key with other content is refused: ${JSON.stringify(other)}`, async (sql) => {
    await enqueue(sql, { idempotency_key: "ride-1" });

    const [code] = await refusalOf(sql, (inner) => enqueue(inner, { idempotency_key: "ride-1", ...other }));

    assertEquals(code, "idempotency_key_reused");
  });
}

test("a key is free again after 35 days", async (sql) => {
  const first = await enqueue(sql, { idempotency_key: "ride-1" });
  await sql`update private.whatsapp_enqueue_keys set kept_until = now()`;

  const { message_id, is_duplicate } = await enqueued(sql, { idempotency_key: "ride-1", reply_to: "wamid.1" });

  assertEquals([message_id === first, is_duplicate], [false, false]);
});

test("a phone that nobody knew becomes a contact, who is the same when they write", async (sql) => {
  const id = await enqueue(sql);
  await ingest(sql, messages(text({ from_user_id: "RW.1" })));

  const [known] = await sql`select contact_id from public.whatsapp_messages`;
  assertEquals((await outbound(sql, id)).contact_id, known!.contact_id);
});

test("a message to a user id goes to it as a recipient, a parent's too", async (sql) => {
  for (const recipient_user_id of ["RW.12", "RW.ENT.34"]) {
    await enqueueTemplate(sql, { recipient_user_id });

    const { request } = await claimOnly(sql);
    assertEquals([request.recipient, request.to], [recipient_user_id, undefined]);
  }
});

test("a message to a contact goes to its phone, or to its user id if it has no phone", async (sql) => {
  await ingest(sql, messages(text({ from_user_id: "RW.1" }), text({ from: undefined, from_user_id: "RW.2" })));
  const contacts = await sql<{ contact_id: string }[]>`select contact_id from public.whatsapp_messages order by id`;

  const requests = [];
  for (const { contact_id } of contacts) {
    await enqueue(sql, { contact_id });
    requests.push((await claimOnly(sql)).request);
  }

  assertEquals(requests.map(({ to, recipient }) => to ?? recipient), ["+250788000001", "RW.2"]);
});

test("a user id that was replaced leads to the person's present one", async (sql) => {
  await ingest(sql, messages(text({ from: undefined, from_user_id: "RW.1" })));
  await enqueue(sql, { recipient_user_id: "RW.1" });
  const update = { user_id: { previous: "RW.1", current: "RW.2" }, timestamp: String(Math.floor(Date.now() / 1000)) };
  await ingest(sql, change("user_id_update", { user_id_update: [update] }));

  assertEquals((await claimOnly(sql)).request.recipient, "RW.2");
});

test("a scheduled message comes when its time has come, and holds nobody up until then", async (sql) => {
  await openWindow(sql);
  const later = await enqueue(sql, { scheduled_at: new Date(Date.now() + 3_600_000) });
  const now = await enqueue(sql);

  assertEquals(await outcomeOf(sql, later), "scheduled");
  await complete(sql, await claimOnly(sql), "wamid.now");
  await passTime(sql, "2 hours");
  assertEquals([(await outbound(sql, now)).wamid, await claimedIds(sql)], ["wamid.now", [later]]);
});

test("a scheduled message to somebody new comes too", async (sql) => {
  const id = await enqueueTemplate(sql, { scheduled_at: new Date(Date.now() + 60_000) });

  await passTime(sql, "2 minutes");

  assertEquals(await claimedIds(sql), [id]);
});

test("of several for one person the most urgent does not overtake, of several people it does", async (sql) => {
  await openWindow(sql);
  await openWindow(sql, "250788000002");
  const slow = await enqueue(sql, { priority: 9 });
  await enqueue(sql, { priority: 0 });
  const urgent = await enqueue(sql, { priority: 0, recipient_phone: "+250788000002" });

  assertEquals(await claimedIds(sql), [urgent, slow]);
});

test("a message that is of no use any more is not sent", async (sql) => {
  await openWindow(sql);
  const id = await enqueue(sql, { expires_at: new Date(Date.now() + 60_000) });
  const next = await enqueue(sql);
  await sql`update public.whatsapp_message_queue set created_at = now() - interval '1 hour', expires_at = now() where id = ${id}`;

  assertEquals(await claimedIds(sql), [next]);
  assertEquals(await outcomeOf(sql, id), "failed: expired");
});

test("what expires while it is blocked does not wait for its turn to be told so", async (sql) => {
  await openWindow(sql);
  await enqueue(sql);
  const id = await enqueue(sql);
  await claimOnly(sql);
  await sql`update public.whatsapp_message_queue set created_at = now() - interval '1 hour', expires_at = now() where id = ${id}`;

  await claimedIds(sql);

  assertEquals(await outcomeOf(sql, id), "failed: expired");
});

async function tellTemplate(sql: Parameters<typeof ingest>[0], name: string, event: string): Promise<void> {
  await ingest(
    sql,
    change("message_template_status_update", {
      event,
      message_template_id: 1,
      message_template_name: name,
      message_template_language: "en",
    }, { time: Math.floor(Date.now() / 1000) }),
  );
}
