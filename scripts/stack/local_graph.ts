import { type AcceptedMessage } from "../fakes/graph/accepted_message.ts";
import { startFakeGraph } from "../fakes/graph/fake_graph.ts";

/**
 * Lets messages be sent on this machine: a Graph API that takes them, prints them and reports on them to our webhook.
 * Whoever has set a token of Meta's sends to Meta, and gets none.
 *
 * @returns how to stop
 */
export function openLocalGraph(webhookUrl: string): () => Promise<void> {
  if (Deno.env.get("WHATSAPP_ACCESS_TOKEN")) return () => Promise.resolve();
  const [secret] = Deno.env.get("WHATSAPP_APP_SECRETS")!.split(",");
  const graph = startFakeGraph({
    webhook: { target: webhookUrl, secret: secret!.trim() },
    limits: { perSecond: 80, pairs: true },
    statuses: { when: "after_answer" },
    course(message) {
      console.log(`whatsapp ${describe(message)}`);
      return ["sent", "delivered", "read"];
    },
  });
  const allowed = Deno.env.get("OUTBOUND_ALLOWED_HOSTS");
  Deno.env.set("WHATSAPP_ACCESS_TOKEN", graph.token);
  Deno.env.set("WHATSAPP_API_URL", graph.url);
  Deno.env.set("OUTBOUND_ALLOWED_HOSTS", allowed ? `${allowed},${graph.host}` : graph.host);
  return () => graph[Symbol.asyncDispose]();
}

/** `to +250788000001: text {"body":"Muraho"}` */
function describe({ type, body }: AcceptedMessage): string {
  return `to ${body.to ?? body.recipient}: ${type} ${JSON.stringify(body[type])}`;
}
