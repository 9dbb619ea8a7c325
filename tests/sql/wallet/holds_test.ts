import { assertEquals } from "@std/assert";
import { connect } from "../../../scripts/stack/connection.ts";
import { createTestDatabase, rolledBack } from "../../support/database.ts";
import { untilSomebodyWaits } from "../foundation/waiting.ts";
import {
  balanceOf,
  capture,
  driftOf,
  hold,
  openWallet,
  platformAccount,
  refusalOf,
  standingOf,
  transfer,
} from "./wallets.ts";

const database = await createTestDatabase();

Deno.test(
  "wallet_hold() sets money aside: it stays, and is no longer available",
  rolledBack(database, async (sql) => {
    const [rider, driver] = [await openWallet(sql, { balance: 1_000 }), await openWallet(sql)];

    await hold(sql, rider, 700);

    assertEquals(await standingOf(sql, rider), [1_000, 700, 300]);
    assertEquals((await transfer(sql, rider, driver, 301)).code, "insufficient_funds");
    assertEquals((await hold(sql, rider, 301)).code, "insufficient_funds");
    assertEquals((await transfer(sql, rider, driver, 300)).balance, 700);
    assertEquals(await driftOf(sql), []);
  }),
);

Deno.test(
  "wallet_hold() holds once, however often it is called",
  rolledBack(database, async (sql) => {
    const rider = await openWallet(sql, { balance: 1_000 });

    const first = await hold(sql, rider, 700, { key: "ride-1" });
    const second = await hold(sql, rider, 700, { key: "ride-1" });
    await sql`delete from public.idempotency_keys`;
    const later = await hold(sql, rider, 700, { key: "ride-1" });

    assertEquals([second.id, later.id], [first.id, first.id]);
    assertEquals((await standingOf(sql, rider))[1], 700);
  }),
);

Deno.test(
  "wallet_capture() pays all that is held",
  rolledBack(database, async (sql) => {
    const [rider, driver] = [await openWallet(sql, { balance: 1_000 }), await openWallet(sql)];
    const { id } = await hold(sql, rider, 700, { to: driver });

    const answer = await capture(sql, id!);

    assertEquals([answer.amount, answer.balance], [-700, 300]);
    assertEquals(await standingOf(sql, rider), [300, 0, 300]);
    assertEquals(await balanceOf(sql, driver), 700);
    assertEquals(await driftOf(sql), []);
  }),
);

Deno.test(
  "wallet_capture() of a part lets the rest go, and ends the hold",
  rolledBack(database, async (sql) => {
    const [rider, driver] = [await openWallet(sql, { balance: 1_000 }), await openWallet(sql)];
    const { id } = await hold(sql, rider, 700, { to: driver });

    await capture(sql, id!, { amount: 500 });

    assertEquals(await standingOf(sql, rider), [500, 0, 500]);
    assertEquals((await capture(sql, id!, { amount: 200 })).code, "wallet_hold_ended");
    assertEquals(await refusalOf(sql, (sql) => sql`select public.wallet_release(${id!})`), "wallet_hold_ended");
    assertEquals(await driftOf(sql), []);
  }),
);

Deno.test(
  "wallet_capture() takes no more than was held, from the account that it was held on",
  rolledBack(database, async (sql) => {
    const [rider, driver] = [await openWallet(sql, { balance: 1_000 }), await openWallet(sql)];
    const { id } = await hold(sql, rider, 700);

    assertEquals((await capture(sql, id!, { amount: 701, to: driver })).code, "wallet_hold_exceeded");
    assertEquals((await capture(sql, id!)).code, "invalid_argument");
    assertEquals((await capture(sql, id!, { to: rider })).code, "invalid_argument");
    assertEquals((await capture(sql, crypto.randomUUID())).code, "wallet_hold_not_found");
    assertEquals((await capture(sql, id!, { to: driver })).amount, -700);
  }),
);

Deno.test(
  "wallet_capture() pays once, however often it is called",
  rolledBack(database, async (sql) => {
    const [rider, driver] = [await openWallet(sql, { balance: 1_000 }), await openWallet(sql)];
    const { id } = await hold(sql, rider, 700, { to: driver });

    const first = await capture(sql, id!, { key: "ride-1" });
    await sql`delete from public.idempotency_keys`;

    assertEquals(await capture(sql, id!, { key: "ride-1" }), first);
    assertEquals(await balanceOf(sql, driver), 700);
  }),
);

Deno.test(
  "wallet_capture() takes the fee of payments from the receiver",
  rolledBack(database, async (sql) => {
    const [rider, driver] = [await openWallet(sql, { balance: 1_000 }), await openWallet(sql)];
    await sql`select public.set_wallet_fee('payment', 'RWF', 'receiver', 150)`;
    const { id } = await hold(sql, rider, 700, { to: driver });

    await capture(sql, id!);

    assertEquals(await standingOf(sql, rider), [300, 0, 300]);
    assertEquals([await balanceOf(sql, driver), await balanceOf(sql, await platformAccount(sql, "fees"))], [689, 11]);
  }),
);

Deno.test(
  "wallet_release() makes it available again, once and for all",
  rolledBack(database, async (sql) => {
    const [rider, driver] = [await openWallet(sql, { balance: 1_000 }), await openWallet(sql)];
    const { id } = await hold(sql, rider, 700, { to: driver });

    for (let time = 0; time < 2; time++) {
      const [row] = await sql`select public.wallet_release(${id!}) ->> 'status' as status`;
      assertEquals(row!.status, "released");
    }

    assertEquals(await standingOf(sql, rider), [1_000, 0, 1_000]);
    assertEquals((await capture(sql, id!)).code, "wallet_hold_ended");
    assertEquals(await driftOf(sql), []);
  }),
);

