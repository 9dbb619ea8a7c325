import type { MomoCourse, MomoRequest } from "./momo_books.ts";

/** Numbers whose owners do not simply pay, for whoever tries the local stack (docs/payment_providers.md lists them). */
export const TRICKY_NUMBERS: Record<string, MomoCourse> = {
  "250788000900": { afterMs: 1_000, reason: "APPROVAL_REJECTED" },
  "250788000901": { afterMs: 1_000, reason: "NOT_ENOUGH_FUNDS" },
  "250788000902": { afterMs: 1_000, reason: "PAYER_LIMIT_REACHED" },
  "250788000903": { afterMs: 0, reason: "PAYER_NOT_FOUND" },
  "250788000904": { afterMs: 5_000, reason: "EXPIRED" },
  "250788000905": { afterMs: 60_000 },
  "250788000906": { afterMs: 1_000, movedAmount: "1" },
  "250788000907": { afterMs: 1_000, reason: "INTERNAL_PROCESSING_ERROR" },
  "250788000908": { afterMs: Infinity },
};

/** What becomes of a request on the local stack: it succeeds after a second, unless the number is a tricky one. */
export function localCourse({ party }: MomoRequest): MomoCourse {
  return TRICKY_NUMBERS[party ?? ""] ?? { afterMs: 1_000 };
}
