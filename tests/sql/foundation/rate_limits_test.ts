import { assertEquals } from "@std/assert";
import type { Sql, TransactionSql } from "postgres";
import { connect } from "../../../scripts/stack/connection.ts";
import { as, createTestDatabase, rolledBack, sqlStateOf } from "../../support/database.ts";

const database = await createTestDatabase();

/** So many requests per day, unless told otherwise: no test lasts long enough for one of them to come back by itself. */
interface Limit {
  requests: number;
  period?: number;
  burst?: number;
}

interface Charge {
  is_allowed: boolean;
  remaining: number;
  retry_after_seconds: number;
}

const DAY = 86_400;

async function charge(
  sql: Sql | TransactionSql,
  key: string,
  { requests, period = DAY, burst }: Limit,
): Promise<Charge> {
  const [row] = await sql<[Charge]>`
    select * from public.charge_rate_limit(${key}, ${requests}, ${period}, ${burst ?? null})`;
  return { ...row };
}

/** How long a refused caller is told to wait; in minutes, so that a slow machine changes nothing. */
function waitOf({ retry_after_seconds }: Charge): number {
  return Math.ceil(retry_after_seconds / 60);
}

/** Lets time pass for one key. */
async function pass(sql: TransactionSql, key: string, seconds: number): Promise<void> {
  await sql`update private.rate_limits
    set theoretical_arrival_at = theoretical_arrival_at - make_interval(secs => ${seconds}) where key = ${key}`;
}

Deno.test("charge_rate_limit() admits exactly the burst out of two hundred at the same moment", async () => {
  const sql = connect(database.url, { max: 8 });

  const charges = await Promise.all(Array.from({ length: 200 }, () => charge(sql, "crowd", { requests: 50 })));

  assertEquals(charges.filter((charge) => charge.is_allowed).length, 50);
  // Who waited for the row tells by the time that it came at, and may say one less than is left.
  const left = charges.filter((charge) => charge.is_allowed).map((charge) => charge.remaining).sort((a, b) => b - a);
  assertEquals(left.map((remaining, n) => 49 - n - remaining).filter((off) => off !== 0 && off !== 1), []);
  await sql.end();
});

Deno.test(
  "charge_rate_limit() counts down what remains, then refuses",
  rolledBack(database, async (sql) => {
    const charges = [];
    for (let n = 0; n < 4; n++) charges.push(await charge(sql, "rider", { requests: 10, burst: 3 }));

    assertEquals(charges.map(({ is_allowed, remaining }) => [is_allowed, remaining]), [
      [true, 2],
      [true, 1],
      [true, 0],
      [false, 0],
    ]);
    assertEquals(charges.map(waitOf), [0, 0, 0, DAY / 10 / 60]);
  }),
);

Deno.test(
  "charge_rate_limit() admits again after retry_after_seconds, and not before",
  rolledBack(database, async (sql) => {
    const limit = { requests: 7, burst: 2 };
    for (let n = 0; n < 2; n++) await charge(sql, "rider", limit);
    const { retry_after_seconds } = await charge(sql, "rider", limit);

    await pass(sql, "rider", retry_after_seconds - 600);
    const refused = await charge(sql, "rider", limit);
    assertEquals([refused.is_allowed, waitOf(refused)], [false, 10]);
    await pass(sql, "rider", 600);
    assertEquals((await charge(sql, "rider", limit)).is_allowed, true);
    assertEquals((await charge(sql, "rider", limit)).is_allowed, false);
  }),
);

Deno.test(
  "charge_rate_limit() gives requests back evenly, up to the burst and no further",
  rolledBack(database, async (sql) => {
    const limit = { requests: 24, burst: 5 };
    for (let n = 0; n < 5; n++) await charge(sql, "rider", limit);

    await pass(sql, "rider", 2 * 3_600);
    assertEquals((await charge(sql, "rider", limit)).remaining, 1);
    await pass(sql, "rider", 30 * DAY);
    assertEquals((await charge(sql, "rider", limit)).remaining, 4);
  }),
);

