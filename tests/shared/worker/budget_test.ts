import { assertEquals } from "@std/assert";
import { exhausted } from "shared/worker/budget.ts";

const BUDGET = { wallMs: 1_000, cpuMs: 100 };

for (
  const [wallMs, cpuMs, expected] of [
    [0, 0, undefined],
    [999, 99, undefined],
    [1_000, 0, "time"],
    [0, 100, "cpu"],
    [2_000, 200, "time"],
  ] as const
) {
  Deno.test(`exhausted() after ${wallMs} ms, ${cpuMs} ms of them busy: ${expected ?? "not yet"}`, () => {
    assertEquals(exhausted(BUDGET, { wallMs, cpuMs }), expected);
  });
}
