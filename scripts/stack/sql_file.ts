import type { Sql } from "postgres";
import { StackError } from "./stack_error.ts";

interface Statement {
  /** With the comments before it, without the semicolon. */
  text: string;
  /** Where the text begins in the file, counted from 1. */
  line: number;
}

/** What the parser says of a statement: where its text stands, in bytes. */
type RawStatement = { stmt_location?: number; stmt_len?: number };

/** Runs a file such as seed.sql, whole or not at all. */
export async function runFile(sql: Sql, path: URL): Promise<void> {
  await runText(sql, path.pathname.split("/").at(-1)!, await Deno.readTextFile(path));
}

/**
 * Runs a file's text in one transaction, whether it says `begin` and `commit` itself or not.
 *
 * @throws StackError with file, line and statement
 * @param beforeCommit - is given the statements as they are recorded
 */
export async function runText(
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
  const ends = [statements.at(0), statements.at(-1)].map((statement) => withoutLead(statement?.text));
  return ends.join(" ").toLowerCase() === "begin commit";
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
