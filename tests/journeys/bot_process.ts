import { sources } from "../../supabase/functions/worker/sources.ts";
import { appWith, runRequest } from "../functions/worker/app.ts";

/** Answers what people write until it is killed, or whoever started it has gone; says when it begins to. */
const app = appWith(sources);
const [say, ordinaryFetch] = [console.log, fetch];
console.log = console.warn = () => {};
globalThis.fetch = (input, init) => {
  if (/run_conversation_command|finish_conversation_turn/.test(String(input instanceof Request ? input.url : input))) {
    say("answering");
  }
  return ordinaryFetch(input, init);
};

Deno.stdin.readable.pipeTo(new WritableStream()).then(() => Deno.exit());
for (;;) {
  await (await app.fetch(runRequest("?budget_seconds=5&sources=subscriptions,conversation"))).body?.cancel();
}
