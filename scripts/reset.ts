import { runCommand } from "./stack/command.ts";
import { readOptions } from "./stack/options.ts";
import { usableFolder } from "./stack/data_folder.ts";
import { deleteCluster } from "./stack/postgres.ts";
import { StackError } from "./stack/stack_error.ts";
import { claimFolder } from "./stack/state.ts";

/** Deletes the local database; the next start makes it anew from the migrations and the seed. */
await runCommand(async () => {
  const { data, dbUrl } = readOptions(Deno.args);
  if (dbUrl) throw new StackError("reset empties only the local database, never one given with --db-url");
  const folder = await usableFolder(data);
  await claimFolder(folder);
  await deleteCluster(folder);
  console.log("The local database is gone: `deno task start` makes it anew.");
});
