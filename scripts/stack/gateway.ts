/** An edge function: its module's default export. */
export interface EdgeFunction {
  fetch(request: Request): Response | Promise<Response>;
}

type Handler = (request: Request) => Promise<Response>;

export interface GatewayOptions {
  /** By their names in the URL. */
  functions: Record<string, EdgeFunction>;
  /** Serves `/rest/v1/rpc/<function>`. */
  rpc: Handler;
  /** Serves `/auth/v1`, `/rest/v1/<table>` and the studio. */
  auth: { fetch: Handler };
  /** The origin that functions see in their requests. */
  publicUrl: string;
}

const FUNCTIONS = "/functions/v1";

/** Routes as the platform's gateway does: functions below their name, auth and data with CORS, and the studio at `/`. */
export function createGateway({ functions, rpc, auth, publicUrl }: GatewayOptions): Handler {
  return async function gateway(request) {
    const { pathname, search } = new URL(request.url);
    if (pathname.startsWith(`${FUNCTIONS}/`)) {
      const path = pathname.slice(FUNCTIONS.length);
      const [, name = ""] = path.split("/", 2);
      if (!Object.hasOwn(functions, name)) return functionNotFound();
      return await invoke(functions[name]!, new Request(`${publicUrl}${path}${search}`, request));
    }
    if (pathname.startsWith("/rest/v1/rpc/")) return await withCors(rpc, request);
    if (/^\/(auth|rest)\/v1\//.test(pathname)) return await withCors(auth.fetch, request);
    if (/^\/\w+\/v\d+(\/|$)/.test(pathname)) return Response.json({ message: NO_ROUTE }, { status: 404 });
    return await auth.fetch(request);
  };
}

const NO_ROUTE = "no Route matched with those values";

function functionNotFound(): Response {
  return Response.json({ code: "NOT_FOUND", message: "Requested function was not found" }, {
    status: 404,
    headers: { "sb-error-code": "NOT_FOUND" },
  });
}

async function invoke(edgeFunction: EdgeFunction, request: Request): Promise<Response> {
  try {
    return await edgeFunction.fetch(request);
  } catch (error) {
    console.error("function.failed", error);
    return new Response("Internal Server Error", { status: 500, headers: { "sb-error-code": "EDGE_FUNCTION_ERROR" } });
  }
}

// Kong's cors plugin with its defaults; functions answer their own preflights, as on the platform.
async function withCors(handle: Handler, request: Request): Promise<Response> {
  const isPreflight = request.method === "OPTIONS" && request.headers.has("access-control-request-method");
  const answer = isPreflight ? preflightAnswer(request) : await handle(request);
  answer.headers.set("access-control-allow-origin", "*");
  if (!answer.headers.has("access-control-expose-headers")) {
    answer.headers.set("access-control-expose-headers", EXPOSED_HEADERS);
  }
  return answer;
}

// What PostgREST and GoTrue expose themselves; a browser hides counts and pages otherwise.
const EXPOSED_HEADERS = "Content-Encoding, Content-Location, Content-Range, Content-Type, Date, Link, Location, " +
  "Preference-Applied, Server, Transfer-Encoding, Range-Unit, X-Total-Count, X-Supabase-Api-Version";

function preflightAnswer(request: Request): Response {
  return new Response(null, {
    headers: {
      "access-control-allow-methods": "GET,HEAD,PUT,PATCH,POST,DELETE,OPTIONS,TRACE,CONNECT",
      "access-control-allow-headers": request.headers.get("access-control-request-headers") ?? "",
    },
  });
}
