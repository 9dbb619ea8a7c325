import { urlOf } from "../../scripts/stack/connection.ts";
import { temporaryFolder } from "../../scripts/stack/data_folder.ts";
import { freePort } from "../../scripts/stack/port.ts";
import { delivery, deliveryHeaders } from "./deliveries.ts";
import { type Server, spawn, stop } from "./processes.ts";

/** The local stack, as `deno task start` runs it, on free ports. */
export interface Stack extends Server {
  databasePort: number;
  databaseUrl: string;
  webhookUrl: string;
  /** From the start of the process to the answer of the first signed delivery. */
  startMs: number;
}

/** A data folder of its own that is gone after the block that holds it. */
export function dataFolder(): { path: string } & AsyncDisposable {
  const path = `${temporaryFolder()}-bench-${crypto.randomUUID().slice(0, 8)}`;
  return { path, [Symbol.asyncDispose]: () => Deno.remove(path, { recursive: true }).catch(() => {}) };
}

/** Starts the stack in a process of its own and waits until a signed delivery is answered. */
export async function startStack(data: string): Promise<Stack> {
  const [port, databasePort] = [freePort(), freePort()];
  const url = `http://127.0.0.1:${port}`;
  const webhookUrl = `${url}/functions/v1/whatsapp-webhook`;
  const startedAt = performance.now();
  const child = spawn("scripts/start.ts", ["--port", `${port}`, "--db-port", `${databasePort}`, "--data", data]);
  await untilStored(webhookUrl, child);
  const startMs = performance.now() - startedAt;
  const databaseUrl = urlOf(databasePort);
  const end = () => stop(child);
  return { url, webhookUrl, pid: child.pid, databasePort, databaseUrl, startMs, [Symbol.asyncDispose]: end };
}

/** Sends one delivery; gives the status. */
export async function deliver(webhookUrl: string, body: Uint8Array<ArrayBuffer>): Promise<number> {
  const answer = await fetch(webhookUrl, { method: "POST", headers: deliveryHeaders(body), body });
  await answer.body?.cancel();
  return answer.status;
}

async function untilStored(webhookUrl: string, child: Deno.ChildProcess): Promise<void> {
  let hasEnded = false;
  child.status.then(() => hasEnded = true);
  const body = delivery();
  while (!hasEnded) {
    const status = await deliver(webhookUrl, body).catch(() => 0);
    if (status === 200) return;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  throw new Error("the stack did not start");
}
