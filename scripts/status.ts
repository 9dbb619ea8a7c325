import { readOptions } from "./stack/options.ts";
import { describeState, readState } from "./stack/state.ts";

/** Prints the URLs and keys of the running suite as `supabase status -o env` would. */
const state = await readState(readOptions(Deno.args).data);
if (!state) {
  console.error("EasyMO Edge is not running here: start it with `deno task start`");
  Deno.exit(1);
}
console.log(describeState(state));
