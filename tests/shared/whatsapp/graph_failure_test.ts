import { assertEquals } from "@std/assert";
import { failureOfAnswer } from "../../../shared/whatsapp/graph_failure.ts";

function judged(status: number, error?: Record<string, unknown>): string {
  const { kind, ...rest } = failureOfAnswer(new Response(null, { status }), error && { error });
  return [kind, "reason" in rest ? rest.reason : rest.code].join(" ");
}

Deno.test("failureOfAnswer() takes a 4xx with a Graph error for a refusal", () => {
  assertEquals(judged(429, { code: 131056 }), "graph_error 131056");
  assertEquals(judged(401, { code: "0" }), "graph_error 0");
  assertEquals(judged(400, { code: 999999 }), "graph_error 999999");
});

Deno.test("failureOfAnswer() leaves a 5xx open, with what Meta said", () => {
  const failure = failureOfAnswer(new Response(null, { status: 500, headers: { "retry-after": "30" } }), {
    error: { code: 131016, is_transient: true },
  });

  assertEquals(failure, {
    kind: "unknown",
    reason: "server_error",
    http_status: 500,
    code: 131016,
    subcode: null,
    title: null,
    details: null,
    fbtrace_id: null,
    is_transient: true,
    retry_after: 30,
  });
});

Deno.test("failureOfAnswer() takes a 5xx for a refusal where its code can mean nothing else", () => {
  assertEquals([3, 131045, 133000].map((code) => judged(500, { code })), [
    "graph_error 3",
    "graph_error 131045",
    "graph_error 133000",
  ]);
});

Deno.test("failureOfAnswer() believes nobody but Graph", () => {
  assertEquals(
    [200, 204, 302, 403, 408, 413, 429].map((status) => judged(status)),
    Array(7).fill("unknown unreadable_answer"),
  );
  assertEquals([500, 502, 503, 504].map((status) => judged(status)), Array(4).fill("unknown server_error"));
  assertEquals(judged(200, { code: 131056 }), "unknown unreadable_answer");
});
