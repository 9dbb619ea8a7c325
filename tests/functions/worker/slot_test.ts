import { assertEquals } from "@std/assert";
import { serviceRpc } from "shared/db/service_rpc.ts";
import { RequestTrace } from "shared/trace.ts";
import type { RunReport } from "shared/worker/drain.ts";
import type { Sql } from "postgres";
import { type Slot, takeSlot } from "../../../supabase/functions/worker/slot.ts";
import { workerTest } from "./worker.ts";

const REPORT: RunReport = { ended: "empty", elapsed_ms: 1, cpu_ms: 1, more: false, sources: {} };

/** Lets this file say when time is up for whoever asked to be called again and again. */
function useTicks(): { tick(): void; readonly isRunning: boolean } {
  const ticking = new Map<unknown, () => void>();
  function repeat(work: () => void): number {
    const id = ticking.size + 1;
    ticking.set(id, work);
    return id;
  }
  globalThis.setInterval = repeat as unknown as typeof setInterval;
  globalThis.clearInterval = (id) => void ticking.delete(id);
  return {
    tick: () => ticking.forEach((work) => work()),
    get isRunning() {
      return ticking.size > 0;
    },
  };
}

const ticks = useTicks();

async function take(onLost: () => void): Promise<Slot> {
  return (await takeSlot(serviceRpc("worker", new RequestTrace(new Headers())), onLost))!;
}

async function until(isTrue: () => boolean | Promise<boolean>): Promise<void> {
  for (const deadline = performance.now() + 60_000; !await isTrue();) {
    if (performance.now() > deadline) throw new Error(`waited in vain until ${isTrue}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

async function secondsLeft(sql: Sql): Promise<number> {
  const [row] =
    await sql`select extract(epoch from expires_at - now())::float as seconds from private.worker_runs where slot = 1`;
  return row!.seconds;
}

workerTest("a run extends its slot's lease as long as it goes on, and no longer", async ({ sql }) => {
  const work = Promise.withResolvers<RunReport>();
  const held = (await take(() => {})).during(work.promise);
  await sql`update private.worker_runs set expires_at = now() + interval '1 second'`;

  ticks.tick();

  await until(async () => await secondsLeft(sql) > 5);
  work.resolve(REPORT);
  await held;
  assertEquals(ticks.isRunning, false);
});

workerTest("a run whose slot is another's is told so", async ({ sql }) => {
  let isLost = false;
  const work = Promise.withResolvers<RunReport>();
  const held = (await take(() => isLost = true)).during(work.promise);
  await sql`update private.worker_runs set run_id = private.uuid_v7()`;

  ticks.tick();

  await until(() => isLost);
  work.resolve(REPORT);
  await held;
});

workerTest("a slot that cannot be extended or given back fails no run", async ({ sql, log }) => {
  const work = Promise.withResolvers<RunReport>();
  const held = (await take(() => {})).during(work.promise);
  await sql`revoke update on private.worker_runs from service_role`;

  ticks.tick();
  await until(() => log.raw.length > 0);
  work.resolve(REPORT);

  assertEquals(await held, REPORT);
  assertEquals(log.raw.map((line) => JSON.parse(line).event), ["worker.slot", "worker.slot"]);
});

workerTest("a slot is held no longer when the work fails", async () => {
  const held = (await take(() => {})).during(Promise.reject(new Error("a fault of ours")));

  assertEquals(await held.catch((error) => error.message), "a fault of ours");
  assertEquals(ticks.isRunning, false);
});
