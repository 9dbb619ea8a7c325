import postgres, { type ReservedSql, type Sql } from "postgres";
import { ApiError, isAnswer } from "./errors.ts";

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
 * Opens at most `size` connections to `url`, each when it is first needed.
 *
 * A connection is a client of its own and goes with its first fault: where the server leaves postgres.js in the middle
 * of a transaction, its own pool loses connections, hangs, or ends the process with an uncaught TypeError.
 *
 * @param patience - how long work may wait for a connection, in milliseconds
 */
export function createPool(url: string, { size = 10, patience = 10_000 } = {}): Pool {
  const clients = new Set<Sql>();
  const idle: Connection[] = [];
  const waiting: ((connection: Connection | Promise<Connection>) => void)[] = [];

  async function connect(): Promise<Connection> {
    const client = postgres(url, {
      max: 1,
      max_lifetime: null,
      connect_timeout: 5,
      fetch_types: false,
      onnotice: () => {},
      onclose: () => drop(client),
    });
    clients.add(client);
    try {
      await client`select 1`; // a reservation that fails to connect would come back and connect later, for nobody
      return { client, sql: await client.reserve() };
    } catch (error) {
      drop(client);
      throw new ApiError(503, "PGRST000", "The database cannot be reached", { details: String(error) });
    }
  }

  /** Whoever waits longest may open the next. */
  function drop(client: Sql): void {
    if (!clients.delete(client)) return;
    const at = idle.findIndex((connection) => connection.client === client);
    if (at >= 0) idle.splice(at, 1);
    client.end({ timeout: 0 });
    waiting.shift()?.(connect());
  }

  function turn(): Promise<Connection> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        waiting.splice(waiting.indexOf(take), 1);
        reject(new ApiError(504, "PGRST003", "No database connection came free in time"));
      }, patience);
      function take(connection: Connection | Promise<Connection>): void {
        clearTimeout(timer);
        resolve(connection);
      }
      waiting.push(take);
    });
  }

  function release(connection: Connection): void {
    if (!clients.has(connection.client)) return;
    const next = waiting.shift();
    if (next) next(connection);
    else idle.push(connection);
  }

  return {
    async use(work) {
      const connection = idle.pop() ?? await (clients.size < size ? connect() : turn());
      try {
        return await work(connection.sql);
      } catch (error) {
        if (!isAnswer(error)) drop(connection.client);
        throw error;
      } finally {
        release(connection);
      }
    },
    async close() {
      idle.forEach(({ sql }) => sql.release());
      await Promise.all([...clients].map((client) => client.end({ timeout: 1 })));
    },
  };
}
