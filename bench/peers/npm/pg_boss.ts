import { PgBoss } from "pg-boss";
import { claimAndComplete, serveQueue, together } from "../../support/queue_server.ts";

const QUEUE = "bench";

/** pg-boss through its own API. Its maintenance and its clock are off: neither may strike one round and not another. */
const [port, connectionString = "", postmaster] = Deno.args;
const boss = new PgBoss({ connectionString, max: 8, supervise: false, schedule: false });
boss.on("error", (error) => console.error(error));
await boss.start();
await boss.createQueue(QUEUE);

serveQueue(Number(port), Number(postmaster), {
  enqueue: (payloads, startAfter) =>
    payloads.length === 1
      ? boss.send(QUEUE, payloads[0], { startAfter })
      : boss.insert(QUEUE, payloads.map((data) => ({ data, startAfter }))),
  work: ({ workers, batch: batchSize }, meter) =>
    together(workers, () =>
      claimAndComplete(
        meter,
        () => boss.fetch(QUEUE, { batchSize }),
        (jobs) => boss.complete(QUEUE, jobs.map(({ id }) => id)),
      )),
});
