import postgres, { type Sql, type TransactionSql } from "postgres";
import { connect, SUPERUSER, urlOf } from "../../scripts/stack/connection.ts";

/** A migrated database of a test file's own, on the cluster that `deno task test` runs. */
export interface TestDatabase {
  /** As `postgres`, the role that migrations run as. */
  url: string;
  superuserUrl: string;
  /** As the API logs in. */
  authenticatorUrl: string;
  /** One connection as `postgres`, opened already. */
  sql: Sql;
}

/** Clones the migrated template; the cluster goes with the test run, and the clone with it. */
export async function createTestDatabase(): Promise<TestDatabase> {
  const port = clusterPort();
  const name = `test_${crypto.randomUUID().replaceAll("-", "")}`;
  const superuser = connect(urlOf(port, "postgres", SUPERUSER));
  await superuser.unsafe(`create database ${name} template template_migrated owner postgres`);
  await superuser.end();
  const url = urlOf(port, name);
  const sql = connect(url);
  await sql`select 1`;
  return { url, superuserUrl: urlOf(port, name, SUPERUSER), authenticatorUrl: urlOf(port, name, "authenticator"), sql };
}

const ROLLBACK = Symbol("rollback");

/** A test body whose changes are checked (deferred constraints too) and then rolled back. */
export function rolledBack(database: TestDatabase, body: (sql: TransactionSql) => Promise<void>): () => Promise<void> {
  return async () => {
    await database.sql.begin(async (sql) => {
      await body(sql);
      await sql`set constraints all immediate`;
      throw ROLLBACK;
    }).catch((thrown) => {
      if (thrown !== ROLLBACK) throw thrown;
    });
  };
}

/** Runs `work` as a client of that role with these claims, in a transaction that is kept. */
export async function as<T>(
  sql: TransactionSql,
  role: "anon" | "authenticated" | "service_role",
  claims: Record<string, unknown>,
  work: (sql: TransactionSql) => Promise<T>,
): Promise<T> {
  await sql`select set_config('role', ${role}, true),
    set_config('request.jwt.claims', ${JSON.stringify({ role, ...claims })}, true)`;
  const result = await work(sql);
  await sql`reset role`;
  await sql`select set_config('request.jwt.claims', '', true)`;
  return result;
}

/** The SQLSTATE that `work` fails with; a transaction around it stays usable. */
export async function sqlStateOf(
  sql: TransactionSql,
  work: (sql: TransactionSql) => Promise<unknown>,
): Promise<string> {
  try {
    await sql.savepoint(work);
  } catch (error) {
    if (error instanceof postgres.PostgresError) return error.code;
    throw error;
  }
  return "00000";
}

/** Where the cluster of this test run listens. */
export function clusterPort(): number {
  const port = Deno.env.get("TEST_POSTGRES_PORT");
  if (!port) throw new Error("run tests through `deno task test [files]`: it brings the Postgres that they need");
  return Number(port);
}
