import postgres, { type ReservedSql, type Sql } from "postgres";
import { ApiError } from "./errors.ts";

/** A few connections, each lent to one piece of work at a time. */
export interface Pool {
  /** @throws ApiError 503 PGRST000 when the database cannot be reached, 504 PGRST003 when no connection comes free */
  use<T>(work: (sql: ReservedSql) => Promise<T>): Promise<T>;
  close(): Promise<void>;
}

interface Connection {
  client: Sql;
  sql: ReservedSql;
}

/**
 * Opens connections to `url` when they are needed, at most `size`.
 *
 * Each is a client of its own and is thrown away with its first fault: the pool inside postgres.js loses connections and
 * brings the process down ("reading 'write'" of null) when the server goes away under a reserved one.
 *
 * @param patience - how long work may wait for its turn, in milliseconds
 */
export function createPool(url: string, { size = 10, patience = 10_000 } = {}): Pool {
  const open = new Set<Connection>();
  const idle: Connection[] = [];
  const waiting: ((connection: Promise<Connection> | Connection) => void)[] = [];
  let opening = 0;

  async function connect(): Promise<Connection> {
    opening++;
    const client = postgres(url, {
      max: 1,
      max_lifetime: null,
      connect_timeout: 5,
      onnotice: () => {},
      onclose: () => forget(connection),
    });
    let connection: Connection | undefined;
    try {
      connection = { client, sql: await client.reserve() };
      open.add(connection);
      return connection;
    } catch (error) {
      client.end({ timeout: 0 });
      throw new ApiError(503, "PGRST000", "The database cannot be reached", { details: String(error) });
    } finally {
      opening--;
      if (!connection) replace();
    }
  }

  function forget(connection?: Connection): void {
    if (!connection || !open.delete(connection)) return;
    const at = idle.indexOf(connection);
    if (at >= 0) idle.splice(at, 1);
    connection.client.end({ timeout: 0 });
    replace();
  }

  /** Whoever waits longest opens the connection that has gone. */
  function replace(): void {
    waiting.shift()?.(connect());
  }

  function acquire(): Promise<Connection> | Connection {
    return idle.pop() ?? (open.size + opening < size ? connect() : turn());
  }

  function turn(): Promise<Connection> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        waiting.splice(waiting.indexOf(take), 1);
        reject(new ApiError(504, "PGRST003", "No database connection came free in time"));
      }, patience);
      function take(connection: Promise<Connection> | Connection): void {
        clearTimeout(timer);
        resolve(connection);
      }
      waiting.push(take);
    });
  }

  function release(connection: Connection): void {
    if (!open.has(connection)) return;
    const next = waiting.shift();
    if (next) next(connection);
    else idle.push(connection);
  }

  return {
    async use(work) {
      const connection = await acquire();
      try {
        return await work(connection.sql);
      } catch (error) {
        if (!(error instanceof postgres.PostgresError || error instanceof ApiError)) forget(connection);
        throw error;
      } finally {
        release(connection);
      }
    },
    async close() {
      for (const { sql } of open) sql.release();
      await Promise.all([...open].map(({ client }) => client.end({ timeout: 1 })));
    },
  };
}
