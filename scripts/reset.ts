import { join } from "@std/path";
import { readOptions } from "./stack/options.ts";
import { dataFolder } from "./stack/postgres.ts";
import { readState } from "./stack/state.ts";

/** Deletes the local database; the next start makes it anew from the migrations and the seed. */
const { data, dbUrl } = readOptions(Deno.args);
if (dbUrl) {
  console.error("reset empties only the local database, never one given with --db-url");
  Deno.exit(1);
}
const running = await readState(data);
if (running) {
  console.error(`a stack is running on this data folder (pid ${running.pid}): stop it first`);
  Deno.exit(1);
}
await Deno.remove(join(dataFolder(data), "postgres"), { recursive: true }).catch((error) => {
  if (!(error instanceof Deno.errors.NotFound)) throw error;
});
console.log("The local database is gone: `deno task start` makes it anew.");
