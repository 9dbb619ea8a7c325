import { assert, assertEquals } from "@std/assert";
import { parseGraphError } from "../../../shared/whatsapp/graph_error.ts";

const PAIR_LIMIT = {
  message: "(#131056) (Business Account, Consumer Account) pair rate limit hit",
  type: "OAuthException",
  code: 131056,
  error_data: { messaging_product: "whatsapp", details: "Too many messages to one consumer." },
  error_subcode: 2494055,
  fbtrace_id: "Az8or2yhqkZfEZ-_4Qn_Bam",
};

Deno.test("parseGraphError() reads every part that Meta documents", () => {
  assertEquals(parseGraphError(429, { error: PAIR_LIMIT }, 4), {
    kind: "graph_error",
    http_status: 429,
    code: 131056,
    subcode: 2494055,
    title: "(Business Account, Consumer Account) pair rate limit hit",
    details: "Too many messages to one consumer.",
    fbtrace_id: "Az8or2yhqkZfEZ-_4Qn_Bam",
    is_transient: false,
    retry_after: 4,
  });
});

Deno.test("parseGraphError() needs no more than the code", () => {
  assertEquals(parseGraphError(400, { error: { code: 100 } }, null), {
    kind: "graph_error",
    http_status: 400,
    code: 100,
    subcode: null,
    title: null,
    details: null,
    fbtrace_id: null,
    is_transient: false,
    retry_after: null,
  });
});

Deno.test("parseGraphError() reads numbers that are written as text", () => {
  const error = parseGraphError(401, { error: { code: "190", error_subcode: "463" } }, null);

  assertEquals([error?.code, error?.subcode], [190, 463]);
});

Deno.test("parseGraphError() passes over parts of the wrong kind", () => {
  const error = parseGraphError(400, {
    error: { code: 100, message: 7, error_subcode: {}, error_data: "x", fbtrace_id: [], is_transient: "yes" },
  }, null);

  assertEquals([error?.subcode, error?.title, error?.details, error?.fbtrace_id], [null, null, null, null]);
  assertEquals(error?.is_transient, false);
});

Deno.test("parseGraphError() takes the text for the user where there are no details", () => {
  const error = parseGraphError(400, { error: { code: 100, error_user_msg: "Add a payment method." } }, null);

  assertEquals(error?.details, "Add a payment method.");
});

for (
  const body of [
    undefined,
    null,
    "error",
    [],
    {},
    { error: null },
    { error: "131056" },
    { error: [] },
    { error: {} },
    { error: { code: null } },
    { error: { code: true } },
    { error: { code: "" } },
    { error: { code: "0x10" } },
    { error: { code: 1.5 } },
    { error: { code: [190] } },
    { code: 190 },
  ]
) {
  Deno.test(`parseGraphError() finds none in ${JSON.stringify(body)}`, () => {
    assertEquals(parseGraphError(400, body, null), undefined);
  });
}

Deno.test("parseGraphError() keeps phone numbers and tokens out, and long texts short", () => {
  const error = parseGraphError(400, {
    error: {
      code: 131009,
      message: `(#131009) ${"x".repeat(495)} 250788000001`,
      error_data: { details: "+250 788 000 001 is not valid, EAAGm0PX4ZCpsBAKZCexample" },
    },
  }, null);

  assert(!JSON.stringify(error).includes("2507"), JSON.stringify(error));
  assertEquals(error?.details, "[redacted] is not valid, [redacted]");
  assertEquals(error?.title?.length, 500);
});
