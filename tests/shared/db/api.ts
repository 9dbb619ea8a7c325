import { developmentSettings, LOCAL_KEYS } from "../../../scripts/stack/development.ts";
import { createIdentify } from "../../../scripts/stack/identity.ts";
import { createRpc } from "../../../scripts/stack/rpc/handler.ts";
import { createTestDatabase } from "../../support/database.ts";
import { useSettings } from "../../support/settings.ts";

/** Gives this test file an API over a database of its own, with the functions that `sql` makes, open to every role. */
export async function useApi(sql: string): Promise<void> {
  const database = await createTestDatabase();
  await database.sql.unsafe(`alter default privileges for role postgres grant execute on functions to public; ${sql}`);
  const api = createRpc({ url: database.authenticatorUrl, identify: createIdentify(LOCAL_KEYS) });
  const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, (request) => api.fetch(request));
  useSettings(developmentSettings(`http://127.0.0.1:${server.addr.port}`, database.url));
  Deno.test.afterAll(async () => {
    await server.shutdown();
    await api.close();
    await database.sql.end();
  });
}

/** A test whose connections outlive it. */
export function apiTest(name: string, fn: () => Promise<void>): void {
  Deno.test({ name, fn, sanitizeOps: false, sanitizeResources: false });
}
