import { assertEquals } from "@std/assert";
import { get, post, refusalOf, serviceTest, startService } from "./service.ts";

const { fetch } = await startService(`
  create type public.mood as enum ('happy', 'sad');
  create domain public.phone as text check (value ~ '^[+][0-9]+$');
  create type public.place as (lat numeric, lng numeric);

  create function public.with_defaults(a integer, b integer default 2, c integer default 3) returns text
    language sql as $$ select concat_ws(',', a, b, c) $$;
  create function public.type_of_json(value jsonb) returns text language sql as 'select jsonb_typeof(value)';
  create function public.same_jsonb(value jsonb) returns jsonb language sql as 'select value';
  create function public.same_json(value json) returns json language sql as 'select value';
  create function public.same_array(value integer[]) returns integer[] language sql as 'select value';
  create function public.same_texts(value text[]) returns text[] language sql as 'select value';
  create function public.same_mood(value public.mood) returns public.mood language sql as 'select value';
  create function public.same_uuid(value uuid) returns uuid language sql as 'select value';
  create function public.same_time(value timestamptz) returns timestamptz language sql as 'select value';
  create function public.same_boolean(value boolean) returns boolean language sql as 'select value';
  create function public.same_text(value text) returns text language sql as 'select value';
  create function public.same_number(value numeric) returns numeric language sql as 'select value';
  create function public.same_phone(value public.phone) returns public.phone language sql as 'select value';
  create function public.same_char(value char(5)) returns text language sql as 'select value';
  create function public.latitude_of(value public.place) returns numeric language sql as 'select (value).lat';
  create function public.hex(value bytea) returns text language sql as $$ select encode(value, 'hex') $$;
  create function public."camelCase"("someName" text) returns text language sql as 'select "someName"';
  create function public.plus_one(variadic v integer[]) returns integer[] language sql
    as 'select array_agg(n + 1) from unnest(v) as n';
  create function public.no_arguments() returns text language sql as $$ select 'none' $$;

  create function public.body_jsonb(jsonb) returns text language sql as 'select jsonb_typeof($1)';
  create function public.body_json(json) returns json language sql as 'select $1';
  create function public.body_text(text) returns text language sql as $$ select $1 || '!' $$;
  create function public.body_bytea(bytea) returns text language sql as $$ select encode($1, 'hex') $$;
`);

async function answerTo(request: Request): Promise<string> {
  return await (await fetch(request)).text();
}

serviceTest("rpc passes arguments by name, and leaves out those with defaults", async () => {
  assertEquals(await answerTo(post("with_defaults", { c: 7, a: 1 })), '"1,2,7"');
  assertEquals(await answerTo(post("with_defaults", { a: 1 })), '"1,2,3"');
});

serviceTest("rpc passes null as null, not as an absent argument", async () => {
  assertEquals(await answerTo(post("with_defaults", { a: 1, b: null })), '"1,3"');
});

serviceTest("rpc encodes jsonb once, whatever kind of value it is", async () => {
  const kinds: [unknown, string][] = [[{ a: [1] }, "object"], [["a"], "array"], ["a text", "string"], [
    '{"a":1}',
    "string",
  ], [
    7,
    "number",
  ], [true, "boolean"]];
  for (const [value, kind] of kinds) {
    assertEquals(await answerTo(post("type_of_json", { value })), `"${kind}"`);
  }
});

serviceTest("rpc hands JSON numbers to Postgres exactly", async () => {
  assertEquals(await answerTo(post("same_number", '{"value":12345678901234567890.5}')), "12345678901234567890.5");
  assertEquals(await answerTo(post("same_jsonb", '{"value":{"n":9007199254740993}}')), '{"n": 9007199254740993}');
  assertEquals(await answerTo(post("same_json", '{"value":{"b":1.0,  "a":2}}')), '{"b":1.0,  "a":2}');
});

serviceTest("rpc converts arguments of every common type", async () => {
  const id = "0197c0de-0000-7000-8000-250788000000";
  const cases: [name: string, value: unknown, answer: string][] = [
    ["same_array", [1, 2, 3], "[1,2,3]"],
    ["same_texts", ['a "quoted", one', "b\\c"], '["a \\"quoted\\", one","b\\\\c"]'],
    ["same_mood", "happy", '"happy"'],
    ["same_uuid", id, `"${id}"`],
    ["same_time", "2026-02-28T22:30:00+02:00", '"2026-02-28T20:30:00+00:00"'],
    ["same_boolean", true, "true"],
    ["same_phone", "+250788000000", '"+250788000000"'],
    ["same_char", "abcdefg", '"abcdefg"'],
    ["latitude_of", { lat: -1.95, lng: 30.06 }, "-1.95"],
    ["hex", "\\x00ff", '"00ff"'],
    ["plus_one", [1, 2], "[2,3]"],
  ];
  for (const [name, value, answer] of cases) {
    const argument = name === "plus_one" ? "v" : "value";
    assertEquals(await answerTo(post(name, { [argument]: value })), answer, name);
  }
});

