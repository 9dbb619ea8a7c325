import { assertEquals } from "@std/assert";
import { retryAfterSeconds } from "shared/retry_after.ts";

const NOW = new Date("2026-11-22T10:00:00.500Z");
const CASES: [header: string | null, seconds: number | null][] = [
  [null, null],
  ["120", 120],
  [" 0 ", 0],
  ["Sun, 22 Nov 2026 10:01:00 GMT", 60],
  ["Sun, 22 Nov 2026 09:00:00 GMT", 0],
  ["soon", null],
  ["-1e400", null],
  ["99999999999999", null],
  ["", null],
];

for (const [header, seconds] of CASES) {
  Deno.test(`retryAfterSeconds() reads ${JSON.stringify(header)} as ${seconds}`, () => {
    assertEquals(retryAfterSeconds(header, NOW), seconds);
  });
}
