import { assertEquals } from "@std/assert";
import * as z from "zod";
import { createApp } from "shared/http/app.ts";
import { param, query } from "shared/http/query.ts";
import { captureLog } from "../../support/log_lines.ts";
import { outcomeOf } from "../../support/problems.ts";

captureLog();

const app = createApp("example");
app.get(
  "/",
  query(z.strictObject({ "hub.mode": z.string(), limit: z.coerce.number().int().max(10).default(5) })),
  (c) => c.json(c.req.valid("query")),
);
app.get("/rides/:id", param(z.object({ id: z.uuid() })), (c) => c.json(c.req.valid("param")));

async function get(path: string): Promise<Response> {
  return await app.request(`/example${path}`);
}

Deno.test("query() gives the handler what fits the schema, defaults included", async () => {
  assertEquals(await (await get("?hub.mode=subscribe")).json(), { "hub.mode": "subscribe", limit: 5 });
  assertEquals(await (await get("?hub.mode=a+b%2Bc&limit=7")).json(), { "hub.mode": "a b+c", limit: 7 });
});

for (
  const [search, outcome] of [
    ["", "422 validation_failed"],
    ["?hub.mode=a&limit=11", "422 validation_failed"],
    ["?hub.mode=a&other=1", "422 validation_failed"],
    ["?hub.mode=a&hub.mode=b", "422 validation_failed"],
    ["?hub.mode=%00", "400 invalid_text"],
    ["?hub.mode=a&x%00=1", "400 invalid_text"],
  ] as const
) {
  Deno.test(`query() answers ${search || "nothing"} with ${outcome}`, async () => {
    assertEquals(await outcomeOf(get(search)), outcome);
  });
}

Deno.test("query() takes bytes that are not UTF-8 as they are, without failing", async () => {
  assertEquals((await get("?hub.mode=%ff")).status, 200);
});

Deno.test("param() gives the handler what fits the schema", async () => {
  const id = "01987654-3210-7123-8123-123456789012";

  assertEquals(await (await get(`/rides/${id}`)).json(), { id });
});

for (
  const [id, outcome] of [["x", "422 validation_failed"], ["%00", "400 invalid_text"], [
    "a%2Fb",
    "422 validation_failed",
  ]] as const
) {
  Deno.test(`param() answers ${id} with ${outcome}`, async () => {
    assertEquals(await outcomeOf(get(`/rides/${id}`)), outcome);
  });
}
