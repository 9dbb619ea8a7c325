import { webhooks } from "../../../supabase/functions/worker/webhooks.ts";
import { appWith, runRequest } from "./app.ts";

/** Posts webhooks until it is killed, or whoever started it has gone. */
const app = appWith((call) => [webhooks(call)]);
Deno.stdin.readable.pipeTo(new WritableStream()).then(() => Deno.exit());
for (;;) await (await app.fetch(runRequest("?budget_seconds=5"))).body?.cancel();
