import { assertEquals, assertStringIncludes } from "@std/assert";
import { formatMoney } from "shared/money.ts";
import { TEXTS } from "shared/conversation/texts/texts.ts";
import { startFakeMomo } from "../../scripts/fakes/momo/fake_momo.ts";
import intake from "../../supabase/functions/payment-intake/index.ts";
import { bodyOf } from "../shared/conversation/dialogue.ts";
import { openDriver, tend } from "../sql/trips/trips.ts";
import { balanceOf, standingOf } from "../sql/wallet/wallets.ts";
import { type Messaging, messagingTest } from "../support/messaging.ts";
import { useSettings } from "../support/settings.ts";
import { drive, fareOf, known, order, people, RIDER } from "./ride.ts";

const { rw } = TEXTS;
const OTHER = "250788000003";

messagingTest("a ride is paid by wallet and rated, all on WhatsApp", {}, async (messaging) => {
  const { sql } = messaging;
  const { rider, person, driver, chauffeur } = await people(messaging);
  await order(rider, "wallet");
  const fare = await fareOf(sql);
  const held = await standingOf(sql, person.account);

  await drive(driver);
  const again = await rider.hear("rate");
  await rider.hearOf((reply) => bodyOf(reply).includes(rw.paid(fare.text)), "the receipt");
  await rider.tap(again, "rate", ":5");
  await rider.hearOf((reply) => bodyOf(reply) === rw.rated, "thanks");
  await rider.tap(again, "rate", ":1");
  await rider.hearOf((reply) => bodyOf(reply) === rw.refused, "one rating being enough");
  await rider.write("menu");
  await rider.tap(await rider.hear("wallet"), "wallet");
  const wallet = await rider.hearOf((reply) => bodyOf(reply).startsWith(rw.wallet("").slice(0, 5)), "the wallet");

  assertEquals(held, [100_000, fare.amount, 100_000 - fare.amount]);
  assertEquals(await standingOf(sql, person.account), [100_000 - fare.amount, 0, 100_000 - fare.amount]);
  assertEquals(await balanceOf(sql, chauffeur.account), fare.amount - Math.round(fare.amount / 10));
  assertStringIncludes(bodyOf(wallet), formatMoney(BigInt(100_000 - fare.amount), "RWF", "rw"));
  const [ended] = await sql`
    select trip.status, trip.payment_status, driver.rating_sum from public.trips as trip
    join public.drivers as driver on driver.profile_id = trip.driver_id`;
  assertEquals({ ...ended }, { status: "completed", payment_status: "paid", rating_sum: 5 });
});

messagingTest(
  "a rider cancels on WhatsApp, and the driver who was offered the trip comes too late",
  {},
  async (messaging) => {
    const { sql } = messaging;
    const { rider, person, driver } = await people(messaging);
    const requested = await order(rider, "wallet");
    const offer = await driver.hear("move", ":accept");

    await rider.tap(requested, "cancel", ":rider");
    await rider.tap(await rider.hear("cancel_because"), "cancel_because", ":changed_mind");
    await rider.hearOf((reply) => bodyOf(reply).includes(rw.tripStates.cancelled!), "the cancellation");
    await driver.tap(offer, "move", ":accept");
    await driver.hearOf((reply) => bodyOf(reply) === rw.refusals.trip_state_conflict, "being too late");

    const [trip] = await sql`select status, cancelled_by, cancel_reason, driver_id from public.trips`;
    assertEquals({ ...trip }, {
      status: "cancelled",
      cancelled_by: "rider",
      cancel_reason: "changed_mind",
      driver_id: null,
    });
    assertEquals(await standingOf(sql, person.account), [100_000, 0, 100_000]);
  },
);

