import { parse } from "libpg-query";
import type { Sql } from "postgres";
import { StackError } from "./postgres.ts";

/** One file of supabase/migrations: `<version>_<name>.sql`. */
interface Migration {
  file: string;
  version: string;
  name: string;
  text: string;
}

interface Statement {
  text: string;
  /** Where its own text begins in the file, counted from 1. */
  line: number;
}

/** What the parser says of a statement: where its text stands, in bytes. */
type RawStatement = { stmt_location?: number; stmt_len?: number };

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
 * @throws StackError with file, line and statement when one fails, or when a recorded file has changed
 */
export async function migrate(sql: Sql, folder: URL): Promise<string[]> {
  await sql.unsafe(HISTORY).simple();
  const recorded = await sql<{ version: string; statements: string[] | null }[]>`
    select version, statements from supabase_migrations.schema_migrations`;
  const done = new Map(recorded.map((row) => [row.version, row.statements ?? []]));
  const applied: string[] = [];
  for (const migration of await migrationsIn(folder)) {
    const statements = done.get(migration.version);
    if (statements) refuseChanged(migration, statements);
    if (statements) continue;
    await apply(sql, migration);
    applied.push(migration.file);
  }
  return applied;
}

/** Runs the statements of a file such as seed.sql, one after the other. */
export async function runFile(sql: Sql, path: URL): Promise<void> {
  const text = await Deno.readTextFile(path);
  const file = path.pathname.split("/").at(-1)!;
  for (const statement of await split(file, text)) await run(sql, file, statement);
}

async function migrationsIn(folder: URL): Promise<Migration[]> {
  const files = await Array.fromAsync(Deno.readDir(folder), (entry) => entry.name);
  const migrations = files.sort().flatMap((file) => {
    const [, version, name] = /^(\d{14})_(.+)\.sql$/.exec(file) ?? [];
    return version && name ? [{ file, version, name }] : [];
  });
  return await Promise.all(
    migrations.map(async (found) => ({ ...found, text: await Deno.readTextFile(new URL(found.file, folder)) })),
  );
}

async function apply(sql: Sql, migration: Migration): Promise<void> {
  const statements = await split(migration.file, migration.text);
  const texts = statements.map((statement) => statement.text);
  const record = () =>
    sql`insert into supabase_migrations.schema_migrations (version, statements, name)
      values (${migration.version}, ${texts}, ${migration.name})`;
  // Recorded inside the file's own transaction: a crash leaves both or neither.
  const endsWithCommit = /^commit$/i.test(texts.at(-1) ?? "");
  for (const [index, statement] of statements.entries()) {
    if (endsWithCommit && index === statements.length - 1) await record();
    await run(sql, migration.file, statement);
  }
  if (!endsWithCommit) await record();
}

async function run(sql: Sql, file: string, statement: Statement): Promise<void> {
  try {
    await sql.unsafe(statement.text).simple();
  } catch (error) {
    await sql.unsafe("rollback").simple();
    const { message, position } = error as { message: string; position?: string };
    const line = statement.line + newlinesIn(statement.text.slice(0, Number(position ?? 1) - 1));
    throw new StackError(`${file}:${line}: ${message} in: ${firstWords(statement.text)}`);
  }
}

async function split(file: string, text: string): Promise<Statement[]> {
  // The parser counts bytes.
  const bytes = new TextEncoder().encode(text);
  const decoder = new TextDecoder();
  const { stmts } = await parse(text).catch((error) => {
    const line = 1 + newlinesIn(decoder.decode(bytes.slice(0, error.sqlDetails?.cursorPosition ?? 0)));
    throw new StackError(`${file}:${line}: ${error.message}`);
  });
  return (stmts ?? []).map(({ stmt_location: start = 0, stmt_len: length }: RawStatement) => {
    const raw = decoder.decode(bytes.slice(start, length ? start + length : undefined));
    const lead = raw.length - raw.trimStart().length;
    const line = 1 + newlinesIn(decoder.decode(bytes.slice(0, start))) + newlinesIn(raw.slice(0, lead));
    return { text: raw.trim(), line };
  });
}

function refuseChanged(migration: Migration, recorded: string[]): void {
  if (essence(recorded.join(";")) === essence(migration.text)) return;
  throw new StackError(
    `${migration.file} has changed since it was applied here: run \`deno task reset\` to rebuild the local database`,
  );
}

/** The text without comments, white space and semicolons: the CLI and we cut files slightly differently. */
function essence(text: string): string {
  return text.replace(/--.*$/gm, "").replace(/[\s;]+/g, "");
}

function newlinesIn(text: string): number {
  return text.split("\n").length - 1;
}

function firstWords(statement: string): string {
  const flat = statement.replace(/^(\s*--.*\n)+/, "").replace(/\s+/g, " ").trim();
  return flat.length > 80 ? `${flat.slice(0, 80)}...` : flat;
}
