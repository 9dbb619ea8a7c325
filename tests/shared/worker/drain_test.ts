import { assertEquals } from "@std/assert";
import { Problem } from "shared/problem.ts";
import { drained, repeated, turns } from "./drains.ts";
import { VirtualClock } from "./virtual_clock.ts";

const NOTHING = { done: 0, failed: 0, more: false };

Deno.test("drain() repeats a source's turn until nothing is left, and says what was done", async () => {
  const jobs = repeated("jobs", (before) => ({ done: 10, failed: before, more: before < 2 }));

  const report = await drained([jobs]);

  assertEquals(report.sources.jobs, { done: 30, failed: 3, released: 0, lost: 0, left: 0, more: false });
  assertEquals([report.ended, report.more], ["empty", false]);
});

Deno.test("drain() without sources ends at once", async () => {
  assertEquals(await drained([]), { ended: "empty", elapsed_ms: 0, cpu_ms: 0, more: false, sources: {} });
});

Deno.test("a flooded source keeps no other waiting", async () => {
  const clock = new VirtualClock();
  const servedAt: number[] = [];
  const flood = (name: string) =>
    repeated(name, async () => {
      await clock.sleep(100);
      return { done: 100, failed: 0, more: true };
    });
  const small = repeated("small", () => {
    servedAt.push(clock.now());
    return { done: 1, failed: 0, more: true };
  });

  const report = await drained(["a", "b", "c", "d", "e"].map(flood).concat(small), {
    clock,
    budget: { wallMs: 2_000, cpuMs: 60_000 },
  });

  const waits = servedAt.slice(1).map((time, index) => time - servedAt[index]!);
  assertEquals(Math.max(...waits) <= 200, true, `waited ${waits}`);
  assertEquals(report.ended, "time");
});

Deno.test("drain() ends when its time is over, says that more is due, and waits for the turn that runs", async () => {
  const clock = new VirtualClock();
  const endless = repeated("endless", async () => {
    await clock.sleep(300);
    return { done: 1, failed: 0, more: true };
  });

  const report = await drained([endless], { clock, budget: { wallMs: 1_000, cpuMs: 60_000 } });

  assertEquals([report.ended, report.more, report.elapsed_ms], ["time", true, 1_200]);
  assertEquals(report.sources.endless!.done, 4);
});

Deno.test("drain() ends when it has used its share of the processor, however little time has passed", async () => {
  const clock = new VirtualClock();
  const busy = repeated("busy", () => {
    clock.spend(100);
    return { done: 1, failed: 0, more: true };
  });

  const report = await drained([busy], { clock, budget: { wallMs: 60_000, cpuMs: 1_000 } });

  assertEquals([report.ended, report.more, report.sources.busy!.done], ["cpu", true, 10]);
});

Deno.test("a source that fails stops no other, and its code is told", async () => {
  const gone = repeated("gone", () => Promise.reject(new Problem("service_unavailable")));
  const broken = repeated("broken", () => {
    throw new TypeError("about +250788000000");
  });

  const { ended, more, sources } = await drained([gone, broken, turns(3)]);

  assertEquals([ended, more], ["empty", false]);
  assertEquals([sources.gone!.error, sources.broken!.error], ["service_unavailable", "TypeError"]);
  assertEquals([sources.turns!.done, sources.turns!.error], [3, undefined]);
});

Deno.test("a run whose sources all fail ends at once", async () => {
  const gone = repeated("gone", () => Promise.reject(new Problem("service_unavailable")));

  const report = await drained([gone], { lingers: true });

  assertEquals([report.ended, report.elapsed_ms, report.more], ["empty", 0, false]);
});