serviceTest("rpc passes texts through unchanged", async () => {
  const text = "';drop table films;-- \\ \" $1 \u2028 😀\n";

  assertEquals(JSON.parse(await answerTo(post("same_text", { value: text }))), text);
});

serviceTest("rpc finds names in upper case", async () => {
  assertEquals(await answerTo(post("camelCase", { someName: "x" })), '"x"');
});

serviceTest("rpc takes the arguments of a GET from the query string", async () => {
  assertEquals(await answerTo(get("with_defaults?a=1&c=9")), '"1,2,9"');
  assertEquals(await answerTo(get("same_array?value=%7B1,2%7D")), "[1,2]");
  assertEquals(await answerTo(get("same_boolean?value=true")), "true");
  assertEquals(await answerTo(get("type_of_json?value=%7B%22a%22%3A1%7D")), '"object"');
  assertEquals(await answerTo(get("hex?value=%5Cx00ff")), '"00ff"');
  assertEquals(await answerTo(get("same_time?value=2026-02-28T20:30:00Z")), '"2026-02-28T20:30:00+00:00"');
});

serviceTest("rpc takes the last of a repeated argument in a query string", async () => {
  assertEquals(await answerTo(get("same_text?value=ignored&value=this")), '"this"');
});

serviceTest("rpc takes arguments from an HTML form", async () => {
  const form = { "content-type": "application/x-www-form-urlencoded" };

  assertEquals(await answerTo(post("with_defaults", "a=1&b=5", form)), '"1,5,3"');
});

serviceTest("rpc takes an empty body as no arguments", async () => {
  assertEquals(await answerTo(post("no_arguments", "")), '"none"');
});

serviceTest("rpc takes the first object of a list", async () => {
  assertEquals(await answerTo(post("with_defaults", [{ a: 1, b: 1 }, { a: 2, b: 2 }])), '"1,1,3"');
});

serviceTest("rpc gives the whole body to a single unnamed parameter of its type", async () => {
  assertEquals(await answerTo(post("body_jsonb", '"a text"')), '"string"');
  assertEquals(await answerTo(post("body_jsonb", "[1]")), '"array"');
  assertEquals(await answerTo(post("body_json", '{"b":1,  "a":2}')), '{"b":1,  "a":2}');
  assertEquals(await answerTo(post("body_text", '{"raw"', { "content-type": "text/plain" })), '"{\\"raw\\"!"');
});

serviceTest("rpc gives raw bytes to a single unnamed bytea parameter", async () => {
  const request = get("body_bytea", {
    method: "POST",
    body: new Uint8Array([0, 255, 10]),
    headers: { "content-type": "application/octet-stream" },
  });

  assertEquals(await answerTo(request), '"00ff0a"');
});

serviceTest("rpc refuses values that a type does not know", async () => {
  assertEquals(await refusalOf(await fetch(post("same_number", { value: "many" }))), [400, "22P02"]);
  assertEquals(await refusalOf(await fetch(post("same_mood", { value: "angry" }))), [400, "22P02"]);
  assertEquals(await refusalOf(await fetch(post("same_time", { value: "2026-13-01" }))), [400, "22008"]);
  assertEquals(await refusalOf(await fetch(post("same_phone", { value: "0788000000" }))), [400, "23514"]);
  assertEquals(await refusalOf(await fetch(get("same_array?value=1"))), [400, "22P02"]);
});

serviceTest("rpc refuses a body that is not the JSON it claims to be", async () => {
  assertEquals(await refusalOf(await fetch(post("no_arguments", "{"))), [400, "PGRST102"]);
  assertEquals(await refusalOf(await fetch(post("no_arguments", '{"a":1}}'))), [400, "PGRST102"]);
  const invalid = get("no_arguments", {
    method: "POST",
    body: new Uint8Array([0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d]),
    headers: { "content-type": "application/json" },
  });
  assertEquals(await refusalOf(await fetch(invalid)), [400, "PGRST102"]);
});

serviceTest("rpc takes no arguments from a JSON value that is no object", async () => {
  assertEquals(await refusalOf(await fetch(post("same_text", "7"))), [404, "PGRST202"]);
  for (const body of ["7", '"text"', "null", "[]", "[1]"]) {
    assertEquals(await answerTo(post("no_arguments", body)), '"none"', body);
  }
});

serviceTest("rpc refuses text that Postgres cannot store", async () => {
  assertEquals(await refusalOf(await fetch(post("same_text", '{"value":"\\u0000"}'))), [400, "22P05"]);
  assertEquals(await refusalOf(await fetch(post("same_text", '{"value":"\\ud800"}'))), [400, "22P02"]);
  assertEquals(await refusalOf(await fetch(get("same_text?value=%00"))), [400, "22021"]);
});

serviceTest("rpc refuses other media types", async () => {
  const answer = await fetch(post("no_arguments", "a,b", { "content-type": "text/csv" }));

  assertEquals(await refusalOf(answer), [415, "PGRST107"]);
});
