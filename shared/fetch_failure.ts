import { Problem } from "./problem.ts";

/** The request certainly never reached its host: making it again repeats nothing. */
export type NeverSent = {
  kind: "not_sent";
  reason: "address_refused" | "dns_failed" | "connect_failed" | "tls_failed";
};

/** The request may have arrived and been carried out. */
export type NeverAnswered = {
  kind: "unknown";
  reason: "aborted" | "timeout" | "connection_lost" | "answer_too_large";
};

/** How our own `fetch` refuses and gives up, and how the platform's does. */
const KNOWN: Record<string, NeverSent | NeverAnswered> = {
  outbound_not_allowed: { kind: "not_sent", reason: "address_refused" },
  outbound_too_large: { kind: "unknown", reason: "answer_too_large" },
  outbound_timeout: { kind: "unknown", reason: "timeout" },
  TimeoutError: { kind: "unknown", reason: "timeout" },
  AbortError: { kind: "unknown", reason: "aborted" },
};

/**
 * Deno's words for a connection that was never made, TLS included, so that no byte of the request was sent. Seen on
 * 2.1.4 as the error's message and on 2.9.6 as that of its cause.
 */
const NOT_CONNECTED = /^error sending request for url \(.*\): client error \(Connect\): (dns error|tcp connect error)?/;

/** What a failed `fetch` tells about whether its request was sent; in doubt it may have been. */
export function failureOfFetch(thrown: unknown): NeverSent | NeverAnswered {
  for (let error = thrown; error instanceof Error; error = error.cause) {
    const known = KNOWN[error instanceof Problem ? error.code : error.name];
    if (known) return known;
    const stage = NOT_CONNECTED.exec(error.message);
    if (stage) return { kind: "not_sent", reason: notConnected(stage[1]) };
  }
  return { kind: "unknown", reason: "connection_lost" };
}

function notConnected(stage: string | undefined): NeverSent["reason"] {
  if (stage === "dns error") return "dns_failed";
  return stage ? "connect_failed" : "tls_failed";
}
