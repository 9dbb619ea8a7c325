import { assertEquals, assertMatch } from "@std/assert";
import type { RunReport } from "shared/worker/drain.ts";
import type { Outcome } from "shared/worker/source.ts";
import { connect } from "../../../scripts/stack/connection.ts";
import { temporaryFolder } from "../../../scripts/stack/data_folder.ts";
import { localTarget, prepareMigratedDatabase } from "../../../scripts/stack/database.ts";
import { developmentSettings, LOCAL_KEYS } from "../../../scripts/stack/development.ts";
import { createIdentify } from "../../../scripts/stack/identity.ts";
import { freePort } from "../../../scripts/stack/port.ts";
import { startPostgres } from "../../../scripts/stack/postgres.ts";
import { createRpc } from "../../../scripts/stack/rpc/handler.ts";
import { captureLog } from "../../support/log_lines.ts";
import { useSettings } from "../../support/settings.ts";
import { appWith, runRequest } from "./app.ts";
import { addPieces, createPieces, effects, leasedPieces, pieces } from "./pieces.ts";
import { until } from "../../support/until.ts";

captureLog();
const COUNT = 400;

Deno.test({
  name: "a run whose Postgres is killed tells so for each source, and later runs do the rest, each piece once",
  sanitizeOps: false,
  sanitizeResources: false,
  fn: async () => {
    const options = { folder: `${temporaryFolder()}-worker-${crypto.randomUUID().slice(0, 8)}`, port: freePort() };
    let postgres = await startPostgres(options);
    const target = localTarget(options.port);
    await prepareMigratedDatabase(target);
    const rpc = createRpc({ url: target.authenticatorUrl, identify: createIdentify(LOCAL_KEYS) });
    const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, (request) => rpc.fetch(request));
    useSettings(developmentSettings(`http://127.0.0.1:${server.addr.port}`, target.url));
    let sql = connect(target.url);
    await createPieces(sql);
    await addPieces(sql, "pieces", COUNT);
    await addPieces(sql, "leased_pieces", COUNT);
    await sql.end();
    let handled = 0;
    async function handle(): Promise<Outcome> {
      if (++handled === 50) await postgres.stop("SIGKILL");
      return { kind: "done" };
    }
    const app = appWith((call) => [pieces(call, 1), leasedPieces(call, handle, { leaseMilliseconds: 200 })]);

    const cutOff = await app.fetch(runRequest());
    const { ended, sources }: RunReport = await cutOff.json();
    assertEquals([cutOff.status, ended], [200, "empty"]);
    assertEquals(Object.values(sources).map(({ error }) => error), ["service_unavailable", "service_unavailable"]);
    const refused = await app.fetch(runRequest());
    assertEquals([refused.status, (await refused.json()).type], [503, "/problems/service_unavailable"]);
    assertMatch(refused.headers.get("retry-after") ?? "", /^\d+$/);

    postgres = await startPostgres(options);
    sql = connect(target.url);
    // The lease of the run that was cut off has to end like any other.
    await until(async () => {
      await (await app.fetch(runRequest())).body?.cancel();
      return (await effects(sql)).length >= 2 * COUNT;
    }, "every piece has had its effect");

    const all = await effects(sql);
    assertEquals([all.length, new Set(all).size], [2 * COUNT, 2 * COUNT]);
    await sql.end();
    await server.shutdown();
    await rpc.close();
    await postgres.stop();
    await Deno.remove(options.folder, { recursive: true });
  },
});
