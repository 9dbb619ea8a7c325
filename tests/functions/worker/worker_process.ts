import type { Outcome } from "shared/worker/source.ts";
import { appWith, runRequest } from "./app.ts";
import { leasedPieces, pieces } from "./pieces.ts";

/** Runs the worker again and again until it is killed, or whoever started it has gone; says when it has begun. */
const app = appWith((call) => [
  pieces(call, 2),
  leasedPieces(call, handle, { concurrency: 6, leaseMilliseconds: 300 }),
]);
const say = console.log;
console.log = () => {};
let hasBegun = false;

async function handle(): Promise<Outcome> {
  if (!hasBegun) say("begun");
  hasBegun = true;
  await new Promise((resolve) => setTimeout(resolve, Math.random() * 20));
  return { kind: "done" };
}

Deno.stdin.readable.pipeTo(new WritableStream()).then(() => Deno.exit());
for (;;) await (await app.fetch(runRequest("?budget_seconds=5"))).body?.cancel();
