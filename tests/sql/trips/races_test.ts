import { assertEquals } from "@std/assert";
import * as fc from "fast-check";
import postgres, { type Sql } from "postgres";
import { connect } from "../../../scripts/stack/connection.ts";
import { createTestDatabase } from "../../support/database.ts";
import { assertBooksAreSound } from "../wallet/sound_books.ts";
import { cancel, type Move, move, openDriver, openRider, type Person, request, tend } from "./trips.ts";

const RACES = Number(Deno.env.get("TRIP_RACES") ?? 1_000);
const DRIVERS = 20;
const ACTIVE = "'accepted', 'arrived', 'started'";

const database = await createTestDatabase();

Deno.test(`one of ${DRIVERS} drivers wins, in each of ${RACES} races`, async () => {
  const connections = Array.from({ length: DRIVERS }, () => connect(database.url));
  const [sql] = connections as [Sql];
  try {
    const rider = await openRider(sql, 0);
    const drivers: Person[] = [];
    for (let index = 0; index < DRIVERS; index++) drivers.push(await openDriver(sql));
    await sql`update public.trip_waves set driver_count = 20 where wave = 1`;

    for (let race = 0; race < RACES; race++) {
      const trip = await request(sql, rider.id, { method: "cash" });
      const outcomes = await Promise.all(
        connections.map((sql, index) => outcomeOf(() => move(sql, "accept", trip.id, drivers[index]!.id))),
      );
      assertEquals(outcomes.toSorted(), ["accepted", ...Array(DRIVERS - 1).fill("trip_taken")]);
      const winner = drivers[outcomes.indexOf("accepted")]!.id;
      const [row] = await sql`
        select trip.driver_id, count(offer.*) filter (where offer.status = 'accepted')::int as accepted
        from public.trips as trip join public.trip_offers as offer on offer.trip_id = trip.id
        where trip.id = ${trip.id} group by trip.id`;
      assertEquals({ ...row }, { driver_id: winner, accepted: 1 });
      await cancel(sql, trip.id, "other");
    }
  } finally {
    await Promise.all(connections.map((sql) => sql.end()));
  }
});

const step = fc.record({
  verb: fc.constantFrom("request", "accept", "accept", "arrive", "start", "complete", "cancel", "expire", "tend"),
  trip: fc.nat(),
  who: fc.nat(),
  lane: fc.nat({ max: 7 }),
});

Deno.test("whatever 8 connections do to trips at once, no hold is lost, no driver has two, and the books are sound", async () => {
  const connections = Array.from({ length: 8 }, () => connect(database.url));
  const [sql] = connections as [Sql];
  try {
    const riders = [await openRider(sql), await openRider(sql)];
    const drivers = [await openDriver(sql), await openDriver(sql), await openDriver(sql)];
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 20, maxLength: 80 }), async (steps) => {
        const trips: string[] = [(await request(sql, riders[0]!.id)).id];
        await Promise.all(connections.map(async (sql, lane) => {
          for (const { verb, trip: pick, who } of steps.filter((step) => step.lane === lane)) {
            const trip = trips[pick % trips.length]!;
            const driver = drivers[who % drivers.length]!.id;
            await outcomeOf(async () => {
              if (verb === "request") return trips.push(...await requested(sql, riders[who % 2]!));
              if (verb === "tend") return await tend(sql);
              if (verb === "expire") return await hurry(sql, trip);
              if (verb !== "cancel") return await move(sql, verb as Move, trip, driver);
              const [row] = await sql`select rider_id from public.trips where id = ${trip}`;
              return await cancel(sql, trip, "changed_mind", who % 2 ? driver : row!.rider_id);
            });
            const doubled = await sql`
              select driver_id from public.trips where status in (${
              sql.unsafe(ACTIVE)
            }) group by driver_id having count(*) > 1`;
            assertEquals(doubled.length, 0);
          }
        }));

        await assertNoHoldIsLost(sql);
        for (const { id } of await sql`select id from public.trips where ended_at is null`) {
          await outcomeOf(() => cancel(sql, id, "other"));
        }
        const [held] = await sql`select count(*)::int as open from public.wallet_holds where status = 'held'`;
        assertEquals(held!.open, 0);
        await assertBooksAreSound(sql, [...riders, ...drivers].map(({ account }) => account));
      }),
      { numRuns: 12, endOnFailure: true },
    );
  } finally {
    await Promise.all(connections.map((sql) => sql.end()));
  }
});

Deno.test("a connection that is killed within a move leaves it done or not begun", async () => {
  const sql = connect(database.url);
  const rider = await openRider(sql);
  const driver = await openDriver(sql);
  try {
    for (const verb of ["accept", "arrive", "start", "complete"] as const) {
      const trip = await sql`select id from public.trips where rider_id = ${rider.id} limit 1`
        .then(async ([row]) => row?.id ?? (await request(sql, rider.id)).id);
      if (verb === "accept") await sql`select public.offer_trip(${trip}, ${[driver.id]}::uuid[])`;
      const victim = postgres(database.url, { max: 1, onnotice: () => {} });
      await victim.begin(async (victimSql) => {
        await victimSql`select ${victimSql(`public.${verb}_trip`)}(trip_id => ${trip}, driver_id => ${driver.id})`;
        const [{ pid }] = await victimSql`select pg_backend_pid() as pid` as unknown as [{ pid: number }];
        await sql`select pg_terminate_backend(${pid}, 5000)`;
        await victimSql`select 1`;
      }).catch(() => {});
      await victim.end();
      await assertNoHoldIsLost(sql);
      await move(sql, verb, trip, driver.id);
    }
    await assertBooksAreSound(sql, [rider.account, driver.account]);
  } finally {
    await sql.end();
  }
});

/** The id of a new trip; none where the rider has too many. */
async function requested(sql: Sql, rider: Person): Promise<string[]> {
  const { id, code } = await request(sql, rider.id);
  return code === "too_many_trips" ? [] : [id];
}

/** Money is set aside for exactly the trips that say so. */
async function assertNoHoldIsLost(sql: Sql): Promise<void> {
  const lost = await sql`
    select hold.id from public.wallet_holds as hold
    full join (select * from public.trips where payment_status = 'held') as trip on trip.hold_id = hold.id
    where (hold.status = 'held') is distinct from (trip.id is not null) and (hold.source = 'trip' or hold.id is null)`;
  assertEquals([...lost], []);
}

/** The trip's time is over, or its late fee due. */
async function hurry(sql: Sql, trip: string): Promise<void> {
  await sql`
    update public.trips set next_action_at = now(), expires_at = least(expires_at, now()), accepted_at = accepted_at - interval '3 minutes'
    where id = ${trip} and ended_at is null`;
}

/** `accepted`, or the code of the refusal; any other failure fails the test. */
async function outcomeOf(work: () => Promise<unknown>): Promise<string> {
  try {
    await work();
    return "accepted";
  } catch (error) {
    const message = (error as Error).message;
    if (!message.startsWith("{")) throw error;
    return JSON.parse(message).code;
  }
}
