import type { Json } from "shared/db/database.types.ts";
import type { GraphFailure } from "shared/whatsapp/graph_failure.ts";

const KINDS = ["graph_error", "not_sent", "unknown"];

/**
 * What SQL is told of a message that was not taken: the facts as the Graph client has them. Of anything else that went
 * wrong here nobody knows when it did, so the message may have been sent.
 */
export function sendFailure(error: unknown): { [fact: string]: Json } {
  const { kind, name } = (error ?? {}) as Partial<GraphFailure> & { name?: unknown };
  if (kind && KINDS.includes(kind)) return error as { [fact: string]: Json };
  return { kind: "unknown", reason: name === "TimeoutError" ? "timeout" : "sender_failed" };
}
