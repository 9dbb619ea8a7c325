import { assertEquals, assertStringIncludes } from "@std/assert";
import type { Sql } from "postgres";
import { prepareDatabase } from "../../scripts/stack/bootstrap.ts";
import { SUPERUSER, urlOf } from "../../scripts/stack/connection.ts";
import { withConnection } from "../../scripts/stack/database.ts";
import { LOCAL_KEYS } from "../../scripts/stack/development.ts";
import { clusterPort } from "../support/database.ts";
import { type StackProcess, startStack, temporaryData } from "./stack_process.ts";

/** What a test does with a running stack and its database, as `postgres`. */
type Check = (stack: StackProcess, sql: Sql) => Promise<void>;

async function withStack(data: string, check: Check): Promise<void> {
  await using stack = startStack(data);
  await stack.ready();
  await withConnection(stack.databaseUrl, (sql) => check(stack, sql));
}

/** A stack on an empty database of the test run's own cluster, which `prepare` may have changed before. */
async function withForeignStack(prepare: (superuser: Sql) => Promise<unknown>, check: Check): Promise<void> {
  const name = `test_${crypto.randomUUID().replaceAll("-", "")}`;
  await withConnection(urlOf(clusterPort(), "postgres", SUPERUSER), (sql) => sql.unsafe(`create database ${name}`));
  const url = urlOf(clusterPort(), name, SUPERUSER);
  await withConnection(url, prepare);
  await using data = temporaryData();
  await using stack = startStack(data.path, ["--db-url", url]);
  await stack.ready();
  await withConnection(url, (sql) => check(stack, sql));
}

/** How many runs of the worker the database has started. */
async function runs(sql: Sql): Promise<number> {
  const [row] = await sql`select count(*)::int as count from net._http_response where status_code = 202`;
  return row!.count;
}

async function until(isTrue: () => Promise<boolean>): Promise<void> {
  for (const deadline = performance.now() + 60_000; !await isTrue();) {
    if (performance.now() > deadline) throw new Error(`waited in vain until ${isTrue}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

/** Kicks once more, as the next piece of work would: one call may find its second taken, or the function still loading. */
async function kickedBeyond(sql: Sql, before: number): Promise<boolean> {
  await sql`select private.kick_worker()`;
  return await runs(sql) > before;
}

async function functionsUrl(sql: Sql): Promise<string | undefined> {
  const [secret] = await sql`select decrypted_secret from vault.decrypted_secrets where name = 'functions_url'`;
  return secret?.decrypted_secret;
}

/** Notes every event in a table. */
const SUBSCRIBER = `
  create table public.seen_events (event_id uuid not null);
  create function private.see_events(events public.event_store[]) returns void language sql as $$
    insert into public.seen_events select event.event_id from unnest(events) as event;
  $$;
  select private.register_subscription('seen', 'private.see_events(public.event_store[])'::regprocedure);`;

Deno.test("the worker of a running stack is woken, wherever it listens", async (t) => {
  await using data = temporaryData();

  await withStack(data.path, async (stack, sql) => {
    await t.step("by the schedule, without anybody's call", async () => {
      await until(async () => await runs(sql) > 0);

      await until(async () => (await sql`select from public.worker_health where ended_at is not null`).length > 0);
      assertEquals(await functionsUrl(sql), `${stack.url}/functions/v1`);
    });

    await t.step("by a kick from any connection", async () => {
      await sql`update private.schedule set is_enabled = false where name = 'worker'`;
      const before = await runs(sql);

      await until(() => kickedBeyond(sql, before));
    });

    await t.step("by the work itself, which is done within moments", async () => {
      await sql.unsafe(SUBSCRIBER).simple();

      await sql`select public.append_event('trip', '66', 'trip.requested', '{}')`;

      await until(async () => (await sql`select from public.seen_events`).length > 0);
    });
  });

  await t.step("on other ports after the next start", () =>
    withStack(data.path, async (stack, sql) => {
      assertEquals(await functionsUrl(sql), `${stack.url}/functions/v1`);
      const before = await runs(sql);

      await until(() => kickedBeyond(sql, before));
    }));
});

Deno.test("the worker of a stack on somebody's own Postgres is woken by it", () =>
  withForeignStack(() => Promise.resolve(), (_stack, sql) => until(async () => await runs(sql) > 0)));

Deno.test("a stack on a database with pg_net leaves its Vault and its requests to it, and says so", () =>
  withForeignStack(async (superuser) => {
    await prepareDatabase(urlOf(clusterPort(), superuser.options.database, SUPERUSER), LOCAL_KEYS);
    // What an extension brings belongs to it; any extension will do.
    await superuser`alter extension cube add table net.http_request_queue`;
  }, async (stack, sql) => {
    assertStringIncludes(stack.stdout(), "this database has pg_net");
    assertEquals(await functionsUrl(sql), undefined);
    await sql`select net.http_post(${`${stack.url}/functions/v1/worker/run`})`;
    assertEquals((await sql`select from net.http_request_queue`).length, 1);
  }));
