import { setTimeout as delay } from "node:timers/promises";
import type { Sql } from "postgres";
import { SUPERUSER, urlOf } from "./stack/connection.ts";
import { withConnection } from "./stack/database.ts";
import { withMigratedPostgres } from "./stack/throwaway.ts";

/** Longer than any run that goes on: a test that waits for ever fails with its name in the output, here and not in CI's limit. */
const LIMIT_MS = 60 * 60 * 1_000;
const SWEEP_EVERY_MS = 20_000;
/** A database that nobody has been connected to at so many sweeps in turn is some ended test's. */
const SWEEPS_UNUSED = 6;

/**
 * Runs the tests on a Postgres of their own: one cluster, one migrated template database that each file clones.
 * Arguments go to `deno test`; its last line is repeated in the plain form `N passed, N failed`.
 */
Deno.exitCode = await withMigratedPostgres("template_migrated", async (_, port) => {
  return await withConnection(urlOf(port, "postgres", SUPERUSER), async (sql) => {
    // With hundreds of databases it would look at the shared catalogs all the time, and hold back what tests vacuum.
    await sql`alter system set autovacuum = off`;
    await sql`select pg_reload_conf()`;
    const end = new AbortController();
    const sweeping = sweep(sql, end.signal);
    try {
      return await runTests(port);
    } finally {
      end.abort();
      await sweeping;
    }
  });
});

async function runTests(port: number): Promise<number> {
  const targets = Deno.args.length > 0 ? Deno.args : ["tests/"];
  const child = new Deno.Command(Deno.execPath(), {
    args: ["test", "-A", "--parallel", "--no-check", ...targets],
    env: { TEST_POSTGRES_PORT: String(port), NO_COLOR: "1" },
    stdout: "piped",
    signal: AbortSignal.timeout(LIMIT_MS),
  }).spawn();
  let tail = "";
  for await (const chunk of child.stdout) {
    await Deno.stdout.write(chunk);
    tail = (tail + new TextDecoder().decode(chunk)).slice(-1_000);
  }
  const { code } = await child.status;
  const [, passed = "0", failed = "0"] = /(\d+) passed.*\| (\d+) failed/.exec(tail) ?? [];
  console.log(`${passed} passed, ${failed} failed`);
  return code;
}

/** Drops the databases of tests that have ended, until all have: together they would fill a disk. */
async function sweep(sql: Sql, end: AbortSignal): Promise<void> {
  let unused = new Map<string, number>();
  for (;;) {
    await delay(SWEEP_EVERY_MS, undefined, { signal: end }).catch(() => {});
    if (end.aborted) return;
    const databases = await sql<{ name: string }[]>`
      select datname as name from pg_database
      where starts_with(datname, 'test_') and not exists (
        select from pg_stat_activity where pg_stat_activity.datname = pg_database.datname)`;
    unused = new Map(databases.map(({ name }) => [name, (unused.get(name) ?? 0) + 1]));
    const ended = [...unused.keys()].filter((name) => unused.get(name)! >= SWEEPS_UNUSED);
    // A drop waits for a checkpoint inside its transaction, for which readers of events in other databases wait.
    if (ended.length > 0) await sql`checkpoint`;
    for (const name of ended) {
      if (!end.aborted) await sql.unsafe(`drop database if exists ${name}`).catch(() => {});
    }
  }
}
