import { assertEquals, assertNotEquals, assertRejects } from "@std/assert";
import type { ReservedSql } from "postgres";
import { connect, SUPERUSER, urlOf } from "../../../scripts/stack/connection.ts";
import { freePort } from "../../../scripts/stack/port.ts";
import { LOCAL_KEYS } from "../../../scripts/stack/development.ts";
import { createIdentify } from "../../../scripts/stack/identity.ts";
import { createRpc } from "../../../scripts/stack/rpc/handler.ts";
import { createPool } from "../../../scripts/stack/rpc/pool.ts";
import { post, refusalOf, serviceTest, startService } from "./service.ts";
import { until } from "../../support/until.ts";

const { fetch, database } = await startService(
  `
  create function public.one() returns integer stable language sql as 'select 1';
  create function public.wait_for(lock integer) returns integer language sql
    as 'select pg_advisory_xact_lock(lock); select lock';
`,
  { connections: 1, patience: 100 },
);
const identify = createIdentify(LOCAL_KEYS);
const superuser = connect(database.superuserUrl);
Deno.test.afterAll(() => superuser.end());

serviceTest("rpc answers 503 with Retry-After when the database cannot be reached", async () => {
  const rpc = createRpc({ url: urlOf(freePort(), "nowhere", "authenticator"), identify });

  const answer = await rpc.fetch(post("one"));

  assertEquals(answer.headers.get("retry-after"), "1");
  assertEquals(await refusalOf(answer), [503, "PGRST000"]);
  await rpc.close();
});

serviceTest("rpc answers 503 during an outage, and serves again after it", async () => {
  await (await fetch(post("one"))).body?.cancel();
  await connections();
  const name = new URL(database.url).pathname.slice(1);
  const elsewhere = connect(urlOf(Number(new URL(database.url).port), "postgres", SUPERUSER));
  await elsewhere.unsafe(`alter database ${name} with allow_connections false`);
  await endConnections();

  assertEquals((await fetch(post("one"))).status, 503);
  await elsewhere.unsafe(`alter database ${name} with allow_connections true`);
  assertEquals(await (await fetch(post("one"))).json(), 1);
  await elsewhere.end();
});

serviceTest("rpc answers 503 to a caller whose connection breaks, and opens another for the next", async () => {
  await locked(1, async () => {
    const answer = fetch(post("wait_for", { lock: 1 }));
    await untilWaiting();

    await endConnections();

    assertEquals(await refusalOf(await answer), [503, "PGRST001"]);
  });
  assertEquals(await (await fetch(post("one"))).json(), 1);
});

serviceTest("rpc opens another connection when an idle one has broken", async () => {
  await (await fetch(post("one"))).body?.cancel();
  const [before] = await connections();

  await endConnections();

  // The end of a connection may reach the service a moment after it reaches us.
  while ((await fetch(post("one"))).status !== 200) await pause();
  const [after, ...others] = await connections();
  assertNotEquals(after?.pid, before?.pid);
  assertEquals(others, []);
});

serviceTest("rpc serves who waits behind a connection that breaks", async () => {
  await locked(1, async () => {
    const first = fetch(post("wait_for", { lock: 1 }));
    await untilWaiting();
    const second = fetch(post("one"));

    await endConnections();

    assertEquals((await first).status, 503);
    assertEquals(await (await second).json(), 1);
  });
});

serviceTest("rpc answers 504 to who waits too long for a connection, and goes on", async () => {
  const rpc = createRpc({ url: database.authenticatorUrl, identify, connections: 1, patience: 20 });
  await locked(1, async () => {
    const first = rpc.fetch(post("wait_for", { lock: 1 }));
    await untilWaiting();

    assertEquals(await refusalOf(await rpc.fetch(post("one"))), [504, "PGRST003"]);

    await database.sql`select pg_advisory_unlock(1)`;
    assertEquals(await (await first).json(), 1);
    assertEquals(await (await rpc.fetch(post("one"))).json(), 1);
  });
  await rpc.close();
});

serviceTest("rpc never opens more connections than it may", async () => {
  await Promise.all(Array.from({ length: 20 }, () => fetch(post("one")).then((answer) => answer.body?.cancel())));

  assertEquals((await connections()).length, 1);
});

serviceTest("use() lends nobody a connection that somebody left in the middle of a transaction", async () => {
  const pool = createPool(database.authenticatorUrl, { size: 1 });
  const pidOf = async (sql: ReservedSql) => (await sql<[{ pid: number }]>`select pg_backend_pid() as pid`)[0].pid;
  let spoilt = 0;
  const left = pool.use(async (sql) => {
    spoilt = await pidOf(sql);
    await sql`begin`;
    throw new TypeError("a bug");
  });
  await assertRejects(() => left, TypeError);

  const next = await pool.use(pidOf);

  assertNotEquals(next, spoilt);
  await pool.close();
});

serviceTest("rpc closes its connections", async () => {
  const rpc = createRpc({ url: database.authenticatorUrl, identify });
  await Promise.all([rpc.fetch(post("one")), rpc.fetch(post("one"))]);
  assertEquals((await connections()).length, 3);

  await rpc.close();

  await until(async () => (await connections()).length <= 1, "the connections have ended");
});

/** Holds an advisory lock during `work`. */
async function locked(lock: number, work: () => Promise<void>): Promise<void> {
  await database.sql`select pg_advisory_lock(${lock})`;
  try {
    await work();
  } finally {
    await database.sql`select pg_advisory_unlock_all()`;
  }
}

async function connections(): Promise<{ pid: number; wait_event: string | null }[]> {
  return await superuser<{ pid: number; wait_event: string | null }[]>`
    select pid, wait_event from pg_stat_activity
    where datname = current_database() and usename = 'authenticator'`;
}

async function untilWaiting(): Promise<void> {
  await until(
    async () => (await connections()).some(({ wait_event }) => wait_event === "advisory"),
    "somebody waits for the lock",
  );
}

/** Ends the service's connections as an administrator would, and waits until they have gone. */
async function endConnections(): Promise<void> {
  for (const { pid } of await connections()) await superuser`select pg_terminate_backend(${pid}, 5000)`;
}

function pause(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 10));
}
