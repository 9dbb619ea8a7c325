import { assertEquals } from "@std/assert";
import { rolledBack } from "../../support/database.ts";
import { asUser, post, serviceTest, startService } from "../../stack/rpc/service.ts";

const { fetch, database } = await startService(`
  create table public.effects (id integer);
  create function public.refuse_as(code text, details jsonb default '{}') returns void language plpgsql as $$
  begin
    insert into public.effects values (1);
    perform private.refuse(code, details);
  end $$;
  grant insert on public.effects to anon, authenticated;
`);
const { sql } = database;
const RIDER = await asUser();

function refuse(code: string, details?: Record<string, unknown>, caller: HeadersInit = RIDER): Promise<Response> {
  return fetch(post("refuse_as", { code, ...(details && { details }) }, caller));
}

serviceTest("refuse() answers each code of the catalog with its status and title", async () => {
  const catalog = await sql<{ code: string; status: number; title: string }[]>`select * from private.problem_catalog()`;

  for (const { code, status, title } of catalog) {
    const answer = await refuse(code);
    assertEquals(answer.status, status, code);
    assertEquals(await answer.json(), { code, message: title, details: null, hint: null });
  }
});

serviceTest("refuse() rolls everything back", async () => {
  await (await refuse("invalid_argument")).body?.cancel();

  assertEquals((await sql`select from public.effects`).length, 0);
});

serviceTest("refuse() carries its details, as JSON text", async () => {
  const details = { argument: "amount", range: "1..100", quoted: 'a "word", ½ 😀' };

  const answer = await (await refuse("invalid_argument", details)).json();

  assertEquals(JSON.parse(answer.details), details);
});

serviceTest("refuse() makes a Retry-After header of retry_after, and no header of anything else", async () => {
  const waiting = await refuse("rate_limited", { retry_after: 30 });
  const other = await refuse("rate_limited", { available: 1 });

  assertEquals([waiting.headers.get("retry-after"), other.headers.get("retry-after")], ["30", null]);
  assertEquals(JSON.parse((await waiting.json()).details), { retry_after: 30 });
  await other.body?.cancel();
});

serviceTest("refuse() gives the same answer to everybody", async () => {
  const answers = await Promise.all([refuse("operator_required", {}, {}), refuse("operator_required")]);

  assertEquals(answers.map((answer) => answer.status), [403, 403]);
  for (const answer of answers) assertEquals((await answer.json()).code, "operator_required");
});

serviceTest("refuse() fails for a code that is not in the catalog", async () => {
  const answer = await refuse("no_such_code");

  assertEquals((await answer.json()).code, "P0002");
});

Deno.test(
  "the catalog lists each code once, with a 4xx or 5xx status and a title, in alphabetical order",
  rolledBack(database, async (sql) => {
    const rows = await sql`select code, status, title from private.problem_catalog()`;

    const codes = rows.map((row) => row.code);
    assertEquals(codes, [...new Set(codes)].sort());
    assertEquals(
      rows.filter(({ code, status, title }) => !/^[a-z_]+$/.test(code) || status < 400 || status > 599 || !title),
      [],
    );
  }),
);
