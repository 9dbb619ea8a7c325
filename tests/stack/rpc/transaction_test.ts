import { assertEquals } from "@std/assert";
import { connect } from "../../../scripts/stack/connection.ts";
import { AS_SERVICE, asUser, get, post, refusalOf, serviceTest, startService } from "./service.ts";
import { until } from "../../support/until.ts";

const service = await startService(
  `
  create table public.notes (body text);
  grant select, insert on public.notes to anon;

  create function public.whoami() returns json stable language sql as $$
    select json_build_object('role', current_user, 'session', session_user,
      'claims', current_setting('request.jwt.claims', true)::json)
  $$;
  create function public.setting(name text) returns text stable language sql as 'select current_setting(name, true)';
  create function public.add_note(body text) returns void language sql as 'insert into public.notes values (body)';
  create function public.add_note_stably(body text) returns void stable language plpgsql
    as 'begin perform public.add_note(body); end';
  create function public.read_volatile() returns integer language sql as 'select 1';
  create function public.isolation() returns text language sql as $$ select current_setting('transaction_isolation') $$;
  create function public.isolation_of_its_own() returns text language sql
    set default_transaction_isolation = 'repeatable read'
    as $$ select current_setting('transaction_isolation') $$;
  create function public.sleep(seconds numeric) returns void language sql as 'select pg_sleep(seconds)';
  create function public.sleep_briefly(seconds numeric) returns void language sql
    set statement_timeout = '20ms'
    as 'select pg_sleep(seconds)';
  create function public.sleep_long(seconds numeric) returns void language sql
    set statement_timeout = '2min'
    as 'select pg_sleep(seconds)';
  create function public.type_in_extensions() returns boolean language plpgsql as $$
    begin return '1'::cube is not null; end $$;
`,
  { connections: 1 },
);
const { fetch, database } = service;
const superuser = connect(database.superuserUrl);
Deno.test.afterAll(() => superuser.end());

async function answerTo(request: Request): Promise<unknown> {
  return await (await fetch(request)).json();
}

async function settingSeen(name: string, headers: HeadersInit = {}): Promise<unknown> {
  return await answerTo(post("setting", { name }, headers));
}

/** Sets a configuration parameter of a role, in this test's database only. */
async function alterRole(role: string, change: string): Promise<void> {
  await superuser.unsafe(`alter role ${role} in database ${new URL(database.url).pathname.slice(1)} ${change}`);
}

serviceTest("rpc calls as the caller's role, with the caller's claims", async () => {
  const sub = "0197c0de-0000-7000-8000-250788000001";
  assertEquals(await answerTo(post("whoami", {}, await asUser({ sub }))), {
    role: "authenticated",
    session: "authenticator",
    claims: { role: "authenticated", sub },
  });
  assertEquals(await answerTo(post("whoami", {}, AS_SERVICE)), {
    role: "service_role",
    session: "authenticator",
    claims: { role: "service_role" },
  });
});

serviceTest("rpc leaves nothing of one caller to the next", async () => {
  await fetch(post("whoami", {}, await asUser({ sub: "somebody" })));

  assertEquals(await answerTo(post("whoami")), { role: "anon", session: "authenticator", claims: { role: "anon" } });
});

serviceTest("rpc shows a function the request's method, path, headers and cookies", async () => {
  assertEquals(await settingSeen("request.method"), "POST");
  assertEquals(await answerTo(get("setting?name=request.method")), "GET");
  assertEquals(await settingSeen("request.path"), "/rpc/setting");
  const headers = JSON.parse(await settingSeen("request.headers", { "X-Correlation-Id": "trip-1" }) as string);
  assertEquals(headers["x-correlation-id"], "trip-1");
  const cookies = await settingSeen("request.cookies", { cookie: "session=a=b; theme=dark" });
  assertEquals(JSON.parse(cookies as string), { session: "a=b", theme: "dark" });
});

serviceTest("rpc finds types of the extensions schema unqualified, as on the platform", async () => {
  assertEquals(await answerTo(post("type_in_extensions")), true);
});

