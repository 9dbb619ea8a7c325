import { eventsOf } from "shared/analytics/parse_request.ts";
import { MAX_ITEMS } from "shared/analytics/limits.ts";
import { jsonbSafe, mayBeUnstorable } from "shared/http/hostile_json.ts";
import { Problem } from "shared/problem.ts";

/** What a request holds. */
export interface Call {
  body: unknown;
  events: readonly unknown[];
  /** Length of its text. */
  size: number;
}

/**
 * Reads the text of any client's request as JSON that Postgres can store.
 *
 * @throws invalid_json (400), payload_too_large (413): too many calls
 */
export function readCall(text: string): Call {
  const body = parse(text);
  const events = eventsOf(body);
  if (!events) throw new Problem("invalid_json", { detail: "The body is neither a call nor a batch of calls." });
  if (events.length > MAX_ITEMS) {
    throw new Problem("payload_too_large", { detail: `At most ${MAX_ITEMS} calls are accepted in one request.` });
  }
  return { body, events, size: text.length };
}

function parse(text: string): unknown {
  try {
    const value: unknown = JSON.parse(text);
    return mayBeUnstorable(text) ? jsonbSafe(value).value : value;
  } catch {
    throw new Problem("invalid_json", text === "" ? { detail: "The body is empty." } : {});
  }
}
