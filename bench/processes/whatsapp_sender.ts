import process from "node:process";
import worker from "../../supabase/functions/worker/index.ts";
import { input, report } from "../support/processes.ts";

/** How to send: as the worker does, or the bare requests alone. */
export interface SenderLoad {
  kind: "worker" | "bare";
  settings: Record<string, string>;
  seconds: number;
  /** Of the bare requests, in a second. */
  rate: number;
}

/** What it came to. */
export interface SenderReading {
  sent: number;
  seconds: number;
  /** Of this process, in milliseconds. */
  cpu: number;
}

const { kind, settings, seconds, rate } = input<SenderLoad>();
for (const [name, value] of Object.entries(settings)) Deno.env.set(name, value);

async function work(): Promise<number> {
  const headers = { authorization: `Bearer ${settings.WORKER_TOKENS}` };
  const url = "http://127.0.0.1/worker/run?sources=whatsapp_messages&budget_seconds=5";
  const answer = await worker.fetch(new Request(url, { method: "POST", headers }));
  return (await answer.json()).sources.whatsapp_messages.done;
}

/** The requests that the worker makes, at that rate, and nothing else: what no sender can do without. */
async function post(at: number): Promise<number> {
  const body = JSON.stringify({
    messaging_product: "whatsapp",
    recipient_type: "individual",
    biz_opaque_callback_data: crypto.randomUUID(),
    to: `+${250788000000 + at}`,
    type: "template",
    template: { name: "ride_update", language: { code: "en" } },
  });
  const answer = await fetch(`${settings.WHATSAPP_API_URL}/${100000000000001 + at % 3}/messages`, {
    method: "POST",
    headers: { "authorization": `Bearer ${settings.WHATSAPP_ACCESS_TOKEN}`, "content-type": "application/json" },
    body: new Blob([body]),
  });
  await answer.json();
  return 1;
}

async function bare(end: number): Promise<number> {
  const underway: Promise<number>[] = [];
  for (let due = performance.now(); due < end; due += 1_000 / rate) {
    await new Promise((resolve) => setTimeout(resolve, Math.max(0, due - performance.now())));
    underway.push(post(underway.length));
  }
  return (await Promise.all(underway)).length;
}

const [startedAt, before] = [performance.now(), process.cpuUsage()];
const end = startedAt + seconds * 1_000;
let sent = 0;
if (kind === "bare") sent = await bare(end);
else while (performance.now() < end) sent += await work();
const { user, system } = process.cpuUsage(before);
const reading: SenderReading = { sent, seconds: (performance.now() - startedAt) / 1_000, cpu: (user + system) / 1_000 };
report(reading);
Deno.exit();
