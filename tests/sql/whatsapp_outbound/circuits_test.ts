import { assertEquals } from "@std/assert";
import { createTestDatabase, rolledBack } from "../../support/database.ts";
import { change, inbox, messages, NUMBER, text } from "../../support/deliveries.ts";
import { ingest } from "../../support/ingest.ts";
import {
  claim,
  claimedIds,
  claimOnly,
  complete,
  enqueue,
  enqueueTemplate,
  fail,
  graphError,
  openWindow,
  OTHER_PHONE,
  outbound,
  outcomeOf,
  passTime,
  template,
  tend,
} from "./outbound.ts";

type Transaction = Parameters<typeof openWindow>[0];

const database = await createTestDatabase();
const test = (name: string, body: Parameters<typeof rolledBack>[1]) => Deno.test(name, rolledBack(database, body));
const OTHER_NUMBER = "100000000000002";

test("a token that is refused pauses the number: nothing goes, nothing is charged an attempt", async (sql) => {
  const ids = await three(sql);
  const claims = await claim(sql, 1);

  await fail(sql, claims[0]!, graphError(190, { http_status: 401 }));

  assertEquals(await claimedIds(sql), []);
  assertEquals(await attemptsOf(sql, ids), [0, 0, 0]);
});

test("after the pause one message tries, and the others wait for it", async (sql) => {
  const ids = await three(sql);
  await fail(sql, (await claim(sql, 1))[0]!, graphError(190));
  await passTime(sql, "5 minutes");

  const tries = await claimedIds(sql);

  assertEquals([tries, await claimedIds(sql)], [[ids[0]!], []]);
});

test("a try that Meta takes lets all others go", async (sql) => {
  const [, ...others] = await three(sql);
  await fail(sql, (await claim(sql, 1))[0]!, graphError(190));
  await passTime(sql, "5 minutes");

  await complete(sql, await claimOnly(sql));

  assertEquals(await claimedIds(sql), others);
  assertEquals(await circuits(sql), []);
});

test("a try that Meta refuses for another reason closes the circuit too", async (sql) => {
  const [, ...others] = await three(sql);
  await fail(sql, (await claim(sql, 1))[0]!, graphError(190));
  await passTime(sql, "5 minutes");

  await fail(sql, await claimOnly(sql), graphError(131026));

  assertEquals(await claimedIds(sql), others);
});

test("each try that fails doubles the pause, up to a day", async (sql) => {
  await three(sql);

  const minutes = [];
  for (let count = 0; count < 11; count++) {
    const [first] = await claim(sql, 1);
    await fail(sql, first!, graphError(190));
    const [pause] = await sql`
      select extract(epoch from paused_until - now())::int / 60 as minutes from public.whatsapp_circuits`;
    minutes.push(pause!.minutes);
    await sql`update public.whatsapp_circuits set paused_until = now()`;
  }

  assertEquals(minutes, [5, 10, 20, 40, 80, 160, 320, 640, 1280, 1440, 1440]);
});

test("what fails together opens it once", async (sql) => {
  await three(sql);

  for (const each of await claim(sql)) await fail(sql, each, graphError(190));

  assertEquals(await circuits(sql), [["number", NUMBER, 1]]);
});

test("a try without an answer is followed by another", async (sql) => {
  const [first, second] = await three(sql);
  await fail(sql, (await claim(sql, 1))[0]!, graphError(190));
  await passTime(sql, "5 minutes");
  await claimOnly(sql);
  await passTime(sql, "61 seconds");
  await tend(sql);
  await passTime(sql, "31 seconds");

  assertEquals([await outcomeOf(sql, first!), await claimedIds(sql)], ["unknown", [second!]]);
});

test("a paused number stops no other; a paused account stops its own", async (sql) => {
  await openWindow(sql);
  await openOther(sql);
  await enqueue(sql);
  const other = await enqueue(sql, { phone_number_id: OTHER_NUMBER });
  const claims = await claim(sql);

  await fail(sql, claims.find(({ id }) => id !== other)!, graphError(190));
  await fail(sql, claims.find(({ id }) => id === other)!, { kind: "not_sent" });
  await passTime(sql, "11 seconds");
  const before = await claim(sql);
  await fail(sql, before[0]!, graphError(368));
  await sql`delete from public.whatsapp_circuits where scope = 'number'`;

  assertEquals([before.map(({ id }) => id), await claimedIds(sql)], [[other], []]);
});

