import { assert, assertEquals } from "@std/assert";
import { createTestDatabase, rolledBack } from "../../support/database.ts";
import { refusalOf } from "../whatsapp/sessions.ts";
import { expire, get, put } from "./caching.ts";

const database = await createTestDatabase();
const test = (name: string, body: Parameters<typeof rolledBack>[1]) => Deno.test(name, rolledBack(database, body));

test("get_cache() gives what set_cache() kept last, and nothing past its time", async (sql) => {
  await put(sql, "fare:1", { amount: 1_000 });
  await put(sql, "fare:1", { amount: 1_200 });
  await sql`select public.set_cache('fare:2', 'null')`;
  await put(sql, "fare:3", 3, { stale: 60 });
  await expire(sql, "fare:3");

  assertEquals(await get(sql, "fare:1"), { amount: 1_200 });
  assertEquals(await get(sql, "fare:3"), null);
  assertEquals(await get(sql, "fare:4"), null);
  const [row] = await sql`select public.get_cache('fare:2') = 'null'::jsonb as is_json_null`;
  assertEquals(row!.is_json_null, true);
});

for (
  const [fault, key, value, kept] of [
    ["no key", "", 1, {}],
    ["a key that is too long", "k".repeat(513), 1, {}],
    ["no time", "k", 1, { ttl: 0 }],
    ["a time that is no number", "k", 1, { ttl: NaN }],
    ["more than 256 KiB", "k", "v".repeat(300_000), {}],
    ["a namespace that is none", "k", 1, { type: "No!" }],
    ["too many tags", "k", 1, { tags: Array.from({ length: 21 }, String) }],
  ] as const
) {
  test(`set_cache() refuses ${fault}`, async (sql) => {
    const [code] = await refusalOf(sql, async (inner) => {
      await put(inner, key, value, { ...kept, tags: [...("tags" in kept ? kept.tags : [])] });
    });

    assertEquals(code, "invalid_argument");
  });
}

test("invalidate_cache_by_tag() removes what has the tag and nothing else", async (sql) => {
  await put(sql, "a", 1, { tags: ["driver:1", "zone:2"] });
  await put(sql, "b", 2, { tags: ["zone:2"] });
  await put(sql, "c", 3, { tags: ["zone:22"] });

  const [row] = await sql`select public.invalidate_cache_by_tag('zone:2') as count`;

  assertEquals(Number(row!.count), 2);
  assertEquals([await get(sql, "a"), await get(sql, "b"), await get(sql, "c")], [null, null, 3]);
});

test("invalidate_cache() removes one entry", async (sql) => {
  await put(sql, "a", 1);

  const [row] = await sql`select public.invalidate_cache('a') as first, public.invalidate_cache('b') as second`;

  assertEquals([row!.first, row!.second, await get(sql, "a")], [true, false, null]);
});

test("cleanup_expired_cache() removes what may not be given any more, stale values later", async (sql) => {
  await put(sql, "fresh", 1);
  await put(sql, "stale", 2, { stale: 60 });
  await put(sql, "gone", 3);
  await expire(sql, "stale");
  await sql`update public.cache_entries set expires_at = now(), kept_until = now() where key = 'gone'`;

  const [row] = await sql`select public.cleanup_expired_cache() as count`;

  assertEquals(Number(row!.count), 1);
  const rows = await sql`select key from public.cache_entries order by key`;
  assertEquals(rows.map(({ key }) => key), ["fresh", "stale"]);
});

test("a namespace keeps as many as it may, and gives up what was not used for longest", async (sql) => {
  await sql`insert into private.cache_types values ('tiny', 2)`;
  for (const key of ["a", "b", "c", "d"]) await put(sql, key, key, { type: "tiny" });
  await put(sql, "elsewhere", 1);
  await sql`update public.cache_entries set used_at = now() - interval '1 hour' * (ascii(key) - 96) where cache_type = 'tiny'`;
  await sql`select private.sample_cache('d', 'tiny', true)`;

  await sql`select public.cleanup_expired_cache()`;

  const rows = await sql`select key from public.cache_entries order by key`;
  assertEquals(rows.map(({ key }) => key), ["a", "d", "elsewhere"]);
});

test("get_cache() notes about one look-up in 64, and cache_stats counts it as 64", async (sql) => {
  await put(sql, "a", "value", { type: "fares" });
  await sql`select setseed(0.5)`;
  await sql`select public.get_cache('a') from generate_series(1, 6400)`;
  await sql`select public.get_cache('b') from generate_series(1, 6400)`;
  const [noted] = await sql`select count(*)::integer as count from private.cache_samples`;
  assert(noted!.count > 120 && noted!.count < 290, `${noted!.count} of 12,800 were noted`);

  await sql`select public.cleanup_expired_cache()`;

  const rows = await sql`select * from public.cache_stats order by cache_type`;
  const [unknown, fares] = rows;
  assertEquals(rows.length, 2);
  assertEquals(Number(fares!.hit_count) + Number(unknown!.miss_count), 64 * noted!.count);
  assertEquals([fares!.cache_type, fares!.entry_count, fares!.miss_count], ["fares", "1", "0"]);
  assertEquals(Number(fares!.hit_rate), 1);
  assertEquals(await sql`select from private.cache_samples`.then(({ count }) => count), 0);
});
