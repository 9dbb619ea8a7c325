import type * as z from "zod";
import { serviceRpc } from "shared/db/service_rpc.ts";
import { Problem } from "shared/problem.ts";
import type { RequestTrace } from "shared/trace.ts";
import { kept } from "./kept.ts";
import type { Readiness } from "./schema.ts";

/** What is known of the suite's readiness. */
export type Reading = z.infer<typeof Readiness>;

/** Nobody makes us ask more often, however many ask us. */
const KEPT_MS = 5_000;
const DEADLINE_MS = 3_000;

/**
 * Whether the database answers, and what else is not as it should be: asked once for all callers of five seconds. Only the
 * database decides: a late schedule is for operators to mend, and taking the functions out of service would not.
 */
export const readiness = kept(KEPT_MS, probe);

async function probe(trace: RequestTrace): Promise<Reading> {
  const startedAt = performance.now();
  const checked_at = new Date().toISOString();
  const durationMs = () => Math.round(performance.now() - startedAt);
  try {
    const found = await serviceRpc("operations", trace)("check_readiness", {}, { deadlineMs: DEADLINE_MS });
    const database = { status: "passing", duration_ms: durationMs() } as const;
    return { status: "ready", checked_at, database, ...found as Partial<Reading> };
  } catch (error) {
    const code = error instanceof Problem ? error.code : "internal_error";
    return { status: "not_ready", checked_at, database: { status: "critical", duration_ms: durationMs(), code } };
  }
}
