import { assertEquals, assertFalse, assertRejects, assertStringIncludes } from "@std/assert";
import { fromFileUrl } from "@std/path";
import { MIGRATIONS, withConnection } from "../../scripts/stack/database.ts";
import { migrate } from "../../scripts/stack/migrate.ts";
import { runSupabase } from "../../scripts/stack/supabase_cli.ts";
import { createUnmigratedDatabase } from "../support/boot_modes.ts";
import { createTestDatabase } from "../support/database.ts";

const CHECKOUT = fromFileUrl(new URL("../../", import.meta.url));

Deno.test("supabase db advisors finds nothing to warn about", async () => {
  const { url } = await createTestDatabase();

  assertStringIncludes((await advise(url)).remarked, "No issues found");
});

Deno.test("a breach is seen: a table that everybody can read", async () => {
  const { url, sql } = await createTestDatabase();
  await sql`create table public.probe (id uuid primary key)`;
  await sql`grant select on public.probe to anon`;

  await assertRejects(() => advise(url), Error, "rls_disabled_in_public");
});

Deno.test("supabase db push has nothing to do after our own migrate(), and nothing to remark on config.toml", async () => {
  const { url } = await createTestDatabase();

  const { printed, remarked } = await push(url);

  assertStringIncludes(printed, "Remote database is up to date");
  assertFalse(/warn/i.test(remarked), remarked);
});

Deno.test("our own migrate() has nothing to do after supabase db push", async () => {
  const { url } = await createUnmigratedDatabase();

  await push(url);

  assertEquals(await withConnection(url, (sql) => migrate(sql, MIGRATIONS)), []);
});

function advise(url: string) {
  return runSupabase(["db", "advisors", `--remote=${url}`, "--fail-on", "warn", "--yes"], CHECKOUT);
}

function push(url: string) {
  return runSupabase(["db", "push", `--remote=${url}`, "--yes"], CHECKOUT);
}
