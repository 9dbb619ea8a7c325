import { assertEquals } from "@std/assert";
import { get, post, serviceTest, startService } from "./service.ts";

const { fetch } = await startService(`
  create type public.point_2d as (x integer, y integer);
  create table public.films (id integer primary key, title text, rating numeric);
  insert into public.films values (1, 'Okja', 7.4), (2, 'Ran', 8.2);
  alter table public.films disable row level security;
  grant select on public.films to anon;

  create function public.add_them(a integer, b integer) returns integer immutable language sql as 'select a + b';
  create function public.say_hello(name text) returns text immutable language sql as $$ select 'Hello, ' || name $$;
  create function public.no_value() returns integer language sql as 'select null::integer';
  create function public.no_point() returns public.point_2d language sql as 'select null::public.point_2d';
  create function public.a_point() returns public.point_2d language sql as 'select (10, 5)::public.point_2d';
  create function public.some_points() returns setof public.point_2d language sql as 'values (1, 2), (3, 4)';
  create function public.all_films() returns setof public.films stable language sql as 'select * from public.films';
  create function public.one_film() returns public.films stable language sql as 'select * from public.films limit 1';
  create function public.some_numbers() returns setof integer language sql as 'values (1), (2), (3)';
  create function public.nobody() returns setof integer language sql as 'select 1 where false';
  create function public.as_table() returns table (value integer, page text) language sql as $$ select 1, 'one' $$;
  create function public.one_column() returns table (a text) language sql as $$ select 'A' $$;
  create function public.out_parameter(num integer, out num_plus_one integer) language sql as 'select num + 1';
  create function public.inout_parameter(inout num integer) language sql as 'select num + 1';
  create function public.untyped() returns record language sql as $$ select 1 as id, 'one' as name $$;
  create function public.untyped_rows() returns setof record language sql as 'select * from public.films';
  create function public.nothing() returns void language sql as 'select 1';
  create function public.as_json() returns json language sql as $$ select '{"b": 1,  "a":2}'::json $$;
  create function public.as_jsonb() returns jsonb language sql as $$ select '{"n": 12345678901234567890}'::jsonb $$;
  create function public.as_array() returns integer[] language sql as 'select array[1, 2, 3]';
  create function public.big() returns bigint language sql as 'select 9223372036854775807';
`);

async function textOf(request: Request): Promise<string> {
  return await (await fetch(request)).text();
}

async function jsonOf(request: Request): Promise<unknown> {
  return await (await fetch(request)).json();
}

serviceTest("rpc answers a scalar as bare JSON", async () => {
  assertEquals(await textOf(post("add_them", { a: 1, b: 2 })), "3");
  assertEquals(await textOf(post("say_hello", { name: "Kigali ￥" })), '"Hello, Kigali ￥"');
});

serviceTest("rpc answers null for a scalar without value", async () => {
  assertEquals(await textOf(post("no_value")), "null");
});

serviceTest("rpc answers a composite as an object", async () => {
  assertEquals(await textOf(post("a_point")), '{"x":10,"y":5}');
  assertEquals(await jsonOf(get("one_film")), { id: 1, title: "Okja", rating: 7.4 });
});

serviceTest("rpc answers a missing composite as an object of nulls", async () => {
  assertEquals(await jsonOf(post("no_point")), { x: null, y: null });
});

serviceTest("rpc answers a set of composites as a list of objects", async () => {
  assertEquals(await jsonOf(post("some_points")), [{ x: 1, y: 2 }, { x: 3, y: 4 }]);
  assertEquals(await jsonOf(get("all_films")), [
    { id: 1, title: "Okja", rating: 7.4 },
    { id: 2, title: "Ran", rating: 8.2 },
  ]);
});

serviceTest("rpc answers a set of scalars as a list", async () => {
  assertEquals(await jsonOf(post("some_numbers")), [1, 2, 3]);
});

serviceTest("rpc answers an empty set as an empty list", async () => {
  assertEquals(await textOf(post("nobody")), "[]");
});

serviceTest("rpc answers `returns table` as a list of objects, whatever its columns are called", async () => {
  assertEquals(await jsonOf(post("as_table")), [{ value: 1, page: "one" }]);
  assertEquals(await jsonOf(post("one_column")), [{ a: "A" }]);
});

serviceTest("rpc answers output parameters as an object, even a single one", async () => {
  assertEquals(await jsonOf(post("out_parameter", { num: 5 })), { num_plus_one: 6 });
  assertEquals(await jsonOf(post("inout_parameter", { num: 2 })), { num: 3 });
});

serviceTest("rpc answers untyped records", async () => {
  assertEquals(await jsonOf(post("untyped")), { id: 1, name: "one" });
  assertEquals(await jsonOf(post("untyped_rows")), [
    { id: 1, title: "Okja", rating: 7.4 },
    { id: 2, title: "Ran", rating: 8.2 },
  ]);
});

serviceTest("rpc answers void with 204, no content and no Content-Type", async () => {
  const answer = await fetch(post("nothing"));

  assertEquals(answer.status, 204);
  assertEquals(answer.headers.get("content-type"), null);
  assertEquals(answer.body, null);
});

serviceTest("rpc sends JSON as the function wrote it", async () => {
  assertEquals(await textOf(post("as_json")), '{"b": 1,  "a":2}');
  assertEquals(await jsonOf(post("as_array")), [1, 2, 3]);
});

serviceTest("rpc keeps integers exact that JavaScript cannot hold", async () => {
  assertEquals(await textOf(post("big")), "9223372036854775807");
  assertEquals(await textOf(post("as_jsonb")), '{"n": 12345678901234567890}');
});

serviceTest("rpc tells the type and the length in bytes of what it sends", async () => {
  const answer = await fetch(post("say_hello", { name: "￥" }));

  assertEquals(answer.headers.get("content-type"), "application/json; charset=utf-8");
  assertEquals(answer.headers.get("content-length"), String((await answer.bytes()).length));
});
