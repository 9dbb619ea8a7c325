import { assertEquals, assertRejects } from "@std/assert";
import type { Sql } from "postgres";
import { connect } from "../../scripts/stack/connection.ts";
import { startHttpRequests } from "../../scripts/stack/http_requests.ts";
import { createTestDatabase } from "../support/database.ts";
import { type Loopback, serve } from "../support/loopback.ts";
import { until } from "../support/until.ts";

interface Received {
  method: string;
  path: string;
  headers: Headers;
  body: string;
}

interface Site {
  sql: Sql;
  superuserUrl: string;
  server: Loopback;
  /** What the server was asked, in order. */
  received: Received[];
  start(): Promise<() => Promise<void>>;
}

/** A database, and a server that answers `202 {"taken": true}`, but hangs at `/hang`. */
function siteTest(name: string, body: (site: Site) => Promise<void>): void {
  Deno.test(name, async () => {
    const { sql, superuserUrl } = await createTestDatabase();
    const received: Received[] = [];
    const stops: (() => Promise<void>)[] = [];
    await using server = serve(async (request) => {
      const { pathname, search } = new URL(request.url);
      const { method, headers } = request;
      received.push({ method, path: pathname + search, headers, body: await request.text() });
      if (pathname === "/hang") await new Promise((resolve) => request.signal.addEventListener("abort", resolve));
      return Response.json({ taken: true }, { status: 202, headers: { "x-own": "kept" } });
    });
    async function start(): Promise<() => Promise<void>> {
      const stop = await startHttpRequests(connect(superuserUrl, { fetch_types: false }));
      stops.push(stop);
      return stop;
    }
    try {
      await body({ sql, superuserUrl, server, received, start });
    } finally {
      for (const stop of stops) await stop();
      await sql.end();
    }
  });
}

async function post(sql: Sql, url: string, timeout = 5_000): Promise<string> {
  const [row] = await sql`
    select net.http_post(${url}, '{"a": 1}', '{"q": "é &", "n": 2}', '{"Authorization": "Bearer t"}', ${timeout}) as id`;
  return row!.id;
}

/** Waits for the response to a request. */
async function responseTo(sql: Sql, id: string): Promise<Record<string, unknown>> {
  for (;;) {
    const [response] = await sql`
      select status_code, content_type, content, timed_out, error_msg, headers ->> 'x-own' as own
      from net._http_response where id = ${id}`;
    if (response) return { ...response };
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

siteTest("net.http_post() sends once its transaction is committed, and keeps the response", async (site) => {
  const { sql, server, received, start } = site;
  await start();
  const id = await sql.begin(async (sql) => {
    const id = await post(sql as unknown as Sql, `${server.url}/run`);
    await sql`select pg_sleep(0.05)`;
    assertEquals(received.length, 0);
    return id;
  });

  const response = await responseTo(sql, id);

  assertEquals(response, {
    status_code: 202,
    content_type: "application/json",
    content: '{"taken":true}',
    timed_out: false,
    error_msg: null,
    own: "kept",
  });
  const [{ method, path, headers, body }] = received as [Received];
  assertEquals([method, path, JSON.parse(body)], ["POST", "/run?n=2&q=%C3%A9%20%26", { a: 1 }]);
  assertEquals([headers.get("authorization"), headers.get("content-type")], ["Bearer t", "application/json"]);
});

siteTest("a request that is rolled back is never sent", async ({ sql, server, received, start }) => {
  await start();
  await sql.begin(async (sql) => {
    await post(sql as unknown as Sql, `${server.url}/undone`);
    throw new Error("undone");
  }).catch(() => {});

  await responseTo(sql, await post(sql, `${server.url}/next`));

  assertEquals(received.map(({ path }) => path.split("?")[0]), ["/next"]);
});

siteTest("what was queued before the stack starts is sent when it does", async ({ sql, server, start }) => {
  const id = await post(sql, `${server.url}/early`);
  await start();

  assertEquals((await responseTo(sql, id)).status_code, 202);
});

siteTest("the local stack calls no other machine", async ({ sql, start }) => {
  await start();
  for (const url of ["http://10.0.0.1/run", "http://127.0.0.1.example.com/run", "no url"]) {
    const { status_code, error_msg } = await responseTo(sql, await post(sql, url));
    assertEquals([url, status_code, error_msg], [url, null, "The local stack calls this machine only"]);
  }
});

siteTest("a request that takes longer than it may is given up", async ({ sql, server, start }) => {
  await start();

  const { status_code, timed_out } = await responseTo(sql, await post(sql, `${server.url}/hang`, 50));

  assertEquals([status_code, timed_out], [null, true]);
});

siteTest("a slow request holds up no other", async ({ sql, server, start }) => {
  await start();
  await post(sql, `${server.url}/hang`);

  assertEquals((await responseTo(sql, await post(sql, `${server.url}/fast`))).status_code, 202);
});

siteTest("requests go on after the database has cut every connection", async ({ sql, superuserUrl, server, start }) => {
  await start();
  await responseTo(sql, await post(sql, `${server.url}/before`));
  const superuser = connect(superuserUrl);
  await superuser`select pg_terminate_backend(pid) from pg_stat_activity
    where datname = current_database() and pid <> pg_backend_pid() and usename = current_user`;
  await superuser.end();

  assertEquals((await responseTo(sql, await post(sql, `${server.url}/after`))).status_code, 202);
});

siteTest("two stacks on one database send each request once", async ({ sql, server, received, start }) => {
  await Promise.all([start(), start()]);

  const ids = await Promise.all(Array.from({ length: 20 }, () => post(sql, `${server.url}/run`)));
  for (const id of ids) await responseTo(sql, id);

  assertEquals(received.length, 20);
});

siteTest("stopping gives up what is on its way", async ({ sql, server, received, start }) => {
  const stop = await start();
  await post(sql, `${server.url}/hang`, 600_000);
  await until(() => received.length > 0, "the request has come");

  await stop();
});

siteTest("net.http_post() takes a JSON body and no other, as pg_net does", async ({ sql }) => {
  await assertRejects(() => sql`select net.http_post('http://127.0.0.1', null)`);
  await assertRejects(() => sql`select net.http_post('http://127.0.0.1', headers => '{"content-type": "text/plain"}')`);
});
