import { assertEquals } from "@std/assert";
import type { TransactionSql } from "postgres";
import { as, createTestDatabase, rolledBack } from "../../support/database.ts";
import { asUser, createUser } from "../foundation/people.ts";
import { driven, openDriver, openRider } from "../trips/trips.ts";
import { refusalOf } from "../wallet/wallets.ts";

const database = await createTestDatabase();
const test = (name: string, body: Parameters<typeof rolledBack>[1]) => Deno.test(name, rolledBack(database, body));
const OPERATOR = { app_metadata: { role: "operator" } };

/** What is found by an id, as source and what, in order. */
async function trace(sql: TransactionSql, id: string, since: string | null = null): Promise<string[]> {
  const rows = since === null
    ? await sql`select source, what from public.trace_correlation(${id})`
    : await sql`select source, what from public.trace_correlation(${id}, now() - ${since}::text::interval)`;
  return rows.map(({ source, what }) => `${source} ${what}`);
}

test("trace_correlation() finds what a ride has left everywhere, and nothing of another ride", async (sql) => {
  const driver = await openDriver(sql);
  const ids = [];
  for (const id of ["ride-one", "ride-two"]) {
    await sql`select private.continue_correlation(${id})`;
    const trip = await driven(sql, await openRider(sql), driver, "complete");
    await sql`select private.continue_correlation(null)`;
    ids.push(trip.id);
  }

  const found = await sql`select * from public.trace_correlation('ride-one')`;

  const sources = new Set(found.map(({ source }) => source));
  assertEquals(
    ["event_store", "trips", "wallet_holds", "wallet_transactions"].filter((source) => !sources.has(source)),
    [],
  );
  assertEquals(found.filter(({ source }) => source === "trips").map(({ id, what }) => [id, what]), [
    [ids[0], "completed paid"],
  ]);
  assertEquals(
    found.map(({ what }) => what).filter((what: string) => /^trip\./.test(what)),
    ["requested", "offered", "accepted", "arrived", "started", "completed", "paid"].map((name) => `trip.${name}`),
  );
  assertEquals(await trace(sql, "ride-three"), []);
});

test("trace_correlation() is for operators and the service", async (sql) => {
  const user = await createUser(sql);
  const ask = (sql: TransactionSql) => refusalOf(sql, (sql) => trace(sql, "ride"));

  assertEquals(await as(sql, "service_role", {}, ask), "accepted");
  assertEquals(await asUser(sql, user, ask, OPERATOR), "accepted");
  assertEquals(await asUser(sql, user, ask), "operator_required");
  assertEquals(await as(sql, "anon", {}, ask), "42501");
});

test("trace_correlation() shows an operator names and states, and no content", async (sql) => {
  await sql`select private.continue_correlation('ride')`;
  await driven(sql, await openRider(sql), await openDriver(sql), "accept");
  const user = await createUser(sql);

  const rows = await asUser(sql, user, (sql) => sql`select * from public.trace_correlation('ride')`, OPERATOR);

  assertEquals(rows.length > 4, true);
  assertEquals(rows.columns.map(({ name }) => name), ["at", "source", "id", "what"]);
  assertEquals(rows.filter(({ what }) => /Nyabugogo|Kimironko|\+250/.test(what)).length, 0);
});

test("trace_correlation() looks back seven days, and further only when asked", async (sql) => {
  await storeDelivery(sql, "6 days");
  await storeDelivery(sql, "8 days");

  assertEquals((await trace(sql, "ride")).length, 1);
  assertEquals((await trace(sql, "ride", "9 days")).length, 2);
  assertEquals((await trace(sql, "ride", "5 days")).length, 0);
});

test("trace_correlation() refuses what is no id, and more than 31 days", async (sql) => {
  const refused = (id: string | null, since: string | null) =>
    refusalOf(sql, (sql) =>
      sql`
      select public.trace_correlation(${id}, now() - ${since}::text::interval)`);

  assertEquals(await refused("", "1 day"), "invalid_argument");
  assertEquals(await refused("x".repeat(65), "1 day"), "invalid_argument");
  assertEquals(await refused(null, "1 day"), "invalid_argument");
  assertEquals(await refused("ride", null), "invalid_argument");
  assertEquals(await refused("ride", "32 days"), "invalid_argument");
  assertEquals(await refused("x".repeat(64), "31 days"), "accepted");
});

/** A delivery that came so long ago. */
async function storeDelivery(sql: TransactionSql, ago: string): Promise<void> {
  await sql`
    insert into public.whatsapp_deliveries (id, sha256, body, item_count, correlation_id)
    values (private.uuid_v7_floor(now() - ${ago}::text::interval), sha256(${ago}::text::bytea), 'a', 1, 'ride')`;
}
