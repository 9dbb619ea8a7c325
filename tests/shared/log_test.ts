import { assert, assertEquals, assertFalse, assertMatch } from "@std/assert";
import { log, redact } from "shared/log.ts";
import { captureLog } from "../support/log_lines.ts";

const lines = captureLog();

/** What must never reach a log, in the forms in which it meets us. */
const CANARIES = [
  "250788000000",
  "+250788000000",
  "+250 788 000 000",
  "0788 000 000",
  "(0788) 000-000",
  "tel250788000000x",
  "447700900123456",
  "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl",
  "sb_secret_abcDEF123-_",
  "sb_publishable_abc",
  "whsec_bG9jYWw=",
  "sk_live_51abcDEF",
  "EAAGm0PX4ZCpsBAKZCabcdefgh123456",
  "Bearer abc.def-ghi",
  "Basic c2JfcHVibGlzaGFibGU6",
  "wamid.HBgMMjUwNzg4MDAwMDAwFQIAEhggNkQ=",
];

for (const canary of CANARIES) {
  Deno.test(`log() hides ${canary}`, () => {
    lines.clear();

    log("canary.seen", { cause: `before ${canary} after` });

    const cause = String(lines.only().cause);
    assertFalse(cause.includes(canary));
    assertMatch(cause, /^before .*\[redacted\].* after$/);
  });
}

Deno.test("log() hides a phone number that is a number", () => {
  lines.clear();

  log("canary.seen", { sender: 250788000000, status: 200 });

  assertEquals([lines.only().sender, lines.only().status], ["[redacted]", 200]);
});

Deno.test("log() hides fields whose name says that they are private", () => {
  lines.clear();

  log("canary.seen", { access_token: "a", otp: 1234, recipient_phone: "b", body: "hello", apiKey: "c" });

  const { ts: _, ...line } = lines.only();
  assertEquals(line, {
    level: "info",
    event: "canary.seen",
    access_token: "[redacted]",
    otp: "[redacted]",
    recipient_phone: "[redacted]",
    body: "[redacted]",
    apiKey: "[redacted]",
  });
});

Deno.test("redact() keeps ids, trace ids, times and short numbers", () => {
  const harmless = [
    "01987654-3210-7123-8123-123456789012",
    "12345678123456781234567812345678",
    "2026-11-01T10:00:00.123Z",
    "2026-11-01 10:00:00",
    "status 503 after 12345678 bytes",
  ];

  assertEquals(harmless.map(redact), harmless);
});

Deno.test("log() writes one line of JSON below the platform's limit, whatever it is given", () => {
  lines.clear();
  const fields = Object.fromEntries(Array.from({ length: 100 }, (_, index) => [`field_${index}`, "é\n".repeat(400)]));

  log("flood.seen", fields, "error");

  assert(lines.raw[0]!.length < 10_000);
  assertFalse(lines.raw[0]!.includes("\n"));
  assertEquals(lines.only(), { level: "error", event: "flood.seen", truncated: true });
});

Deno.test("log() cuts a long value", () => {
  lines.clear();

  log("long.seen", { cause: "x".repeat(5_000) });

  assertEquals(String(lines.only().cause).length, 500);
});
