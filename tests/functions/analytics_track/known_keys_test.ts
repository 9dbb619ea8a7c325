import { assertEquals, assertRejects } from "@std/assert";
import { KnownKeys } from "../../../supabase/functions/analytics-track/known_keys.ts";

/** Keys over a table that can change, with a clock of the test's own. */
function knownKeys(table: Record<string, string>) {
  const asked: string[] = [];
  const clock = { now: 0 };
  const keys = new KnownKeys((hash) => {
    asked.push(hash);
    return hash === "away" ? Promise.reject(new Error("away")) : Promise.resolve(table[hash]);
  }, () => clock.now);
  return { keys, asked, clock };
}

Deno.test("KnownKeys asks once for a key that many requests bring at once", async () => {
  const { keys, asked } = knownKeys({ a: "1" });

  assertEquals(await Promise.all([keys.idOf("a"), keys.idOf("a"), keys.idOf("a")]), ["1", "1", "1"]);
  assertEquals(asked, ["a"]);
});

Deno.test("KnownKeys forgets a revoked key after 30 s", async () => {
  const table: Record<string, string> = { a: "1" };
  const { keys, clock } = knownKeys(table);
  await keys.idOf("a");
  delete table.a;

  clock.now = 29_999;
  assertEquals(await keys.idOf("a"), "1");
  clock.now = 30_000;
  assertEquals(await keys.idOf("a"), undefined);
});

Deno.test("KnownKeys takes a new key after 5 s, though it was tried before", async () => {
  const table: Record<string, string> = {};
  const { keys, asked, clock } = knownKeys(table);
  await keys.idOf("a");
  table.a = "1";

  clock.now = 4_999;
  assertEquals([await keys.idOf("a"), asked.length], [undefined, 1]);
  clock.now = 5_000;
  assertEquals(await keys.idOf("a"), "1");
});

Deno.test("KnownKeys does not remember that the database was away", async () => {
  const { keys, asked } = knownKeys({});

  await assertRejects(() => keys.idOf("away"));
  await assertRejects(() => keys.idOf("away"));

  assertEquals(asked.length, 2);
});

Deno.test("KnownKeys stays small however many keys strangers invent", async () => {
  const { keys, asked } = knownKeys({});
  for (let number = 0; number < 2_500; number++) await keys.idOf(`guess-${number}`);

  await keys.idOf("guess-0");

  assertEquals(asked.length, 2_501);
});
