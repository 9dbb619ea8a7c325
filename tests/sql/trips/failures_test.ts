import { assertEquals, assertMatch } from "@std/assert";
import type { TransactionSql } from "postgres";
import { createTestDatabase, rolledBack } from "../../support/database.ts";
import { standingOf } from "../wallet/wallets.ts";
import { cancel, eventsOf, get, openRider, pass, request, tend } from "./trips.ts";

const database = await createTestDatabase();

Deno.test(
  "a trip whose step raises neither undoes nor holds up the others, and is shown with its error",
  rolledBack(database, async (sql) => {
    const [rider, other] = [await openRider(sql), await openRider(sql)];
    const broken = await request(sql, rider.id);
    const whole = await request(sql, other.id);
    for (const { id } of [broken, whole]) await pass(sql, id, "10 minutes");
    await breakEndOf(sql, broken.id);

    const [done] = await sql`select private.tend_trips() as count`;

    assertEquals(done!.count, 1);
    assertEquals([(await get(sql, broken.id)).status, (await get(sql, whole.id)).status], ["requested", "expired"]);
    assertEquals((await standingOf(sql, rider.account))[1], broken.fare_amount);
    const [stuck] = await sql`select trip_id, failed_work, error, failure_count from public.stuck_trips`;
    assertEquals([stuck!.trip_id, stuck!.failed_work, stuck!.failure_count], [broken.id, "tend", 1]);
    assertMatch(stuck!.error, /^23514 /);
  }),
);

Deno.test(
  "a trip that goes on failing is tried later each time, behind those whose turn it is, until it succeeds",
  rolledBack(database, async (sql) => {
    const broken = await request(sql, (await openRider(sql)).id);
    await pass(sql, broken.id, "10 minutes");
    await breakEndOf(sql, broken.id);

    const waits = [];
    for (let failure = 0; failure < 9; failure++) {
      await sql`update public.trips set next_action_at = now() where id = ${broken.id}`;
      await tend(sql);
      waits.push(await secondsToNext(sql, broken.id));
    }
    const waiting = await sql`select private.tend_trips() as count`;
    await sql`drop trigger break_end on public.trips`;
    await sql`update public.trips set next_action_at = now() where id = ${broken.id}`;
    await tend(sql);

    // Half to all of 2, 4, 8 ... seconds, and of five minutes at most.
    assertEquals(waits.map((seconds, at) => isWithin(seconds, Math.min(2 ** (at + 1), 300))), waits.map(() => true));
    assertEquals(waiting[0]!.count, 0);
    assertEquals((await get(sql, broken.id)).status, "expired");
    assertEquals((await eventsOf(sql, broken.id)).filter((type) => type === "trip.expired").length, 1);
    assertEquals((await sql`select from public.trip_failures`).length, 0);
  }),
);

Deno.test(
  "a failing trip that somebody moves by hand is stuck no more",
  rolledBack(database, async (sql) => {
    const broken = await request(sql, (await openRider(sql)).id);
    await pass(sql, broken.id, "10 minutes");
    await breakEndOf(sql, broken.id);
    await tend(sql);

    await sql`drop trigger break_end on public.trips`;
    await cancel(sql, broken.id, "other");

    assertEquals((await sql`select from public.stuck_trips`).length, 0);
  }),
);

Deno.test(
  "a series that cannot go on neither undoes nor holds up the others, and goes on when it can",
  rolledBack(database, async (sql) => {
    const at = new Date(Date.now() + 60_000);
    const broken = await request(sql, (await openRider(sql)).id, { at, recurrence: "daily" });
    await request(sql, (await openRider(sql)).id, { at, recurrence: "daily" });
    await sql`update public.trip_series set next_at = next_at - interval '10 minutes'`;
    await sql`update public.trips set vehicle_type = 'car' where id = ${broken.id}`;
    await sql`alter table public.trips add constraint no_cars check (vehicle_type <> 'car' or series_id is null) not valid`;
    const made = async () => (await sql`select private.make_recurring_trips() as count`)[0]!.count;

    const counts = [await made(), await made()];
    const [stuck] = await sql`select trip_id, failed_work, failure_count from public.stuck_trips`;
    await sql`alter table public.trips drop constraint no_cars`;
    await sql`update public.trip_failures set retry_at = now()`;
    counts.push(await made());

    assertEquals(counts, [1, 0, 1]);
    assertEquals({ ...stuck }, { trip_id: broken.id, failed_work: "repeat", failure_count: 1 });
    assertEquals((await sql`select from public.stuck_trips`).length, 0);
  }),
);

/** Lets every end of that trip fail, as a fault of ours would. */
async function breakEndOf(sql: TransactionSql, trip: string): Promise<void> {
  await sql.unsafe(`
    create function pg_temp.break_end() returns trigger language plpgsql as $$
    begin
      raise check_violation;
    end $$;
    create trigger break_end before update on public.trips for each row
    when (new.id = '${trip}' and new.ended_at is not null) execute function pg_temp.break_end()`);
}

async function secondsToNext(sql: TransactionSql, trip: string): Promise<number> {
  const [row] = await sql`
    select extract(epoch from next_action_at - now())::float8 as seconds from public.trips where id = ${trip}`;
  return row!.seconds;
}

function isWithin(seconds: number, most: number): boolean {
  return seconds >= most / 2 && seconds <= most;
}
