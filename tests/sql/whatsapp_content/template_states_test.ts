import { assertEquals } from "@std/assert";
import type { TransactionSql } from "postgres";
import { createTestDatabase, rolledBack } from "../../support/database.ts";
import { NUMBER } from "../../support/deliveries.ts";
import { body, fitProblems, learnNumber, list, listed, told } from "./listings.ts";
import { template } from "./payloads.ts";

const database = await createTestDatabase();
const test = (name: string, run: Parameters<typeof rolledBack>[1]) => Deno.test(name, rolledBack(database, run));

async function billedAs(sql: TransactionSql, type: string): Promise<string | null> {
  const [, payload] = template();
  const [row] = await sql<{ category: string | null }[]>`
    select private.whatsapp_billing_category(${NUMBER}, ${type}, ${sql.json(payload as never)}) as category`;
  return row!.category;
}

for (
  const status of ["PAUSED", "DISABLED", "REJECTED", "PENDING", "PENDING_DELETION", "DELETED", "LOCKED", "ARCHIVED"]
) {
  test(`a template that is ${status} is a problem at its name`, async (sql) => {
    await learnNumber(sql);
    await told(sql, status, 5);

    assertEquals(await fitProblems(sql, body("x")), [
      { pointer: "/template/name", detail: `may not be sent: ${status}` },
    ]);
  });
}

for (const status of ["APPROVED", "REINSTATED", "FLAGGED", "UNARCHIVED"]) {
  test(`a template that is ${status} may be sent`, async (sql) => {
    await learnNumber(sql);
    await told(sql, status, 5);

    assertEquals(await fitProblems(sql, body("x")), []);
  });
}

test("a template that nothing is known of may be sent, in whatever language", async (sql) => {
  await learnNumber(sql);
  await list(sql, [listed({ language: "fr", status: "PAUSED" })]);

  assertEquals(await fitProblems(sql, body("x")), []);
});

test("another account's template of the same name says nothing of ours", async (sql) => {
  await learnNumber(sql);
  await sql`select public.upsert_whatsapp_templates('2040', ${sql.json([listed({ status: "PAUSED" })] as never)})`;

  assertEquals(await fitProblems(sql, body("x")), []);
});

test("a template of a number whose account is not known may be sent", async (sql) => {
  await list(sql, [listed({ status: "PAUSED" })]);

  assertEquals(await fitProblems(sql, body("x")), []);
});

test("a message is billed as service, a template by its category if that was told", async (sql) => {
  await learnNumber(sql);

  assertEquals([await billedAs(sql, "text"), await billedAs(sql, "template")], ["service", null]);
  await list(sql, [listed({ category: "MARKETING" })]);
  assertEquals(await billedAs(sql, "template"), "marketing");
});

test("whatsapp_template_language() chooses among what may be sent", async (sql) => {
  await learnNumber(sql);
  await list(sql, [listed({ status: "PAUSED" }), listed({ language: "en" }), listed({ language: "fr" })]);
  const [row] = await sql<{ rw: string; fr: string; none: string | null }[]>`
    select private.whatsapp_template_language(${NUMBER}, 'trip_receipt', 'rw') as rw,
      private.whatsapp_template_language(${NUMBER}, 'trip_receipt', 'fr') as fr,
      private.whatsapp_template_language(${NUMBER}, 'unheard_of', 'fr') as none`;

  assertEquals({ ...row }, { rw: "en", fr: "fr", none: null });
});
