import { assertEquals } from "@std/assert";
import { as, createTestDatabase, rolledBack, sqlStateOf } from "../../support/database.ts";
import { known, list, listed } from "./listings.ts";

const database = await createTestDatabase();
const test = (name: string, run: Parameters<typeof rolledBack>[1]) => Deno.test(name, rolledBack(database, run));

test("upsert_whatsapp_templates() registers what the Graph API lists", async (sql) => {
  const count = await list(sql, [
    listed(),
    listed({ language: "en", status: "REJECTED", rejected_reason: "PROMOTIONAL" }),
  ]);

  assertEquals(count, 2);
  assertEquals(await known(sql), {
    template_id: "564750795574598",
    status: "APPROVED",
    reason: null,
    category: "UTILITY",
    quality: "GREEN",
    is_sendable: true,
    components: listed().components,
  });
});

test("upsert_whatsapp_templates() repeated says that nothing is news", async (sql) => {
  await list(sql, [listed()], 1);

  assertEquals(await list(sql, [listed()], 1), 0);
});

test("an older listing changes nothing, and templates that are not in a listing stay", async (sql) => {
  await list(sql, [listed({ status: "PAUSED" })], 5);
  await list(sql, [listed()], 9);
  await list(sql, [], 1);

  assertEquals((await known(sql))?.status, "PAUSED");
});

test("a listing that names a template twice keeps one of them", async (sql) => {
  assertEquals(await list(sql, [listed(), listed({ status: "PAUSED" })]), 1);
});

for (
  const [name, templates] of Object.entries({
    "no array": { data: [] },
    "no object": ["trip_receipt"],
    "no name": [listed({ name: undefined })],
    "a language that is a number": [listed({ language: 7 })],
    "nothing": null,
    "more than a thousand": Array(1001).fill(listed()),
  })
) {
  test(`upsert_whatsapp_templates() refuses ${name}`, async (sql) => {
    assertEquals(await sqlStateOf(sql, (sql) => list(sql, templates)), "PGRST");
  });
}

test("upsert_whatsapp_templates() refuses a time to come, and an account without a name", async (sql) => {
  assertEquals(await sqlStateOf(sql, (sql) => list(sql, [], -120)), "PGRST");
  assertEquals(await sqlStateOf(sql, (sql) => sql`select public.upsert_whatsapp_templates('', '[]')`), "PGRST");
});

test("upsert_whatsapp_templates() is for the service alone", async (sql) => {
  const call = (role: "anon" | "authenticated" | "service_role") =>
    sqlStateOf(sql, (sql) => as(sql, role, {}, (sql) => list(sql, [listed()])));

  assertEquals([await call("anon"), await call("authenticated"), await call("service_role")], [
    "42501",
    "42501",
    "00000",
  ]);
});
