import { assertEquals } from "@std/assert";
import { createTestDatabase, rolledBack } from "../../support/database.ts";
import type { TransactionSql } from "postgres";
import { asUser, createUser } from "../foundation/people.ts";
import { create } from "../payments/payments.ts";
import { openWallet, refusalOf } from "../wallet/wallets.ts";
import { asOperator, HEAD, now, operator, paid, reconcile } from "./reconciliations.ts";

const database = await createTestDatabase();

Deno.test(
  "provider_float has our books, the last statement's balance, and what may come in and go out",
  rolledBack(database, async (sql) => {
    const to = await openWallet(sql, { balance: 20_000 });
    await paid(sql, to, "m1");
    await create(sql, { to, amount: 700 });
    await create(sql, { type: "payout", amount: 300, from: to, phone: "+250788000001" });
    await reconcile(sql, [HEAD, `m1,,${now()},1000,0,`].join("\n"), { closing: 990 });

    const rows = await sql`
      select books_amount::float8, statement_amount::float8, incoming_amount::float8, outgoing_amount::float8
      from public.list_provider_float() where provider = 'mtn_momo' and currency = 'RWF'`;

    assertEquals(rows.map((row) => Object.values(row)), [[1000, 990, 700, 300]]);
  }),
);

Deno.test(
  "open_payment_work counts reviews, attempts that hang, and payouts to approve, each under one name",
  rolledBack(database, async (sql) => {
    const from = await openWallet(sql, { balance: 900_000 });
    await create(sql, { type: "payout", amount: 300_000, from, phone: "+250788000001" });
    await create(sql, { to: from });
    await sql`update public.payment_attempts set created_at = now() - interval '16 minutes'`;
    await create(sql, { to: from });
    await reconcile(sql, [HEAD, `m9,,${now()},700,0,`].join("\n"));

    const rows = await sql`select work, kind, item_count::integer from public.list_open_payment_work() order by work`;

    assertEquals(rows.map((row) => Object.values(row)), [
      ["attempt", "created", 1],
      ["payout_approval", "waiting", 1],
      ["review", "unmatched", 1],
    ]);
  }),
);

for (const name of ["list_provider_float", "list_open_payment_work"]) {
  Deno.test(
    `${name}() is for operators`,
    rolledBack(database, async (sql) => {
      const [user, second] = [await createUser(sql), await operator(sql)];
      const list = (sql: TransactionSql) => sql.unsafe(`select * from public.${name}()`);

      assertEquals(await refusalOf(sql, (sql) => asUser(sql, user, list)), "operator_required");
      assertEquals(await refusalOf(sql, (sql) => asOperator(sql, second, list)), "accepted");
    }),
  );
}
