import { databaseTypes } from "./generate/database_types.ts";
import { type Files, generatedDocs, staleFiles, writeFiles } from "./generate/files.ts";
import { withMigratedPostgres } from "./stack/throwaway.ts";

/** Writes what is made from the migrations and the functions; with `--check` it only fails if something is stale. */
const root = new URL("../", import.meta.url);
const files = await withMigratedPostgres("postgres", async (target): Promise<Files> => ({
  "shared/db/database.types.ts": await databaseTypes(target),
  ...await generatedDocs(target, root),
}));
const stale = await staleFiles(files, root);

if (Deno.args.includes("--check")) {
  for (const path of Object.keys(stale)) console.error(`${path} is stale: run \`deno task generate\``);
  Deno.exitCode = Object.keys(stale).length > 0 ? 1 : 0;
} else {
  await writeFiles(stale, root);
  for (const path of Object.keys(stale)) console.log(`wrote ${path}`);
}
