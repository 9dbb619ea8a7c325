import type { Arguments, FunctionName } from "shared/db/rpc.ts";
import type { ServiceRpc } from "shared/db/service_rpc.ts";
import type { RepeatedSource, Turn } from "shared/worker/source.ts";

/** A turn is short, so that others have theirs, and what a killed run loses is little. */
const MAX_COUNT = 100;
/** Longer than the statement_timeout of any of these functions. */
const DEADLINE_MS = 30_000;

/** SQL functions that do due work themselves: `run_...(max_count)`, which answer `{done, failed, more}`. */
export type RunFunction = {
  [Name in FunctionName]: Name extends `run_${string}` ? { max_count: number } extends Arguments<Name> ? Name : never
    : never;
}[FunctionName];

/** A source whose work a SQL function does, and commits, turn by turn: `run_messages()` is the source `messages`. */
export function repeatedSource(call: ServiceRpc, name: RunFunction): RepeatedSource {
  return {
    name: name.slice("run_".length),
    turn: async () => await call(name, { max_count: MAX_COUNT }, { deadlineMs: DEADLINE_MS }) as unknown as Turn,
  };
}
