import { type Context, Hono } from "hono";
import type { BlankSchema } from "hono/types";
import type { Caller } from "../db/caller.ts";
import { Problem } from "../problem.ts";
import type { RequestTrace } from "../trace.ts";
import { answerError, answerProblem } from "./answer_problem.ts";
import { preflight } from "./cors.ts";
import { observe } from "./observe.ts";

/** What every handler finds in `c.var`; middleware of a route adds the rest. */
export interface AppEnv {
  Variables: { trace: RequestTrace; caller: Caller };
}

/** One edge function: a Hono app under its own name. */
export type App<Name extends string = string> = Hono<AppEnv, BlankSchema, `/${Name}`>;

/**
 * Makes the app of one edge function, with everything that all of them have in common: ids, log line, CORS, problems,
 * 405, HEAD, and its OpenAPI document.
 *
 * @param name - the folder's name, which is the first segment of every path
 * @param options.withCredentials - pages may call it by requests that carry cookies, which are not looked at
 */
export function createApp<const Name extends string>(name: Name, { withCredentials = false } = {}): App<Name> {
  const root = new Hono<AppEnv>({ strict: false });
  root.use(observe(name, { withCredentials }));
  root.options("*", (c) => preflight(allowedMethods(root, c.req.path)));
  const app = root.basePath(`/${name}`);
  app.onError(answerError);
  app.notFound((c) => answerUnmatched(c, allowedMethods(app, c.req.path)));
  app.get("/openapi.json", (c) => serveDocument(c, app));
  return app;
}

/** Methods that some route of the app serves at this path, read from the routes themselves. */
function allowedMethods(app: Pick<App, "router" | "routes">, path: string): string[] {
  const methods = new Set(app.routes.map((route) => route.method).filter((method) => method !== "ALL"));
  const allowed = [...methods].filter((method) =>
    app.router.match(method, path)[0].some(([[, route]]) => route.method === method)
  );
  if (allowed.includes("GET")) allowed.push("HEAD");
  return allowed;
}

function answerUnmatched(c: Context, allowed: string[]): Response {
  // OPTIONS alone means that no route has this path.
  if (allowed.length <= 1) return answerProblem(c, new Problem("not_found"));
  return answerProblem(c, new Problem("method_not_allowed", { headers: { allow: allowed.join(", ") } }));
}

async function serveDocument(c: Context, app: App): Promise<Response> {
  // Loaded when asked for: it brings zod's JSON Schema writer, which no other request needs.
  const { openApiDocument } = await import("./openapi.ts");
  c.header("cache-control", "public, max-age=300");
  return c.json(openApiDocument(app));
}
