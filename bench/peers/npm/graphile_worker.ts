import { Logger, makeWorkerUtils, run } from "graphile-worker";
import pg from "pg";
import { serveQueue } from "../../support/queue_server.ts";

const TASK = "bench";

/**
 * Graphile Worker through its own API. A worker is a job at a time (`concurrentJobs`); a batch is the size of the local
 * queue, with completions in batches too. Batch 1 is without both: a claim and a completion for each job.
 */
const [port, connectionString, postmaster] = Deno.args;
const pgPool = new pg.Pool({ connectionString, max: 12 });
pgPool.on("error", (error) => console.error(error));
pgPool.on("connect", (client) => client.on("error", (error) => console.error(error)));
const logger = new Logger(() => () => {});
const utils = await makeWorkerUtils({ pgPool, logger });
await utils.migrate();

serveQueue(Number(port), Number(postmaster), {
  enqueue: (payloads, runAt) =>
    payloads.length === 1
      ? utils.addJob(TASK, payloads[0], { runAt })
      : utils.addJobs(payloads.map((payload) => ({ identifier: TASK, payload, runAt }))),
  async work({ workers, batch }, meter) {
    const batching = batch === 1 ? {} : { localQueue: { size: batch }, completeJobBatchDelay: 0 };
    const runner = await run({
      pgPool,
      logger,
      noHandleSignals: true,
      crontab: "",
      preset: { worker: { concurrentJobs: workers, ...batching } },
      taskList: { [TASK]: () => {} },
    });
    runner.events.on("job:complete", () => meter.done(1));
    await meter.over;
    await runner.stop();
  },
});
