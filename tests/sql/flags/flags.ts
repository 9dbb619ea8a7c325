import type { TransactionSql } from "postgres";
import type { FlagEvaluation } from "../../../shared/flags/evaluate_flag.ts";
import type { FlagSnapshot } from "../../../shared/flags/snapshot.ts";
import { refusalOf } from "../queue/queues.ts";

/** A rule as operators write it. */
export type RuleInput = Record<string, unknown>;

/** A flag that is on in production, of texts when it has colours. */
export async function createFlag(
  sql: TransactionSql,
  key: string,
  { isClientVisible = false, colours = [] as string[] } = {},
): Promise<void> {
  const variants = colours.length > 0 ? JSON.stringify(Object.fromEntries(colours.map((name) => [name, name]))) : null;
  await sql`select public.create_feature_flag(
    flag_key => ${key}, value_type => ${
    variants ? "string" : "boolean"
  }::public.flag_value_type, variants => ${variants}::text::jsonb,
    default_variant => ${colours[0] ?? null}, off_variant => ${
    colours[0] ?? null
  }, is_client_visible => ${isClientVisible})`;
  await setEnabled(sql, key, true);
}

/** Throws or releases the kill switch; gives the revision. */
export async function setEnabled(sql: TransactionSql, key: string, isEnabled: boolean): Promise<number> {
  const [row] = await sql<{ revision: number }[]>`
    select public.set_feature_flag_enabled(${key}, 'production', ${isEnabled})::integer as revision`;
  return row!.revision;
}

/** Makes these a flag's rules in production, with off for the others. */
export async function setRules(
  sql: TransactionSql,
  key: string,
  rules: RuleInput[],
  { others = "off", expectedRevision = null as number | null } = {},
): Promise<void> {
  await sql`select public.set_feature_flag_rules(
    ${key}, 'production', ${JSON.stringify(rules)}::text::jsonb, ${others}, ${others}, ${expectedRevision})`;
}

/** What a flag says in production. */
export async function evaluate(
  sql: TransactionSql,
  key: string,
  context: Record<string, unknown> = {},
): Promise<FlagEvaluation> {
  const [row] = await sql<{ answer: FlagEvaluation }[]>`
    select public.evaluate_flag(${key}, ${JSON.stringify(context)}::text::jsonb) as answer`;
  return row!.answer;
}

/** Production's snapshot, or null when the known revision is the latest. */
export async function takeSnapshot(sql: TransactionSql, known: number | null = null): Promise<FlagSnapshot | null> {
  const [row] = await sql<
    { snapshot: FlagSnapshot | null }[]
  >`select public.flag_snapshot('production', ${known}) as snapshot`;
  return row!.snapshot;
}

/** The code that something is refused with. */
export async function codeOf(sql: TransactionSql, work: (sql: TransactionSql) => Promise<unknown>): Promise<string> {
  const [code] = await refusalOf(sql, async (sql) => void await work(sql));
  return code as string;
}
