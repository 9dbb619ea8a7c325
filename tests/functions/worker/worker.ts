import type { Sql } from "postgres";
import type { ServiceRpc } from "shared/db/service_rpc.ts";
import type { RunReport, Source } from "shared/worker/drain.ts";
import { developmentSettings, LOCAL_KEYS } from "../../../scripts/stack/development.ts";
import { createIdentify } from "../../../scripts/stack/identity.ts";
import { createRpc } from "../../../scripts/stack/rpc/handler.ts";
import { createTestDatabase, type TestDatabase } from "../../support/database.ts";
import { captureLog, type LogLines } from "../../support/log_lines.ts";
import { useSettings } from "../../support/settings.ts";
import { appWith, runRequest } from "./app.ts";
import { createPieces } from "./pieces.ts";

const log = captureLog();

/** The worker over a database of its own, reached as in production: through the API, with the secret key. */
export interface Worker {
  sql: Sql;
  /** What a process needs to reach the same database. */
  settings: Record<string, string>;
  log: LogLines;
  /** `POST /run` with this query, over these sources. */
  run(sources: (call: ServiceRpc) => Source[], query?: string): Promise<RunReport>;
  /** The same, whatever is answered. */
  request(sources: (call: ServiceRpc) => Source[], query?: string, init?: RequestInit): Promise<Response>;
}

/** A test with a worker; whatever it opens is closed when it ends. */
export function workerTest(name: string, body: (worker: Worker) => Promise<void>): void {
  Deno.test(name, async () => {
    const database = await createTestDatabase();
    await createPieces(database.sql);
    const rpc = createRpc({ url: database.authenticatorUrl, identify: createIdentify(LOCAL_KEYS) });
    const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, (request) => rpc.fetch(request));
    const settings = developmentSettings(`http://127.0.0.1:${server.addr.port}`, database.url);
    useSettings(settings);
    log.clear();
    try {
      await body(workerOver(database, settings));
    } finally {
      await server.shutdown();
      await rpc.close();
      await database.sql.end();
    }
  });
}

function workerOver({ sql }: TestDatabase, settings: Record<string, string>): Worker {
  const request: Worker["request"] = async (sources, query, init) =>
    await appWith(sources).fetch(runRequest(query, init));
  return {
    sql,
    settings,
    log,
    request,
    run: async (sources, query) => await (await request(sources, query)).json(),
  };
}
