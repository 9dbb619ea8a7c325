import webhook from "../../supabase/functions/whatsapp-webhook/index.ts";
import { developmentSettings, LOCAL_KEYS } from "../../scripts/stack/development.ts";
import { createIdentify } from "../../scripts/stack/identity.ts";
import { createRpc } from "../../scripts/stack/rpc/handler.ts";
import { deliver } from "../../scripts/fakes/graph/deliver.ts";
import { createTestDatabase, type TestDatabase } from "./database.ts";
import { captureLog, type LogLines } from "./log_lines.ts";
import { useSettings } from "./settings.ts";

/** The webhook over a database of its own, reached as in production: through the API, with the secret key. */
export interface Webhook {
  sql: TestDatabase["sql"];
  /** Sends a signed delivery, as often as Meta would: until it is not told to come again. */
  accept(bytes: Uint8Array<ArrayBuffer>): Promise<Response>;
  /** Sends once, with this signature or a good one. */
  send(bytes: Uint8Array<ArrayBuffer>, signature?: string | null): Promise<Response>;
  fetch(path: string, init?: RequestInit): Promise<Response>;
  log: LogLines;
}

const log = captureLog();
const ORIGIN = "http://127.0.0.1/whatsapp-webhook";

/** A test with a webhook; whatever it opens is closed when it ends. */
export function webhookTest(name: string, body: (webhook: Webhook) => Promise<void>): void {
  Deno.test(name, async () => {
    const database = await createTestDatabase();
    const rpc = createRpc({ url: database.authenticatorUrl, identify: createIdentify(LOCAL_KEYS) });
    const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, (request) => rpc.fetch(request));
    useSettings(developmentSettings(`http://127.0.0.1:${server.addr.port}`, database.url));
    try {
      await body(webhookOver(database));
    } finally {
      await server.shutdown();
      await rpc.close();
      await database.sql.end();
    }
  });
}

function webhookOver({ sql }: TestDatabase): Webhook {
  const fetchLike = (request: Request) => webhook.fetch(request);
  const send: Webhook["send"] = (bytes, signature) => deliver(fetchLike, ORIGIN, bytes, { signature });
  async function accept(bytes: Uint8Array<ArrayBuffer>): Promise<Response> {
    for (let tries = 1;; tries++) {
      const response = await send(bytes);
      if (response.status !== 503 || tries === 5) return response;
      await response.body?.cancel();
    }
  }
  return {
    log,
    sql,
    accept,
    send,
    fetch: async (path, init) => await fetchLike(new Request(`${ORIGIN}${path}`, init)),
  };
}
