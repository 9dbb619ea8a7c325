import { assertEquals } from "@std/assert";
import { as, createTestDatabase, rolledBack } from "../../support/database.ts";
import { NUMBER } from "../../support/deliveries.ts";
import { asUser, createUser } from "../foundation/people.ts";
import { refusalOf } from "../whatsapp/sessions.ts";
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
  passTime,
  tend,
} from "./outbound.ts";

type Transaction = Parameters<typeof openWindow>[0];

const database = await createTestDatabase();
const test = (name: string, body: Parameters<typeof rolledBack>[1]) => Deno.test(name, rolledBack(database, body));
const OPERATOR = { app_metadata: { role: "operator" } };

test("a message that nobody has claimed can be withdrawn, and its lane goes on", async (sql) => {
  await openWindow(sql);
  const [first, second] = [await enqueue(sql), await enqueue(sql)];

  await cancel(sql, first);
  await cancel(sql, first);

  assertEquals([await outcomeOf(sql, first), await claimedIds(sql)], ["cancelled", [second]]);
});

test("a scheduled message can be withdrawn", async (sql) => {
  const id = await enqueueTemplate(sql, { scheduled_at: new Date(Date.now() + 60_000) });

  await cancel(sql, id);

  assertEquals(await outcomeOf(sql, id), "cancelled");
});

test("what may be on its way cannot be withdrawn, nor can what nobody knows", async (sql) => {
  await openWindow(sql);
  const id = await enqueue(sql);
  await claimOnly(sql);

  const refusals = [
    await refusalOf(sql, (inner) => cancel(inner, id)),
    (await refusalOf(sql, (inner) => cancel(inner, crypto.randomUUID())))[0],
  ];

  assertEquals(refusals, [["whatsapp_message_under_way", { state: "sending" }], "whatsapp_message_not_found"]);
});

test("an operator sends a failed message after all, with all its attempts", async (sql) => {
  await openWindow(sql);
  const id = await enqueue(sql, { max_attempts: 1 });
  await fail(sql, await claimOnly(sql), graphError(131000));

  await byOperator(sql, (client) => client`select public.redrive_whatsapp_message(${id}, 'Meta is well again')`);

  const { attempt_count } = await outbound(sql, id);
  assertEquals([attempt_count, await claimedIds(sql)], [0, [id]]);
});

test("what has not failed is not sent again", async (sql) => {
  await openWindow(sql);
  const id = await enqueue(sql);
  await complete(sql, await claimOnly(sql));

  const [code] = await refusalOf(
    sql,
    (inner) => byOperator(inner, (client) => client`select public.redrive_whatsapp_message(${id}, 'again')`),
  );

  assertEquals(code, "whatsapp_message_under_way");
});

for (const [wasSent, outcome] of [[true, "sent"], [false, "ready"]] as const) {
  test(`an operator who knows says whether it was sent: ${wasSent}`, async (sql) => {
    await openWindow(sql);
    const id = await enqueue(sql);
    await claimOnly(sql);
    await passTime(sql, "61 seconds");
    await tend(sql);

    await byOperator(sql, (client) => client`select public.resolve_whatsapp_message(${id}, ${wasSent}, 'asked them')`);

    assertEquals(await outcomeOf(sql, id), outcome);
  });
}

test("an operator lifts a circuit, and messages go at once", async (sql) => {
  await openWindow(sql);
  const id = await enqueue(sql);
  await fail(sql, await claimOnly(sql), graphError(190));

  await byOperator(sql, (client) => client`select public.lift_whatsapp_circuit('number', ${NUMBER}, 'new token')`);

  assertEquals(await claimedIds(sql), [id]);
});

test("an operator lifts a template's circuit, and what waited for it goes at once", async (sql) => {
  await openWindow(sql);
  const id = await enqueueTemplate(sql);
  await fail(sql, await claimOnly(sql), graphError(132015));
  await claimedIds(sql);

  await byOperator(
    sql,
    (client) => client`select public.lift_whatsapp_circuit('template', '1020/ride_update/en', 'appealed')`,
  );

  assertEquals(await claimedIds(sql), [id]);
});

