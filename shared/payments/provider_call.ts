import { failureOfFetch, type NeverAnswered, type NeverSent } from "../fetch_failure.ts";
import { jsonOf } from "../json_of.ts";
import type { OutboundFetch, OutboundInit } from "../outbound_fetch.ts";
import { sentOnce } from "../sent_once.ts";

/** One request to a payment provider. */
export interface ProviderRequest {
  method: "GET" | "POST";
  url: string;
  headers: Record<string, string>;
  body?: string;
  /** The body's media type; by default JSON. */
  type?: string;
}

/** Whatever a provider answered. */
export interface Heard {
  kind: "heard";
  status: number;
  text: string;
  /** The text's JSON; undefined when it is none. */
  json: unknown;
}

/** The request certainly never reached the provider, or was turned away at its door: nothing was carried out. */
export interface NotSent {
  kind: "not_sent";
  reason: NeverSent["reason"] | "invalid_setting" | "not_configured" | (typeof TURNED_AWAY)[keyof typeof TURNED_AWAY];
}

/** Why a request has no answer. */
export type NotHeard = NotSent | NeverAnswered;

/**
 * How providers turn a request away before they look at it: our credentials do not count, or not from this address, or
 * there are too many of us. That is ours to mend, and no word about the payment.
 */
const TURNED_AWAY = { 401: "not_authorized", 403: "forbidden", 429: "too_many_requests" } as const;

const TIMEOUT_MS = 10_000;
const MAX_BYTES = 256 * 1024;

/** Sends one request, once. Never throws for what the network or the provider does. */
export async function callProvider(fetch: OutboundFetch, request: ProviderRequest): Promise<Heard | NotHeard> {
  const prepared = prepare(request);
  if (!prepared) return { kind: "not_sent", reason: "invalid_setting" };
  try {
    const answer = await fetch(prepared.url, prepared.init);
    const text = await answer.text();
    const { status } = answer;
    if (isTurnedAway(status)) return { kind: "not_sent", reason: TURNED_AWAY[status] };
    return { kind: "heard", status, text, json: jsonOf(text) };
  } catch (thrown) {
    return failureOfFetch(thrown);
  }
}

function isTurnedAway(status: number): status is keyof typeof TURNED_AWAY {
  return status in TURNED_AWAY;
}

/** The request; undefined when a setting makes none: an address that is none, a key that no header can carry. */
function prepare({ method, url, headers, body, type = "application/json" }: ProviderRequest):
  | { url: URL; init: OutboundInit }
  | undefined {
  try {
    const media: Record<string, string> = body === undefined ? {} : { "content-type": type };
    const init: OutboundInit = {
      method,
      headers: new Headers({ accept: "application/json", ...media, ...headers }),
      body: body === undefined ? undefined : sentOnce(body, type),
      timeoutMs: TIMEOUT_MS,
      maxBytes: MAX_BYTES,
    };
    return { url: new URL(url), init };
  } catch {
    return undefined;
  }
}
