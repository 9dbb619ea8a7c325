import { assertEquals } from "@std/assert";
import type { TransactionSql } from "postgres";
import { createTestDatabase, rolledBack } from "../../support/database.ts";
import { refusalOf } from "../events/events.ts";
import { createPerson } from "./notifications.ts";

const database = await createTestDatabase();
const test = (name: string, body: Parameters<typeof rolledBack>[1]) => Deno.test(name, rolledBack(database, body));

/** The devices of a new person. */
async function createApps(sql: TransactionSql, ...names: string[]): Promise<string[]> {
  const person = await createPerson(sql);
  const addresses = names.map((name) => ({ token: `ExponentPushToken[${name}]` }));
  const rows = await sql`insert into public.push_endpoints (profile_id, service, address)
    select ${person}, 'expo', address from jsonb_array_elements(${sql.json(addresses)}) as address returning id`;
  return rows.map(({ id }) => id);
}

async function due(sql: TransactionSql): Promise<string[]> {
  const [row] = await sql`select public.due_push_tickets() as ids`;
  return row!.ids.toSorted();
}

async function passes(sql: TransactionSql, time: string): Promise<void> {
  await sql`update private.push_tickets set check_at = check_at - ${time}::interval`;
}

test("a receipt is asked for a quarter of an hour after its ticket, and an hour later again", async (sql) => {
  const [phone, tablet] = await createApps(sql, "phone", "tablet");
  await sql`select public.keep_push_tickets(${["t1", "t2"]}, ${[phone!, tablet!]})`;

  const found = [await due(sql)];
  await passes(sql, "15 minutes");
  found.push(await due(sql), await due(sql));
  await sql`select public.settle_push_tickets(${["t1"]})`;
  await passes(sql, "1 hour");
  found.push(await due(sql));

  assertEquals(found, [[], ["t1", "t2"], [], ["t2"]]);
});

test("a device that a receipt calls gone is forgotten with all its tickets, the others stay", async (sql) => {
  const [phone, tablet] = await createApps(sql, "phone", "tablet");
  await sql`select public.keep_push_tickets(${["t1", "t2", "t3"]}, ${[phone!, tablet!, phone!]})`;

  const [forgotten] = await sql`select public.settle_push_tickets(${["t2"]}, ${["t1"]}) as count`;

  assertEquals(forgotten!.count, 1);
  const [left] = await sql`select array(select id from public.push_endpoints) as endpoints,
    (select count(*)::int from private.push_tickets) as tickets`;
  assertEquals({ ...left }, { endpoints: [tablet], tickets: 0 });
});

test("a ticket of a device that is gone meanwhile, or that is known, is not kept", async (sql) => {
  const [phone] = await createApps(sql, "phone");
  const keep = () => sql`select public.keep_push_tickets(${["t1", "t2"]}, ${[phone!, crypto.randomUUID()]}) as count`;

  const counts = [await keep(), await keep()].map(([row]) => row!.count);

  assertEquals(counts, [1, 0]);
});

test("tickets are forgotten after a day, as receipts are", async (sql) => {
  const [phone] = await createApps(sql, "phone");
  await sql`select public.keep_push_tickets(${["old", "new"]}, ${[phone!, phone!]})`;
  await sql`update private.push_tickets set created_at = now() - interval '25 hours' where ticket_id = 'old'`;
  const [job] = await sql`select command from private.schedule where name = 'purge-push-tickets'`;

  await sql.unsafe(job!.command);

  assertEquals([...await sql`select ticket_id from private.push_tickets`].map(({ ticket_id }) => ticket_id), ["new"]);
});

for (const max_count of [0, 1001, null]) {
  test(`due_push_tickets(${max_count}) is refused`, async (sql) => {
    const [code] = await refusalOf(sql, (inner) => inner`select public.due_push_tickets(${max_count})`);

    assertEquals(code, "invalid_argument");
  });
}
