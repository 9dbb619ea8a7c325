import { assertEquals } from "@std/assert";
import type { TransactionSql } from "postgres";
import { createTestDatabase, rolledBack } from "../../support/database.ts";
import { codeOf, createFlag } from "./flags.ts";

const database = await createTestDatabase();

function test(name: string, body: (sql: TransactionSql) => Promise<void>): void {
  Deno.test(name, rolledBack(database, body));
}

interface Count {
  flag_key: string;
  reason: string;
  variant?: string;
  count: number;
  hour: string;
}

async function record(sql: TransactionSql, counts: Partial<Count>[]): Promise<number> {
  const [row] = await sql`select public.record_flag_evaluations('production', ${
    JSON.stringify(counts)
  }::text::jsonb) as touched`;
  return row!.touched;
}

const now = new Date().toISOString();

/** Moves everything of a flag into the past. */
async function age(sql: TransactionSql, key: string, days: number): Promise<void> {
  await sql`update public.feature_flags set created_at = now() - make_interval(days => ${days}) where flag_key = ${key}`;
}

async function served(sql: TransactionSql, key: string, variant: string, daysAgo: number): Promise<void> {
  await sql`insert into public.feature_flag_evaluations values
    ('production', ${key}, date_trunc('hour', now() - make_interval(days => ${daysAgo}), 'UTC'), 'SPLIT', ${variant}, 1)`;
}

async function staleReasons(sql: TransactionSql): Promise<Record<string, string[]>> {
  const rows = await sql<
    { flag_key: string; reasons: string[] }[]
  >`select flag_key, reasons from public.stale_feature_flags`;
  return Object.fromEntries(rows.map(({ flag_key, reasons }) => [flag_key, reasons]));
}

test("record_flag_evaluations() adds up by hour, flag, reason and variant", async (sql) => {
  await createFlag(sql, "fare");
  const count = { flag_key: "fare", reason: "SPLIT", variant: "on", count: 2, hour: now };

  assertEquals(await record(sql, [count, { ...count, count: 3 }, { ...count, variant: "off" }]), 2);
  await record(sql, [count, { ...count, reason: "ERROR", variant: undefined }]);

  const rows = await sql`
    select reason, variant, evaluation_count::integer as count from public.feature_flag_evaluations order by reason, variant`;
  assertEquals([...rows], [
    { reason: "ERROR", variant: "", count: 2 },
    { reason: "SPLIT", variant: "off", count: 2 },
    { reason: "SPLIT", variant: "on", count: 7 },
  ]);
});

test("record_flag_evaluations() leaves out flags that are not known", async (sql) => {
  assertEquals(await record(sql, [{ flag_key: "gone", reason: "STATIC", count: 1, hour: now }]), 0);
});

test("record_flag_evaluations() refuses what is no count", async (sql) => {
  await createFlag(sql, "fare");
  const good = { flag_key: "fare", reason: "SPLIT", count: 1, hour: now };

  for (
    const bad of [
      { count: 0 },
      { count: 1.5 },
      { reason: "MAYBE" },
      { hour: "2020-01-01T00:00:00Z" },
      { hour: "now" },
      { flag_key: null },
    ]
  ) {
    assertEquals(await codeOf(sql, (sql) => record(sql, [{ ...good, ...bad } as Count])), "invalid_argument");
  }
});

test("stale_feature_flags tells what has lived too long, is always the same, or is not asked for", async (sql) => {
  for (const key of ["young", "old", "same", "unused", "mixed"]) await createFlag(sql, key);
  await age(sql, "old", 41);
  for (const key of ["same", "unused", "mixed"]) await age(sql, key, 20);
  for (
    const [key, variant, days] of [
      ["old", "on", 1],
      ["old", "off", 1],
      ["same", "on", 15],
      ["same", "on", 1],
      ["mixed", "on", 15],
      ["mixed", "on", 1],
      ["mixed", "off", 2],
    ] as const
  ) {
    await served(sql, key, variant, days);
  }

  assertEquals(await staleReasons(sql), {
    old: ["lifetime_over"],
    same: ["always_the_same"],
    unused: ["not_evaluated"],
  });
});

test("a flag without a lifetime is never stale, and an archived one neither", async (sql) => {
  await sql`select public.create_feature_flag('stop-payments', kind => 'kill_switch')`;
  await createFlag(sql, "gone");
  for (const key of ["stop-payments", "gone"]) await age(sql, key, 400);
  await sql`select public.archive_feature_flag('gone')`;

  assertEquals(await staleReasons(sql), {});
});

test("private.purge_flag_evaluations() keeps a hundred days", async (sql) => {
  await createFlag(sql, "fare");
  await served(sql, "fare", "on", 101);
  await served(sql, "fare", "on", 99);

  const [row] = await sql`select private.purge_flag_evaluations() as purged`;

  assertEquals(row!.purged, 1);
});
