import { assert, assertEquals } from "@std/assert";
import { LogSampling } from "shared/log_sampling.ts";

/** Offers lines at these times; gives what `admit()` says of each. */
function offer(times: number[], matters = false, sampling = new LogSampling()): (number | null)[] {
  return times.map((time) => sampling.admit(time, matters));
}

/** Times of so many lines, evenly from a moment on. */
function evenly(count: number, from: number, everyMs: number): number[] {
  return Array.from({ length: count }, (_, index) => from + index * everyMs);
}

Deno.test("LogSampling admits every line of a quiet function", () => {
  const said = offer(evenly(1_000, 0, 200));

  assertEquals(said.filter((leftOut) => leftOut !== 0), []);
});

Deno.test("LogSampling admits a burst of 50, then leaves lines out", () => {
  const said = offer(evenly(60, 0, 0));

  assertEquals(said.map((leftOut) => leftOut !== null), [...Array(50).fill(true), ...Array(10).fill(false)]);
});

for (const perSecond of [20, 100, 1_000]) {
  Deno.test(`LogSampling admits at most 100 of ${perSecond} lines a second in any 10 seconds`, () => {
    const times = evenly(perSecond * 40, 0, 1_000 / perSecond);

    const said = offer(times);
    const admitted = times.filter((_, index) => said[index] !== null);
    for (const from of admitted) {
      const count = admitted.filter((time) => time >= from && time < from + 10_000).length;
      assert(count <= 100, `${count} from ${from}`);
    }
  });
}

Deno.test("LogSampling says how many lines were left out, so that none is unaccounted for", () => {
  const times = evenly(5_000, 0, 3);

  const said = offer([...times, 60_000]);

  const admitted = said.filter((leftOut) => leftOut !== null);
  assertEquals(admitted.length + admitted.reduce((sum, leftOut) => sum + leftOut, 0), 5_001);
});

Deno.test("LogSampling admits every line that matters, at the cost of the others", () => {
  const sampling = new LogSampling();

  const failures = offer(evenly(500, 0, 10), true, sampling);

  assertEquals(failures.every((leftOut) => leftOut === 0), true);
  assertEquals(offer([5_000], false, sampling), [null]);
  assertEquals(offer([5_001], true, sampling), [1]);
});