Deno.test(
  "a refused request costs nothing",
  rolledBack(database, async (sql) => {
    const limit = { requests: 1 };
    await charge(sql, "rider", limit);
    for (let n = 0; n < 20; n++) await charge(sql, "rider", limit);

    assertEquals(waitOf(await charge(sql, "rider", limit)), DAY / 60);
  }),
);

Deno.test(
  "two keys do not meet",
  rolledBack(database, async (sql) => {
    await charge(sql, "rider", { requests: 1 });

    assertEquals((await charge(sql, "driver", { requests: 1 })).is_allowed, true);
  }),
);

Deno.test(
  "charge_rate_limit() starts anew when its table was emptied, as after a crash",
  rolledBack(database, async (sql) => {
    await charge(sql, "rider", { requests: 1 });
    await sql`delete from private.rate_limits`;

    assertEquals((await charge(sql, "rider", { requests: 1 })).is_allowed, true);
  }),
);

Deno.test(
  "charge_rate_limit() follows a limit that changes",
  rolledBack(database, async (sql) => {
    for (let n = 0; n < 10; n++) await charge(sql, "rider", { requests: 10 });

    assertEquals(waitOf(await charge(sql, "rider", { requests: 10, burst: 2 })), 9 * DAY / 10 / 60);
    assertEquals((await charge(sql, "rider", { requests: 10, burst: 20 })).remaining, 9);
  }),
);

for (
  const limit of [
    { requests: 1, period: 31 * DAY },
    { requests: 10_000, period: 1 },
    { requests: 100_000, period: 1 },
    { requests: 1, period: 31 * DAY, burst: 100_000 },
    { requests: 100_000, period: 31 * DAY, burst: 1 },
    { requests: 7, period: 1, burst: 3 },
  ]
) {
  Deno.test(
    `charge_rate_limit() counts ${limit.requests} per ${limit.period} s, ${limit.burst ?? limit.requests} at once`,
    rolledBack(database, async (sql) => {
      const { is_allowed, remaining } = await charge(sql, "rider", limit);

      assertEquals([is_allowed, remaining], [true, (limit.burst ?? limit.requests) - 1]);
    }),
  );
}

Deno.test(
  "charge_rate_limit() refuses what is no limit",
  rolledBack(database, async (sql) => {
    const calls = [
      ["rider", 0, 60, null],
      ["rider", -1, 60, null],
      ["rider", 100_001, 60, null],
      ["rider", 1, 0, null],
      ["rider", 1, 31 * DAY + 1, null],
      ["rider", 1, 60, 0],
      ["rider", 1, 60, 100_001],
      ["rider", null, 60, null],
      ["rider", 1, null, null],
      [null, 1, 60, null],
      ["", 1, 60, null],
      ["k".repeat(256), 1, 60, null],
    ] as const;
    for (const [key, requests, period, burst] of calls) {
      const state = await sqlStateOf(
        sql,
        (sql) => sql`select public.charge_rate_limit(${key}, ${requests}, ${period}, ${burst})`,
      );
      assertEquals(state, "PGRST", `${key} ${requests} ${period} ${burst}`);
    }
  }),
);

Deno.test(
  "charge_rate_limit() is the service's alone",
  rolledBack(database, async (sql) => {
    for (const role of ["anon", "authenticated"] as const) {
      const work = (sql: TransactionSql) => as(sql, role, {}, (sql) => charge(sql, "rider", { requests: 1 }));
      assertEquals(await sqlStateOf(sql, work), "42501");
    }
    assertEquals((await as(sql, "service_role", {}, (sql) => charge(sql, "rider", { requests: 1 }))).is_allowed, true);
  }),
);

Deno.test(
  "purge_rate_limits() forgets keys at rest and keeps those in use",
  rolledBack(database, async (sql) => {
    for (const key of ["resting", "busy"]) await charge(sql, key, { requests: 1 });
    await pass(sql, "resting", DAY + 120);

    const [row] = await sql`select private.purge_rate_limits()::int as count`;

    assertEquals(row!.count, 1);
    assertEquals((await charge(sql, "busy", { requests: 1 })).is_allowed, false);
  }),
);
