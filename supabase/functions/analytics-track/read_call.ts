import { eventsOf } from "shared/analytics/parse_request.ts";
import { MAX_ITEMS, MAX_REQUEST_BYTES } from "shared/analytics/limits.ts";
import { jsonbSafe, mayBeUnstorable } from "shared/http/hostile_json.ts";
import { Problem } from "shared/problem.ts";
import { bodyText } from "./body_text.ts";

/** What a request holds. */
export interface Call {
  body: unknown;
  events: readonly unknown[];
  /** Length of its text. */
  size: number;
}

/**
 * Reads a request of any client as JSON that Postgres can store.
 *
 * @throws invalid_json, invalid_body_encoding (400), payload_too_large (413): too many bytes or calls
 */
export async function readCall(request: Request): Promise<Call> {
  const text = await bodyText(request, MAX_REQUEST_BYTES);
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
