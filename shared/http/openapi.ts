import type { App } from "./app.ts";
import { describeOperation, type Operation } from "./openapi_operation.ts";
import { descriptionOf, type RouteDescription } from "./route_description.ts";

type Json = Record<string, unknown>;

const PROBLEM_SCHEMA = {
  type: "object",
  description: "RFC 9457. `type` ends in a stable code; SQL's refusals are listed in docs/errors.md.",
  required: ["type", "title", "status", "request_id"],
  properties: {
    type: { type: "string", pattern: "^/problems/[a-z][a-z0-9_]*$" },
    title: { type: "string" },
    status: { type: "integer" },
    detail: { type: "string" },
    request_id: { type: "string" },
    errors: {
      type: "array",
      items: {
        type: "object",
        required: ["pointer", "detail"],
        properties: { pointer: { type: "string" }, detail: { type: "string" } },
      },
    },
    details: { type: "object" },
  },
};

const SECURITY_SCHEMES = {
  user: { type: "http", scheme: "bearer", bearerFormat: "JWT", description: "A Supabase access token" },
  apikey: { type: "apiKey", in: "header", name: "apikey", description: "A publishable or secret key" },
  token: { type: "http", scheme: "bearer", description: "A static token of the service that calls" },
};

/** Describes every route of an app as OpenAPI 3.1, from what its middleware says about itself. Pure. */
export function openApiDocument(app: Pick<App, "routes">): Json {
  const paths: Record<string, Json> = {};
  for (const operation of operationsOf(app)) {
    paths[operation.path] = {
      ...paths[operation.path],
      [operation.method.toLowerCase()]: describeOperation(operation),
    };
  }
  const name = Object.keys(paths)[0]?.split("/")[1] ?? "";
  return {
    openapi: "3.1.0",
    info: { title: name, version: "1" },
    servers: [{ url: "/functions/v1" }],
    paths,
    components: { securitySchemes: SECURITY_SCHEMES, schemas: { Problem: PROBLEM_SCHEMA } },
  };
}

/** Hono lists one entry per middleware; an operation is all entries of one method and path, described together. */
function operationsOf(app: Pick<App, "routes">): Operation[] {
  const operations = new Map<string, Operation>();
  for (const { method, path, handler } of app.routes) {
    if (method === "ALL" || method === "OPTIONS" || path.endsWith("/openapi.json")) continue;
    const known = operations.get(`${method} ${path}`);
    const description = merge(known?.description ?? {}, descriptionOf(handler));
    operations.set(`${method} ${path}`, { method, path: path.replace(/:(\w+)(?:\{.*?\})?\??/g, "{$1}"), description });
  }
  return [...operations.values()];
}

function merge(one: RouteDescription, other: RouteDescription): RouteDescription {
  return { ...one, ...other, problems: [...one.problems ?? [], ...other.problems ?? []] };
}
