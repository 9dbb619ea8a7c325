import { assertEquals } from "@std/assert";
import { createTestDatabase, rolledBack } from "../../support/database.ts";
import type { TransactionSql } from "postgres";
import { asUser } from "../foundation/people.ts";
import { attemptOf, create, createAs, statusOf } from "../payments/payments.ts";
import { openOwnWallet, openWallet, refusalOf } from "../wallet/wallets.ts";
import { asOperator, operator } from "./reconciliations.ts";

const database = await createTestDatabase();
/** A payout that somebody must approve. */
const LARGE = { type: "payout", amount: 300_000, phone: "+250788000001" };

Deno.test(
  "a large payout waits for a second person, and for nobody else",
  rolledBack(database, async (sql) => {
    const driver = await openOwnWallet(sql, 900_000);
    const second = await operator(sql);
    const payout = await create(sql, {
      type: "payout",
      amount: 300_000,
      from: driver.accountId,
      phone: "+250788000001",
    });
    await sql`update public.payment_attempts set next_check_at = now()`;
    const approve = (userId: string) =>
      refusalOf(sql, (sql) =>
        asUser(sql, userId, (sql) => sql`select public.approve_payout(${payout.id})`, {
          app_metadata: { role: "operator" },
        }));

    const before = await sql`select * from public.claim_payment_attempts()`;
    const nobody = await approve(driver.userId);
    const first = await approve(second);
    const again = await approve(second);
    const after = await sql`select * from public.claim_payment_attempts()`;

    assertEquals([nobody, first, again], ["operator_required", "accepted", "transaction_state_conflict"]);
    assertEquals([before.length, after.length], [0, 1]);
  }),
);

Deno.test(
  "reject_payout() frees what was set aside; whoever is paid decides nothing",
  rolledBack(database, async (sql) => {
    const driver = await openOwnWallet(sql, 900_000);
    await sql`insert into private.operators (user_id, reason) values (${driver.userId}, 'on call')`;
    const second = await operator(sql);
    const payout = await create(sql, {
      type: "payout",
      amount: 300_000,
      from: driver.accountId,
      phone: "+250788000001",
    });
    const reject = (userId: string) =>
      refusalOf(
        sql,
        (sql) =>
          asUser(sql, userId, (sql) => sql`select public.reject_payout(${payout.id}, 'unknown number')`, {
            app_metadata: { role: "operator" },
          }),
      );

    assertEquals([await reject(driver.userId), await reject(second)], ["second_person_needed", "accepted"]);
    assertEquals(await statusOf(sql, payout.id), "cancelled");
    const [held] = await sql`select held::float8 from public.wallet_balance(${driver.accountId})`;
    assertEquals(held!.held, 0);
  }),
);

Deno.test(
  "approve_payout() is refused to the operator who asked",
  rolledBack(database, async (sql) => {
    const { userId, accountId } = await openOwnWallet(sql, 900_000);
    await sql`insert into private.operators (user_id, reason) values (${userId}, 'on call')`;
    const payout = await createAs(sql, userId, { ...LARGE, from: accountId });
    // No longer the one who is paid, so that only having asked is left.
    await sql`update public.profiles set user_id = null where user_id = ${userId}`;

    assertEquals(await approval(sql, userId, payout.id), "second_person_needed");
    assertEquals(await approval(sql, await operator(sql), payout.id), "accepted");
  }),
);

Deno.test(
  "a payout above the largest amount, or above what is left of the day, is refused",
  rolledBack(database, async (sql) => {
    const from = await openWallet(sql, { balance: 9_000_000 });
    await sql`update public.payout_rules set approval_above = 1000, largest_amount = 2000, day_amount = 3000 where currency = 'RWF'`;
    const limitOf = async (amount: number) => {
      const answer = await create(sql, { ...LARGE, amount, from });
      return answer.code
        ? [answer.code, /largest_payout|payouts_of_a_day/.exec(JSON.stringify(answer))?.[0]]
        : "accepted";
    };

    assertEquals(await limitOf(2_001), ["wallet_limit_exceeded", "largest_payout"]);
    assertEquals([await limitOf(2_000), await limitOf(1_000)], ["accepted", "accepted"]);
    assertEquals(await limitOf(100), ["wallet_limit_exceeded", "payouts_of_a_day"]);
  }),
);

Deno.test(
  "a payout whose hold has nearly run out cannot be approved any more, only rejected",
  rolledBack(database, async (sql) => {
    const payout = await create(sql, { ...LARGE, from: await openWallet(sql, { balance: 900_000 }) });
    const second = await operator(sql);
    await sql`update public.wallet_holds set expires_at = now() + interval '4 days' where id = (select hold_id from public.transactions where id = ${payout.id})`;

    assertEquals(await approval(sql, second, payout.id), "transaction_state_conflict");
    await asOperator(sql, second, (sql) => sql`select public.reject_payout(${payout.id}, 'too old')`);
    assertEquals(await statusOf(sql, payout.id), "cancelled");
  }),
);

Deno.test(
  "review_stuck_payments() passes over a payout that waits, and counts its days from the approval",
  rolledBack(database, async (sql) => {
    const from = await openWallet(sql, { balance: 900_000 });
    const payout = await create(sql, { ...LARGE, from });
    await create(sql, { ...LARGE, amount: 100, from });
    await sql`update public.payment_attempts set created_at = now() - interval '5 days'`;
    const stuck = async () => (await sql`select private.review_stuck_payments()::integer as count`)[0]!.count;

    const waiting = await stuck();
    await approval(sql, await operator(sql), payout.id);

    // The first was the other one, which waits for nobody.
    assertEquals([waiting, await stuck()], [1, 0]);
    assertEquals((await attemptOf(sql, payout.id)).due_in, 0);
  }),
);

/** What becomes of an operator's approval. */
function approval(sql: TransactionSql, userId: string, payoutId: string): Promise<string> {
  return refusalOf(sql, (sql) => asOperator(sql, userId, (sql) => sql`select public.approve_payout(${payoutId})`));
}
