import { assertEquals } from "@std/assert";
import { createTestDatabase, rolledBack } from "../../support/database.ts";
import { balanceOf, driftOf, platformAccount, refusalOf, standingOf } from "../wallet/wallets.ts";
import { cancel, driven, eventsOf, get, move, openDriver, openRider, pass, request, tend } from "./trips.ts";

const database = await createTestDatabase();

Deno.test(
  "request_trip() sets the quoted fare aside and offers the trip to the driver nearby",
  rolledBack(database, async (sql) => {
    const rider = await openRider(sql);
    const driver = await openDriver(sql);

    const trip = await request(sql, rider.id);

    assertEquals(trip.status, "offered");
    assertEquals(await standingOf(sql, rider.account), [100_000, trip.fare_amount, 100_000 - trip.fare_amount]);
    const offers = await sql`select public.list_trip_offers(${driver.id}) ->> 'trip_id' as id`;
    assertEquals(offers.map(({ id }) => id), [trip.id]);
    assertEquals(await eventsOf(sql, trip.id), ["trip.requested", "trip.offered"]);
  }),
);

Deno.test(
  "request_trip() with the same key is the same trip",
  rolledBack(database, async (sql) => {
    const rider = await openRider(sql);

    const first = await request(sql, rider.id, { key: "again" });
    const second = await request(sql, rider.id, { key: "again" });

    assertEquals(second.id, first.id);
    const [row] = await sql`select count(*)::int as count from public.trips where rider_id = ${rider.id}`;
    assertEquals(row!.count, 1);
  }),
);

Deno.test(
  "request_trip() without the money leaves nothing behind",
  rolledBack(database, async (sql) => {
    const rider = await openRider(sql, 10);

    const answer = await request(sql, rider.id);

    assertEquals(answer.code, "insufficient_funds");
    assertEquals((await sql`select from public.trips`).length, 0);
  }),
);

Deno.test(
  "complete_trip() pays the driver and the platform from what was held",
  rolledBack(database, async (sql) => {
    const rider = await openRider(sql);
    const driver = await openDriver(sql);
    const earned = await balanceOf(sql, await platformAccount(sql, "commission"));

    const trip = await driven(sql, rider, driver, "complete");

    const commission = Math.round(trip.fare_amount / 10);
    assertEquals([trip.status, trip.payment_status], ["completed", "paid"]);
    assertEquals(await standingOf(sql, rider.account), [100_000 - trip.fare_amount, 0, 100_000 - trip.fare_amount]);
    assertEquals(await balanceOf(sql, driver.account), trip.fare_amount - commission);
    assertEquals(await balanceOf(sql, await platformAccount(sql, "commission")), earned + commission);
    assertEquals(await driftOf(sql), []);
  }),
);

Deno.test(
  "complete_trip() after the hold has run out takes the fare from what is there",
  rolledBack(database, async (sql) => {
    const rider = await openRider(sql);
    const driver = await openDriver(sql);
    const trip = await driven(sql, rider, driver, "start");
    await sql`update public.wallet_holds set created_at = now() - interval '9 days', expires_at = now() - interval '1 day'`;
    await sql`select private.expire_wallet_holds()`;

    const ended = await move(sql, "complete", trip.id, driver.id);

    assertEquals(ended.payment_status, "paid");
    assertEquals(await standingOf(sql, rider.account), [100_000 - trip.fare_amount, 0, 100_000 - trip.fare_amount]);
  }),
);

Deno.test(
  "complete_trip() of a rider whose wallet was frozen leaves the fare failed, until pay_trip()",
  rolledBack(database, async (sql) => {
    const rider = await openRider(sql);
    const driver = await openDriver(sql);
    const trip = await driven(sql, rider, driver, "start");
    await sql`select public.set_wallet_status(${rider.account}, 'frozen', 'tried')`;

    const ended = await move(sql, "complete", trip.id, driver.id);
    await sql`select public.set_wallet_status(${rider.account}, 'open', 'tried')`;
    await sql`select public.pay_trip(${trip.id}, null, ${rider.id})`;

    assertEquals([ended.status, ended.payment_status], ["completed", "failed"]);
    assertEquals((await get(sql, trip.id)).payment_status, "paid");
    assertEquals(await standingOf(sql, rider.account), [100_000 - trip.fare_amount, 0, 100_000 - trip.fare_amount]);
  }),
);

Deno.test(
  "complete_trip() in cash takes the commission from the driver's wallet, later if it is empty",
  rolledBack(database, async (sql) => {
    const rider = await openRider(sql, 0);
    const driver = await openDriver(sql);

    const trip = await driven(sql, rider, driver, "complete", { method: "cash" });
    const [owed] = await sql`select is_commission_owed from public.trips where id = ${trip.id}`;
    const earner = await openRider(sql, 5_000);
    await sql`select public.wallet_transfer(${earner.account}, ${driver.account}, 5000, 'top-up')`;
    await pass(sql, trip.id, "2 hours");
    await tend(sql);

    assertEquals(trip.payment_status, "paid");
    assertEquals(owed!.is_commission_owed, true);
    assertEquals(await balanceOf(sql, driver.account), 5_000 - Math.round(trip.fare_amount / 10));
  }),
);

