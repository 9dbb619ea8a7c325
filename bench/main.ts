import { analyticsMeasurements } from "./analytics.ts";
import { batch } from "./batch.ts";
import { coldStart } from "./cold_start.ts";
import { eventMeasurements } from "./events.ts";
import { history } from "./history.ts";
import type { Measurement } from "./measurement.ts";
import { queueMeasurements } from "./queues.ts";
import { rateLimit } from "./rate_limit.ts";
import { rpc } from "./rpc.ts";
import { stackStart } from "./stack_start.ts";
import { load, machine } from "./support/machine.ts";
import { toMarkdown } from "./support/table.ts";
import { walletMeasurements } from "./wallets.ts";
import { webhookCpu } from "./webhook_cpu.ts";
import { webhookHttp } from "./webhook_http.ts";
import { whatsappSend } from "./whatsapp_send.ts";

const MEASUREMENTS: Record<string, Measurement> = {
  "webhook-cpu": webhookCpu,
  "webhook-http": webhookHttp,
  "batch": batch,
  "history": history,
  "cold-start": coldStart,
  "rpc": rpc,
  "stack-start": stackStart,
  "rate-limit": rateLimit,
  "whatsapp-send": whatsappSend,
  ...queueMeasurements,
  ...eventMeasurements,
  ...walletMeasurements,
  ...analyticsMeasurements,
};

const isQuick = Deno.args.includes("--quick");
const asked = Deno.args.filter((argument) => argument !== "--quick");
const names = asked.length > 0 ? asked : Object.keys(MEASUREMENTS).filter((name) => !MEASUREMENTS[name]!.isOnRequest);
const unknown = names.find((name) => !Object.hasOwn(MEASUREMENTS, name));
if (unknown) {
  console.error(`There is no measurement ${unknown}. There are: ${Object.keys(MEASUREMENTS).join(", ")}`);
  Deno.exit(1);
}
console.log(`${machine()}\n`);
for (const name of names) {
  const { about, run } = MEASUREMENTS[name]!;
  const [before, startedAt] = [load(), performance.now()];
  const tables = await run({ isQuick, rounds: isQuick ? 1 : 5 });
  const seconds = Math.round((performance.now() - startedAt) / 1_000);
  console.log(`## ${name}\n\n${about} Load ${before} before, ${load()} after; ${seconds} s.\n`);
  for (const table of tables) console.log(`${toMarkdown(table)}\n`);
}
