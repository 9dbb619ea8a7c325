import * as z from "zod";
import { EDGE_PROBLEMS, type EdgeProblemCode } from "../problem.ts";
import type { RouteDescription } from "./route_description.ts";

type Json = Record<string, unknown>;

/** One method of one path, and what its middleware says about it. */
export interface Operation {
  method: string;
  /** As OpenAPI writes it: `/payment-intake/payments/{id}`. */
  path: string;
  description: RouteDescription;
}

/** Problems that any route can answer. */
const EVERYWHERE: readonly EdgeProblemCode[] = ["internal_error", "not_configured", "service_unavailable"];

/** Writes an operation as an OpenAPI operation object. */
export function describeOperation({ method, path, description }: Operation): Json {
  const operationId = `${method.toLowerCase()}${path.replace(/\W+/g, "_")}`;
  const operation: Json = {
    operationId,
    security: securityOf(description),
    parameters: parametersOf(path, description),
    responses: responsesOf(description, operationId),
  };
  if (description.summary) operation.summary = description.summary;
  const requestBody = requestBodyOf(description, operationId);
  if (requestBody) operation.requestBody = requestBody;
  return operation;
}

function securityOf({ auth = ["none"] }: RouteDescription): Json[] {
  return auth.map((mode) => {
    if (mode === "none") return {};
    if (mode.startsWith("token:")) return { token: [] };
    return mode === "user" || mode === "operator" ? { user: [] } : { apikey: [] };
  });
}

function parametersOf(path: string, { query, param, idempotencyKey }: RouteDescription): Json[] {
  const named = schemaOf(param, "input");
  const inPath = [...path.matchAll(/\{(\w+)\}/g)].map(([, name = ""]) => ({
    name,
    in: "path",
    required: true,
    schema: property(named, name),
  }));
  const asked = schemaOf(query, "input");
  const inQuery = Object.keys(asked.properties ?? {}).map((name) => ({
    name,
    in: "query",
    required: asked.required?.includes(name) ?? false,
    schema: property(asked, name),
  }));
  return [...inPath, ...inQuery, ...(idempotencyKey ? [IDEMPOTENCY_KEY] : [])];
}

const IDEMPOTENCY_KEY = {
  name: "Idempotency-Key",
  in: "header",
  required: true,
  description: "The same key again returns the first answer; with another body it is refused.",
  schema: { type: "string", minLength: 1, maxLength: 257 },
};

function requestBodyOf({ body, rawBody }: RouteDescription, id: string): Json | undefined {
  if (body) return { required: true, content: content(body.types, schemaOf(body.schema, "input", `${id}_body`)) };
  if (rawBody) return { required: true, content: content(["*/*"], {}) };
}

function responsesOf({ returns = { 200: "OK" }, problems = [] }: RouteDescription, id: string): Json {
  const responses: Json = {};
  for (const [status, codes] of byStatus([...problems, ...EVERYWHERE])) responses[status] = refusal(codes.join(", "));
  for (const [status, answer] of Object.entries(returns)) {
    responses[status] = typeof answer === "string" ? { description: answer } : {
      description: answer.description ?? "OK",
      content: content(["application/json"], schemaOf(answer, "output", `${id}_${status}`)),
    };
  }
  return { ...responses, default: refusal("Any other refusal") };
}

function refusal(description: string): Json {
  return { description, content: content(["application/problem+json"], { $ref: "#/components/schemas/Problem" }) };
}

function byStatus(codes: readonly EdgeProblemCode[]): Map<number, string[]> {
  const grouped = new Map<number, string[]>();
  for (const code of [...new Set(codes)].sort()) {
    const [status] = EDGE_PROBLEMS[code];
    grouped.set(status, [...grouped.get(status) ?? [], code]);
  }
  return grouped;
}

function content(types: readonly string[], schema: Json): Json {
  return Object.fromEntries(types.map((type) => [type, { schema }]));
}

interface JsonSchema extends Json {
  properties?: Record<string, Json>;
  required?: string[];
}

function schemaOf(schema: z.ZodType | undefined, io: "input" | "output", id?: string): JsonSchema {
  if (!schema) return {};
  const { $schema: _, ...described } = z.toJSONSchema(schema, { io, unrepresentable: "any" });
  // A recursive schema refers to itself from its own root: $id makes it one inside the document too.
  const isRecursive = JSON.stringify(described).includes('"$ref":"#');
  return (isRecursive ? { $id: `/schemas/${id}`, ...described } : described) as JsonSchema;
}

function property(schema: JsonSchema, name: string): Json {
  return schema.properties?.[name] ?? { type: "string" };
}
