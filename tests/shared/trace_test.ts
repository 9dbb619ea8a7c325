import { assertEquals, assertMatch, assertNotEquals } from "@std/assert";
import { RequestTrace } from "shared/trace.ts";

const TRACE_ID = "4bf92f3577b34da6a3ce929d0e0e4736";
const PARENT_ID = "00f067aa0ba902b7";

function traceOf(headers: Record<string, string>): RequestTrace {
  return new RequestTrace(new Headers(headers));
}

Deno.test("RequestTrace() keeps a well-formed x-request-id", () => {
  assertEquals(traceOf({ "x-request-id": "req:1_a.B-2" }).requestId, "req:1_a.B-2");
});

for (const bad of ["", "two words", "x".repeat(65), "<script>", "é"]) {
  Deno.test(`RequestTrace() makes an id instead of ${JSON.stringify(bad)}`, () => {
    assertMatch(traceOf({ "x-request-id": bad }).requestId, /^[0-9a-f-]{36}$/);
  });
}

Deno.test("RequestTrace() continues a traceparent with a span of its own", () => {
  const child = traceOf({ traceparent: `00-${TRACE_ID}-${PARENT_ID}-01` }).childTraceparent();

  const [version, traceId, spanId, flags] = child.split("-");
  assertEquals([version, traceId, flags], ["00", TRACE_ID, "01"]);
  assertMatch(spanId!, /^[0-9a-f]{16}$/);
  assertNotEquals(spanId, PARENT_ID);
});

Deno.test("RequestTrace() gives each call a span of its own", () => {
  const trace = traceOf({});

  assertNotEquals(trace.childTraceparent(), trace.childTraceparent());
});

Deno.test("RequestTrace() continues a later version with more fields", () => {
  assertEquals(traceOf({ traceparent: `cc-${TRACE_ID}-${PARENT_ID}-01-more` }).traceId, TRACE_ID);
});

for (
  const bad of [
    `ff-${TRACE_ID}-${PARENT_ID}-01`,
    `00-${TRACE_ID}-${PARENT_ID}-01-more`,
    `00-${"0".repeat(32)}-${PARENT_ID}-01`,
    `00-${TRACE_ID}-${"0".repeat(16)}-01`,
    `00-${TRACE_ID.toUpperCase()}-${PARENT_ID}-01`,
    `00-${TRACE_ID}-${PARENT_ID}`,
    "nonsense",
  ]
) {
  Deno.test(`RequestTrace() starts a trace instead of continuing ${bad}`, () => {
    const { traceId } = traceOf({ traceparent: bad });

    assertMatch(traceId, /^[0-9a-f]{32}$/);
    assertNotEquals(traceId, TRACE_ID);
  });
}

Deno.test("RequestTrace() passes only a well-formed correlation id on", () => {
  assertEquals(traceOf({ "x-correlation-id": "trip-1" }).correlationId, "trip-1");
  assertEquals(traceOf({ "x-correlation-id": "trip 1" }).correlationId, undefined);
});
