import { localTarget } from "../../scripts/stack/database.ts";
import { developmentSettings, LOCAL_KEYS } from "../../scripts/stack/development.ts";
import { loadFunctions } from "../../scripts/stack/functions.ts";
import { createGateway } from "../../scripts/stack/gateway.ts";
import { createLite } from "../../scripts/stack/lite.ts";

/** The local stack's gateway and functions with `@supabase/lite`'s own rpc in place of ours, on a migrated database. */
const [port, databasePort] = Deno.args.map(Number);
const publicUrl = `http://127.0.0.1:${port}`;
const { url, superuserUrl } = localTarget(databasePort!);
for (const [name, value] of Object.entries(developmentSettings(publicUrl, url))) Deno.env.set(name, value);
const lite = createLite(superuserUrl, LOCAL_KEYS);
const functions = await loadFunctions();
Deno.serve(
  { hostname: "127.0.0.1", port: port!, onListen: () => {} },
  createGateway({ functions, rpc: lite.fetch, auth: lite, publicUrl }),
);
