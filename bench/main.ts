import { batch } from "./batch.ts";
import { coldStart } from "./cold_start.ts";
import { history } from "./history.ts";
import type { Measurement } from "./measurement.ts";
import { rateLimit } from "./rate_limit.ts";
import { rpc } from "./rpc.ts";
import { stackStart } from "./stack_start.ts";
import { load, machine } from "./support/machine.ts";
import { toMarkdown } from "./support/table.ts";
import { webhookCpu } from "./webhook_cpu.ts";
import { webhookHttp } from "./webhook_http.ts";

const MEASUREMENTS: Record<string, Measurement> = {
  "webhook-cpu": webhookCpu,
  "webhook-http": webhookHttp,
  "batch": batch,
  "history": history,
  "cold-start": coldStart,
  "rpc": rpc,
  "stack-start": stackStart,
  "rate-limit": rateLimit,
};

const names = Deno.args.length > 0 ? Deno.args : Object.keys(MEASUREMENTS);
const unknown = names.find((name) => !Object.hasOwn(MEASUREMENTS, name));
if (unknown) {
  console.error(`There is no measurement ${unknown}. There are: ${Object.keys(MEASUREMENTS).join(", ")}`);
  Deno.exit(1);
}
console.log(`${machine()}\n`);
for (const name of names) {
  const { about, run } = MEASUREMENTS[name]!;
  const before = load();
  const tables = await run();
  console.log(`## ${name}\n\n${about} Load ${before} before, ${load()} after.\n`);
  for (const table of tables) console.log(`${toMarkdown(table)}\n`);
}
