import { assertEquals } from "@std/assert";
import type { TransactionSql } from "postgres";
import { createTestDatabase, rolledBack } from "../../support/database.ts";
import { openOwnWallet, openWallet, refusalOf, standingOf } from "../wallet/wallets.ts";
import { attemptOf, create, createAs, pathOf, reviewsOf, signal, start, statusOf } from "./payments.ts";

const database = await createTestDatabase();

Deno.test(
  "claim_payment_attempts() takes what nobody has begun after ten seconds, once",
  rolledBack(database, async (sql) => {
    const payment = await create(sql, { to: await openWallet(sql) });

    const early = await claim(sql);
    await pass(sql, "11 seconds");
    const due = await claim(sql);
    const again = await claim(sql);

    const attempt = await attemptOf(sql, payment.id);
    assertEquals([early.length, again.length], [0, 0]);
    assertEquals(due.map(({ id, action, token }) => ({ id, action, token })), [{
      id: attempt.id,
      action: "ask",
      token: "1",
    }]);
  }),
);

Deno.test(
  "claim_payment_attempts() asks about what was asked for, less and less often",
  rolledBack(database, async (sql) => {
    const payment = await create(sql, { to: await openWallet(sql) });
    await signal(sql, payment.id, { status: "processing" });

    const waits = [];
    for (let check = 0; check < 6; check++) {
      waits.push((await attemptOf(sql, payment.id)).due_in);
      await pass(sql, "61 seconds");
      const [claimed] = await claim(sql);
      assertEquals(claimed!.action, "check");
      await signal(sql, payment.id, { status: "processing" });
      await sql`update public.payment_attempts set leased_until = null, created_at = now()`;
    }

    assertEquals(waits, [5, 10, 20, 30, 60, 60]);
  }),
);

Deno.test(
  "next_payment_check() ends after three days",
  rolledBack(database, async (sql) => {
    const [row] = await sql`
      select jsonb_agg(private.next_payment_check(age::interval, 9) order by place) as waits
      from unnest('{11 minutes,2 hours,25 hours,73 hours}'::text[]) with ordinality as at (age, place)`;

    assertEquals(row!.waits, ["00:05:00", "00:15:00", "01:00:00", null]);
  }),
);

Deno.test(
  "release_payment_attempts() gives back what could not be asked, of one's own lease",
  rolledBack(database, async (sql) => {
    const payment = await create(sql, { to: await openWallet(sql) });
    await pass(sql, "11 seconds");
    const [claimed] = await claim(sql);

    const lost = await sql`select public.release_payment_attempts(array[${claimed!.id}]::uuid[], array[0]::bigint[])`;
    const released = await sql`select public.release_payment_attempts(array[${
      claimed!.id
    }]::uuid[], array[1]::bigint[])`;

    assertEquals([lost.length, released.length], [0, 1]);
    assertEquals((await attemptOf(sql, payment.id)).due_in, 10);
  }),
);

Deno.test(
  "expire_transactions() gives up what took too long, and its attempt is asked about all the same",
  rolledBack(database, async (sql) => {
    const driver = await openWallet(sql);
    const payment = await create(sql, { to: driver });
    await start(sql, payment.id);
    await signal(sql, payment.id, { status: "processing" });

    await expire(sql, payment.id);
    await pass(sql, "1 day");
    const claimed = await claim(sql);
    await signal(sql, payment.id);

    assertEquals(claimed.map(({ action }) => action), ["check"]);
    assertEquals(await pathOf(sql, payment.id), ["pending", "processing", "expired", "succeeded"]);
    assertEquals((await standingOf(sql, driver))[0], 1_000);
  }),
);

Deno.test(
  "expire_transactions() sees to it that nobody asks for what was given up",
  rolledBack(database, async (sql) => {
    const driver = await openWallet(sql);
    const [unasked, begun] = [await create(sql, { to: driver }), await create(sql, { to: driver })];
    await start(sql, begun.id);

    for (const { id } of [unasked, begun]) await expire(sql, id);
    await pass(sql, "1 day");
    const claimed = await claim(sql);

    assertEquals(claimed.map(({ id, action }) => ({ id, action })), [{
      id: (await attemptOf(sql, begun.id)).id,
      action: "check",
    }]);
    assertEquals((await start(sql, unasked.id)).answer!.status, "expired");
  }),
);