test("a paused template waits, other messages of the same person's do not have to overtake it", async (sql) => {
  await openWindow(sql);
  await openWindow(sql, OTHER_PHONE);
  const paused = await enqueueTemplate(sql);
  await fail(sql, await claimOnly(sql), graphError(132015));
  const other = await enqueueTemplate(sql, {
    recipient_phone: `+${OTHER_PHONE}`,
    message_payload: { template: template("other") },
  });

  assertEquals([await claimedIds(sql), await outcomeOf(sql, paused)], [[other], "waiting: template_paused"]);
  assertEquals((await outbound(sql, paused)).attempt_count, 0);
  await passTime(sql, "3 hours");
  assertEquals(await claimedIds(sql), [paused]);
});

test("Meta's word that a template may be sent again ends its pause", async (sql) => {
  const id = await enqueueTemplate(sql);
  await openWindow(sql);
  await fail(sql, await claimOnly(sql), graphError(132015));
  await claimedIds(sql);

  const value = {
    event: "APPROVED",
    message_template_id: 1,
    message_template_name: "ride_update",
    message_template_language: "en",
  };
  await ingest(
    sql,
    change("message_template_status_update", value, { time: Math.floor(Date.now() / 1000) + 2, id: "1020" }),
  );
  await sql`update public.whatsapp_message_queue set due_at = now() where due_at is not null`;

  assertEquals(await claimedIds(sql), [id]);
});

test("a template that Meta disables fails what is enqueued of it", async (sql) => {
  await openWindow(sql);
  const [first, second] = [await enqueueTemplate(sql), await enqueueTemplate(sql)];
  await fail(sql, await claimOnly(sql), graphError(132016));

  await claimedIds(sql);

  assertEquals([await outcomeOf(sql, first), await outcomeOf(sql, second)], Array(2).fill("failed: template_disabled"));
});

test("a message that expires during a pause is told so", async (sql) => {
  const [id] = await three(sql);
  await fail(sql, (await claim(sql, 1))[0]!, graphError(133016));

  await passTime(sql, "25 hours");
  await tend(sql);

  assertEquals(await outcomeOf(sql, id!), "failed: expired");
});

test("that sending is paused, and goes on, is told as events, once each", async (sql) => {
  await three(sql);
  for (const each of await claim(sql)) await fail(sql, each, graphError(190));
  await passTime(sql, "5 minutes");
  await complete(sql, await claimOnly(sql));

  const events = await sql`
    select event_type, payload ->> 'subject' as subject from public.event_store
    where aggregate_type = 'whatsapp_circuit' order by id`;
  assertEquals([...events], [
    { event_type: "whatsapp_circuit.opened", subject: NUMBER },
    { event_type: "whatsapp_circuit.closed", subject: NUMBER },
  ]);
});

test("a template with the longest of names can be paused", async (sql) => {
  const name = "a".repeat(512);
  const id = await enqueueTemplate(sql, { message_payload: { template: template(name) } });

  await fail(sql, await claimOnly(sql), graphError(132015));
  await claimedIds(sql);

  assertEquals(await outcomeOf(sql, id), "waiting: template_paused");
});

/** Three messages to three people with open windows. */
async function three(sql: Transaction): Promise<string[]> {
  const ids = [];
  for (const phone of ["250788000001", "250788000002", "250788000003"]) {
    await openWindow(sql, phone);
    ids.push(await enqueue(sql, { recipient_phone: `+${phone}` }));
  }
  return ids;
}

/** Lets the same person write to another number of the same account. */
async function openOther(sql: Transaction): Promise<void> {
  const metadata = { display_phone_number: "250788000099", phone_number_id: OTHER_NUMBER };
  await ingest(sql, change("messages", { ...inbox({ messages: [text()] }), metadata }));
  await ingest(sql, messages(text()));
}

async function attemptsOf(sql: Transaction, ids: string[]): Promise<number[]> {
  return await Promise.all(ids.map(async (id) => (await outbound(sql, id)).attempt_count));
}

async function circuits(sql: Transaction): Promise<unknown[]> {
  const rows = await sql`select scope, subject, opening_count from public.whatsapp_circuits order by scope, subject`;
  return rows.map(({ scope, subject, opening_count }) => [scope, subject, opening_count]);
}
