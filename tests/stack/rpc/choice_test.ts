import { assertEquals } from "@std/assert";
import { AS_SERVICE, get, post, refusalOf, serviceTest, startService } from "./service.ts";

const { fetch, database: { sql } } = await startService(`
  create function public.add_them(a integer, b integer default 1) returns integer language sql as 'select a + b';
  create function public.overloaded() returns text language sql as $$ select 'none' $$;
  create function public.overloaded(a integer) returns text language sql as $$ select 'a' $$;
  create function public.overloaded(a integer, b integer) returns text language sql as $$ select 'a, b' $$;
  create function public.overloaded(jsonb) returns text language sql as $$ select 'body' $$;
  create function public.ambiguous(a integer) returns integer language sql as 'select a';
  create function public.ambiguous(a text) returns text language sql as 'select a';
  create function public.unnamed_pair(integer, integer) returns integer language sql as 'select 1';
  create function public.on_change() returns trigger language plpgsql as 'begin return new; end';
  create procedure public.procedure() language sql as 'select 1';
  create schema hidden;
  create function hidden.secret() returns integer language sql as 'select 1';
  create function public.for_servers(a integer) returns integer stable language sql as 'select a';
  revoke execute on function public.for_servers from public, anon, authenticated;
  grant execute on function public.for_servers to service_role;
`);

async function answerTo(request: Request): Promise<unknown> {
  return await (await fetch(request)).json();
}

serviceTest("rpc knows no function that is absent, hidden, a procedure or a trigger's", async () => {
  for (const name of ["nowhere", "secret", "hidden.secret", "procedure", "on_change", "unnamed_pair", "%00", "a%22b"]) {
    const [status, code] = await refusalOf(await fetch(post(name)));
    assertEquals([name, status], [name, code === "22021" ? 400 : 404]);
  }
});

serviceTest("rpc refuses a call without a required argument", async () => {
  assertEquals(await refusalOf(await fetch(post("add_them", { b: 1 }))), [404, "PGRST202"]);
  assertEquals(await refusalOf(await fetch(get("add_them"))), [404, "PGRST202"]);
});

serviceTest("rpc refuses a call with an unknown argument", async () => {
  assertEquals(await refusalOf(await fetch(post("add_them", { a: 1, c: 2 }))), [404, "PGRST202"]);
  assertEquals(await refusalOf(await fetch(get("add_them?a=1&c=2"))), [404, "PGRST202"]);
});

serviceTest("rpc chooses among functions of one name by the names of the arguments", async () => {
  assertEquals(await answerTo(post("overloaded")), "none");
  assertEquals(await answerTo(post("overloaded", { a: 1 })), "a");
  assertEquals(await answerTo(get("overloaded?a=1&b=2")), "a, b");
});

serviceTest("rpc falls back to a single unnamed parameter", async () => {
  assertEquals(await answerTo(post("overloaded", { x: 1 })), "body");
});

serviceTest("rpc cannot choose between functions that differ in types only", async () => {
  assertEquals(await refusalOf(await fetch(post("ambiguous", { a: 1 }))), [300, "PGRST203"]);
});

serviceTest("rpc sees at once that one of two functions in doubt is gone", async () => {
  await sql.unsafe(`create function public.doubtful(a integer) returns integer language sql as 'select a';
    create function public.doubtful(a text) returns text language sql as 'select a'`);
  assertEquals((await fetch(post("doubtful", { a: 1 }))).status, 300);

  await sql`drop function public.doubtful(text)`;

  assertEquals(await answerTo(post("doubtful", { a: 1 })), 1);
});

serviceTest("rpc finds a function that is made after it was looked for", async () => {
  assertEquals((await fetch(post("made_later"))).status, 404);

  await sql`create function public.made_later() returns integer language sql as 'select 1'`;

  assertEquals(await answerTo(post("made_later")), 1);
});

serviceTest("rpc sees at once that a function returns something else", async () => {
  await sql`create function public.changing() returns integer language sql as 'select 1'`;
  assertEquals(await answerTo(post("changing")), 1);

  await sql.unsafe(`drop function public.changing();
    create function public.changing() returns table (a integer) language sql as 'select 2'`);

  assertEquals(await answerTo(post("changing")), [{ a: 2 }]);
});

serviceTest("rpc sees at once that a parameter has a default now", async () => {
  await sql`create function public.growing(a integer) returns integer language sql as 'select a'`;
  assertEquals((await fetch(post("growing"))).status, 404);

  await sql`create or replace function public.growing(a integer default 7) returns integer language sql as 'select a'`;

  assertEquals(await answerTo(post("growing")), 7);
});

serviceTest("rpc sees at once that a function is gone", async () => {
  await sql`create function public.leaving() returns integer language sql as 'select 1'`;
  assertEquals(await answerTo(post("leaving")), 1);

  await sql`drop function public.leaving()`;

  assertEquals(await refusalOf(await fetch(post("leaving"))), [404, "PGRST202"]);
});

serviceTest("rpc calls a changed function once, not once per attempt", async () => {
  await sql.unsafe(`create table public.calls (at timestamptz default clock_timestamp());
    grant insert on public.calls to anon;
    create function public.counted() returns void language sql as 'insert into public.calls default values'`);
  await fetch(post("counted"));
  await sql`alter function public.counted() cost 50`;

  await fetch(post("counted"));

  assertEquals(await sql`select count(*)::integer from public.calls`.then(([row]) => row?.count), 2);
});

serviceTest("rpc never serves one role with a plan made for another", async () => {
  for (let i = 0; i < 8; i++) assertEquals(await answerTo(post("for_servers", { a: i }, AS_SERVICE)), i);

  assertEquals(await refusalOf(await fetch(post("for_servers", { a: 1 }))), [401, "42501"]);
});
