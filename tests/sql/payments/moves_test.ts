import { assertEquals } from "@std/assert";
import type { TransactionSql } from "postgres";
import { createTestDatabase, rolledBack } from "../../support/database.ts";
import { openWallet, refusalOf } from "../wallet/wallets.ts";
import { create, pathOf, statusOf } from "./payments.ts";

const database = await createTestDatabase();

const STATUSES = ["pending", "processing", "succeeded", "failed", "cancelled", "expired", "unknown"];

/** What may follow what, and, with a star, only if somebody has told us. */
const ALLOWED: Record<string, string> = {
  pending: "processing* succeeded* failed cancelled expired unknown*",
  processing: "succeeded* failed cancelled expired unknown*",
  unknown: "processing* succeeded* failed cancelled expired*",
  succeeded: "",
  failed: "succeeded* unknown*",
  cancelled: "succeeded* unknown*",
  expired: "succeeded* unknown*",
};

for (const from of STATUSES) {
  for (const to of STATUSES) {
    for (const evidence of ["api", null]) {
      const isAllowed = ALLOWED[from]!.split(" ").some((move) => move === to || move === `${to}*` && evidence !== null);
      Deno.test(
        `move_transaction() ${isAllowed ? "lets" : "does not let"} ${from} become ${to} ${
          evidence ? "on" : "without"
        } evidence`,
        rolledBack(database, async (sql) => {
          const id = await transactionIn(sql, from);

          const refusal = await refusalOf(sql, (sql) => move(sql, id, to, evidence));

          assertEquals(refusal, isAllowed ? "accepted" : "transaction_state_conflict");
          assertEquals(await statusOf(sql, id), isAllowed ? to : from);
        }),
      );
    }
  }
}

Deno.test(
  "move_transaction() writes every move down, and tells of it",
  rolledBack(database, async (sql) => {
    const payment = await create(sql, { to: await openWallet(sql) });

    await move(sql, payment.id, "processing", "api");
    await move(sql, payment.id, "failed", "webhook");

    assertEquals(await pathOf(sql, payment.id), ["pending", "processing", "failed"]);
    const events = await sql`
      select event_type, payload from public.event_store
      where aggregate_type = 'transaction' and aggregate_id = ${payment.id} order by version`;
    assertEquals(events.map(({ event_type }) => event_type), [
      "payment.created",
      "payment.processing",
      "payment.failed",
    ]);
    assertEquals(JSON.stringify(events).includes("788999123"), false, "an event carries a phone number");
  }),
);

for (
  const [what, change] of Object.entries({
    "the amount": "amount = 1",
    "the currency": "currency = 'USD'",
    "the payee": "to_account_id = null",
    "the payer's number for another": "phone = '+250788000009'",
    "a success that nobody has booked": "status = 'succeeded', evidence = 'api'",
    "a way back": "status = 'pending'",
  })
) {
  Deno.test(
    `transactions keep out ${what}, whoever writes`,
    rolledBack(database, async (sql) => {
      const payment = await create(sql, { to: await openWallet(sql) });
      await move(sql, payment.id, "failed", "api");

      const refusal = await refusalOf(
        sql,
        (sql) => sql.unsafe(`update public.transactions set ${change} where id = '${payment.id}'`),
      );

      assertEquals(["42501", "23000", "23514"].includes(refusal), true, refusal);
    }),
  );
}

Deno.test(
  "transactions and their events are never deleted",
  rolledBack(database, async (sql) => {
    await create(sql, { to: await openWallet(sql) });

    assertEquals(await refusalOf(sql, (sql) => sql`delete from public.transactions`), "42501");
    assertEquals(await refusalOf(sql, (sql) => sql`delete from public.transaction_events`), "42501");
    assertEquals(await refusalOf(sql, (sql) => sql`update public.transaction_events set reason = 'x'`), "42501");
  }),
);

/** A payment in that status, by the shortest way. */
async function transactionIn(sql: TransactionSql, status: string): Promise<string> {
  const { id } = await create(sql, { to: await openWallet(sql) });
  if (status !== "pending") await move(sql, id, status, "api");
  return id;
}

async function move(sql: TransactionSql, id: string, to: string, evidence: string | null): Promise<void> {
  const booked = to === "succeeded" ? crypto.randomUUID() : null;
  await sql`
    select private.move_transaction(
      private.lock_transaction(${id}), ${to}::text::public.transaction_status,
      ${evidence}::text::public.payment_evidence, null, ${booked}
    )`;
}
