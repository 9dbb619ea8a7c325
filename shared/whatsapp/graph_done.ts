import * as z from "zod";
import type { GraphAnswer } from "./graph_call.ts";
import type { GraphFailure } from "./graph_failure.ts";

/** Meta did it. */
export type Done = { kind: "done" };

const Success = z.object({ success: z.literal(true) });

/** Reads the answer of a call that only says whether it was done. */
export function doneOf(answer: GraphAnswer | GraphFailure): Done | GraphFailure {
  if (answer.kind !== "answered") return answer;
  if (Success.safeParse(answer.body).success) return { kind: "done" };
  return { kind: "unknown", reason: "unreadable_answer" };
}
