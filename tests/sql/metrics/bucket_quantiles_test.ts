import { assertEquals } from "@std/assert";
import type { TransactionSql } from "postgres";
import { createTestDatabase, rolledBack } from "../../support/database.ts";

const database = await createTestDatabase();
const test = (name: string, body: Parameters<typeof rolledBack>[1]) => Deno.test(name, rolledBack(database, body));

type Buckets = Record<string, number>;

async function quantiles(
  sql: TransactionSql,
  histograms: Buckets[],
  [minimum, maximum]: [number, number],
  wanted: number[],
): Promise<number[] | null> {
  const [row] = await sql`
    select private.bucket_quantiles(
      array(select value from jsonb_array_elements(${sql.json(histograms)})), ${minimum}, ${maximum}, ${wanted}
    ) as found`;
  return row!.found?.map((value: number) => Number(value.toFixed(6))) ?? null;
}

test("bucket_quantiles() spreads observations evenly over their bucket", async (sql) => {
  assertEquals(await quantiles(sql, [{ "1": 0, "2": 10 }], [1, 2], [0.1, 0.5, 1]), [1.1, 1.5, 2]);
});

test("bucket_quantiles() takes buckets in the order of their bounds", async (sql) => {
  const buckets = { "10": 20, "9": 20, "0.5": 40, "+Inf": 20 };

  assertEquals(await quantiles(sql, [buckets], [0, 30], [0.2, 0.4, 0.6, 0.8, 0.9]), [0.25, 0.5, 9, 10, 20]);
});

test("bucket_quantiles() adds histograms up, whichever buckets each has", async (sql) => {
  const apart: Buckets[] = [{ "1": 5 }, { "1": 5, "2": 10 }, { "3": 0, "4": 10 }];

  assertEquals(
    await quantiles(sql, apart, [0, 4], [0.25, 0.5, 0.95]),
    await quantiles(sql, [{ "1": 10, "2": 10, "3": 0, "4": 10 }], [0, 4], [0.25, 0.5, 0.95]),
  );
});

test("bucket_quantiles() begins a bucket where the empty one below it ends", async (sql) => {
  assertEquals(await quantiles(sql, [{ "0.005": 1, "2.5": 0, "5": 1 }], [0.001, 5], [0.75]), [3.75]);
});

test("bucket_quantiles() never leaves the range of what was observed", async (sql) => {
  assertEquals(await quantiles(sql, [{ "10": 3 }], [7, 7], [0, 0.5, 1]), [7, 7, 7]);
  assertEquals(await quantiles(sql, [{ "1": 1, "+Inf": 99 }], [0.5, 20], [0, 1]), [0.5, 20]);
  assertEquals(await quantiles(sql, [{ "-5": 1, "0": 1 }], [-7, -1], [0, 0.5, 1]), [-7, -5, -1]);
});

test("bucket_quantiles() of nothing is nothing", async (sql) => {
  assertEquals(await quantiles(sql, [], [0, 0], [0.5]), null);
});

test("bucket_quantiles() falls into the bucket that holds the true quantile", async (sql) => {
  const bounds = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5];
  const durations = Array.from({ length: 999 }, (_, index) => 2.4 * (index / 999) ** 3 + 0.001);
  const buckets: Buckets = Object.fromEntries(bounds.map((bound) => [String(bound), 0]));
  const bucketOf = (value: number) => bounds.find((bound) => value <= bound)!;
  for (const duration of durations) buckets[bucketOf(duration)]!++;
  const wanted = [0.05, 0.25, 0.5, 0.9, 0.95, 0.99];

  const found = await quantiles(sql, [buckets], [durations[0]!, durations.at(-1)!], wanted);

  const truth = wanted.map((quantile) => durations[Math.ceil(quantile * durations.length) - 1]!);
  assertEquals(found!.map(bucketOf), truth.map(bucketOf));
});
