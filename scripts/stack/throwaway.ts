import { localTarget, prepareMigratedDatabase, type Target, withConnection } from "./database.ts";
import { SUPERUSER, urlOf } from "./connection.ts";
import { temporaryFolder } from "./data_folder.ts";
import { freePort } from "./port.ts";
import { startPostgres } from "./postgres.ts";

/**
 * Runs `work` beside a Postgres of its own that is gone afterwards, Ctrl-C included, with one migrated database.
 *
 * @param work - is given the database and the cluster's port
 */
export async function withMigratedPostgres<T>(
  database: string,
  work: (target: Target, port: number) => Promise<T>,
): Promise<T> {
  const folder = `${temporaryFolder()}-${crypto.randomUUID().slice(0, 8)}`;
  const server = await startPostgres({ folder, port: freePort() });
  async function end(): Promise<void> {
    // At once: nobody needs what a checkpoint would write.
    await server.stop("SIGQUIT");
    await Deno.remove(folder, { recursive: true });
  }
  const forget = onInterrupt(end);
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
    forget();
    await end();
  }
}

/** Cleans up before an interrupted process ends; gives how to take that back. */
function onInterrupt(cleanUp: () => Promise<void>): () => void {
  const signals = ["SIGINT", "SIGTERM", "SIGHUP"] as const;
  const listener = () => void cleanUp().finally(() => Deno.exit(130));
  for (const signal of signals) Deno.addSignalListener(signal, listener);
  return () => {
    for (const signal of signals) Deno.removeSignalListener(signal, listener);
  };
}
