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
  /** With the comments before it, without the semicolon. */
  text: string;
  /** Where the text begins in the file, counted from 1. */
  line: number;
}

/** What the parser says of a statement: where its text stands, in bytes. */
type RawStatement = { stmt_location?: number; stmt_len?: number };

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

/** Runs a file such as seed.sql, whole or not at all. */
export async function runFile(sql: Sql, path: URL): Promise<void> {
  await runWhole(sql, path.pathname.split("/").at(-1)!, await Deno.readTextFile(path));
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
  await runWhole(sql, file, text, async (statements) => {
    await sql`insert into supabase_migrations.schema_migrations (version, statements, name)
      values (${version}, ${statements}, ${name})`;
  });
}

/**
 * Runs a file in one transaction, whether it says `begin` and `commit` itself or not.
 *
 * @param beforeCommit - is given the statements as they are recorded
 */
async function runWhole(
  sql: Sql,
  file: string,
  text: string,
  beforeCommit: (statements: string[]) => Promise<void> = () => Promise.resolve(),
): Promise<void> {
  const statements = await split(file, text);
  const end = { text: "commit", line: 1 + newlinesIn(text.trimEnd()) };
  const [first, ...rest] = isTransaction(statements) ? statements : [{ text: "begin", line: 1 }, ...statements, end];
  const last = rest.pop()!;
  await run(sql, file, first!);
  for (const statement of rest) await run(sql, file, statement);
  await beforeCommit(statements.map((statement) => statement.text));
  await run(sql, file, last);
}

function isTransaction(statements: Statement[]): boolean {
  const [first = "", last = ""] = [statements.at(0), statements.at(-1)].map((statement) =>
    withoutLead(statement?.text)
  );
  return /^begin$/i.test(first) && /^commit$/i.test(last);
}

async function run(sql: Sql, file: string, { text, line }: Statement): Promise<void> {
  try {
    await sql.unsafe(text).simple();
  } catch (error) {
    await sql.unsafe("rollback").simple();
    const { message, position } = error as { message: string; position?: string };
    const code = withoutLead(text);
    const before = position ? characters(text, Number(position) - 1) : text.slice(0, -code.length);
    throw new StackError(`${file}:${line + newlinesIn(before)}: ${oneLine(message)} in: ${firstWords(code)}`);
  }
}

async function split(file: string, text: string): Promise<Statement[]> {
  if (text.trim() === "") return [];
  const { parse } = await import("libpg-query"); // costs a tenth of a second, and a warm start has nothing to parse
  const { stmts } = await parse(text).catch((error) => {
    const line = 1 + newlinesIn(characters(text, error.sqlDetails?.cursorPosition ?? 0));
    throw new StackError(`${file}:${line}: ${oneLine(error.message)}`);
  });
  // Where statements stand is told in bytes.
  const bytes = new TextEncoder().encode(text);
  const decoder = new TextDecoder();
  return (stmts ?? []).map(({ stmt_location: start = 0, stmt_len: length }: RawStatement) => {
    const raw = decoder.decode(bytes.slice(start, length ? start + length : undefined));
    const space = raw.slice(0, raw.length - raw.trimStart().length);
    return { text: raw.trim(), line: 1 + newlinesIn(decoder.decode(bytes.slice(0, start)) + space) };
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

/** The first so many characters, as Postgres counts them: not UTF-16 units. */
function characters(text: string, count: number): string {
  return [...text].slice(0, count).join("");
}

/** A statement without the comments before it. */
function withoutLead(text = ""): string {
  return text.replace(/^(\s|--.*|\/\*[^]*?\*\/)+/, "");
}

function newlinesIn(text: string): number {
  return text.split("\n").length - 1;
}

function firstWords(code: string): string {
  const flat = oneLine(code);
  return flat.length > 80 ? `${flat.slice(0, 80)}...` : flat;
}

function oneLine(text: string): string {
  return text.replace(/\s+/g, " ").trim();
}
