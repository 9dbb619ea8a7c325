import * as z from "zod";

/** The query of `POST /worker/run`. */
export const RunOptions = z.strictObject({
  budget_seconds: z.coerce.number().int().min(1).max(60).default(50)
    .describe("how long to claim work; what is claimed then gets its full time"),
  sources: z.string().regex(/^\w+(,\w+)*$/).optional().describe(
    "names of sources, separated by commas; by default all",
  ),
  wait: z.enum(["true", "false"]).default("true").describe(
    "false: answer at once, and go on where the platform allows it",
  ),
});

/** What a run was asked to do. */
export type RunOptions = z.output<typeof RunOptions>;

const SourceReport = z.object({
  done: z.int(),
  failed: z.int(),
  released: z.int().describe("handed back untouched"),
  lost: z.int().describe("whose lease was another's by the time they were settled"),
  left: z.int().describe("neither settled nor handed back: they come again when their leases end"),
  more: z.boolean(),
  error: z.string().optional().describe("code of the last failure of the source itself"),
});

const RunReport = z.object({
  ended: z.enum(["empty", "time", "cpu", "stopped"]).describe(
    "why: nothing is due, the budget is used up, or it was told to",
  ),
  elapsed_ms: z.int(),
  cpu_ms: z.int().describe("a guess"),
  more: z.boolean().describe("whether more is due, as far as is known; then another run was asked for"),
  sources: z.record(z.string(), SourceReport),
});

const Busy = z.object({ busy: z.literal(true).describe("as many runs as may be go on already") });

/** What `POST /worker/run` answers. */
export const RunAnswer = z.union([RunReport, Busy]);

/** What it answers when nobody waits. */
export const RunStarted = z.object({ run_id: z.uuid() }).describe("The run goes on; worker_health tells what it did");
