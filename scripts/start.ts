import { readOptions } from "./stack/options.ts";
import { StackError } from "./stack/postgres.ts";
import { startStack } from "./stack/stack.ts";
import { describeState } from "./stack/state.ts";

/** Starts the suite and keeps it until Ctrl-C or SIGTERM. */
try {
  const { state, stop } = await startStack(readOptions(Deno.args));
  console.log(`\n${describeState(state)}\n\nEasyMO Edge is ready. Ctrl-C stops it.`);
  await new Promise<void>((resolve) => {
    for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) Deno.addSignalListener(signal, resolve);
  });
  await stop();
  Deno.exit(0);
} catch (error) {
  if (!(error instanceof StackError)) throw error;
  console.error(error.message);
  Deno.exit(1);
}
