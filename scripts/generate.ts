import { databaseTypes } from "./generate/database_types.ts";
import { withMigratedPostgres } from "./stack/throwaway.ts";

/** Files made from the migrations and the functions: path -> content. `--check` fails if one of them is stale. */
const files = await withMigratedPostgres("postgres", async (target) => ({
  "shared/db/database.types.ts": await databaseTypes(target),
}));

const root = new URL("../", import.meta.url);
for (const [path, content] of Object.entries(files)) {
  const file = new URL(path, root);
  const isFresh = await Deno.readTextFile(file).catch(() => "") === content;
  if (isFresh) continue;
  if (Deno.args.includes("--check")) {
    console.error(`${path} is stale: run \`deno task generate\``);
    Deno.exitCode = 1;
  } else {
    await Deno.writeTextFile(file, content);
    console.log(`wrote ${path}`);
  }
}
