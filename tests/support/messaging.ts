import type { Sql } from "postgres";
import type { RunReport } from "shared/worker/drain.ts";
import { developmentSettings, LOCAL_KEYS } from "../../scripts/stack/development.ts";
import { createIdentify } from "../../scripts/stack/identity.ts";
import { createRpc } from "../../scripts/stack/rpc/handler.ts";
import { sources } from "../../supabase/functions/worker/sources.ts";
import webhook from "../../supabase/functions/whatsapp-webhook/index.ts";
import { appWith, runRequest } from "../functions/worker/app.ts";
import { deliver } from "../../scripts/fakes/graph/deliver.ts";
import { createTestDatabase } from "./database.ts";
import { type FakeGraph, type FakeGraphOptions, startFakeGraph } from "../../scripts/fakes/graph/fake_graph.ts";
import { captureLog, type LogLines } from "./log_lines.ts";
import { useSettings } from "./settings.ts";
import { until } from "./until.ts";

const log = captureLog();
const ORIGIN = "http://127.0.0.1/whatsapp-webhook";

/** The webhook and the worker over a database of its own, and a Meta at both ends. */
export interface Messaging {
  sql: Sql;
  graph: FakeGraph;
  /** What a process needs to be a worker here. */
  settings: Record<string, string>;
  log: LogLines;
  /** Brings a signed delivery. */
  deliver(bytes: Uint8Array<ArrayBuffer>): Promise<void>;
  /** One run of the worker, over what is about WhatsApp or the sources named. */
  work(query?: string): Promise<RunReport>;
  /**
   * Lets the worker run until that is so. Events are read when no older transaction of the cluster goes on, which other
   * tests' may.
   */
  workUntil(isSo: () => Promise<boolean>): Promise<void>;
}

/** A test with all of that; whatever it opens is closed when it ends. */
export function messagingTest(
  name: string,
  options: Omit<FakeGraphOptions, "webhook">,
  body: (messaging: Messaging) => Promise<void>,
): void {
  Deno.test(name, async () => {
    await using graph = startFakeGraph({ ...options, webhook: { target: (request) => webhook.fetch(request) } });
    const { sql, authenticatorUrl, url } = await createTestDatabase();
    const rpc = createRpc({ url: authenticatorUrl, identify: createIdentify(LOCAL_KEYS) });
    const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, (request) => rpc.fetch(request));
    const settings = {
      ...developmentSettings(`http://127.0.0.1:${server.addr.port}`, url),
      WHATSAPP_ACCESS_TOKEN: graph.token,
      WHATSAPP_API_URL: graph.url,
      OUTBOUND_ALLOWED_HOSTS: graph.host,
    };
    useSettings(settings);
    log.clear();
    try {
      await body({ sql, graph, settings, log, deliver: accepted, work, workUntil });
    } finally {
      await server.shutdown();
      await rpc.close();
      await sql.end();
    }
  });
}

async function accepted(bytes: Uint8Array<ArrayBuffer>): Promise<void> {
  const answer = await deliver((request) => webhook.fetch(request), ORIGIN, bytes);
  await answer.body?.cancel();
  if (answer.status !== 200) throw new Error(`the webhook answered ${answer.status}`);
}

async function work(
  query = "?sources=subscriptions,notifications,whatsapp_messages,whatsapp_reads",
): Promise<RunReport> {
  // What does not answer is given up sooner here.
  const app = appWith((call) => sources(call, { graphTimeoutMs: 1_500 }));
  return await (await app.fetch(runRequest(query))).json();
}

async function workUntil(isSo: () => Promise<boolean>): Promise<void> {
  await until(async () => {
    await work();
    return await isSo();
  }, "the worker has come so far");
}
