import { assertEquals } from "@std/assert";
import type { TransactionSql } from "postgres";
import { as, createTestDatabase, rolledBack } from "../../support/database.ts";
import { codeOf, createFlag, setRules } from "./flags.ts";

const database = await createTestDatabase();
const operator = { sub: crypto.randomUUID(), app_metadata: { role: "operator" } };

function test(name: string, body: (sql: TransactionSql) => Promise<void>): void {
  Deno.test(name, rolledBack(database, body));
}

function update(sql: TransactionSql, changes: unknown) {
  return sql`select (flag).kind, (flag).owner, (flag).lifetime_days, (flag).tags, (flag).is_client_visible
    from public.update_feature_flag('fare', ${JSON.stringify(changes)}::text::jsonb) as flag`;
}

test("update_feature_flag() changes what is given, and a kind brings its lifetime", async (sql) => {
  await createFlag(sql, "fare");

  await update(sql, { owner: "pricing", tags: ["fares"], is_client_visible: true });
  const [row] = await update(sql, { kind: "operational" });

  assertEquals(row, {
    kind: "operational",
    owner: "pricing",
    lifetime_days: 7,
    tags: ["fares"],
    is_client_visible: true,
  });
  assertEquals((await update(sql, { lifetime_days: null, owner: null }))[0]!.lifetime_days, null);
});

test("update_feature_flag() refuses what a flag has not", async (sql) => {
  await createFlag(sql, "fare");

  for (
    const changes of [[], { value_type: "string" }, { kind: "forever" }, { kind: null }, { lifetime_days: 0 }, {
      tags: "fares",
    }, { is_client_visible: "yes" }]
  ) {
    assertEquals(await codeOf(sql, (sql) => update(sql, changes)), "invalid_argument");
  }
  assertEquals(await codeOf(sql, (sql) => sql`select public.update_feature_flag('gone', '{}')`), "flag_not_found");
});

test("operators see flags with their rules and why they are stale; other people do not", async (sql) => {
  await createFlag(sql, "fare");
  await setRules(sql, "fare", [{ id: "all", variant: "on" }]);
  await sql`update public.feature_flags set created_at = now() - interval '41 days'`;

  const [seen] = await as(
    sql,
    "authenticated",
    operator,
    (sql) => sql`select public.list_feature_flags('production') as list, public.get_feature_flag('fare') as flag`,
  );

  assertEquals(
    seen!.list.map((
      each: Record<string, unknown>,
    ) => [each.flag_key, each.is_enabled, each.rule_count, each.stale_because]),
    [
      ["fare", true, 1, ["lifetime_over", "not_evaluated"]],
    ],
  );
  assertEquals(Object.keys(seen!.flag.environments), ["staging", "production", "development"]);
  assertEquals(seen!.flag.environments.production.rules[0].rule_id, "all");
  for (const call of ["public.list_feature_flags()", "public.get_feature_flag('fare')"]) {
    const read = (sql: TransactionSql) =>
      as(sql, "authenticated", { sub: operator.sub }, (sql) => sql.unsafe(`select ${call}`));
    assertEquals(await codeOf(sql, read), "operator_required");
  }
});
