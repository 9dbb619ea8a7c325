import { assertEquals } from "@std/assert";
import type { TransactionSql } from "postgres";
import { createTestDatabase, rolledBack } from "../../support/database.ts";
import { refusalOf } from "../whatsapp/sessions.ts";
import { asOperator, put } from "./configurations.ts";

const database = await createTestDatabase();
const test = (name: string, body: Parameters<typeof rolledBack>[1]) => Deno.test(name, rolledBack(database, body));

interface Change {
  service_name: string;
  config_key: string;
  version: number;
  revision: number;
  change: string;
  value: unknown;
}
interface Overview {
  version: number;
  entries: Record<string, { value: unknown; origin: { service: string }; is_public: boolean; value_schema: unknown }>;
  history: Change[];
}

/** What an operator is shown of payments in production. */
async function overviewOf(sql: TransactionSql, beforeRevision: number | null = null, count = 50): Promise<Overview> {
  const [row] = await asOperator(
    sql,
    (sql) =>
      sql`select public.describe_service_configs('payments', 'production', ${beforeRevision}, ${count}) as overview`,
    false,
  );
  return row!.overview;
}

test("describe_service_configs() shows operators every key, with secrets masked", async (sql) => {
  await put(sql, { service: "all", key: "region", value: "rw", isPublic: true });
  await put(sql, { value: 5, schema: { type: "integer" } });
  await put(sql, { key: "token", value: "hush-1", isSecret: true });
  await put(sql, { service: "rides", key: "surge", value: 2 });
  await put(sql, { key: "gone", value: 1 });
  await sql`select public.delete_config('payments', 'gone', 'all')`;

  const { entries } = await overviewOf(sql);

  assertEquals(
    Object.entries(entries).map(([key, { value, origin, is_public, value_schema }]) => [
      key,
      value,
      origin.service,
      is_public,
      value_schema,
    ]).sort(),
    [
      ["limit", 5, "payments", false, { type: "integer" }],
      ["region", "rw", "all", true, null],
      ["token", null, "payments", false, null],
    ],
  );
});

test("describe_service_configs() shows the latest changes of what makes the document up, page by page", async (sql) => {
  await put(sql, { service: "all", key: "region", value: "rw" });
  await put(sql, { value: 1 });
  await put(sql, { environment: "production", value: 2 });
  await put(sql, { service: "rides", value: 9 });
  await put(sql, { environment: "staging", value: 9 });
  await put(sql, { key: "token", value: "hush-1", isSecret: true });
  await sql`select public.delete_config('payments', 'token', 'all')`;
  const told = ({ history }: Overview) =>
    history.map(({ service_name, config_key, change, value }) => [service_name, config_key, change, value]);

  const first = await overviewOf(sql, null, 3);
  const second = await overviewOf(sql, first.history.at(-1)!.revision, 3);

  assertEquals(told(first), [
    ["payments", "token", "deleted", null],
    ["payments", "token", "set", null],
    ["payments", "limit", "set", 2],
  ]);
  assertEquals(told(second), [["payments", "limit", "set", 1], ["all", "region", "set", "rw"]]);
  assertEquals(JSON.stringify([first, second]).includes("hush"), false);
});

test("describe_service_configs() of what all services share names each change once", async (sql) => {
  await put(sql, { service: "all", value: 1 });

  const [row] = await asOperator(sql, (sql) => sql`select public.describe_service_configs('all', 'all') as overview`);

  assertEquals(row!.overview.history.length, 1);
});

test("describe_service_configs() is for operators, and its pages are bounded", async (sql) => {
  const refused = await refusalOf(sql, (sql) => sql`select public.describe_service_configs('payments', 'production')`);
  assertEquals(refused[0], "operator_required");
  assertEquals((await refusalOf(sql, (sql) => overviewOf(sql, null, 201)))[0], "invalid_argument");
});