serviceTest("rpc keeps what a volatile function wrote", async () => {
  assertEquals((await fetch(post("add_note", { body: "kept" }))).status, 204);

  assertEquals(await noteCount("kept"), 1);
});

serviceTest("rpc lets nobody write by GET, nor through a function that promises not to", async () => {
  assertEquals(await refusalOf(await fetch(get("add_note?body=x"))), [405, "25006"]);
  assertEquals(await refusalOf(await fetch(post("add_note_stably", { body: "x" }))), [405, "25006"]);
  assertEquals((await fetch(get("add_note?body=x", { method: "HEAD" }))).status, 405);

  assertEquals(await noteCount("x"), 0);
});

serviceTest("rpc lets a volatile function read by GET", async () => {
  assertEquals(await answerTo(get("read_volatile")), 1);
});

serviceTest("rpc runs in the isolation of the function, else of the role, else of the database", async () => {
  assertEquals(await answerTo(post("isolation")), "read committed");
  assertEquals(await answerTo(post("isolation_of_its_own")), "repeatable read");
  await alterRole("service_role", "set default_transaction_isolation = 'serializable'");
  assertEquals(await answerTo(post("isolation", {}, AS_SERVICE)), "serializable");
  assertEquals(await answerTo(post("isolation_of_its_own", {}, AS_SERVICE)), "repeatable read");
});

serviceTest("rpc holds a function to its own statement_timeout", async () => {
  assertEquals(await refusalOf(await fetch(post("sleep_briefly", { seconds: 0.3 }))), [500, "57014"]);
  assertEquals((await fetch(post("sleep", { seconds: 0.3 }))).status, 204);
});

serviceTest("rpc gives a role its settings, changed ones at once, unless the function has its own", async () => {
  assertEquals(await settingSeen("statement_timeout"), "3s");
  await alterRole("anon", "set statement_timeout = '20ms'");
  assertEquals(await refusalOf(await fetch(post("sleep", { seconds: 0.3 }))), [500, "57014"]);
  assertEquals((await fetch(post("sleep_long", { seconds: 0.3 }))).status, 204);
  assertEquals((await fetch(post("sleep", { seconds: 0.3 }, AS_SERVICE))).status, 204);
  await alterRole("anon", "reset statement_timeout");
  assertEquals(await settingSeen("statement_timeout"), "3s");
});

serviceTest("rpc goes on after a failed call", async () => {
  await fetch(post("add_note_stably", { body: "x" }));

  assertEquals(await answerTo(post("read_volatile")), 1);
});

serviceTest("rpc stops the statement of a caller who has gone", async () => {
  const caller = new AbortController();
  const answer = fetch(new Request(post("sleep_long", { seconds: 60 }), { signal: caller.signal }));
  await until(async () => await sleepers() > 0, "the statement sleeps");

  caller.abort();

  assertEquals(await refusalOf(await answer), [500, "57014"]);
  assertEquals(await sleepers(), 0);
  assertEquals(await answerTo(post("read_volatile")), 1);
});

serviceTest("rpc does not begin for a caller who has gone while waiting", async () => {
  const caller = new AbortController();
  const first = new AbortController();
  const running = fetch(new Request(post("sleep_long", { seconds: 60 }), { signal: first.signal }));
  await until(async () => await sleepers() > 0, "the statement sleeps");
  const waiting = fetch(new Request(post("add_note", { body: "late" }), { signal: caller.signal }));

  caller.abort();
  first.abort();

  await running;
  assertEquals(await refusalOf(await waiting), [500, "57014"]);
  assertEquals(await noteCount("late"), 0);
});

async function noteCount(body: string): Promise<number> {
  const [row] = await database.sql<[{ count: number }]>`
    select count(*)::integer from public.notes as note where note.body = ${body}`;
  return row.count;
}

async function sleepers(): Promise<number> {
  const [row] = await superuser<[{ count: number }]>`
    select count(*)::integer from pg_stat_activity
    where datname = current_database() and usename = 'authenticator' and wait_event = 'PgSleep'`;
  return row.count;
}
