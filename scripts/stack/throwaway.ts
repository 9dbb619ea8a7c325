import { localTarget, prepareMigratedDatabase, type Target, withConnection } from "./database.ts";
import { freePort, startPostgres, SUPERUSER, temporaryFolder, urlOf } from "./postgres.ts";

/**
 * Runs `work` beside a Postgres of its own that is gone afterwards, with one migrated database.
 *
 * @param work - is given the database and the cluster's port
 */
export async function withMigratedPostgres<T>(
  database: string,
  work: (target: Target, port: number) => Promise<T>,
): Promise<T> {
  const folder = `${temporaryFolder()}-${crypto.randomUUID().slice(0, 8)}`;
  const server = await startPostgres({ folder, port: freePort() });
  try {
    const target = localTarget(server.port, database);
    if (database !== "postgres") {
      await withConnection(
        urlOf(server.port, "postgres", SUPERUSER),
        (sql) => sql.unsafe(`create database ${database}`),
      );
    }
    await prepareMigratedDatabase(target);
    return await work(target, server.port);
  } finally {
    await server.stop();
    await Deno.remove(folder, { recursive: true });
  }
}
