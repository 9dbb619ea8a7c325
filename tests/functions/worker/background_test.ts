import { assertEquals } from "@std/assert";
import type { Outcome } from "shared/worker/source.ts";
import { useBackground } from "../../support/background.ts";
import { addPieces, effects, leasedPieces, type Piece, pieces } from "./pieces.ts";
import { workerTest } from "./worker.ts";

const background = useBackground();
const DONE: Outcome = { kind: "done" };

workerTest("a run that nobody waits for is answered at once and goes on", async ({ sql, request }) => {
  await addPieces(sql, "leased_pieces", 20);
  const gate = Promise.withResolvers<void>();

  const response = await request(
    (call) => [leasedPieces(call, () => gate.promise.then(() => DONE))],
    "?wait=false",
  );

  assertEquals([response.status, typeof (await response.json()).run_id], [202, "string"]);
  assertEquals(await effects(sql), []);
  gate.resolve();
  await background.ended();
  assertEquals((await effects(sql)).length, 20);
  const [slot] = await sql`select is_running, last_report from public.worker_health order by slot limit 1`;
  assertEquals([slot!.is_running, slot!.last_report.sources.leased_pieces.done], [false, 20]);
});

workerTest("it also does what comes in the second after it was woken, when nobody is woken again", async (worker) => {
  const { sql, request } = worker;
  const looks = Promise.withResolvers<void>();

  const response = await request((call) => {
    const source = pieces(call);
    return [{ name: source.name, turn: () => source.turn().finally(looks.resolve) }];
  }, "?wait=false");
  await response.body?.cancel();
  await looks.promise;
  await addPieces(sql, "pieces", 3);
  await background.ended();

  assertEquals((await effects(sql)).length, 3);
});

workerTest("when the isolate ends, runs hand back what they have not begun, and their slots", async (worker) => {
  const { sql, request } = worker;
  await addPieces(sql, "leased_pieces", 20);
  const begun = Promise.withResolvers<void>();
  async function handle({ id }: Piece, signal: AbortSignal): Promise<Outcome> {
    begun.resolve();
    const isAborted = Promise.withResolvers<void>();
    signal.addEventListener("abort", () => isAborted.resolve());
    await isAborted.promise;
    return id % 2 === 0 ? { kind: "released" } : DONE;
  }

  const response = await request((call) => [leasedPieces(call, handle)], "?wait=false");
  await response.body?.cancel();
  await begun.promise;
  dispatchEvent(new Event("beforeunload"));
  await background.ended();

  const left = await sql`select attempt_count, leased_until = '-infinity' as is_free from public.leased_pieces`;
  assertEquals([left.length, left.every((piece) => piece.is_free && piece.attempt_count === 0)], [16, true]);
  assertEquals((await effects(sql)).length, 4);
  const [slot] = await sql`select is_running, last_report from public.worker_health order by slot limit 1`;
  assertEquals([slot!.is_running, slot!.last_report.ended, slot!.last_report.more], [false, "stopped", true]);
});
