import { create, signal } from "../../sql/payments/payments.ts";
import { openWallet } from "../../sql/wallet/wallets.ts";
import type { TransactionSql } from "postgres";
import type { BoundedCalls } from "./case.ts";

/** Every call of reconciliation and of payouts' approval that ends at a partitioned table. */
export const RECONCILIATION: BoundedCalls = {
  "public.approve_payout": (sql) => decide(sql, "select public.approve_payout($1)"),
  "public.reconcile_provider_statement": async (sql) => {
    await reconciled(sql);
  },
  "public.reconciliation_report": async (sql) => {
    const id = await reconciled(sql);
    await sql`select public.reconciliation_report(${id})`;
  },
  "public.reject_payout": (sql) => decide(sql, "select public.reject_payout($1, 'tried')"),
};

async function reconciled(sql: TransactionSql): Promise<string> {
  const to = await openWallet(sql);
  await signal(sql, (await create(sql, { to })).id, { provider_id: "m1" });
  const line = { provider_id: "m2", occurred_at: new Date(Date.now() - 60_000).toISOString(), amount: "500" };
  const [run] = await sql`
    select public.reconcile_provider_statement(
      'mtn_momo', 'RWF', clock_timestamp() - interval '1 hour', clock_timestamp(), lines => ${sql.json([line])}
    ) as id`;
  return run!.id;
}

async function decide(sql: TransactionSql, statement: string): Promise<void> {
  const from = await openWallet(sql, { balance: 900_000 });
  const payout = await create(sql, { type: "payout", amount: 300_000, from, phone: "+250788000001" });
  const [user] = await sql`insert into auth.users (id) values (gen_random_uuid()) returning id`;
  await sql`insert into private.operators (user_id, reason) values (${user!.id}, 'tried')`;
  const claims = { sub: user!.id, role: "authenticated", app_metadata: { role: "operator" } };
  await sql`select set_config('request.jwt.claims', ${JSON.stringify(claims)}, true)`;
  await sql.unsafe(statement, [payout.id]);
}
