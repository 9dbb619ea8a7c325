import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { Problem } from "shared/problem.ts";
import type { Outcome } from "shared/worker/source.ts";
import { claims } from "./claims.ts";
import { drained } from "./drains.ts";
import { VirtualClock } from "./virtual_clock.ts";

const DONE: Outcome = { kind: "done" };

Deno.test("drain() claims, handles and settles every item once, never more at a time than the source says", async () => {
  const arbitrary = fc.record({
    count: fc.integer({ min: 0, max: 60 }),
    concurrency: fc.integer({ min: 1, max: 9 }),
    durations: fc.array(fc.integer({ min: 0, max: 900 }), { minLength: 1 }),
  });
  await fc.assert(
    fc.asyncProperty(arbitrary, async ({ count, concurrency, durations }) => {
      const clock = new VirtualClock();
      const source = claims(count, async (item) => {
        await clock.sleep(durations[item % durations.length]!);
        return item % 3 === 0 ? { kind: "failed", error: item } : DONE;
      }, { concurrency });

      const report = await drained([source], { clock, budget: { wallMs: Infinity, cpuMs: Infinity } });

      const settled = [...source.completed, ...source.failed.map(([item]) => item)].sort((one, other) => one - other);
      assertEquals(settled, Array.from({ length: count }, (_, index) => index + 1));
      assertEquals(source.mostInWork <= concurrency, true);
      assertEquals([report.ended, report.sources.claims!.done + report.sources.claims!.failed], ["empty", count]);
    }),
    { numRuns: 20 },
  );
});

Deno.test("what is settled while a call is on its way goes together with the next", async () => {
  const clock = new VirtualClock();
  const source = claims(8, () => Promise.resolve(DONE), { concurrency: 8 });

  await drained([source], { clock });

  assertEquals(source.calls.filter((call) => call.startsWith("complete")).length <= 2, true, source.calls.join());
});

Deno.test("a slow item holds up nobody but itself", async () => {
  const clock = new VirtualClock();
  const doneAt = new Map<number, number>();
  const source = claims(20, async (item) => {
    await clock.sleep(item === 1 ? 9_000 : 100);
    doneAt.set(item, clock.now());
    return DONE;
  });

  await drained([source], { clock });

  doneAt.delete(1);
  assertEquals(Math.max(...doneAt.values()) < 2_000, true);
});

Deno.test("a source that gives its items one by one, in their order, is asked again as soon as each is settled", async () => {
  const clock = new VirtualClock();
  let inWork = 0;
  const source = claims(50, async () => {
    inWork++;
    await clock.sleep(10);
    inWork--;
    return DONE;
  }, {
    claim: () => Promise.resolve(inWork > 0 ? [] : source.due.splice(0, 1)),
  });

  const report = await drained([source], { clock });

  assertEquals([report.sources.claims!.done, report.elapsed_ms < 1_000], [50, true]);
});

Deno.test("what is settled while the source is being looked at has it looked at again at once", async () => {
  const clock = new VirtualClock();
  let inWork = 0;
  const source = claims(20, async () => {
    inWork++;
    await clock.sleep(10);
    inWork--;
    return DONE;
  }, {
    async claim() {
      const isFree = inWork === 0;
      await clock.sleep(15);
      return isFree ? source.due.splice(0, 1) : [];
    },
  });

  const report = await drained([source], { clock });

  assertEquals([report.sources.claims!.done, report.elapsed_ms < 2_000], [20, true]);
});

Deno.test("what a handler throws is a failure of its item alone", async () => {
  const error = new TypeError("no such template");
  const source = claims(3, (item) => item === 2 ? Promise.reject(error) : Promise.resolve(DONE));

  const { sources } = await drained([source]);

  assertEquals([source.completed, source.failed], [[1, 3], [[2, error]]]);
  assertEquals([sources.claims!.done, sources.claims!.failed], [2, 1]);
});

