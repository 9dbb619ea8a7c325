import type { ISql } from "postgres";
import { type SqlFunction, sqlFunctions } from "../../scripts/generate/problem_sources.ts";

/** Functions by name, each with its body, and views, each with the names that it is made of. */
export type Sources = Map<string, SqlFunction>;

/** Reads every function and view of public and private. */
export async function readSources(sql: ISql): Promise<Sources> {
  const views = await sql<SqlFunction[]>`
    select format('%s.%s', c.relnamespace::regnamespace, c.relname) as name, string_agg(used.name, ' ') as body, '' as comment
    from pg_class as c
    join pg_rewrite as rule on rule.ev_class = c.oid
    join pg_depend as dependency on dependency.classid = 'pg_rewrite'::regclass and dependency.objid = rule.oid
    cross join lateral (
      select format('%s.%s', p.pronamespace::regnamespace, p.proname) as name from pg_proc as p
      where dependency.refclassid = 'pg_proc'::regclass and p.oid = dependency.refobjid
      union all
      select format('%s.%s', r.relnamespace::regnamespace, r.relname) from pg_class as r
      where dependency.refclassid = 'pg_class'::regclass and r.oid = dependency.refobjid
    ) as used
    where c.relnamespace in ('public'::regnamespace, 'private'::regnamespace)
    group by c.oid`;
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
