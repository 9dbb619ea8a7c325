import { assertEquals } from "@std/assert";
import { connect } from "../../../scripts/stack/connection.ts";
import { createTestDatabase, rolledBack } from "../../support/database.ts";
import { expire, get, lease, put } from "./caching.ts";

const CALLERS = 50;
const database = await createTestDatabase();
const test = (name: string, body: Parameters<typeof rolledBack>[1]) => Deno.test(name, rolledBack(database, body));

for (const isKnown of [false, true]) {
  Deno.test(`of ${CALLERS} callers at once, one computes ${isKnown ? "anew, and the others get the stale value" : "and the others wait"}`, async () => {
    const sql = connect(database.url, { max: CALLERS });
    const key = `stampede:${isKnown}`;
    await put(sql, key, "old", { stale: 60 });
    if (isKnown) await expire(sql, key);
    else await sql`delete from public.cache_entries where key = ${key}`;

    const answers = await Promise.all(Array.from({ length: CALLERS }, () => lease(sql, key)));

    const states = answers.map(({ state }) => state).sort();
    assertEquals(states, ["compute", ...Array(CALLERS - 1).fill(isKnown ? "stale" : "wait")]);
    if (isKnown) assertEquals(new Set(answers.map(({ value }) => value)), new Set(["old"]));
    const chosen = answers.find(({ state }) => state === "compute")!;
    assertEquals(await put(sql, key, "new", { token: chosen.lease_token }), true);
    assertEquals((await lease(sql, key)).state, "fresh");
    assertEquals(await get(sql, key), "new");
    await sql.end();
  });
}

test("who does not come back loses the lease, and what they bring later is not kept", async (sql) => {
  const crashed = await lease(sql, "a", { seconds: 0.001 });
  await sql`select pg_sleep(0.002)`;

  const next = await lease(sql, "a");

  assertEquals([crashed.state, next.state], ["compute", "compute"]);
  assertEquals(await put(sql, "a", "late", { token: crashed.lease_token }), false);
  assertEquals(await get(sql, "a"), null);
  assertEquals(await put(sql, "a", "right", { token: next.lease_token }), true);
  assertEquals(await get(sql, "a"), "right");
});

test("what was computed from before an invalidation is not kept", async (sql) => {
  const { lease_token } = await lease(sql, "a", { tags: ["zone:1"] });

  await sql`select public.invalidate_cache_by_tag('zone:1')`;

  assertEquals(await put(sql, "a", "from before", { token: lease_token }), false);
  assertEquals((await lease(sql, "a")).state, "compute");
});

test("a value past its stale time is not given, not even to the one that computes", async (sql) => {
  await put(sql, "a", "old", { stale: 60 });
  await sql`update public.cache_entries set expires_at = now() - interval '2 s', kept_until = now() where key = 'a'`;

  const [first, second] = [await lease(sql, "a"), await lease(sql, "a")];

  assertEquals([first.state, first.value], ["compute", null]);
  assertEquals([second.state, second.value], ["wait", null]);
});

test("cleanup_expired_cache() leaves an entry that somebody computes", async (sql) => {
  await put(sql, "a", "old");
  await sql`update public.cache_entries set expires_at = now(), kept_until = now() where key = 'a'`;
  const { lease_token } = await lease(sql, "a");

  await sql`select public.cleanup_expired_cache()`;

  assertEquals(await put(sql, "a", "new", { token: lease_token }), true);
});

Deno.test("a caller whose transaction stays open makes nobody wait", async () => {
  const [slow, quick] = [connect(database.url), connect(database.url)];
  await put(quick, "slow", "old", { stale: 60 });
  await expire(quick, "slow");

  await slow.begin(async (open) => {
    assertEquals((await lease(open, "slow")).state, "compute");
    assertEquals((await lease(quick, "slow")).state, "stale");
  });

  await Promise.all([slow.end(), quick.end()]);
});
