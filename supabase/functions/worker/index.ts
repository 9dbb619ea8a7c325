import { auth } from "shared/http/auth.ts";
import { createApp } from "shared/http/app.ts";
import { query } from "shared/http/query.ts";
import { returns } from "shared/http/returns.ts";
import { run } from "./run.ts";
import { RunAnswer, RunOptions, RunStarted } from "./schema.ts";
import { sources } from "./sources.ts";

const app = createApp("worker");

app.post(
  "/run",
  auth("token:WORKER_TOKENS"),
  query(RunOptions),
  returns({ 200: RunAnswer, 202: RunStarted }, { summary: "Work on what is due, within a budget" }),
  run(sources),
);

export default { fetch: app.fetch } satisfies Deno.ServeDefaultExport;
