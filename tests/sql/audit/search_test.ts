import { assertEquals } from "@std/assert";
import type { TransactionSql } from "postgres";
import { as, createTestDatabase, rolledBack, sqlStateOf } from "../../support/database.ts";
import { openedLeaves } from "../../support/opened_leaves.ts";
import type { AuditRow } from "./audited_table.ts";

const OPERATOR = { sub: "6f1c7c2e-8f0e-4c5b-9d5e-250788000000", app_metadata: { role: "operator" } };
const MONTHS = 60;

const database = await createTestDatabase();
await database.sql`
  insert into public.system_audit_logs
    (id, actor_type, actor_identifier, action, resource_type, resource_id, correlation_id)
  select private.uuid_v7(now() - make_interval(days => n)), case when n % 2 = 0 then 'user' else 'service' end,
    'actor-' || n % 3, case when n % 5 = 0 then 'delete' else 'update' end, 'trip', 'trip-' || n, 'work-' || n % 4
  from generate_series(0, 99) as n`;

function search(sql: TransactionSql, filters: Record<string, string | number> = {}): Promise<AuditRow[]> {
  const names = Object.keys(filters);
  const given = names.map((name, index) => `${name} => $${index + 1}`).join(", ");
  return sql.unsafe<AuditRow[]>(`select * from public.search_audit_log(${given})`, Object.values(filters));
}

/** The trips that the rows are about, by how many days ago they were. */
function days(rows: AuditRow[]): number[] {
  return rows.map(({ resource_id }) => Number(resource_id!.slice("trip-".length)));
}

function operatorTest(name: string, body: (sql: TransactionSql) => Promise<void>): void {
  Deno.test(name, rolledBack(database, (sql) => as(sql, "authenticated", OPERATOR, body)));
}

operatorTest("search_audit_log() gives the newest of the last 30 days first", async (sql) => {
  assertEquals(days(await search(sql)), Array.from({ length: 30 }, (_, day) => day));
});

operatorTest("search_audit_log() narrows by whatever is given", async (sql) => {
  assertEquals(days(await search(sql, { resource_type: "trip", resource_id: "trip-7" })), [7]);
  assertEquals(days(await search(sql, { actor_identifier: "actor-2", actor_type: "user", action: "delete" })), [20]);
  assertEquals(days(await search(sql, { correlation_id: "work-3", max_count: 2 })), [3, 7]);
  assertEquals(days(await search(sql, { resource_type: "profiles" })), []);
});

operatorTest("search_audit_log() pages through everything, once", async (sql) => {
  const since = new Date(Date.now() - 200 * 86_400_000).toISOString();
  const seen: number[] = [];
  let page = await search(sql, { since, max_count: 7 });
  while (page.length > 0) {
    seen.push(...days(page));
    page = await search(sql, { since, max_count: 7, before_id: page.at(-1)!.id });
  }

  assertEquals(seen, Array.from({ length: 100 }, (_, day) => day));
});

operatorTest("search_audit_log() refuses what is no page and no time", async (sql) => {
  const refused: Record<string, string | number>[] = [{ max_count: 0 }, { max_count: 201 }, { since: "0001-01-01" }, {
    since: "9999-01-01",
  }];
  for (const filters of refused) {
    assertEquals(await sqlStateOf(sql, (sql) => search(sql, filters)), "PGRST", JSON.stringify(filters));
  }
});

Deno.test(
  "search_audit_log() is for operators",
  rolledBack(database, async (sql) => {
    const state = (sql: TransactionSql) => sqlStateOf(sql, (sql) => search(sql));

    assertEquals(await as(sql, "authenticated", { sub: OPERATOR.sub }, state), "PGRST");
    assertEquals(await as(sql, "service_role", {}, state), "42501");
    assertEquals(await as(sql, "anon", {}, state), "42501");
  }),
);

Deno.test(
  `search_audit_log() opens few of ${MONTHS} months`,
  rolledBack(database, async (sql) => {
    await sql`select private.create_partition('system_audit_logs', '2019-12-01Z'::timestamptz + make_interval(months => n))
      from generate_series(1, ${MONTHS}::int) as n`;

    const { used } = await openedLeaves(sql, () => as(sql, "authenticated", OPERATOR, (sql) => search(sql)));

    assertEquals(used.length > 0 && used.length <= 3, true, used.join());
  }),
);
