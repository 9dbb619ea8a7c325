import { runCommand } from "./stack/command.ts";
import { readOptions } from "./stack/options.ts";
import { startStack } from "./stack/stack.ts";
import { describeState } from "./stack/state.ts";

/** Starts the suite and keeps it until Ctrl-C or SIGTERM. */
await runCommand(async () => {
  // Listened for from the beginning: an early Ctrl-C must not leave Postgres behind.
  const interrupted = new Promise<void>((resolve) => {
    for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) Deno.addSignalListener(signal, () => resolve());
  });
  const { state, stop } = await startStack(readOptions(Deno.args));
  console.log(`\n${describeState(state)}\n\nEasyMO Edge is ready. Ctrl-C stops it.`);
  await interrupted;
  await stop();
});
