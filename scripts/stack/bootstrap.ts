import type { Sql } from "postgres";
import type { Keys } from "./identity.ts";
import { createLite } from "./lite.ts";
import { connect } from "./connection.ts";

/** Makes the roles that a hosted project has, once per cluster. */
export async function prepareCluster(superuser: Sql): Promise<void> {
  const [row] = await superuser`select from pg_roles where rolname = 'authenticator'`;
  if (!row) await superuser.unsafe(await statements("roles")).simple();
}

/**
 * Makes the schemas, extensions and auth tables that a hosted database has before the first migration.
 *
 * @param superuserUrl - the database, as the cluster's superuser
 */
export async function prepareDatabase(superuserUrl: string, keys: Keys): Promise<void> {
  const sql = connect(superuserUrl);
  try {
    const [found] = await sql`
      select to_regnamespace('vault') is not null as has_vault,
        to_regnamespace('net') is not null
          or exists (select from pg_available_extensions where name = 'pg_net') as has_net`;
    if (!found!.has_vault) {
      await sql.unsafe(await statements("database")).simple();
      await createAuthTables(superuserUrl, keys);
      await sql.unsafe(await statements("auth")).simple();
      await sql.unsafe(await statements("vault")).simple();
    }
    if (!found!.has_net) await sql.unsafe(await statements("net")).simple();
  } finally {
    await sql.end();
  }
}

async function createAuthTables(superuserUrl: string, keys: Keys): Promise<void> {
  const lite = createLite(superuserUrl, keys);
  await lite.ensureSystemSchema();
  await lite.close();
}

function statements(name: string): Promise<string> {
  return Deno.readTextFile(new URL(`./bootstrap/${name}.sql`, import.meta.url));
}