Deno.test(
  "cancel_trip() by the rider soon after acceptance gives everything back",
  rolledBack(database, async (sql) => {
    const rider = await openRider(sql);
    const trip = await driven(sql, rider, await openDriver(sql), "accept");

    const cancelled = await cancel(sql, trip.id, "changed_mind", rider.id);

    assertEquals([cancelled.status, cancelled.amount_due, cancelled.payment_status], ["cancelled", 0, "none"]);
    assertEquals(await standingOf(sql, rider.account), [100_000, 0, 100_000]);
  }),
);

Deno.test(
  "cancel_trip() by the rider late captures the fee and gives back the rest",
  rolledBack(database, async (sql) => {
    const rider = await openRider(sql);
    const driver = await openDriver(sql);
    const trip = await driven(sql, rider, driver, "accept");
    await pass(sql, trip.id, "3 minutes");

    const cancelled = await cancel(sql, trip.id, "changed_mind", rider.id);

    assertEquals([cancelled.amount_due, cancelled.payment_status], [300, "paid"]);
    assertEquals(await standingOf(sql, rider.account), [99_700, 0, 99_700]);
    assertEquals(await balanceOf(sql, driver.account), 270);
  }),
);

Deno.test(
  "cancel_trip() for a rider who did not come costs the fee only after the driver has waited",
  rolledBack(database, async (sql) => {
    const driver = await openDriver(sql);
    const soon = await driven(sql, await openRider(sql), driver, "arrive");
    const atOnce = await cancel(sql, soon.id, "rider_no_show", driver.id);
    const late = await driven(sql, await openRider(sql), driver, "arrive");
    await pass(sql, late.id, "6 minutes");

    const waited = await cancel(sql, late.id, "rider_no_show", driver.id);

    assertEquals([atOnce.amount_due, waited.amount_due], [0, 300]);
  }),
);

Deno.test(
  "cancel_trip() by somebody else finds no such trip",
  rolledBack(database, async (sql) => {
    const trip = await request(sql, (await openRider(sql)).id);
    const stranger = await openRider(sql);

    assertEquals(await refusalOf(sql, (sql) => cancel(sql, trip.id, "other", stranger.id)), "trip_not_found");
  }),
);

Deno.test(
  "accept_trip() is for who was offered it, in time, and without another trip",
  rolledBack(database, async (sql) => {
    const [driver, winner] = [await openDriver(sql), await openDriver(sql)];
    const stranger = await openDriver(sql, { isOnline: false });
    const first = await request(sql, (await openRider(sql)).id);
    const second = await request(sql, (await openRider(sql)).id);
    const third = await request(sql, (await openRider(sql)).id);
    await pass(sql, third.id, "1 minute");
    const refused = (trip: string, who: string) => refusalOf(sql, (sql) => move(sql, "accept", trip, who));

    assertEquals(await refused(first.id, stranger.id), "trip_offer_over");
    assertEquals(await refused(third.id, driver.id), "trip_offer_over");
    await move(sql, "accept", first.id, winner.id);
    assertEquals(await refused(first.id, driver.id), "trip_taken");
    assertEquals(await refused(second.id, winner.id), "driver_busy");
    assertEquals((await move(sql, "accept", first.id, winner.id)).status, "accepted");
  }),
);

Deno.test(
  "a trip that nobody takes is offered to wider waves, expires, and gives the money back",
  rolledBack(database, async (sql) => {
    const rider = await openRider(sql);
    const trip = await request(sql, rider.id);
    const far = await openDriver(sql);
    await sql`select public.report_driver_position(-1.9396, 30.09, null, null, ${far.id})`;
    assertEquals(trip.status, "requested");

    for (let wave = 0; wave < 2; wave++) {
      await pass(sql, trip.id, "6 seconds");
      await tend(sql);
    }
    const offered = await get(sql, trip.id);
    await pass(sql, trip.id, "10 minutes");
    await tend(sql);

    assertEquals(offered.status, "offered");
    assertEquals((await get(sql, trip.id)).status, "expired");
    assertEquals(await standingOf(sql, rider.account), [100_000, 0, 100_000]);
    const offers = await sql`select status from public.trip_offers where trip_id = ${trip.id}`;
    assertEquals(offers.map(({ status }) => status), ["expired"]);
  }),
);

Deno.test(
  "decline_trip() by the last who could answer sends the next wave at once",
  rolledBack(database, async (sql) => {
    const driver = await openDriver(sql);
    const trip = await request(sql, (await openRider(sql)).id);
    const other = await openDriver(sql);

    await sql`select public.decline_trip(${trip.id}, ${driver.id})`;
    await tend(sql);

    const offers = await sql`select driver_id from public.trip_offers where trip_id = ${trip.id} and status = 'open'`;
    assertEquals(offers.map(({ driver_id }) => driver_id), [other.id]);
  }),
);

