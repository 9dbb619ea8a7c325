import { assertEquals } from "@std/assert";
import { failureOfFetch } from "shared/fetch_failure.ts";
import { Problem } from "shared/problem.ts";

const URL_ = "https://graph.facebook.com/v26.0/100000000000001/messages";
const PAIR = "from 10.0.0.2:41194 for https://graph.facebook.com/v26.0/1/messages (157.240.1.1:443)";

/** What Deno 2.1.4 and 2.9.6 said when each of these was done to a request. */
const MESSAGES: Record<string, string> = {
  [`error sending request for url (${URL_}): client error (Connect): dns error: failed to lookup address information: Name or service not known`]:
    "not_sent dns_failed",
  [`error sending request for url (${URL_}): client error (Connect): tcp connect error: Connection refused (os error 111)`]:
    "not_sent connect_failed",
  [`error sending request for url (${URL_}): client error (Connect): tcp connect error: No route to host (os error 113)`]:
    "not_sent connect_failed",
  [`error sending request for url (${URL_}): client error (Connect): invalid peer certificate: UnknownIssuer`]:
    "not_sent tls_failed",
  [`error sending request for url (${URL_}): client error (Connect): tls handshake eof`]: "not_sent tls_failed",
  [`error sending request ${PAIR}: client error (SendRequest): connection closed before message completed`]:
    "unknown connection_lost",
  [`error sending request ${PAIR}: client error (SendRequest): invalid HTTP version parsed`]: "unknown connection_lost",
  [`error sending request for url (${URL_}): client error (SendRequest): http2 error: stream error received`]:
    "unknown connection_lost",
  "Connection reset by peer (os error 104)": "unknown connection_lost",
  "error reading a body from connection": "unknown connection_lost",
  "unexpected end of file": "unknown connection_lost",
  "client error (Connect): dns error": "unknown connection_lost",
  [`retried: error sending request for url (${URL_}): client error (Connect): dns error`]: "unknown connection_lost",
};

function outcomeOf(thrown: unknown): string {
  const { kind, reason } = failureOfFetch(thrown);
  return `${kind} ${reason}`;
}

for (const [message, outcome] of Object.entries(MESSAGES)) {
  Deno.test(`failureOfFetch() takes "${message}" for ${outcome}`, () => {
    const platform = new TypeError(message);
    const newer = new TypeError("fetch failed", { cause: new Error(message) });

    for (const error of [platform, newer]) {
      assertEquals(outcomeOf(error), outcome);
      assertEquals(outcomeOf(new Problem("outbound_failed", { cause: error })), outcome);
    }
  });
}

Deno.test("failureOfFetch() knows the guard's words and the signals'", () => {
  assertEquals(
    [
      new Problem("outbound_not_allowed"),
      new Problem("outbound_too_large"),
      new Problem("outbound_timeout", { cause: new DOMException("Signal timed out.", "TimeoutError") }),
      new DOMException("Signal timed out.", "TimeoutError"),
      new Problem("outbound_failed", { cause: new DOMException("The signal has been aborted", "AbortError") }),
    ].map(outcomeOf),
    [
      "not_sent address_refused",
      "unknown answer_too_large",
      "unknown timeout",
      "unknown timeout",
      "unknown aborted",
    ],
  );
});

Deno.test("failureOfFetch() does not claim to know what it does not", () => {
  for (const thrown of [undefined, null, "no", {}, new Error(""), new Problem("internal_error")]) {
    assertEquals(outcomeOf(thrown), "unknown connection_lost");
  }
});
