import type { Sql } from "postgres";
import type { RunReport } from "shared/worker/drain.ts";
import { type FakeMomo, type FakeMomoOptions, startFakeMomo } from "../../scripts/fakes/momo/fake_momo.ts";
import { developmentSettings, LOCAL_KEYS } from "../../scripts/stack/development.ts";
import { createIdentify } from "../../scripts/stack/identity.ts";
import { createRpc } from "../../scripts/stack/rpc/handler.ts";
import intake from "../../supabase/functions/payment-intake/index.ts";
import { sources } from "../../supabase/functions/worker/sources.ts";
import { appWith, runRequest } from "../functions/worker/app.ts";
import { createTestDatabase } from "./database.ts";
import { captureLog, type LogLines } from "./log_lines.ts";
import { useSettings } from "./settings.ts";

const log = captureLog();

/** The intake and the worker over a database of its own, and an MTN at both ends. */
export interface Paying {
  sql: Sql;
  momo: FakeMomo;
  /** What a process needs to be a worker here. */
  settings: Record<string, string>;
  log: LogLines;
  /** One run of the worker over payments. */
  work(): Promise<RunReport>;
}

/** A test with all of that; whatever it opens is closed when it ends. */
export function payingTest(name: string, options: FakeMomoOptions, body: (paying: Paying) => Promise<void>): void {
  Deno.test(name, async () => {
    await using momo = startFakeMomo({ ...options, bring: (request) => intake.fetch(request) });
    const { sql, authenticatorUrl, url } = await createTestDatabase();
    const rpc = createRpc({ url: authenticatorUrl, identify: createIdentify(LOCAL_KEYS) });
    const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, (request) => rpc.fetch(request));
    const settings = {
      ...developmentSettings(`http://127.0.0.1:${server.addr.port}`, url),
      ...momo.settings,
      MTN_MOMO_CALLBACK_URL: "http://127.0.0.1/payment-intake/webhooks/mtn-momo",
      OUTBOUND_ALLOWED_HOSTS: momo.host,
    };
    useSettings(settings);
    log.clear();
    try {
      await body({ sql, momo, settings, log, work });
    } finally {
      await server.shutdown();
      await rpc.close();
      await sql.end();
    }
  });
}

async function work(): Promise<RunReport> {
  return await (await appWith(sources).fetch(runRequest("?sources=payments"))).json();
}