Deno.test(
  "review_stuck_payments() asks a person after three days, once",
  rolledBack(database, async (sql) => {
    const payment = await create(sql, { to: await openWallet(sql) });
    await signal(sql, payment.id, { status: "unknown", amount: null });
    await sql`update public.payment_attempts set created_at = now() - interval '73 hours'`;

    for (let time = 0; time < 2; time++) await sql`select private.review_stuck_payments()`;

    assertEquals((await reviewsOf(sql, payment.id)).map(({ kind }) => kind), ["stuck"]);
    assertEquals((await attemptOf(sql, payment.id)).due_in, null);
  }),
);

Deno.test(
  "an attempt that waits for an approval is neither started nor claimed",
  rolledBack(database, async (sql) => {
    const driver = await openOwnWallet(sql, 5_000);
    const payout = await createAs(sql, driver.userId, { type: "payout", phone: "+250788000001" });
    await sql`update public.payment_attempts set is_blocked = true`;
    await pass(sql, "1 day");

    assertEquals([await start(sql, payout.id), (await claim(sql)).length], [{ answer: null } as never, 0]);
  }),
);

Deno.test(
  "start_payment_attempt() answers every replay as the first",
  rolledBack(database, async (sql) => {
    const payment = await create(sql, { to: await openWallet(sql) });
    const { attempt, lease_token } = await start(sql, payment.id);
    const said = { kind: "charge", status: "processing", evidence: "api" };
    const [first] = await sql`
      select public.record_payment_signal(${attempt!.id as string}, ${
      sql.json(said)
    }, null, ${lease_token!}) as answer`;
    await signal(sql, payment.id);

    const replay = await start(sql, payment.id);

    assertEquals(replay.answer, first!.answer.transaction);
    assertEquals([replay.answer!.status, await statusOf(sql, payment.id)], ["processing", "succeeded"]);
  }),
);

Deno.test(
  "cancel_transaction() does not take back what the provider is at, nor what is paid out",
  rolledBack(database, async (sql) => {
    const driver = await openOwnWallet(sql, 5_000);
    const payment = await create(sql, { to: driver.accountId });
    await signal(sql, payment.id, { status: "processing" });
    const payout = await createAs(sql, driver.userId, { type: "payout", phone: "+250788000001" });
    await start(sql, payout.id);

    for (const { id } of [payment, payout]) {
      const refusal = await refusalOf(sql, (sql) => sql`select public.cancel_transaction(${id})`);
      assertEquals(refusal, "transaction_state_conflict");
    }
  }),
);

Deno.test(
  "update_transaction_status() ends what is open, and never makes a success",
  rolledBack(database, async (sql) => {
    const payment = await create(sql, { to: await openWallet(sql) });
    const update = (status: string) => (sql: TransactionSql) =>
      sql`select public.update_transaction_status(${payment.id}, ${status}::text::public.transaction_status, 'asked by phone')`;

    const success = await refusalOf(sql, update("succeeded"));
    const failed = await refusalOf(sql, update("failed"));
    const again = await refusalOf(sql, update("cancelled"));

    assertEquals([success, failed, again], ["invalid_argument", "accepted", "transaction_state_conflict"]);
  }),
);

async function claim(sql: TransactionSql) {
  return await sql`select id, action, lease_token as token from public.claim_payment_attempts()`;
}

/** As if so much time had passed for all attempts. */
async function pass(sql: TransactionSql, time: string): Promise<void> {
  await sql`
    update public.payment_attempts set
      next_check_at = next_check_at - ${time}::interval, leased_until = leased_until - ${time}::interval`;
}

/** As if the payer had taken too long: expires_at never changes, so the clock of the row does. */
async function expire(sql: TransactionSql, id: string): Promise<void> {
  await sql`alter table public.transactions disable trigger keep_transaction`;
  await sql`update public.transactions set expires_at = now() where id = ${id}`;
  await sql`alter table public.transactions enable trigger keep_transaction`;
  await sql`select private.expire_transactions()`;
}