Deno.test(
  "a hold that is over can no longer be captured, and counts no longer, before anything has swept it",
  rolledBack(database, async (sql) => {
    const [rider, driver] = [await openWallet(sql, { balance: 1_000 }), await openWallet(sql)];
    const { id } = await heldLongAgo(sql, rider, 700, driver);

    assertEquals(await standingOf(sql, rider), [1_000, 0, 1_000]);
    assertEquals((await capture(sql, id)).code, "wallet_hold_ended");
    assertEquals((await transfer(sql, rider, driver, 1_000)).balance, 0);
    assertEquals(await statusOf(sql, id), "expired");
    assertEquals(await driftOf(sql), []);
  }),
);

Deno.test("whoever waits while another lets go a hold that was over is not refused for it", async () => {
  const [one, two] = [connect(database.url), connect(database.url)];
  const [rider, driver] = [await openWallet(one, { balance: 1_000 }), await openWallet(one)];
  await heldLongAgo(one, rider, 900, driver);

  const gate = await two.reserve();
  await gate`begin`;
  const first = await transfer(gate, rider, driver, 400);
  const second = transfer(one, rider, driver, 400);
  await untilSomebodyWaits(database.sql);
  await gate`commit`;
  gate.release();

  assertEquals([first.code, (await second).code], [undefined, undefined]);
  assertEquals(await standingOf(one, rider), [200, 0, 200]);
  assertEquals(await driftOf(one), []);
  await Promise.all([one.end(), two.end()]);
});

Deno.test(
  "wallet_capture() of a hold that has ended says so, whatever else would refuse it",
  rolledBack(database, async (sql) => {
    const [rider, driver] = [await openWallet(sql, { balance: 1_000 }), await openWallet(sql)];
    const { id } = await hold(sql, rider, 700, { to: driver });
    await sql`select public.wallet_release(${id!})`;
    await transfer(sql, rider, driver, 1_000);

    assertEquals((await capture(sql, id!)).code, "wallet_hold_ended");
  }),
);

Deno.test(
  "a withdrawal that was held is booked although the account was frozen since: the money has left",
  rolledBack(database, async (sql) => {
    const [rider, payouts] = [await openWallet(sql, { balance: 1_000 }), await platformAccount(sql, "payouts:test")];
    const { id } = await hold(sql, rider, 700);
    await sql`select public.set_wallet_status(${rider}, 'frozen', 'lost phone')`;

    const captured = (kind: string) =>
      sql`select private.capture_wallet_hold(
        ${id!}, array[(${payouts}, 700, null)::private.wallet_leg], ${kind}, 'test', 'payout-1', '{}')`;

    assertEquals(await refusalOf(sql, () => captured("payment")), "wallet_account_frozen");
    await captured("withdrawal");
    assertEquals(await standingOf(sql, rider), [300, 0, 300]);
    assertEquals(await driftOf(sql), []);
  }),
);

Deno.test(
  "expire_wallet_holds() lets go what is over, and no more",
  rolledBack(database, async (sql) => {
    const [rider, driver] = [await openWallet(sql, { balance: 1_000 }), await openWallet(sql, { balance: 1_000 })];
    const over = [await heldLongAgo(sql, rider, 100, driver), await heldLongAgo(sql, driver, 100, rider)];
    const { id } = await hold(sql, rider, 200);

    const [row] = await sql`select private.expire_wallet_holds()::int as count`;

    assertEquals(row!.count, 2);
    assertEquals([await statusOf(sql, over[0]!.id), await statusOf(sql, over[1]!.id)], ["expired", "expired"]);
    assertEquals(await statusOf(sql, id!), "held");
    assertEquals(await standingOf(sql, rider), [1_000, 200, 800]);
    assertEquals(await driftOf(sql), []);
  }),
);

Deno.test(
  "what is held on an account of ours that cannot be overdrawn is refused",
  rolledBack(database, async (sql) => {
    const settlement = await platformAccount(sql, "settlement:test");

    assertEquals((await hold(sql, settlement, 10)).code, "invalid_argument");
  }),
);

Deno.test(
  "a hold changes once, when it ends, whoever tries",
  rolledBack(database, async (sql) => {
    const rider = await openWallet(sql, { balance: 1_000 });
    const { id } = await hold(sql, rider, 700);

    assertEquals(
      await refusalOf(sql, (sql) => sql`update public.wallet_holds set amount = 800 where id = ${id!}`),
      "42501",
    );
    assertEquals(await refusalOf(sql, (sql) => sql`delete from public.wallet_holds`), "42501");
    await sql`select public.wallet_release(${id!})`;
    assertEquals(
      await refusalOf(sql, (sql) => sql`update public.wallet_holds set status = 'held', ended_at = null`),
      "42501",
    );
  }),
);

/** A hold whose time was over an hour ago. */
async function heldLongAgo(
  sql: Parameters<typeof hold>[0],
  account: string,
  amount: number,
  to: string,
): Promise<{ id: string }> {
  const { id } = await hold(sql, account, amount, { to });
  await sql`update public.wallet_holds
    set created_at = now() - interval '2 hours', expires_at = now() - interval '1 hour' where id = ${id!}`;
  return { id: id! };
}

async function statusOf(sql: Parameters<typeof hold>[0], id: string): Promise<string> {
  const [row] = await sql`select status from public.wallet_holds where id = ${id}`;
  return row!.status;
}
