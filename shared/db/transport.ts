import { Problem } from "../problem.ts";
import { sentOnce } from "../sent_once.ts";

/** Longer than any function's statement_timeout, shorter than the patience of Meta, Stripe and browsers. */
const DEADLINE_MS = 9_000;

/**
 * Sends one call to the database and reads the answer, whatever it says.
 *
 * @throws service_unavailable (503, Retry-After) when there is no answer, database_timeout (504) when it takes too long
 */
export async function send(
  url: string,
  request: RequestInit,
  deadlineMs = DEADLINE_MS,
): Promise<{ response: Response; text: string }> {
  try {
    const body = request.body && sentOnce(request.body);
    const response = await fetch(url, { ...request, body, signal: AbortSignal.timeout(deadlineMs) });
    return { response, text: await response.text() };
  } catch (cause) {
    if (cause instanceof DOMException && cause.name === "TimeoutError") {
      throw new Problem("database_timeout", { cause });
    }
    throw new Problem("service_unavailable", { headers: { "retry-after": "2" }, cause });
  }
}
