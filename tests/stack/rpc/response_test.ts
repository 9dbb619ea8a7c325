import { assertEquals } from "@std/assert";
import { get, post, refusalOf, serviceTest, startService } from "./service.ts";

const { fetch, database: { sql } } = await startService(`
  create table public.notes (body text);
  grant select, insert on public.notes to anon;

  create function public.answer_with(status text default null, headers text default null) returns text
  language sql as $$
    select set_config('response.status', coalesce(answer_with.status, ''), true);
    select set_config('response.headers', coalesce(answer_with.headers, ''), true);
    select 'body'
  $$;
  create function public.teapot() returns json stable language plpgsql as $$
  begin
    perform set_config('response.status', '418', true);
    return json_build_object('message', 'short and stout');
  end $$;
  create function public.numbers(count integer) returns setof integer stable language sql
    as 'select generate_series(1, numbers.count)';
  create function public.films(count integer) returns table (id integer) stable language sql
    as 'select generate_series(1, films.count)';
  create function public.add_notes(bodies text[]) returns setof public.notes language sql
    as 'insert into public.notes select unnest(bodies) returning *';
  create function public.one() returns integer stable language sql as 'select 1';
`);

const OBJECT = { accept: "application/vnd.pgrst.object+json" };

serviceTest("rpc answers with the status that a function sets", async () => {
  const answer = await fetch(get("teapot"));

  assertEquals([answer.status, await answer.json()], [418, { message: "short and stout" }]);
});

serviceTest("rpc answers without a body when a function sets status 204 or 304", async () => {
  for (const status of ["204", "304"]) {
    const answer = await fetch(post("answer_with", { status }));

    assertEquals([answer.status, answer.body], [Number(status), null]);
    assertEquals(answer.headers.get("content-type"), null);
  }
});

serviceTest("rpc refuses a status that is none", async () => {
  for (const status of ["wrong", "99", "1000", "200.5"]) {
    assertEquals(await refusalOf(await fetch(post("answer_with", { status }))), [500, "PGRST112"]);
  }
});

serviceTest("rpc adds the headers that a function sets", async () => {
  const headers = '[{"Set-Cookie":"a=1; Path=/"},{"Set-Cookie":"b=2"},{"X-Request-Id":"r-1"}]';
  const answer = await fetch(post("answer_with", { headers }));

  assertEquals(answer.headers.getSetCookie(), ["a=1; Path=/", "b=2"]);
  assertEquals(answer.headers.get("x-request-id"), "r-1");
});

serviceTest("rpc lets a function replace the headers that it sends itself", async () => {
  const answer = await fetch(post("answer_with", { headers: '[{"Content-Type":"application/problem+json"}]' }));

  assertEquals(answer.headers.get("content-type"), "application/problem+json");
});

serviceTest("rpc refuses headers that are no list of single pairs", async () => {
  for (const headers of ["{}", '[{"a":"1","b":"2"}]', '[{"a":1}]', "[{}]", "no json", '[{"no name":"x"}]']) {
    assertEquals(await refusalOf(await fetch(post("answer_with", { headers }))), [500, "PGRST111"], headers);
  }
});

serviceTest("rpc answers HEAD like GET, without the body", async () => {
  const head = await fetch(get("films?count=2", { method: "HEAD" }));
  const whole = await fetch(get("films?count=2"));

  assertEquals(head.status, 200);
  assertEquals(head.body, null);
  assertEquals([...head.headers], [...whole.headers]);
});

serviceTest("rpc answers one bare object when asked for one", async () => {
  const answer = await fetch(get("films?count=1", { headers: OBJECT }));

  assertEquals(answer.headers.get("content-type"), "application/vnd.pgrst.object+json; charset=utf-8");
  assertEquals(await answer.json(), { id: 1 });
  assertEquals(await (await fetch(post("one", {}, OBJECT))).text(), "1");
});

serviceTest("rpc refuses one object of none or several", async () => {
  const none = await fetch(get("films?count=0", { headers: OBJECT }));
  assertEquals(await none.json(), {
    code: "PGRST116",
    details: "The result contains 0 rows",
    hint: null,
    message: "Cannot coerce the result to a single JSON object",
  });
  assertEquals(await refusalOf(await fetch(get("films?count=2", { headers: OBJECT }))), [406, "PGRST116"]);
});

serviceTest("rpc undoes what made several rows when one was wanted", async () => {
  assertEquals(await refusalOf(await fetch(post("add_notes", { bodies: ["a", "b"] }, OBJECT))), [406, "PGRST116"]);
  assertEquals(await (await fetch(post("add_notes", { bodies: ["c"] }, OBJECT))).json(), { body: "c" });

  assertEquals(await sql<{ body: string }[]>`select body from public.notes`.then(([...rows]) => rows), [{ body: "c" }]);
});

serviceTest("rpc takes the first media type that it knows", async () => {
  for (const accept of ["application/json", "text/html, */*;q=0.8", "application/*", "audio/mpeg, application/json"]) {
    assertEquals((await fetch(post("one", {}, { accept }))).status, 200);
  }
  assertEquals(await refusalOf(await fetch(post("one", {}, { accept: "audio/mpeg" }))), [406, "PGRST107"]);
  assertEquals(await refusalOf(await fetch(post("one", {}, { accept: "text/csv" }))), [406, "PGRST107"]);
});

serviceTest("rpc serves its own schema only", async () => {
  assertEquals((await fetch(post("one", {}, { "content-profile": "public" }))).status, 200);
  assertEquals(await refusalOf(await fetch(post("one", {}, { "content-profile": "private" }))), [406, "PGRST106"]);
  assertEquals(await refusalOf(await fetch(get("one", { headers: { "accept-profile": "x" } }))), [406, "PGRST106"]);
});

serviceTest("rpc says which preferences it followed", async () => {
  const answer = await fetch(post("numbers", { count: 2 }, { prefer: "count=exact, handling=strict" }));

  assertEquals(answer.headers.get("preference-applied"), "count=exact, handling=strict");
  assertEquals((await fetch(post("one"))).headers.get("preference-applied"), null);
});

serviceTest("rpc answers in full whatever `return` prefers, which is for writes to tables", async () => {
  const answer = await fetch(post("one", {}, { prefer: "return=minimal" }));

  assertEquals([answer.status, await answer.text()], [200, "1"]);
});

serviceTest("rpc ignores preferences that it does not know, such as the former params=single-object", async () => {
  const answer = await fetch(post("numbers", { count: 1 }, { prefer: "params=single-object, foo" }));

  assertEquals([answer.status, await answer.json()], [200, [1]]);
});

serviceTest("rpc refuses such preferences with handling=strict", async () => {
  const answer = await fetch(post("one", {}, { prefer: "handling=strict, params=single-object" }));

  assertEquals(await refusalOf(answer), [400, "PGRST122"]);
});