Deno.test(
  "a scheduled trip is asked for ten minutes before its time, and then sets the fare aside",
  rolledBack(database, async (sql) => {
    const rider = await openRider(sql);
    const trip = await request(sql, rider.id, { at: new Date(Date.now() + 3_600_000) });
    await tend(sql);
    const before = await get(sql, trip.id);

    await pass(sql, trip.id, "55 minutes");
    await tend(sql);

    assertEquals([before.status, before.payment_status], ["scheduled", "none"]);
    assertEquals((await get(sql, trip.id)).status, "requested");
    assertEquals((await standingOf(sql, rider.account))[1], trip.fare_amount);
  }),
);

Deno.test(
  "a scheduled trip whose fare cannot be set aside is cancelled by the system",
  rolledBack(database, async (sql) => {
    const trip = await request(sql, (await openRider(sql, 0)).id, { at: new Date(Date.now() + 3_600_000) });

    await pass(sql, trip.id, "55 minutes");
    await tend(sql);

    const [row] = await sql`select status, cancelled_by, cancel_reason from public.trips where id = ${trip.id}`;
    assertEquals({ ...row }, { status: "cancelled", cancelled_by: "system", cancel_reason: "payment_failed" });
  }),
);

Deno.test(
  "a trip on weekdays comes again after the weekend, at the same hour of Kigali",
  rolledBack(database, async (sql) => {
    const [row] = await sql`
      select private.next_trip_time('2026-11-27 07:30+02', 'weekdays') = '2026-11-30 07:30+02'::timestamptz as weekdays,
        private.next_trip_time('2026-11-27 07:30+02', 'daily') = '2026-11-28 07:30+02'::timestamptz as daily`;

    assertEquals({ ...row }, { weekdays: true, daily: true });
  }),
);

Deno.test(
  "make_recurring_trips() makes each occurrence once, and none after the series has ended",
  rolledBack(database, async (sql) => {
    const rider = await openRider(sql);
    const trip = await request(sql, rider.id, { at: new Date(Date.now() + 60_000), recurrence: "daily" });
    await sql`update public.trip_series set next_at = next_at - interval '10 minutes'`;
    const made = async () => (await sql`select private.make_recurring_trips() as count`)[0]!.count;

    const counts = [await made(), await made()];
    await sql`update public.trip_series set next_at = next_at - interval '1 day'`;
    counts.push(await made());
    await sql`select public.end_trip_series(${trip.series_id}, ${rider.id})`;
    await sql`update public.trip_series set next_at = now() + interval '1 hour'`;
    counts.push(await made());

    assertEquals(counts, [1, 0, 0, 0]);
  }),
);

Deno.test(
  "rate_trip() takes one rating of each side, of completed trips only",
  rolledBack(database, async (sql) => {
    const [rider, driver] = [await openRider(sql), await openDriver(sql)];
    const trip = await driven(sql, rider, driver, "start");
    const rate = (actor: string, stars: number) =>
      refusalOf(sql, (sql) => sql`select public.rate_trip(${trip.id}, ${stars}, null, ${actor})`);

    assertEquals(await rate(rider.id, 5), "trip_state_conflict");
    await move(sql, "complete", trip.id, driver.id);
    assertEquals([await rate(rider.id, 4), await rate(driver.id, 5)], ["accepted", "accepted"]);
    assertEquals([await rate(rider.id, 1), await rate(rider.id, 6)], ["trip_rated", "invalid_argument"]);
    const [row] = await sql`select rating_count, rating_sum from public.drivers where profile_id = ${driver.id}`;
    assertEquals({ ...row }, { rating_count: 1, rating_sum: 4 });
  }),
);

Deno.test(
  "rider and driver see each other's number and place only while the trip runs",
  rolledBack(database, async (sql) => {
    const [rider, driver] = [await openRider(sql), await openDriver(sql)];
    const trip = await driven(sql, rider, driver, "accept");

    const during = [await get(sql, trip.id, rider.id), await get(sql, trip.id, driver.id)] as const;
    await move(sql, "start", trip.id, driver.id);
    await move(sql, "complete", trip.id, driver.id);
    const after = [await get(sql, trip.id, rider.id), await get(sql, trip.id, driver.id)] as const;

    assertEquals(during.map((seen) => typeof (seen.driver ?? seen.rider)!.phone), ["string", "string"]);
    assertEquals(after.map((seen) => (seen.driver ?? seen.rider)!.phone), [null, null]);
    assertEquals(during[0].driver_position !== null, true);
    assertEquals(after[0].driver_position, null);
    assertEquals([after[1].pickup.lat, after[1].pickup.label], [-1.94, null]);
  }),
);

Deno.test(
  "a trip that has been under way for too long is reported once",
  rolledBack(database, async (sql) => {
    const trip = await driven(sql, await openRider(sql), await openDriver(sql), "start");
    await pass(sql, trip.id, "7 hours");

    await tend(sql);
    await tend(sql);

    assertEquals((await eventsOf(sql, trip.id)).filter((type) => type === "trip.stuck").length, 1);
    assertEquals((await sql`select from public.stuck_trips`).length, 1);
  }),
);
