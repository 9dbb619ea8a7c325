import type { Sql } from "postgres";

/** Which domain each object belongs to, by its name; domains in the order of their first migration. */
export type Domains = Map<string, string>;

const CREATION =
  /^create (?:or replace )?(?:unlogged )?(?:table|view|materialized view|function|type|domain) (?:if not exists )?((?:public|private)\.\w+)/gm;

/**
 * Reads from the recorded migrations which of them makes what. Files of one domain begin with the same word
 * (`payments`, `payments_functions`, `payment_webhooks`), and the first of them names it.
 */
export async function readDomains(sql: Sql): Promise<Domains> {
  const migrations = await sql<{ name: string; statements: string[] }[]>`
    select name, statements from supabase_migrations.schema_migrations order by version`;
  const titles = new Map<string, string>();
  const domains: Domains = new Map();
  for (const { name, statements } of migrations) {
    const word = name.split("_")[0]!.replace(/s$/, "");
    if (!titles.has(word)) titles.set(word, name.replaceAll("_", " "));
    for (const [, object] of statements.join("\n").matchAll(CREATION)) {
      if (!domains.has(object!)) domains.set(object!, titles.get(word)!);
    }
  }
  return domains;
}
