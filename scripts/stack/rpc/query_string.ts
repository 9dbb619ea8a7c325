import { ApiError } from "./errors.ts";

/** Which columns and rows of a result to send, as SQL over a relation that holds it. */
export interface Selection {
  select: string;
  where: string;
  order: string;
  offset: number;
  limit: number;
  /** Whether it is of this one request: not worth a prepared statement. */
  isParticular: boolean;
}

/**
 * Takes a query string apart: how to read the result, and what remains as arguments of a GET (PostgREST, Tables and
 * Views and Pagination). Columns, aliases, order and the operators below are served; embedding, casts, JSON paths and
 * the other operators are refused.
 *
 * @throws ApiError 400 PGRST100 for what cannot be read, 416 PGRST103 for an impossible range
 */
export function readQuery(request: Request, maxRows: number): { selection: Selection; rest: [string, string][] } {
  const query = new URL(request.url).searchParams;
  const { offset, limit } = readRange(query, request.method === "GET" ? request.headers.get("range") : null);
  const others = [...query].filter(([name]) => !["select", "order", "limit", "offset"].includes(name));
  const conditions = others.flatMap(([name, value]) => readCondition(name, value) ?? []);
  const rest = others.filter(([name, value]) => !readCondition(name, value));
  if (request.method === "POST" && rest[0]) throw unreadable(rest[0].join("="));
  const order = query.get("order")?.split(",").map(readOrder).join(", ");
  const selection = {
    select: (query.get("select") || "*").split(",").map(readColumn).join(", "),
    where: conditions.length ? ` where ${conditions.join(" and ")}` : "",
    order: order ? ` order by ${order}` : "",
    offset,
    limit: Math.min(limit, maxRows),
    isParticular: query.has("select") || query.has("order") || conditions.length > 0,
  };
  return { selection, rest };
}

function readRange(query: URLSearchParams, header: string | null): { offset: number; limit: number } {
  const [, from = "0", to = ""] = header?.match(/^(\d+)-(\d*)$/) ?? [];
  const limit = /^-?\d+$/.test(query.get("limit") ?? "") ? Number(query.get("limit")) : Infinity;
  const start = Math.max(0, Number(query.get("offset")) || 0);
  const end = to ? Number(to) + 1 : Infinity;
  if (limit < 0 || end <= Number(from)) throw new ApiError(416, "PGRST103", "Requested range not satisfiable");
  const offset = Math.max(start, Number(from));
  return { offset, limit: Math.max(0, Math.min(start + limit, end) - offset) };
}

function readColumn(item: string): string {
  const [, alias, column] = item.trim().match(/^(?:([\w$]+):)?([\w$]+|\*)$/) ?? [];
  if (!column) throw unreadable(`select=${item}`);
  if (column === "*") return "*";
  return alias ? `${quoteName(column)} as ${quoteName(alias)}` : quoteName(column);
}

function readOrder(item: string): string {
  const [, column, direction = "asc", nulls] =
    item.trim().match(/^([\w$]+)(?:\.(asc|desc))?(?:\.nulls(first|last))?$/) ?? [];
  if (!column) throw unreadable(`order=${item}`);
  return `${quoteName(column)} ${direction}${nulls ? ` nulls ${nulls}` : ""}`;
}

const OPERATORS: Record<string, string> = { eq: "=", neq: "<>", gt: ">", gte: ">=", lt: "<", lte: "<=" };

/** A filter as SQL, or nothing when it is none, so a function's argument. */
function readCondition(name: string, value: string): string | undefined {
  const [, not, operator = "", operand = ""] = value.match(/^(not\.)?([a-z]+)\.(.*)$/s) ?? [];
  const test = readTest(operator, operand);
  return test && `${not ? "not " : ""}(${quoteName(name)} ${test})`;
}

function readTest(operator: string, operand: string): string | undefined {
  if (operator === "is" && /^(null|not_null|true|false|unknown)$/.test(operand)) {
    return `is ${operand.replace("_", " ")}`;
  }
  if (operator === "in") return `in (${readList(operand).map(quoteText).join(", ") || "null"})`;
  if (operator === "like" || operator === "ilike") return `${operator} ${quoteText(operand.replaceAll("*", "%"))}`;
  return OPERATORS[operator] && `${OPERATORS[operator]} ${quoteText(operand)}`;
}

/** `(a,"b,c")`, where quotes protect commas and a backslash protects anything. */
function readList(operand: string): string[] {
  const items = operand.match(/^\((.*)\)$/s)?.[1];
  if (items === undefined) throw unreadable(`in.${operand}`);
  return [...items.matchAll(/"((?:[^"\\]|\\.)*)"|([^,]+)/gs)]
    .map(([, quoted, plain]) => quoted?.replaceAll(/\\(.)/gs, "$1") ?? plain!);
}

/** An identifier as SQL. */
export function quoteName(name: string): string {
  return `"${sendable(name).replaceAll('"', '""')}"`;
}

function quoteText(text: string): string {
  return `'${sendable(text).replaceAll("'", "''")}'`;
}

/** SQL travels as a NUL-terminated string: what follows a NUL would be read as another message. */
function sendable(text: string): string {
  if (text.includes("\0")) throw unreadable("a NUL character");
  return text;
}

function unreadable(what: string): ApiError {
  return new ApiError(400, "PGRST100", `The query string could not be parsed: ${what}`);
}
