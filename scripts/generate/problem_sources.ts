import type { ISql } from "postgres";
import { EDGE_PROBLEMS } from "../../shared/problem.ts";
import { sourceFiles } from "../source/files.ts";

/** Problem codes, and where each is raised: SQL functions or files. */
export type ProblemSources = Map<string, string[]>;

/** A code of SQL, as `private.problem_catalog()` lists it. */
export interface CatalogedProblem {
  code: string;
  status: number;
  title: string;
}

/** Raised, or returned where the refusal must be kept. */
const REFUSAL = /\bprivate\.refuse(?:_secret)?\(\s*(?:'(\w+)')?/g;

/** Every code that SQL may refuse with. */
export async function readProblemCatalog(sql: ISql): Promise<CatalogedProblem[]> {
  return await sql<CatalogedProblem[]>`select code, status, title from private.problem_catalog() order by code`;
}

/** A function of public or private with its source text. */
export interface SqlFunction {
  /** `private.refuse` */
  name: string;
  body: string;
  comment: string;
}

/** Every function of ours. */
export async function sqlFunctions(sql: ISql): Promise<SqlFunction[]> {
  return await sql<SqlFunction[]>`
    select format('%s.%s', p.pronamespace::regnamespace, p.proname) as name, p.prosrc as body,
      coalesce(obj_description(p.oid, 'pg_proc'), '') as comment
    from pg_catalog.pg_proc as p
    where p.pronamespace in ('public'::regnamespace, 'private'::regnamespace)
    order by name`;
}

/** The codes that a function's body refuses with; one that is no literal is the empty string. */
export function refusalsIn(body: string): string[] {
  return [...body.matchAll(REFUSAL)].map(([, code = ""]) => code);
}

/** Which SQL functions refuse with which code. */
export async function refusalsInSql(sql: ISql): Promise<ProblemSources> {
  const functions = await sqlFunctions(sql);
  return grouped(functions.flatMap(({ name, body }) => refusalsIn(body).map((code): [string, string] => [code, name])));
}

/** Which files of the functions and of shared name which code of the edge. */
export async function problemsAtTheEdge(): Promise<ProblemSources> {
  const files = (await sourceFiles("shared", "supabase/functions")).filter(({ path }) => path !== "shared/problem.ts");
  return grouped(
    files.flatMap(({ path, text }) =>
      Object.keys(EDGE_PROBLEMS).filter((code) => text.includes(`"${code}"`)).map((
        code,
      ): [string, string] => [code, path])
    ),
  );
}

function grouped(pairs: [code: string, source: string][]): ProblemSources {
  const sources: ProblemSources = new Map();
  for (const [code, source] of pairs) sources.set(code, [...new Set([...sources.get(code) ?? [], source])].sort());
  return sources;
}
