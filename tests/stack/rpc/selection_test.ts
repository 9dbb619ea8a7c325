import { assertEquals } from "@std/assert";
import { get, post, refusalOf, serviceTest, startService } from "./service.ts";

const { fetch } = await startService(
  `
  create function public.items(min integer, max integer) returns table (id integer, name text, is_odd boolean)
    stable language sql
    as $$ select i, case when i <> 7 then 'item ' || i end, i % 2 = 1 from generate_series(min + 1, max) as i $$;
  create function public.numbers() returns setof integer stable language sql as 'select generate_series(1, 30)';
  create function public.add_them(a integer, b integer) returns integer stable language sql as 'select a + b';
`,
  { maxRows: 20 },
);

const COUNTED = { prefer: "count=exact" };

async function idsOf(query: string, init: RequestInit = {}): Promise<number[]> {
  const rows = await (await fetch(get(`items?min=0&max=9&${query}`, init))).json();
  return rows.map(({ id }: { id: number }) => id);
}

async function rangeOf(query: string, headers: HeadersInit = {}, method = "GET"): Promise<[number, string | null]> {
  const answer = await fetch(get(`items?${query}`, { headers, method }));
  return [answer.status, answer.headers.get("content-range")];
}

serviceTest("rpc says which rows it sends", async () => {
  assertEquals(await rangeOf("min=0&max=15"), [200, "0-14/*"]);
  assertEquals(await rangeOf("min=2&max=2"), [200, "*/*"]);
  assertEquals((await fetch(get("add_them?a=1&b=2"))).headers.get("content-range"), "0-0/*");
});

serviceTest("rpc sends no more rows than its limit", async () => {
  const answer = await fetch(get("numbers"));

  assertEquals((await answer.json()).length, 20);
  assertEquals(await rangeOf("min=0&max=30&limit=25", COUNTED), [206, "0-19/30"]);
});

serviceTest("rpc takes limit and offset from the query string", async () => {
  assertEquals(await idsOf("order=id&limit=2&offset=1"), [2, 3]);
  assertEquals(await rangeOf("min=2&max=4&limit=1&offset=1"), [200, "1-1/*"]);
  assertEquals(await rangeOf("min=2&max=4&limit=0"), [200, "*/*"]);
  assertEquals(await rangeOf("min=2&max=4&offset=-4"), [200, "0-1/*"]);
  const posted = await fetch(post("items?limit=1&offset=1", { min: 2, max: 4 }));
  assertEquals((await posted.json()).length, 1);
});

serviceTest("rpc takes rows from the Range header of a GET, and of nothing else", async () => {
  assertEquals(await rangeOf("min=0&max=15", { range: "0-1" }), [200, "0-1/*"]);
  assertEquals(await rangeOf("min=0&max=15", { range: "10-100" }), [200, "10-14/*"]);
  assertEquals(await rangeOf("min=0&max=15", { range: "3-" }), [200, "3-14/*"]);
  assertEquals(await rangeOf("min=0&max=15", { range: "0-1" }, "HEAD"), [200, "0-14/*"]);
});

serviceTest("rpc counts when asked, and says 206 when it sends a part", async () => {
  assertEquals(await rangeOf("min=2&max=4", COUNTED), [200, "0-1/2"]);
  assertEquals(await rangeOf("min=2&max=4&limit=1&offset=1", COUNTED), [206, "1-1/2"]);
  assertEquals(await rangeOf("min=2&max=9&id=gt.7", COUNTED), [200, "0-1/2"]);
  assertEquals((await fetch(get("add_them?a=1&b=2", { headers: COUNTED }))).headers.get("content-range"), "0-0/1");
});

serviceTest("rpc refuses a range that cannot be", async () => {
  const beyond = await fetch(get("items?min=0&max=15&offset=100", { headers: COUNTED }));
  assertEquals(beyond.headers.get("content-range"), "*/15");
  assertEquals(await refusalOf(beyond), [416, "PGRST103"]);
  assertEquals(await refusalOf(await fetch(get("items?min=0&max=1&limit=-1"))), [416, "PGRST103"]);
  const backwards = get("items?min=0&max=1", { headers: { range: "1-0" } });
  assertEquals(await refusalOf(await fetch(backwards)), [416, "PGRST103"]);
});

serviceTest("rpc sends the selected columns", async () => {
  const answer = await fetch(get("items?min=0&max=1&select=number:id,name"));

  assertEquals(await answer.json(), [{ number: 1, name: "item 1" }]);
});

serviceTest("rpc sends rows in the wanted order", async () => {
  assertEquals(await idsOf("order=is_odd.desc,id.desc"), [9, 7, 5, 3, 1, 8, 6, 4, 2]);
  assertEquals((await idsOf("order=name.asc.nullsfirst"))[0], 7);
});

serviceTest("rpc filters rows", async () => {
  const filters: [query: string, ids: number[]][] = [
    ["id=eq.3", [3]],
    ["id=neq.3&id=lt.5", [1, 2, 4]],
    ["id=gt.1&id=lte.3", [2, 3]],
    ["id=gte.8", [8, 9]],
    ["id=in.(1,9)", [1, 9]],
    ['name=in.("item 2","item, \\"3\\"")', [2]],
    ["id=in.()", []],
    ["name=is.null", [7]],
    ["name=is.not_null&id=gt.6", [8, 9]],
    ["is_odd=is.true&id=lt.4", [1, 3]],
    ["name=like.*3", [3]],
    ["name=ilike.ITEM*&id=lt.3", [1, 2]],
    ["id=not.gt.2", [1, 2]],
    ["id=not.in.(1,2,3,4,5,6,7)", [8, 9]],
    ["name=eq.it's", []],
    ["name=eq.\\", []],
  ];
  for (const [query, ids] of filters) assertEquals(await idsOf(`order=id&${query}`), ids, query);
});

serviceTest("rpc tells an argument from a filter of the same name", async () => {
  const answer = await fetch(get("items?min=0&max=5&min=eq.1"));

  assertEquals(await refusalOf(answer), [400, "42703"]);
});

serviceTest("rpc refuses what it cannot read in a query string", async () => {
  const queries = ["select=id::text", "select=a(*)", "select=a->b", "order=id.up", "id=in.1", "select=%00"];
  for (const query of queries) {
    const answer = await fetch(get(`items?min=0&max=1&${query}`));
    assertEquals(await refusalOf(answer), [400, "PGRST100"], query);
  }
  assertEquals(await refusalOf(await fetch(get("items?min=0&max=1&%00=eq.1"))), [400, "PGRST100"]);
  assertEquals(await refusalOf(await fetch(post("items?min=0", { max: 1 }))), [400, "PGRST100"]);
});

serviceTest("rpc refuses operators that it does not know", async () => {
  assertEquals(await refusalOf(await fetch(get("items?min=0&max=1&name=fts.cat"))), [404, "PGRST202"]);
  assertEquals(await refusalOf(await fetch(post("items?or=(id.eq.1)", { min: 0, max: 1 }))), [400, "PGRST100"]);
});
