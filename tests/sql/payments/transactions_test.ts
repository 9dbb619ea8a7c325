import { assertEquals, assertMatch } from "@std/assert";
import { createTestDatabase, rolledBack } from "../../support/database.ts";
import { openOwnWallet, openWallet, refusalOf, standingOf } from "../wallet/wallets.ts";
import { attemptOf, create, createAs, pathOf, signal, start, transactionsOf } from "./payments.ts";

const database = await createTestDatabase();

Deno.test(
  "create_transaction() pays from the wallet at once",
  rolledBack(database, async (sql) => {
    const rider = await openOwnWallet(sql, 5_000);
    const driver = await openWallet(sql);

    const answer = await createAs(sql, rider.userId, { method: "wallet", to: driver });

    assertEquals(answer.status, "succeeded");
    assertEquals(await pathOf(sql, answer.id), ["pending", "succeeded"]);
    assertEquals((await standingOf(sql, rider.accountId))[0], 4_000);
    assertEquals((await standingOf(sql, driver))[0], 1_000);
  }),
);

Deno.test(
  "create_transaction() by MTN MoMo waits for the payer, with an attempt whose id is version 4",
  rolledBack(database, async (sql) => {
    const driver = await openWallet(sql);

    const answer = await create(sql, { to: driver });

    assertEquals([answer.status, answer.next_action, answer.phone], [
      "pending",
      { type: "approve_on_phone" },
      "***123",
    ]);
    assertMatch((await attemptOf(sql, answer.id)).id, /^.{14}4/);
    assertEquals((await standingOf(sql, driver))[0], 0);
  }),
);

Deno.test(
  "create_transaction() gives the same answer to the same key, and makes one payment",
  rolledBack(database, async (sql) => {
    const driver = await openWallet(sql);

    const first = await create(sql, { to: driver, key: "fare-1" });
    const second = await create(sql, { to: driver, key: "fare-1" });

    assertEquals(second, first);
    assertEquals(await transactionsOf(sql), 1);
  }),
);

Deno.test(
  "create_transaction() knows a key for good, long after its stored answer has gone",
  rolledBack(database, async (sql) => {
    const driver = await openWallet(sql);
    const first = await create(sql, { to: driver, key: "fare-1" });
    await sql`delete from public.idempotency_keys`;

    const again = await create(sql, { to: driver, key: "fare-1" });
    await sql`delete from public.idempotency_keys`;
    const other = await refusalOf(sql, (sql) => create(sql, { to: driver, key: "fare-1", amount: 2_000 }));

    assertEquals(again.id, first.id);
    assertEquals(other, "idempotency_key_reused");
    assertEquals(await transactionsOf(sql), 1);
  }),
);

Deno.test(
  "create_transaction() sets a payout aside, and frees it when it is cancelled",
  rolledBack(database, async (sql) => {
    const driver = await openOwnWallet(sql, 5_000);

    const payout = await createAs(sql, driver.userId, { type: "payout", phone: "+250788000001" });
    const held = await standingOf(sql, driver.accountId);
    await sql`select public.cancel_transaction(${payout.id})`;

    assertEquals(held, [5_000, 1_000, 4_000]);
    assertEquals(await standingOf(sql, driver.accountId), [5_000, 0, 5_000]);
  }),
);

Deno.test(
  "record_payment_signal() credits the payee once, however often success is told",
  rolledBack(database, async (sql) => {
    const driver = await openWallet(sql);
    const payment = await create(sql, { to: driver });

    const outcomes = [];
    for (let time = 0; time < 3; time++) outcomes.push((await signal(sql, payment.id)).outcome);

    assertEquals(outcomes, ["applied", "unchanged", "unchanged"]);
    assertEquals((await standingOf(sql, driver))[0], 1_000);
    assertEquals(await pathOf(sql, payment.id), ["pending", "succeeded"]);
  }),
);

Deno.test(
  "start_payment_attempt() lets one begin, and the next take over when the lease has run out",
  rolledBack(database, async (sql) => {
    const payment = await create(sql, { to: await openWallet(sql) });

    const first = await start(sql, payment.id);
    const meanwhile = await refusalOf(sql, (sql) => start(sql, payment.id));
    await sql`update public.payment_attempts set leased_until = now() - interval '1 second'`;
    const second = await start(sql, payment.id);
    await signal(sql, payment.id, { status: "processing" });
    const third = await start(sql, payment.id);

    assertEquals(meanwhile, "idempotency_key_in_use");
    assertEquals(second.attempt!.id, first.attempt!.id);
    assertEquals([first.lease_token, second.lease_token], [1, 2]);
    assertEquals(third.answer!.status, "processing");
  }),
);
