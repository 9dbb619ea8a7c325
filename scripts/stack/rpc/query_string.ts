import { ApiError } from "./errors.ts";

/** Which columns and rows of a result to send, as SQL over a relation that holds it. */
export interface Selection {
  select: string;
  where: string;
  order: string;
  offset: number;
  limit: number;
}

const COMPARISONS: Record<string, string> = {
  eq: "=",
  neq: "<>",
  gt: ">",
  gte: ">=",
  lt: "<",
  lte: "<=",
  like: "like",
  ilike: "ilike",
};
const TESTS: Record<string, string> = {
  null: "null",
  not_null: "not null",
  true: "true",
  false: "false",
  unknown: "unknown",
};
// What PostgREST has beyond this: refused by name rather than taken for a function's argument.
const UNSUPPORTED_OPERATOR = /^(not\.)?((eq|g|l)te?\(|(i?match|is|isdistinct|c[sd]|ov|s[lr]|nx[lr]|adj|(pl|ph|w)?fts)[.(])/;
const UNSUPPORTED_PARAMETER = /^(and|or|not\.and|not\.or|columns|on_conflict)$|\./;

/**
 * Takes a query string apart: how to read the result, and what is left over as arguments (PostgREST, Tables and Views).
 *
 * @throws ApiError 400 PGRST100 for what cannot be read, 400 PGRST127 for what is not supported here, 416 PGRST103 for an impossible range
 */
export function readQuery(request: Request, maxRows: number): { selection: Selection; rest: [string, string][] } {
  const query = new URL(request.url).searchParams;
  const { offset, limit } = readRange(query, request.method === "GET" ? request.headers.get("range") : null);
  const conditions: string[] = [];
  const rest: [string, string][] = [];
  for (const [name, value] of query) {
    if (["select", "order", "limit", "offset"].includes(name)) continue;
    const condition = readCondition(name, value);
    if (condition) conditions.push(condition);
    else rest.push([name, value]);
  }
  const order = query.get("order")?.split(",").map(readOrder).join(", ");
  return {
    selection: {
      select: (query.get("select") || "*").split(",").map(readColumn).join(", "),
      where: conditions.length ? ` where ${conditions.join(" and ")}` : "",
      order: order ? ` order by ${order}` : "",
      offset,
      limit: Math.min(limit, maxRows),
    },
    rest,
  };
}

function readRange(query: URLSearchParams, header: string | null): { offset: number; limit: number } {
  const [, from = "0", to = ""] = header?.match(/^(\d+)-(\d*)$/) ?? [];
  const limit = query.get("limit")?.match(/^-?\d+$/) ? Number(query.get("limit")) : Infinity;
  if (limit < 0) throw unsatisfiable("Limit should be greater than or equal to zero.");
  const last = to ? Number(to) : Infinity;
  if (last < Number(from)) throw unsatisfiable("The range ends before it begins.");
  const start = Math.max(0, Number(query.get("offset")) || 0);
  const offset = Math.max(start, Number(from));
  return { offset, limit: Math.max(0, Math.min(start + limit, last + 1) - offset) };
}

function readColumn(item: string): string {
  const [, alias, column] = item.trim().match(/^(?:([\w$]+):)?([\w$]+|\*)$/) ?? [];
  if (!column) throw unsupported(`select=${item}`);
  if (column === "*") return "*";
  return alias ? `${quoteName(column)} as ${quoteName(alias)}` : quoteName(column);
}

function readOrder(item: string): string {
  const [, column, direction = "asc", nulls] =
    item.trim().match(/^([\w$]+)(?:\.(asc|desc))?(?:\.nulls(first|last))?$/) ?? [];
  if (!column) throw unreadable(`order=${item}`);
  return `${quoteName(column)} ${direction}${nulls ? ` nulls ${nulls}` : ""}`;
}

function readCondition(name: string, value: string): string | undefined {
  const [, not = "", operator = "", operand = ""] = value.match(/^(not\.)?([a-z]+)\.(.*)$/s) ?? [];
  const test = conditionOn(quoteName(name), operator, operand);
  if (test) return not ? `not (${test})` : test;
  if (UNSUPPORTED_PARAMETER.test(name) || UNSUPPORTED_OPERATOR.test(value)) throw unsupported(`${name}=${value}`);
}

function conditionOn(column: string, operator: string, operand: string): string | undefined {
  if (operator === "is") return TESTS[operand] && `${column} is ${TESTS[operand]}`;
  if (operator === "in") {
    const items = operand.match(/^\((.*)\)$/s)?.[1];
    if (items === undefined) throw unreadable(`in.${operand}`);
    const list = [...items.matchAll(/"((?:[^"\\]|\\.)*)"|([^,]+)/gs)];
    const literals = list.map(([, quoted, plain]) => quoteLiteral(quoted?.replaceAll(/\\(.)/gs, "$1") ?? plain!));
    return literals.length ? `${column} in (${literals.join(", ")})` : "false";
  }
  const comparison = COMPARISONS[operator];
  if (!comparison) return;
  const pattern = operator.endsWith("like") ? operand.replaceAll("*", "%") : operand;
  return `${column} ${comparison} ${quoteLiteral(pattern)}`;
}

/** An identifier as SQL. */
export function quoteName(name: string): string {
  return `"${sendable(name).replaceAll('"', '""')}"`;
}

function quoteLiteral(text: string): string {
  return `'${sendable(text).replaceAll("'", "''")}'`;
}

/** SQL travels as a NUL-terminated string: whatever followed a NUL would be read as another message. */
function sendable(text: string): string {
  if (text.includes("\0")) throw unreadable("a NUL character");
  return text;
}

function unreadable(what: string): ApiError {
  return new ApiError(400, "PGRST100", `The query string could not be parsed: ${what}`);
}

function unsupported(what: string): ApiError {
  return new ApiError(400, "PGRST127", "Feature not implemented", { details: `The local stack does not serve ${what}` });
}

function unsatisfiable(details: string): ApiError {
  return new ApiError(416, "PGRST103", "Requested range not satisfiable", { details });
}