test("an operator pauses a number, sees it and why", async (sql) => {
  await openWindow(sql);
  await enqueue(sql);

  const circuits = await byOperator(sql, async (client) => {
    await client`select public.pause_whatsapp_sending('number', ${NUMBER}, '1 hour', 'complaints')`;
    return await client`select scope, subject, error ->> 'title' as reason from public.list_whatsapp_circuits()`;
  });

  assertEquals([...circuits], [{ scope: "number", subject: NUMBER, reason: "complaints" }]);
  assertEquals(await claimedIds(sql), []);
});

test("what operators do is in the audit log, with their reason", async (sql) => {
  await byOperator(sql, (client) => client`select public.lift_whatsapp_circuit('number', ${NUMBER}, 'new token')`);

  const [entry] = await sql`
    select action, resource_id, metadata ->> 'reason' as reason from public.system_audit_logs order by id desc limit 1`;
  assertEquals(entry, {
    action: "whatsapp_sending.resumed",
    resource_id: `number ${NUMBER}`,
    reason: "new token",
  });
});

test("operators see what failed and why", async (sql) => {
  const id = await enqueue(sql);
  await claimedIds(sql);

  const rows = await byOperator(
    sql,
    (client) => client`select id, failure_reason from public.list_whatsapp_sends('failed')`,
  );

  assertEquals([...rows], [{ id, failure_reason: "window_closed" }]);
});

test("operators see what waits", async (sql) => {
  const id = await enqueue(sql);

  const rows = await byOperator(sql, (client) => client`select id from public.list_whatsapp_sends('ready')`);

  assertEquals([...rows], [{ id }]);
});

const CALLS = {
  redrive: "select public.redrive_whatsapp_message(gen_random_uuid(), 'x')",
  resolve: "select public.resolve_whatsapp_message(gen_random_uuid(), true, 'x')",
  lift: "select public.lift_whatsapp_circuit('number', '1', 'x')",
  pause: "select public.pause_whatsapp_sending('number', '1', '1 hour', 'x')",
  "list circuits": "select public.list_whatsapp_circuits()",
  "list sends": "select public.list_whatsapp_sends('failed')",
};

for (const [name, call] of Object.entries(CALLS)) {
  test(`nobody but operators may ${name}`, async (sql) => {
    const userId = await createUser(sql);

    const [code] = await refusalOf(sql, (inner) => asUser(inner, userId, (client) => client.unsafe(call)));

    assertEquals(code, "operator_required");
  });
}

test("a reason is needed", async (sql) => {
  const [code] = await refusalOf(
    sql,
    (inner) => byOperator(inner, (client) => client`select public.lift_whatsapp_circuit('number', '1', ' ')`),
  );

  assertEquals(code, "invalid_argument");
});

test("the service may do all that a sender does", async (sql) => {
  await openWindow(sql);

  await as(sql, "service_role", {}, async (client) => {
    const sent = await enqueue(client);
    await complete(client, await claimOnly(client));
    await enqueue(client);
    await fail(client, await claimOnly(client), graphError(131026));
    await cancel(client, await enqueue(client));
    await client`select * from public.claim_whatsapp_reads(10)`;
    await client`select * from public.whatsapp_queue_stats`;
    await client`select * from public.whatsapp_message_costs where id >= private.uuid_v7_floor(now())`;
    await client`select * from public.whatsapp_spend(now()::date)`;
    await client`select * from public.whatsapp_delivery_rates`;
    await client`select * from public.whatsapp_failure_stats`;
    assertEquals(await outcomeOf(client, sent), "sent");
  });
});

async function cancel(sql: Transaction, id: string): Promise<void> {
  await sql`select public.cancel_whatsapp_message(${id})`;
}

/** Runs `work` as an operator who is on the list. */
async function byOperator<T>(sql: Transaction, work: (client: Transaction) => Promise<T>): Promise<T> {
  const userId = await createUser(sql);
  await sql`insert into private.operators values (${userId}, 'test')`;
  return await asUser(sql, userId, work, OPERATOR);
}
