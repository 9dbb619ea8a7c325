import fc from "fast-check";
import type { TransactionSql } from "postgres";
import { createTestDatabase, rolledBack } from "../../support/database.ts";
import { COMMANDS, MAX_ATTEMPTS, type Model, type Real } from "./job_model.ts";
import { addHandler } from "./jobs.ts";

const UNDONE = Symbol("undone");
const database = await createTestDatabase();

/** Runs `work` and takes everything back that it did. */
async function undone(sql: TransactionSql, work: (sql: TransactionSql) => Promise<void>): Promise<void> {
  await sql.savepoint(async (sql) => {
    await work(sql);
    throw UNDONE;
  }).catch((thrown) => {
    if (thrown !== UNDONE) throw thrown;
  });
}

Deno.test(
  "whatever is done to jobs, in any order and with any lease, each is in the state that it should be, and has its effect once or not",
  rolledBack(database, async (sql) => {
    await sql`create table public.effects (job_id text primary key)`;
    await addHandler(sql, "work", "insert into public.effects values (payload ->> 'id'); return null;", {
      max_attempts: MAX_ATTEMPTS,
    });

    await fc.assert(
      fc.asyncProperty(fc.commands(COMMANDS, { maxCommands: 40 }), (commands) =>
        undone(sql, (sql) => {
          const setup = (): { model: Model; real: Real } => ({
            model: { jobs: [] },
            real: { sql, ids: [], leases: [] },
          });
          return fc.asyncModelRun(setup, commands);
        })),
      { numRuns: 60 },
    );
  }),
);
