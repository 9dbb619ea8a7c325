import { assertEquals } from "@std/assert";
import type { TransactionSql } from "postgres";
import { connect } from "../../../scripts/stack/connection.ts";
import { createTestDatabase, rolledBack, sqlStateOf } from "../../support/database.ts";
import { history, onlySession, openSession, refusalOf, sessions, transition } from "./sessions.ts";

const database = await createTestDatabase();
const test = (name: string, body: Parameters<typeof rolledBack>[1]) => Deno.test(name, rolledBack(database, body));

/** Lets the state of every session have expired. */
async function expire(sql: TransactionSql): Promise<void> {
  await sql`update public.whatsapp_sessions set expires_at = now() where state <> 'idle'`;
}

async function cleanUp(sql: TransactionSql, maxCount = 1000): Promise<number> {
  const [row] = await sql<[{ count: number }]>`select public.cleanup_expired_whatsapp_sessions(${maxCount}) as count`;
  return row.count;
}

test("a state expires after the time that is given; idle never does", async (sql) => {
  const session = await openSession(sql);

  const asking = await transition(sql, session, "asking", {}, "15 minutes");
  const idle = await transition(sql, asking, "idle", {}, "15 minutes");

  const [due] = await sql`select now() + interval '15 minutes' as at`;
  assertEquals(asking.expires_at, due!.at);
  assertEquals(idle.expires_at, null);
});

test("cleanup_expired_whatsapp_sessions() makes idle what has expired, and nothing else", async (sql) => {
  const expired = await transition(sql, await openSession(sql), "asking", { vehicle: "moto" }, "15 minutes");
  await expire(sql);
  const waiting = await transition(sql, await openSession(sql), "asking", {}, "15 minutes");
  const lasting = await transition(sql, await openSession(sql), "asking");

  const counts = [await cleanUp(sql), await cleanUp(sql)];

  const rows = await sessions(sql);
  assertEquals(counts, [1, 0]);
  assertEquals(rows.map(({ state, version, context }) => [state, version, context]), [
    ["idle", expired.version + 1, {}],
    ["asking", waiting.version, {}],
    ["asking", lasting.version, {}],
  ]);
  const expiry = { reason: "expired", from_state: "asking", to_state: "idle", version: 3, context: {} };
  assertEquals((await history(sql)).filter(({ reason }) => reason === "expired"), [expiry]);
});

test("a handler that was slower than the expiry is told", async (sql) => {
  const asking = await transition(sql, await openSession(sql), "asking", {}, "15 minutes");
  await expire(sql);
  await cleanUp(sql);

  const [code] = await refusalOf(sql, (inner) => transition(inner, asking, "paying"));

  assertEquals(code, "session_version_conflict");
});

test("cleanup_expired_whatsapp_sessions() takes the longest expired first, at most so many", async (sql) => {
  for (const minutes of [1, 3, 2]) {
    const { id } = await transition(sql, await openSession(sql), `waits_${minutes}`, {}, "15 minutes");
    await sql`update public.whatsapp_sessions set expires_at = now() - make_interval(mins => ${minutes}) where id = ${id}`;
  }

  const counts = [await cleanUp(sql, 2), (await history(sql)).at(-1)?.from_state, await cleanUp(sql, 2)];

  assertEquals(counts, [2, "waits_2", 1]);
  assertEquals(await sqlStateOf(sql, (inner) => cleanUp(inner, 0)), "PGRST");
  assertEquals(await sqlStateOf(sql, (inner) => cleanUp(inner, 10_001)), "PGRST");
});

test("the schedule runs it every minute", async (sql) => {
  await transition(sql, await openSession(sql), "asking", {}, "15 minutes");
  await expire(sql);

  const [run] = await sql`select private.run_scheduled_job('cleanup-expired-whatsapp-sessions') as is_fine`;

  const [job] = await sql`select cron from private.schedule where name = 'cleanup-expired-whatsapp-sessions'`;
  assertEquals([run!.is_fine, job!.cron, (await onlySession(sql)).state], [true, "* * * * *", "idle"]);
});

Deno.test("cleaning up leaves a session alone that somebody works on", async () => {
  const [one, other] = [connect(database.url), connect(database.url)];
  const session = await one.begin(async (sql) => await transition(sql, await openSession(sql), "asking", {}, "1 hour"));
  await one`update public.whatsapp_sessions set expires_at = now() where id = ${session.id}`;

  const count = await one.begin(async (sql) => {
    await transition(sql, session, "paying");
    return await other.begin((sql) => cleanUp(sql));
  });

  const [row] = await database.sql`select state, version from public.whatsapp_sessions where id = ${session.id}`;
  assertEquals([count, row!.state, row!.version], [0, "paying", session.version + 1]);
  await Promise.all([one.end(), other.end()]);
});
