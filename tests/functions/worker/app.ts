import type { ServiceRpc } from "shared/db/service_rpc.ts";
import { createApp } from "shared/http/app.ts";
import { auth } from "shared/http/auth.ts";
import { query } from "shared/http/query.ts";
import type { Source } from "shared/worker/drain.ts";
import { run } from "../../../supabase/functions/worker/run.ts";
import { RunOptions } from "../../../supabase/functions/worker/schema.ts";

/** The function with sources of one's own instead of those of the suite. */
export function appWith(
  sources: (call: ServiceRpc) => Source[],
): { fetch(request: Request): Response | Promise<Response> } {
  const app = createApp("worker");
  app.post("/run", auth("token:WORKER_TOKENS"), query(RunOptions), run(sources));
  return app;
}

/** A call of the schedule's. */
export function runRequest(query = "", init: RequestInit = {}): Request {
  const headers = { authorization: "Bearer local-worker-token" };
  return new Request(`http://127.0.0.1/worker/run${query}`, { method: "POST", headers, ...init });
}
