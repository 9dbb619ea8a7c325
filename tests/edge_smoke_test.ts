import { assertEquals } from "@std/assert";
import { captureLog } from "./support/log_lines.ts";
import { outcomeOf } from "./support/problems.ts";

// Runs on the platform's Deno too (scripts/check_edge_runtime.ts), so it knows nothing but the functions.
captureLog();
const folder = new URL("../supabase/functions/", import.meta.url);

for (const { name } of [...Deno.readDirSync(folder)].filter((entry) => entry.isDirectory)) {
  const { default: app } = await import(new URL(`${name}/index.ts`, folder).href);
  const get = (path: string): Promise<Response> => app.fetch(new Request(`http://localhost/${name}/${path}`));

  Deno.test(`${name} serves its OpenAPI document`, async () => {
    const response = await get("openapi.json");

    assertEquals([response.status, (await response.json()).info.title], [200, name]);
  });

  Deno.test(`${name} answers a path that it does not have with 404`, async () => {
    assertEquals(await outcomeOf(get("no/such/path")), "404 not_found");
  });
}