Deno.test("a handler is told when its time is over, and what it answers counts", async () => {
  const clock = new VirtualClock();
  const source = claims(1, async (_, signal) => {
    await clock.sleep(60_000, signal);
    return { kind: "failed", error: "nobody answered" };
  }, { timeoutMs: 5_000 });

  const report = await drained([source], { clock });

  assertEquals([source.failed, report.elapsed_ms], [[[1, "nobody answered"]], 5_000]);
});

Deno.test("a handler that does not care about its time is given up", async () => {
  const clock = new VirtualClock();
  const source = claims(1, () => new Promise(() => {}), { timeoutMs: 5_000 });

  const report = await drained([source], { clock });

  assertEquals([(source.failed[0]![1] as Error).name, report.elapsed_ms], ["TimeoutError", 6_000]);
});

Deno.test("an item that was claimed at the end of the budget gets its full time", async () => {
  const clock = new VirtualClock();
  const source = claims(100, async () => {
    await clock.sleep(4_000);
    return DONE;
  });

  const report = await drained([source], { clock, budget: { wallMs: 1_000, cpuMs: 60_000 } });

  assertEquals([report.ended, report.sources.claims!.done, report.elapsed_ms], ["time", 4, 4_000]);
});

Deno.test("items whose leases are another's by now are counted apart", async () => {
  const source = claims(3, () => Promise.resolve(DONE), { complete: (items) => Promise.resolve(items.length - 1) });

  const { sources } = await drained([source]);

  const { done, lost, left } = sources.claims!;
  assertEquals([done + lost, lost > 0, left], [3, true, 0]);
});

Deno.test("settling is tried again when it fails in passing", async () => {
  let tries = 0;
  const source = claims(1, () => Promise.resolve(DONE), {
    complete: (items) =>
      ++tries < 3 ? Promise.reject(new Problem("service_unavailable")) : Promise.resolve(items.length),
  });

  const { sources } = await drained([source]);

  assertEquals([tries, sources.claims!.done, sources.claims!.error], [3, 1, undefined]);
});

Deno.test("what cannot be settled is left to its lease, and the source alone for a while", async () => {
  const source = claims(8, () => Promise.resolve(DONE), {
    complete: () => Promise.reject(new Problem("service_unavailable")),
  });

  const report = await drained([source]);

  const { done, left, error } = report.sources.claims!;
  assertEquals([done, left, error], [0, 4, "service_unavailable"]);
  assertEquals([source.due.length, report.more], [4, false]);
});

Deno.test("a run that is told to end hands back what nothing has happened to, and only that", async () => {
  const clock = new VirtualClock();
  const stop = new AbortController();
  const source = claims(9, async (item, signal) => {
    if (item === 1) await clock.sleep(30_000); // has sent something and waits for the answer
    if (item === 2) await clock.sleep(1_300);
    if (item === 3) await clock.sleep(30_000, signal);
    if (item === 4) throw await clock.sleep(30_000, signal).then(() => new Error("aborted in the middle"));
    return signal.aborted && item === 3 ? { kind: "released" } : DONE;
  }, { timeoutMs: 60_000 });
  clock.sleep(1_000).then(() => stop.abort());

  const report = await drained([source], { clock, signal: stop.signal });

  assertEquals([source.released, source.completed, source.failed.map(([item]) => item)], [[3], [2], [4]]);
  assertEquals([source.due.length, source.calls.filter((call) => call.startsWith("claim")).length], [5, 1]);
  const { done, failed, released, left, more } = report.sources.claims!;
  assertEquals({ done, failed, released, left, more }, { done: 1, failed: 1, released: 1, left: 1, more: true });
  assertEquals([report.ended, report.elapsed_ms <= 2_000], ["stopped", true]);
});

Deno.test("what was claimed while the run was told to end is handed back unopened", async () => {
  const clock = new VirtualClock();
  const stop = new AbortController();
  const source = claims(9, () => Promise.resolve(DONE), {
    async claim(maxCount) {
      await clock.sleep(500);
      return source.due.splice(0, maxCount);
    },
  });
  clock.sleep(100).then(() => stop.abort());

  const report = await drained([source], { clock, signal: stop.signal });

  assertEquals([source.released, source.mostInWork, report.sources.claims!.released], [[1, 2, 3, 4], 0, 4]);
});