Deno.test("a source that failed is tried again some seconds later, while others keep the run going", async () => {
  const clock = new VirtualClock();
  const triedAt: number[] = [];
  const flaky = repeated("flaky", (before) => {
    triedAt.push(clock.now());
    if (before < 2) throw new Problem("service_unavailable");
    return { done: 1, failed: 0, more: before < 3 };
  });
  const slow = repeated("slow", async (before) => {
    await clock.sleep(1_000);
    return { done: 1, failed: 0, more: before < 20 };
  });

  const { sources } = await drained([flaky, slow], { clock });

  assertEquals(triedAt.slice(0, 3), [0, 5_000, 10_000]);
  assertEquals([sources.flaky!.done > 1, sources.flaky!.more], [true, false]);
});

Deno.test("an empty source is looked at again and again while another keeps the run going", async () => {
  const clock = new VirtualClock();
  const slow = repeated("slow", async (before) => {
    await clock.sleep(1_000);
    return { done: 1, failed: 0, more: before < 9 };
  });
  const late = repeated("late", () => ({ ...NOTHING, done: clock.now() > 5_000 ? 1 : 0 }));

  const { sources } = await drained([slow, late], { clock });

  assertEquals(sources.late!.done > 0, true);
});

Deno.test("a run that lingers does what came in the second in which nobody was woken for it", async () => {
  for (const lingers of [true, false]) {
    const clock = new VirtualClock();
    const late = repeated("late", (before) => ({ ...NOTHING, done: before > 0 && clock.now() > 1_000 ? 1 : 0 }));

    const report = await drained([late, turns(0)], { clock, lingers });

    assertEquals([lingers, report.sources.late!.done, report.ended], [lingers, lingers ? 1 : 0, "empty"]);
  }
});

Deno.test("a source that passes over much before it finds work is asked on", async () => {
  const far = repeated("far", (before) => ({ done: before === 10 ? 1 : 0, failed: 0, more: before < 11 }));

  assertEquals((await drained([far])).sources.far!.done, 1);
});

Deno.test("what one source's work makes for another is done at once, even if that one is being looked at", async () => {
  const clock = new VirtualClock();
  const replies: number[] = [];
  const events = repeated("events", async (before) => {
    await clock.sleep(20);
    if (before === 0) replies.push(1);
    return { done: before === 0 ? 1 : 0, failed: 0, more: false };
  });
  const sender = repeated("sender", async () => {
    const due = replies.splice(0);
    await clock.sleep(20);
    return { done: due.length, failed: 0, more: false };
  });

  const { sources, elapsed_ms } = await drained([events, sender], { clock });

  assertEquals([sources.sender!.done, elapsed_ms < 200], [1, true]);
});

Deno.test("a source that asks for more and does nothing, again and again, does not keep the run busy", async () => {
  const idle = repeated("idle", () => ({ done: 0, failed: 0, more: true }));

  const report = await drained([idle]);

  assertEquals([report.ended, report.elapsed_ms], ["empty", 0]);
});

Deno.test("sources whose looks take longer than their rest come to an end too", async () => {
  const clock = new VirtualClock();
  const slow = (name: string) =>
    repeated(name, async () => {
      await clock.sleep(2_000);
      return NOTHING;
    });

  const report = await drained(["a", "b", "c", "d", "e"].map(slow), { clock, lingers: true });

  assertEquals(report.ended, "empty");
});

Deno.test("a run that is told to end takes no further turn and ends within a second", async () => {
  const clock = new VirtualClock();
  const stop = new AbortController();
  const slow = repeated("slow", async () => {
    await clock.sleep(400);
    return { done: 1, failed: 0, more: true };
  });
  const hanging = repeated("hanging", async () => {
    await clock.sleep(100_000);
    return NOTHING;
  });
  clock.sleep(1_000).then(() => stop.abort());

  const report = await drained([slow, hanging], { clock, signal: stop.signal });

  assertEquals([report.ended, report.more, report.sources.slow!.done], ["stopped", true, 3]);
  assertEquals(report.elapsed_ms <= 2_000, true);
});

Deno.test("a run that is told to end before it begins touches nothing", async () => {
  const report = await drained([turns(3)], { signal: AbortSignal.abort() });

  assertEquals([report.ended, report.more, report.sources.turns!.done], ["stopped", true, 0]);
});
