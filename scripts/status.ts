import { runCommand } from "./stack/command.ts";
import { readOptions } from "./stack/options.ts";
import { StackError } from "./stack/stack_error.ts";
import { describeState, readState } from "./stack/state.ts";

/** Prints the URLs and keys of the running suite as `supabase status -o env` would. */
await runCommand(async () => {
  const state = await readState(readOptions(Deno.args).data);
  if (!state) throw new StackError("EasyMO Edge is not running here: start it with `deno task start`");
  console.log(describeState(state));
});
