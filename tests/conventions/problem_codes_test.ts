import { assertEquals, assertNotEquals } from "@std/assert";
import {
  problemsAtTheEdge,
  readProblemCatalog,
  refusalsIn,
  refusalsInSql,
} from "../../scripts/generate/problem_sources.ts";
import { sourceFiles } from "../../scripts/source/files.ts";
import { EDGE_PROBLEMS } from "../../shared/problem.ts";
import { createTestDatabase, rolledBack } from "../support/database.ts";
import { reachableTexts, readSources, type Sources } from "../support/sql_mentions.ts";

/** Listed before the part that raises them is built; the tests below fail when one of them is raised. */
const NOT_RAISED_YET: Record<"sql" | "edge", string[]> = { sql: [], edge: [] };

const database = await createTestDatabase();
const edgeCodes: Record<string, readonly [status: number, title: string]> = EDGE_PROBLEMS;

Deno.test(
  "every code that SQL refuses with is in the catalog, and the other way round",
  rolledBack(database, async (sql) => {
    const raised = [...(await refusalsInSql(sql)).keys()];
    const listed = (await readProblemCatalog(sql)).map(({ code }) => code);

    assertEquals([...raised, ...NOT_RAISED_YET.sql].sort(), listed.sort());
  }),
);

Deno.test(
  "a breach is seen: SQL refuses with a code that is not in the catalog, or with no literal",
  rolledBack(database, async (sql) => {
    const before = (await refusalsInSql(sql)).size;
    await sql.unsafe(`
      create function private.probe(code text) returns void language plpgsql as $$
      begin
        perform private.refuse('unheard_of');
        perform private.refuse(probe.code);
      end $$`).simple();

    assertEquals((await refusalsInSql(sql)).size, before + 2);
  }),
);

Deno.test("every code of the edge is used, and every code that is used is listed", async () => {
  const used = [...(await problemsAtTheEdge()).keys()];
  const files = await sourceFiles("shared", "supabase/functions");
  const thrown = files.flatMap(({ text }) => [...text.matchAll(/new Problem\(\s*"(\w+)"/g)].map(([, code]) => code!));

  assertEquals([...used, ...NOT_RAISED_YET.edge].sort(), Object.keys(edgeCodes).sort());
  assertEquals(thrown.filter((code) => !(code in edgeCodes)), []);
});

Deno.test(
  "a code means the same status in SQL and at the edge",
  rolledBack(database, async (sql) => {
    const differing = (await readProblemCatalog(sql))
      .filter(({ code, status }) => (edgeCodes[code]?.[0] ?? status) !== status);

    assertEquals(differing, []);
  }),
);

Deno.test(
  "codes are snake_case, statuses those of a refusal",
  rolledBack(database, async (sql) => {
    const edge = Object.entries(edgeCodes).map(([code, [status]]) => ({ code, status }));
    const all = [...edge, ...await readProblemCatalog(sql)];

    const odd = all.filter(({ code, status }) => !/^[a-z][a-z0-9_]*$/.test(code) || status < 400 || status > 599);
    assertEquals(odd, []);
  }),
);

Deno.test(
  "a public function's comment names what it refuses with itself, and nothing that it cannot raise",
  rolledBack(database, async (sql) => {
    assertEquals(wrongComments(await readSources(sql)), []);
  }),
);

Deno.test(
  "a breach is seen: a comment that promises a refusal which never comes",
  rolledBack(database, async (sql) => {
    await sql`comment on function public.archive_partitions is 'Refuses: invalid_argument.'`;

    assertNotEquals(wrongComments(await readSources(sql)), []);
  }),
);

function wrongComments(sources: Sources): string[] {
  const offered = [...sources.values()].filter(({ name }) => name.startsWith("public."));
  return offered.flatMap(({ name, body, comment }) => {
    // `Refuses: one_code, another_code (when, and why).`
    const listed = /Refuses: ([^.]+)/.exec(comment.replace(/\(.*?\)/g, ""))?.[1] ?? "";
    const documented: string[] = listed.match(/\b[a-z]+(_[a-z]+)+\b/g) ?? [];
    const possible = reachableTexts(body, sources).flatMap(refusalsIn);
    return [
      ...refusalsIn(body).filter((code) => !documented.includes(code)).map((code) => `${name} hides ${code}`),
      ...documented.filter((code) => !possible.includes(code)).map((code) => `${name} never raises ${code}`),
    ];
  });
}
