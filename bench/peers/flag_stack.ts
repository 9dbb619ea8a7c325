import { localTarget } from "../../scripts/stack/database.ts";
import { developmentSettings, LOCAL_KEYS } from "../../scripts/stack/development.ts";
import { createGateway } from "../../scripts/stack/gateway.ts";
import { createIdentify } from "../../scripts/stack/identity.ts";
import { createLite } from "../../scripts/stack/lite.ts";
import { createRpc } from "../../scripts/stack/rpc/handler.ts";

/** The local stack's gateway with `flag-evaluation`, `config-fetch`, and a handler that reads the body and answers a fixed text. */
const [port, databasePort, database, fixed] = Deno.args;
const publicUrl = `http://127.0.0.1:${port}`;
const { url, superuserUrl, authenticatorUrl } = localTarget(Number(databasePort), database);
const settings = {
  ...developmentSettings(publicUrl, url),
  APP_ENVIRONMENT: "production",
  FLAG_EVALUATION_REQUESTS_PER_MINUTE: "100000000",
};
for (const [name, value] of Object.entries(settings)) Deno.env.set(name, value);
const { default: flagEvaluation } = await import("../../supabase/functions/flag-evaluation/index.ts");
const { default: configFetch } = await import("../../supabase/functions/config-fetch/index.ts");

async function bare(request: Request): Promise<Response> {
  await request.text();
  return new Response(fixed, { headers: { "content-type": "application/json" } });
}

Deno.serve(
  { hostname: "127.0.0.1", port: Number(port), onListen: () => {} },
  createGateway({
    functions: { "flag-evaluation": flagEvaluation, "config-fetch": configFetch, bare: { fetch: bare } },
    rpc: createRpc({ url: authenticatorUrl, identify: createIdentify(LOCAL_KEYS) }).fetch,
    auth: createLite(superuserUrl, LOCAL_KEYS),
    publicUrl,
  }),
);
