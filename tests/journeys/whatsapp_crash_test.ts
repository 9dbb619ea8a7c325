import { assert, assertEquals } from "@std/assert";
import webhook from "../../supabase/functions/whatsapp-webhook/index.ts";
import { localTarget, prepareMigratedDatabase } from "../../scripts/stack/database.ts";
import { developmentSettings, LOCAL_KEYS } from "../../scripts/stack/development.ts";
import { createIdentify } from "../../scripts/stack/identity.ts";
import { connect } from "../../scripts/stack/connection.ts";
import { temporaryFolder } from "../../scripts/stack/data_folder.ts";
import { freePort } from "../../scripts/stack/port.ts";
import { type Postgres, startPostgres } from "../../scripts/stack/postgres.ts";
import { createRpc } from "../../scripts/stack/rpc/handler.ts";
import { messages, text } from "../support/deliveries.ts";
import { captureLog } from "../support/log_lines.ts";
import { useSettings } from "../support/settings.ts";
import { deliver } from "../../scripts/fakes/graph/deliver.ts";
import { until } from "../support/until.ts";

captureLog();

const ORIGIN = "http://127.0.0.1/whatsapp-webhook";
const SENDERS = 8;
const CRASHES = 3;

type Body = Uint8Array<ArrayBuffer>;

/** A suite whose Postgres can be killed and started again on its data. */
async function withCrashableSuite(
  body: (suite: { send(bytes: Body): Promise<Response>; crash(): Promise<void>; port: number }) => Promise<void>,
): Promise<void> {
  const options = { folder: `${temporaryFolder()}-crash-${crypto.randomUUID().slice(0, 8)}`, port: freePort() };
  let postgres: Postgres = await startPostgres(options);
  const target = localTarget(options.port);
  await prepareMigratedDatabase(target);
  const rpc = createRpc({ url: target.authenticatorUrl, identify: createIdentify(LOCAL_KEYS) });
  const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, (request) => rpc.fetch(request));
  useSettings(developmentSettings(`http://127.0.0.1:${server.addr.port}`, target.url));
  try {
    await body({
      port: options.port,
      send: (bytes) => deliver((request) => webhook.fetch(request), ORIGIN, bytes),
      crash: async () => {
        await postgres.stop("SIGKILL");
        postgres = await startPostgres(options);
      },
    });
  } finally {
    await server.shutdown();
    await rpc.close();
    await postgres.stop();
    await Deno.remove(options.folder, { recursive: true });
  }
}

Deno.test({
  name: "every delivery answered 200 while Postgres is killed again and again is there afterwards, none twice",
  sanitizeOps: false,
  sanitizeResources: false,
  fn: () =>
    withCrashableSuite(async ({ send, crash, port }) => {
      const acknowledged: string[] = [];
      const unsettled: { id: string; body: Body }[] = [];
      let isStorming = true;
      let next = 0;
      async function storm(): Promise<void> {
        while (isStorming) {
          const id = `wamid.storm${next++}`;
          const body = messages(text({ id, from: String(250788000000 + next % 50) }));
          const response = await send(body);
          await response.body?.cancel();
          if (response.status === 200) acknowledged.push(id);
          else {
            assertEquals(response.status, 503);
            assert(/^\d+$/.test(response.headers.get("retry-after") ?? ""), "503 says in seconds when to come again");
            unsettled.push({ id, body });
          }
        }
      }
      const senders = Array.from({ length: SENDERS }, storm);
      for (let crashes = 0; crashes < CRASHES; crashes++) {
        const before = acknowledged.length;
        await until(() => acknowledged.length >= before + 100, "deliveries are acknowledged");
        await crash();
      }
      isStorming = false;
      await Promise.all(senders);

      const sql = connect(localTarget(port).url);
      const stored = await sql`select wamid from public.whatsapp_messages`;
      const ids = stored.map((row) => row.wamid);
      assertEquals(acknowledged.filter((id) => !ids.includes(id)), []);
      assertEquals(new Set(ids).size, ids.length);
      assert(unsettled.length > 0, "the crashes were felt");

      // Meta sends again what it was not told to be received.
      for (const { body } of unsettled) assertEquals((await send(body)).status, 200);
      const all = await sql`select wamid from public.whatsapp_messages`;
      assertEquals(all.length, next);
      assertEquals(new Set(all.map((row) => row.wamid)).size, next);
      const leaking = await sql`select delivery_id from public.whatsapp_delivery_outcomes where not is_whole`;
      assertEquals(leaking.length, 0);
      await sql.end();
    }),
});
