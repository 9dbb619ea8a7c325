import type { Sql } from "postgres";
import { connect } from "./connection.ts";
import { type Target, withConnection } from "./database.ts";
import { startHttpRequests } from "./http_requests.ts";

/** How the database reaches the worker. */
export interface WorkerAccess {
  /** Without a slash at its end. */
  functionsUrl: string;
  /** One of `WORKER_TOKENS`. */
  workerToken: string;
}

const HAS_PG_NET =
  "this database has pg_net, which wakes the worker that its Vault names (functions_url, worker_token)";

/**
 * Lets the database wake the worker: tells its Vault where the functions are now, and sends its requests.
 *
 * A database with pg_net sends them itself, perhaps for another stack: nothing is changed there.
 *
 * @returns how to stop
 */
export async function openWakeups(target: Target, access: WorkerAccess): Promise<() => Promise<void>> {
  if (!await withConnection(target.superuserUrl, hasStandIn)) {
    console.log(HAS_PG_NET);
    return () => Promise.resolve();
  }
  await withConnection(target.superuserUrl, async (sql) => {
    await keepSecret(sql, "functions_url", access.functionsUrl);
    await keepSecret(sql, "worker_token", access.workerToken);
  });
  return await startHttpRequests(connect(target.superuserUrl, { fetch_types: false }));
}

/** Whether the bootstrap has made pg_net's names, because there is no pg_net. */
async function hasStandIn(sql: Sql): Promise<boolean> {
  const [queue] = await sql`
    select from pg_class as queue
    where queue.oid = to_regclass('net.http_request_queue')
      and not exists (select from pg_depend as part where part.objid = queue.oid and part.deptype = 'e')`;
  return queue !== undefined;
}

async function keepSecret(sql: Sql, name: string, value: string): Promise<void> {
  const [known] = await sql`select id, decrypted_secret from vault.decrypted_secrets where name = ${name}`;
  if (!known) await sql`select vault.create_secret(${value}, ${name})`;
  else if (known.decrypted_secret !== value) await sql`select vault.update_secret(${known.id}, ${value})`;
}
