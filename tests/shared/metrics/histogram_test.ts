import { assertEquals } from "@std/assert";
import { BOUNDS, Histogram } from "shared/metrics/histogram.ts";

function histogramOf(...durations: number[]): Histogram {
  const histogram = new Histogram();
  for (const duration of durations) histogram.observe(duration);
  return histogram;
}

Deno.test("Histogram counts a duration in the first bucket whose bound it does not pass", () => {
  assertEquals(histogramOf(0.25, 0.2501).buckets, { "0.1": 0, "0.25": 1, "0.5": 1 });
});

Deno.test("Histogram has a first bucket that begins at nothing and a last one without end", () => {
  assertEquals(histogramOf(0, 0.001, 10.1, 1_000).buckets, { "0.005": 2, "10": 0, "+Inf": 2 });
});

Deno.test("Histogram names the bounds around full buckets only", () => {
  assertEquals(histogramOf(0.003, 0.06, 0.09).buckets, { "0.005": 1, "0.05": 0, "0.075": 1, "0.1": 1 });
});

Deno.test("Histogram keeps sum, minimum and maximum", () => {
  const { sum, minimum, maximum } = histogramOf(0.5, 0.25, 2);

  assertEquals([sum, minimum, maximum], [2.75, 0.25, 2]);
});

Deno.test("our budgets of 250 ms and 1 s are bounds, so that what keeps them can be counted", () => {
  assertEquals(BOUNDS.filter((bound) => bound === 0.25 || bound === 1), [0.25, 1]);
});