messagingTest(
  "a driver gives a trip back on WhatsApp: the rider is told, and another driver takes it",
  {},
  async (messaging) => {
    const { sql } = messaging;
    const { rider, driver } = await people(messaging);
    const second = await known(messaging, await openDriver(sql), OTHER);
    await order(rider, "cash");
    await driver.tap(await driver.hear("move", ":accept"), "move", ":accept");
    await driver.tap(await driver.hear("cancel", ":driver"), "cancel", ":driver");
    await driver.tap(await driver.hear("cancel_because"), "cancel_because", ":vehicle_problem");
    await driver.hear("ride");

    await rider.hearOf((reply) => bodyOf(reply).startsWith(rw.driverLeft), "the driver's leaving");
    // Offered twice: in the first wave, and again.
    await second.hear("move", ":accept");
    await second.tap(await second.hear("move", ":accept"), "move", ":accept");
    await second.hear("move", ":arrive");

    const [trip] = await sql`
    select trip.status, profile.phone from public.trips as trip join public.profiles as profile on profile.id = trip.driver_id`;
    assertEquals({ ...trip }, { status: "accepted", phone: `+${OTHER}` });
  },
);

messagingTest(
  "a ride is paid by MoMo: asked for on the phone, and the receipt comes when the payer has agreed",
  {},
  async (messaging) => {
    const { sql } = messaging;
    await using momo = startFakeMomo({
      course: () => ({ afterMs: Infinity }),
      bring: (request) => intake.fetch(request),
    });
    payBy(messaging, momo);
    const { rider, driver, chauffeur } = await people(messaging);
    await order(rider, "mtn_momo");
    const fare = await fareOf(sql);

    await drive(driver);
    await rider.hear("rate");
    await rider.hearOf((reply) => bodyOf(reply) === rw.paymentAsked(fare.text), "the question on the phone");
    await untilAsked(messaging, momo);
    momo.books.decide();
    await momo.callbacks.deliver();
    await rider.hearOf((reply) => bodyOf(reply).includes(rw.paid(fare.text)), "the receipt");

    assertEquals(momo.books.entries.size, 1);
    assertEquals([...momo.books.entries.values()].map(({ party, amount }) => [party, amount]), [[
      RIDER,
      String(fare.amount),
    ]]);
    assertEquals(await balanceOf(sql, chauffeur.account), fare.amount - Math.round(fare.amount / 10));
  },
);

messagingTest("a rider who refuses to pay by MoMo pays by wallet, all on WhatsApp", {}, async (messaging) => {
  const { sql } = messaging;
  await using momo = startFakeMomo({
    course: () => ({ reason: "APPROVAL_REJECTED" }),
    bring: (request) => intake.fetch(request),
  });
  payBy(messaging, momo);
  const { rider, person, driver, chauffeur } = await people(messaging);
  await order(rider, "mtn_momo");
  const fare = await fareOf(sql);
  await drive(driver);
  await rider.hear("rate");
  await untilAsked(messaging, momo);
  await momo.callbacks.deliver();

  const failed = await rider.hear("pay_again", ":wallet");
  await rider.tap(failed, "pay_again", ":wallet");
  await rider.hearOf((reply) => bodyOf(reply).includes(rw.paid(fare.text)), "the receipt");
  await rider.tap(failed, "pay_again", ":mtn_momo");
  await rider.hearOf((reply) => bodyOf(reply) === rw.refusals.trip_state_conflict, "its being paid already");

  assertEquals(bodyOf(failed), rw.paymentFailed);
  assertEquals(await balanceOf(sql, person.account), 100_000 - fare.amount);
  assertEquals(await balanceOf(sql, chauffeur.account), fare.amount - Math.round(fare.amount / 10));
});

/** Lets the schedule and the worker ask MTN for the fare. */
async function untilAsked(messaging: Messaging, momo: ReturnType<typeof startFakeMomo>): Promise<void> {
  await messaging.workUntil(async () => {
    await tend(messaging.sql);
    await messaging.work("?sources=payments");
    return momo.books.entries.size === 1;
  });
}

/** Lets the worker and the intake reach this MTN. */
function payBy({ settings, graph }: Messaging, momo: ReturnType<typeof startFakeMomo>): void {
  useSettings({
    ...settings,
    ...momo.settings,
    MTN_MOMO_CALLBACK_URL: "http://127.0.0.1/payment-intake/webhooks/mtn-momo",
    OUTBOUND_ALLOWED_HOSTS: `${graph.host},${momo.host}`,
  });
}
