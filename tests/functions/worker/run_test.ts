import { assertEquals } from "@std/assert";
import { Problem } from "shared/problem.ts";
import type { RunReport } from "shared/worker/drain.ts";
import type { Outcome } from "shared/worker/source.ts";
import { addPieces, effects, leasedPieces, pieces } from "./pieces.ts";
import { workerTest } from "./worker.ts";

const DONE: Outcome = { kind: "done" };
const done = () => Promise.resolve(DONE);

workerTest("POST /run does what is due in every source, and says what it did", async ({ sql, run }) => {
  await addPieces(sql, "pieces", 25);
  await sql`update public.pieces set fails = true where id % 5 = 0`;
  await addPieces(sql, "leased_pieces", 12);

  const report = await run((call) => [pieces(call), leasedPieces(call, done)]);

  assertEquals([report.ended, report.more], ["empty", false]);
  assertEquals(report.sources, {
    pieces: { done: 20, failed: 5, released: 0, lost: 0, left: 0, more: false },
    leased_pieces: { done: 12, failed: 0, released: 0, lost: 0, left: 0, more: false },
  });
  assertEquals((await effects(sql)).length, 32);
});

workerTest("POST /run works on the named sources alone", async ({ sql, run }) => {
  await addPieces(sql, "pieces", 3);
  await addPieces(sql, "leased_pieces", 3);

  const report = await run((call) => [pieces(call), leasedPieces(call, done)], "?sources=leased_pieces");

  assertEquals([Object.keys(report.sources), (await effects(sql)).length], [["leased_pieces"], 3]);
});

workerTest("what fails is written down beside its item, and no code shows in it", async ({ sql, run }) => {
  await addPieces(sql, "leased_pieces", 2);

  const report = await run((call) => [
    leasedPieces(call, ({ name }) => name.endsWith("1") ? Promise.reject(new Problem("outbound_failed")) : done()),
  ]);

  assertEquals([report.sources.leased_pieces!.done, report.sources.leased_pieces!.failed], [1, 1]);
  const [left] = await sql`select name, last_error from public.leased_pieces`;
  assertEquals({ ...left }, { name: "leased_pieces 1", last_error: "Problem: outbound_failed" });
});

workerTest("any number of runs at once do every piece once", async ({ sql, run }) => {
  await addPieces(sql, "pieces", 200);
  await addPieces(sql, "leased_pieces", 200);
  const runs = Array.from({ length: 4 }, () => run((call) => [pieces(call, 7), leasedPieces(call, done)]));

  const reports = await Promise.all(runs);

  const all = await effects(sql);
  assertEquals([all.length, new Set(all).size], [400, 400]);
  const counted = reports.flatMap(({ sources }) => Object.values(sources)).reduce((sum, { done }) => sum + done, 0);
  assertEquals(counted, 400);
});

workerTest(
  "a run without a free slot says at once that the worker is busy, and touches nothing",
  async ({ sql, run }) => {
    await addPieces(sql, "pieces", 3);
    await sql`update private.worker_runs set run_id = private.uuid_v7(), expires_at = now() + interval '1 hour'`;

    assertEquals(await run((call) => [pieces(call)]), { busy: true } as never);

    assertEquals(await effects(sql), []);
  },
);

workerTest("every run gives its slot back and leaves what it did", async ({ sql, run }) => {
  await addPieces(sql, "pieces", 3);

  for (let runs = 0; runs < 6; runs++) await run((call) => [pieces(call)]);

  const health = await sql`select is_running, last_report from public.worker_health order by slot`;
  assertEquals(health.map((slot) => slot.is_running), [false, false, false, false]);
  assertEquals([health[0]!.last_report.ended, health[0]!.last_report.sources.pieces.done], ["empty", 0]);
});

workerTest(
  "a run that leaves work behind has the database ask for another one, and no other run does",
  async ({ sql, run, request }) => {
    await sql`select vault.create_secret('http://127.0.0.1:1', 'functions_url'), vault.create_secret('t', 'worker_token')`;
    const asked = async () => (await sql`select from net.http_request_queue`).length;
    await addPieces(sql, "leased_pieces", 30);
    const interruption = new AbortController();
    let handled = 0;
    function handle(): Promise<Outcome> {
      if (++handled === 8) interruption.abort();
      return done();
    }

    await run((call) => [pieces(call)]);
    assertEquals(await asked(), 0);
    const response = await request((call) => [leasedPieces(call, handle)], "", { signal: interruption.signal });

    const report: RunReport = await response.json();
    assertEquals([report.ended, report.more, await asked()], ["stopped", true, 1]);
    assertEquals((await effects(sql)).length, handled);
  },
);

workerTest("a source that is refused is reported, logged once and stops no other", async ({ sql, run, log }) => {
  await addPieces(sql, "pieces", 3);
  await sql`revoke execute on function public.claim_pieces from service_role`;
  await sql`drop function public.release_pieces`;

  const report = await run((call) => [leasedPieces(call, done), pieces(call)]);

  assertEquals([report.sources.leased_pieces!.error, report.sources.pieces!.done], ["not_configured", 3]);
  const line = log.raw.map((line) => JSON.parse(line)).find(({ event }) => event === "worker.run");
  assertEquals([line.level, line.errors, line.done], ["warn", "leased_pieces: not_configured", 3]);
});

workerTest("an item's correlation id is that of the call that acts on it", async ({ sql, run }) => {
  await addPieces(sql, "leased_pieces", 1);
  await sql`update public.leased_pieces set correlation_id = 'trip-66'`;

  await run((call) => [leasedPieces(call, done)]);

  const [effect] = await sql`select correlation_id from public.effects`;
  assertEquals(effect!.correlation_id, "trip-66");
});
