import { assertEquals } from "@std/assert";
import type { Sql, TransactionSql } from "postgres";
import { connect } from "../../../scripts/stack/connection.ts";
import { as, createTestDatabase, rolledBack, sqlStateOf, type TestDatabase } from "../../support/database.ts";
import { calls, FUNCTIONS_URL, kick, tellVault, TOKEN } from "./wakeups.ts";

const database = await createTestDatabase();
await tellVault(database.sql);

/** A test in which transactions commit: all turns are free and nothing is called when it begins. */
function committedTest(name: string, body: (sql: Sql, other: Sql) => Promise<void>): void {
  Deno.test(name, async () => {
    const superuser = connect(database.superuserUrl);
    await superuser`truncate net.http_request_queue`;
    await superuser`update private.worker_wakeups set woken_at = '-infinity'`;
    await superuser.end();
    const [sql, other] = [connect(database.url), connect(database.url)];
    try {
      await body(sql, other);
    } finally {
      await Promise.all([sql.end(), other.end()]);
    }
  });
}

async function freeAllTurns(sql: TransactionSql): Promise<void> {
  await sql`update private.worker_wakeups set woken_at = '-infinity'`;
}

Deno.test(
  "kick_worker() calls the worker where the Vault says, with its token, and does not wait for the work",
  rolledBack(database, async (sql) => {
    await kick(sql);

    assertEquals(await calls(sql), [{
      url: `${FUNCTIONS_URL}/worker/run?wait=false`,
      headers: { "Content-Type": "application/json", Authorization: `Bearer ${TOKEN}` },
      timeout_milliseconds: 5_000,
    }]);
  }),
);

Deno.test(
  "kick_worker() calls once for a transaction, however long it lasts",
  rolledBack(database, async (sql) => {
    await kick(sql);
    await freeAllTurns(sql);

    await kick(sql);

    assertEquals((await calls(sql)).length, 1);
  }),
);

Deno.test(
  "a kick that is undone with its savepoint leaves the next one its turn",
  rolledBack(database, async (sql) => {
    await sql.savepoint(async (sql) => {
      await kick(sql);
      throw new Error("undone");
    }).catch(() => {});

    await kick(sql);

    assertEquals((await calls(sql)).length, 1);
  }),
);

committedTest("a burst of kicks calls the worker once a second", async (sql) => {
  const clients = connect(database.url, { max: 8 });
  await Promise.all(Array.from({ length: 200 }, () => kick(clients)));
  for (let kicks = 0; kicks < 20; kicks++) await kick(sql);
  await clients.end();

  const [turns] = await sql`select count(*)::int as count from private.worker_wakeups where woken_at <> '-infinity'`;
  assertEquals((await calls(sql)).length, turns!.count);
});

committedTest("a kick that is rolled back calls nobody and gives its turn back", async (sql) => {
  await sql.begin(async (sql) => {
    await kick(sql);
    throw new Error("undone");
  }).catch(() => {});

  assertEquals(await calls(sql), []);
  const taken = await sql`select from private.worker_wakeups where woken_at <> '-infinity'`;
  assertEquals(taken.length, 0);
});

committedTest("a kick waits for nobody who holds its turn", async (sql, other) => {
  await other.begin(async (other) => {
    await other`select from private.worker_wakeups for update`;

    await sql`set lock_timeout = '1s'`;
    await kick(sql);
  });

  assertEquals(await calls(sql), []);
});

committedTest("a kick under a fixed snapshot fails for nobody's turn", async (sql, other) => {
  await sql.begin("isolation level repeatable read", async (sql) => {
    await sql`select 1`;
    await other`update private.worker_wakeups set woken_at = now()`;
    await kick(sql);
    await kick(sql);
  });

  assertEquals((await calls(sql)).length, 1);
});

committedTest("a snapshot that is held through two hours of kicks leaves a kick what it costs", async (sql, other) => {
  await sql`vacuum private.worker_wakeups`;
  await other.begin("isolation level repeatable read", async (other) => {
    await other`select 1`;
    for (const hour of [1, 2]) {
      await sql`update private.worker_wakeups set woken_at = now() - make_interval(hours => ${hour})`;
    }
    await sql`analyze private.worker_wakeups`;

    assertEquals(await blocksReadByLookup(sql) <= 6, true);
  });
});

/** Blocks that finding one turn touches. */
async function blocksReadByLookup(sql: Sql): Promise<number> {
  const [row] = await sql`
    explain (analyze, buffers, format json)
    select from private.worker_wakeups where second_of_hour = 250::smallint and woken_at <> now()`;
  const { Plan: plan } = row!["QUERY PLAN"][0];
  return plan["Shared Hit Blocks"] + plan["Shared Read Blocks"];
}

Deno.test(
  "kick_worker() serves whoever makes work, and shows them nothing of how",
  rolledBack(database, async (sql) => {
    for (const role of ["service_role", "authenticated"] as const) {
      await freeAllTurns(sql);
      await sql`select set_config('app.worker_kicked', '', true), set_config('app.worker_looked', '', true)`;
      await as(sql, role, {}, kick);
      for (
        const secret of [
          "net.http_request_queue",
          "net._http_response",
          "private.worker_wakeups",
          "private.wake_worker()",
        ]
      ) {
        const look = (sql: TransactionSql) => as(sql, role, {}, (sql) => sql.unsafe(`select * from ${secret}`));
        assertEquals([role, secret, await sqlStateOf(sql, look)], [role, secret, "42501"]);
      }
    }
    const look = (sql: TransactionSql) =>
      as(sql, "authenticated", {}, (sql) => sql`select from vault.decrypted_secrets`);
    assertEquals(await sqlStateOf(sql, look), "42501");
    assertEquals(await sqlStateOf(sql, (sql) => as(sql, "anon", {}, kick)), "42501");

    assertEquals((await calls(sql)).length, 2);
  }),
);

Deno.test(
  "a kick without an address in the Vault calls nobody",
  rolledBack(database, async (sql) => {
    await sql`delete from vault.secrets where name = 'functions_url'`;

    await kick(sql);

    assertEquals(await calls(sql), []);
  }),
);

Deno.test("a worker that cannot be called fails the schedule, where it is seen, and nobody's work", async () => {
  const broken: TestDatabase = await createTestDatabase();
  await tellVault(broken.sql);
  const superuser = connect(broken.superuserUrl);
  await superuser`revoke execute on function net.http_post from postgres`;

  await kick(broken.sql);
  await broken.sql`select private.run_scheduled_job('worker')`;

  const [health] = await broken.sql`select last_error from public.schedule_health where name = 'worker'`;
  assertEquals(health!.last_error.slice(0, 5), "42501");
  await Promise.all([superuser.end(), broken.sql.end()]);
});

Deno.test(
  "the schedule calls the worker as long as a slot is free",
  rolledBack(database, async (sql) => {
    await sql`select private.run_scheduled_job('worker')`;
    await sql`update private.worker_runs set expires_at = now() + interval '1 minute'`;
    await sql`select private.run_scheduled_job('worker')`;

    assertEquals((await calls(sql)).length, 1);
  }),
);
