import { assertEquals } from "@std/assert";
import type { TransactionSql } from "postgres";
import { as, createTestDatabase, rolledBack } from "../../../support/database.ts";
import { codeOf } from "../../flags/flags.ts";

const database = await createTestDatabase();
const operator = { sub: crypto.randomUUID(), app_metadata: { role: "operator" } };
const QUESTIONS = [
  "analytics_overview()",
  "analytics_active_users()",
  "analytics_funnel('{looked}')",
  "analytics_retention()",
  "analytics_sessions()",
  "analytics_top_events()",
  "analytics_top_properties('looked')",
  "analytics_top_values('looked', 'city')",
  "analytics_timeline('aline')",
  "analytics_flag_adoption('fare')",
];

for (const question of QUESTIONS) {
  Deno.test(
    `${question} is answered to operators and the service, and to nobody else`,
    rolledBack(database, async (sql) => {
      const ask = (sql: TransactionSql) => sql.unsafe(`select * from public.${question}`);

      await as(sql, "authenticated", operator, ask);
      await as(sql, "service_role", {}, ask);
      const code = await as(sql, "authenticated", { sub: crypto.randomUUID() }, (sql) => codeOf(sql, ask));

      assertEquals(code, "operator_required");
      assertEquals(await as(sql, "anon", {}, (sql) => denied(sql, ask)), true);
    }),
  );
}

const REFUSED = [
  "analytics_active_users('2026-01-01', '2027-01-02')",
  "analytics_active_users('2026-01-02', '2026-01-01')",
  "analytics_active_users(to_day => 'infinity')",
  "analytics_active_users('-infinity')",
  "analytics_active_users(to_day => '1970-01-01')",
  "analytics_active_users('5874897-12-31')",
  "analytics_sessions('2026-01-01', '2026-04-03')",
  "analytics_top_events(max_count => 0)",
  "analytics_top_events(max_count => 101)",
  "analytics_top_values('looked', 'city', '2026-01-01', '2026-04-03')",
  "analytics_funnel('{}')",
  "analytics_funnel(null)",
  "analytics_funnel(array[null]::text[])",
  "analytics_funnel('{a,\"\"}')",
  "analytics_funnel('{a,b,c,d,e,f,g,h,i,j,k}')",
  "analytics_funnel('{a}', conversion_seconds => 0)",
  "analytics_funnel('{a}', conversion_seconds => 7776001)",
  "analytics_funnel('{a}', breakdown => '')",
  "analytics_retention(period => null)",
  "analytics_retention(period_count => 93)",
  "analytics_retention(period => 'week', period_count => 54)",
  "analytics_timeline()",
  "analytics_timeline('aline', 'phone')",
  "analytics_timeline('aline', max_count => 101)",
];

for (const question of REFUSED) {
  Deno.test(
    `${question} is refused`,
    rolledBack(database, async (sql) => {
      assertEquals(await codeOf(sql, (sql) => sql.unsafe(`select * from public.${question}`)), "invalid_argument");
    }),
  );
}

Deno.test(
  "a funnel's steps are text to the query, whatever they say, and however the array is numbered",
  rolledBack(database, async (sql) => {
    const rows = await sql`
      select event_name from public.analytics_funnel('[0:1]={"'' or true --","$1"}'::text[], breakdown => ''') --')`;
    const [first] = await sql`
      select event_name from public.analytics_funnel('[0:1]={"'' or true --","$1"}'::text[])`;

    assertEquals([rows.length, first!.event_name], [0, "' or true --"]);
  }),
);

Deno.test.afterAll(() => database.sql.end());

async function denied(sql: TransactionSql, ask: (sql: TransactionSql) => Promise<unknown>): Promise<boolean> {
  try {
    await sql.savepoint(ask);
    return false;
  } catch (error) {
    return (error as { code?: string }).code === "42501";
  }
}
