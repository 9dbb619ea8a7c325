import type { ISql } from "postgres";
import { type SqlFunction, sqlFunctions } from "../../scripts/generate/problem_sources.ts";

/** Functions and views of ours by name, each with its text. */
export type Sources = Map<string, SqlFunction>;

/** Reads every function and view of public and private. */
export async function readSources(sql: ISql): Promise<Sources> {
  const views = await sql<SqlFunction[]>`
    select format('%s.%s', c.relnamespace::regnamespace, c.relname) as name, pg_get_viewdef(c.oid) as body, '' as comment
    from pg_class as c
    where c.relnamespace in ('public'::regnamespace, 'private'::regnamespace) and c.relkind in ('v', 'm')`;
  return new Map([...await sqlFunctions(sql), ...views].map((source) => [source.name, source]));
}

/** The texts that run when this one does: its own and those of whatever it mentions, and so on. */
export function reachableTexts(start: string, sources: Sources): string[] {
  const texts = new Set([start]);
  for (const text of texts) {
    for (const [name] of text.matchAll(/\b(?:public|private)\.\w+/g)) {
      const mentioned = sources.get(name);
      if (mentioned) texts.add(mentioned.body);
    }
  }
  return [...texts];
}
