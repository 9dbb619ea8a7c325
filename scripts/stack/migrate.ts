import type { Sql } from "postgres";
import { StackError } from "./stack_error.ts";
import { runText } from "./sql_file.ts";

/** One file of supabase/migrations: `<version>_<name>.sql`. */
interface Migration {
  file: string;
  version: string;
  name: string;
  text: string;
}

const REBUILD = "run `deno task reset` to rebuild the local database";

const HISTORY = `
create schema if not exists supabase_migrations;
create table if not exists supabase_migrations.schema_migrations (
  version text primary key,
  statements text[],
  name text
);`;

/**
 * Applies the migrations that the database does not have, recorded as the Supabase CLI records them, so that
 * `supabase db push` and this function agree on what is done.
 *
 * @param sql - a single connection as `postgres`
 * @returns the files applied
 * @throws StackError with file, line and statement when one fails, or when a recorded file has changed or is gone
 */
export async function migrate(sql: Sql, folder: URL): Promise<string[]> {
  await sql.unsafe(HISTORY).simple();
  const recorded = await sql<{ version: string; statements: string[] | null }[]>`
    select version, statements from supabase_migrations.schema_migrations`;
  const done = new Map(recorded.map((row) => [row.version, row.statements ?? []]));
  const migrations = await migrationsIn(folder);
  refuseGone(migrations, done);
  const applied: string[] = [];
  for (const migration of migrations) {
    const statements = done.get(migration.version);
    if (statements) refuseChanged(migration, statements);
    if (statements) continue;
    await apply(sql, migration);
    applied.push(migration.file);
  }
  return applied;
}

async function migrationsIn(folder: URL): Promise<Migration[]> {
  const files = await Array.fromAsync(Deno.readDir(folder), (entry) => entry.name);
  const migrations = files.sort().flatMap((file) => {
    const [, version, name] = /^(\d{14})_(.+)\.sql$/.exec(file) ?? [];
    return version && name ? [{ file, version, name }] : [];
  });
  const again = migrations.find(({ version }, index) => version === migrations[index - 1]?.version);
  if (again) throw new StackError(`${again.file} has the version of another migration`);
  return await Promise.all(
    migrations.map(async (found) => ({ ...found, text: await Deno.readTextFile(new URL(found.file, folder)) })),
  );
}

async function apply(sql: Sql, { file, version, name, text }: Migration): Promise<void> {
  // Recorded inside the file's own transaction: a crash leaves both or neither.
  await runText(sql, file, text, async (statements) => {
    await sql`insert into supabase_migrations.schema_migrations (version, statements, name)
      values (${version}, ${statements}, ${name})`;
  });
}

function refuseChanged(migration: Migration, recorded: string[]): void {
  if (essence(recorded.join(";\n")) === essence(migration.text)) return;
  throw new StackError(`${migration.file} has changed since it was applied here: ${REBUILD}`);
}

function refuseGone(migrations: Migration[], done: Map<string, string[]>): void {
  const known = new Set(migrations.map((migration) => migration.version));
  const gone = [...done.keys()].find((version) => !known.has(version));
  if (gone) throw new StackError(`migration ${gone} was applied here and its file is gone: ${REBUILD}`);
}

/** The text without comments, white space and semicolons: the CLI also records a comment behind the last statement. */
function essence(text: string): string {
  return text.replace(/--.*$/gm, "").replace(/[\s;]+/g, "");
}
