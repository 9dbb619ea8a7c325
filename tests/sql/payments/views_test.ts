import { assertEquals } from "@std/assert";
import { createTestDatabase, rolledBack } from "../../support/database.ts";
import { openWallet } from "../wallet/wallets.ts";
import { create, refund, signal } from "./payments.ts";

const database = await createTestDatabase();

Deno.test(
  "transaction_summary counts and sums by what became of transactions",
  rolledBack(database, async (sql) => {
    const driver = await openWallet(sql);
    for (let time = 0; time < 2; time++) await signal(sql, (await create(sql, { to: driver })).id);
    const last = await create(sql, { to: driver, amount: 700 });
    await signal(sql, last.id, { status: "failed", failure_code: "rejected" });
    const paid = await create(sql, { to: driver });
    await signal(sql, paid.id);
    await refund(sql, paid.id, 400);

    const rows = await sql`
      select type, status, transaction_count::integer as count, amount::integer, refunded_amount::integer as refunded
      from public.transaction_summary order by type, status`;

    assertEquals(rows.map((row) => Object.values(row)), [
      ["payment", "succeeded", 3, 3_000, 400],
      ["payment", "failed", 1, 700, 0],
      ["refund", "pending", 1, 400, 0],
    ]);
  }),
);

Deno.test(
  "payment_attempt_stats and payment_review_stats show what is open, and what suspense is explained by",
  rolledBack(database, async (sql) => {
    const driver = await openWallet(sql);
    await create(sql, { to: driver });
    await signal(sql, (await create(sql, { to: driver })).id, { amount: 900 });
    await sql`update public.payment_attempts set next_check_at = now() where status = 'created'`;

    const attempts = await sql`
      select provider, status, attempt_count::integer as count, due_count::integer as due from public.payment_attempt_stats`;
    const reviews = await sql`
      select kind, currency, review_count::integer as count, suspended_amount::integer as amount from public.payment_review_stats`;

    assertEquals([...attempts], [{ provider: "mtn_momo", status: "created", count: 1, due: 1 }]);
    assertEquals([...reviews], [{ kind: "amount_mismatch", currency: "RWF", count: 1, amount: 900 }]);
  }),
);
