import type { Context } from "hono";
import { beforeIsolateEnds, canRunInBackground, inBackground } from "shared/background.ts";
import { type ServiceRpc, serviceRpc } from "shared/db/service_rpc.ts";
import type { AppEnv } from "shared/http/app.ts";
import { SYSTEM_CLOCK } from "shared/worker/clock.ts";
import { drain, type RunReport, type Source } from "shared/worker/drain.ts";
import { chosenSources } from "./chosen_sources.ts";
import { logReport } from "./log_report.ts";
import type { RunOptions } from "./schema.ts";
import { type Slot, takeSlot } from "./slot.ts";

/** The platform ends an isolate that has used 2 s, and what is counted here is a guess (Edge Functions: "Limits"). */
const CPU_MS = 800;

/** Runs that go on in this isolate, by what tells them to end. */
const running = new Map<AbortController, Promise<unknown>>();

beforeIsolateEnds(async () => {
  for (const stop of running.keys()) stop.abort();
  await Promise.all(running.values());
});

/** Handles `POST /run`: one run over these sources, if a slot is free. */
export function run(
  sourcesOf: (call: ServiceRpc) => Source[],
): (c: Context<AppEnv, string, { out: { query: RunOptions } }>) => Promise<Response> {
  return async function run(c) {
    const { sources: names, budget_seconds, wait } = c.req.valid("query");
    const call = serviceRpc("worker", c.get("trace"));
    const sources = chosenSources(sourcesOf(call), names);
    const stop = new AbortController();
    const slot = await takeSlot(call, () => stop.abort());
    if (!slot) return c.json({ busy: true });
    const goesOn = wait === "false" && canRunInBackground();
    const work = workIn(slot, sources, stop, { seconds: budget_seconds, lingers: goesOn });
    if (goesOn) {
      inBackground(() => work.then(() => {}));
      return c.json({ run_id: slot.runId }, 202);
    }
    c.req.raw.signal.addEventListener("abort", () => stop.abort());
    return c.json(await work);
  };
}

async function workIn(
  slot: Slot,
  sources: readonly Source[],
  stop: AbortController,
  { seconds, lingers }: { seconds: number; lingers: boolean },
): Promise<RunReport> {
  const budget = { wallMs: seconds * 1_000, cpuMs: CPU_MS };
  const work = slot.during(drain(sources, { clock: SYSTEM_CLOCK, budget, signal: stop.signal, lingers }));
  running.set(stop, work);
  const report = await work.finally(() => running.delete(stop));
  logReport(report);
  return report;
}
