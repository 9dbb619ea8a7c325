import { assertEquals } from "@std/assert";
import type { TransactionSql } from "postgres";
import { createTestDatabase, rolledBack } from "../../support/database.ts";
import { driven, openDriver, openRider } from "../trips/trips.ts";

const database = await createTestDatabase();
const test = (name: string, body: Parameters<typeof rolledBack>[1]) => Deno.test(name, rolledBack(database, body));

test("count_trip_events() counts each event once, however often it is handed over", async (sql) => {
  await driven(sql, await openRider(sql), await openDriver(sql), "complete");

  for (let times = 0; times < 3; times++) await countAll(sql);

  const counted = await sql`
    select event_name, count(*)::int from public.analytics_events where event_category = 'trip' group by 1 order by 1`;
  assertEquals(counted.map(({ event_name, count }) => [event_name, count]), [
    ["trip.completed", 1],
    ["trip.paid", 1],
    ["trip.requested", 1],
  ]);
});

test("count_trip_events() tells the rider and the fare, and no places", async (sql) => {
  const rider = await openRider(sql);
  const trip = await driven(sql, rider, await openDriver(sql), "complete");

  await countAll(sql);

  const [row] = await sql`
    select user_id, properties from public.analytics_events where event_name = 'trip.completed'`;
  assertEquals(row!.user_id, rider.id);
  assertEquals(row!.properties, {
    trip_id: trip.id,
    vehicle_type: "moto",
    payment_method: "wallet",
    fare_amount: trip.fare_amount,
    currency: "RWF",
  });
});

test("receipt_footer() gives the configured line where the flag is on, and nothing otherwise", async (sql) => {
  const { id } = await openRider(sql);
  const footer = async () => (await sql`select private.receipt_footer(${id}) as footer`)[0]!.footer;

  const seen = [await footer()];
  await configure(sql, "Murakoze!");
  seen.push(await footer());
  await switchFlag(sql, false);
  seen.push(await footer());
  await switchFlag(sql, true);
  seen.push(await footer());

  assertEquals(seen, [null, null, null, "Murakoze!"]);
});

test("receipt_footer() is nothing where the flag is on and no line is configured", async (sql) => {
  const { id } = await openRider(sql);
  await switchFlag(sql, true);

  const [row] = await sql`select private.receipt_footer(${id}) as footer`;

  assertEquals(row!.footer, null);
});

test("receipt_footer() is nothing where the line is not public", async (sql) => {
  const { id } = await openRider(sql);
  await sql`select public.set_config('trips', 'receipt_footer', '"Murakoze!"')`;
  await switchFlag(sql, true);

  const [row] = await sql`select private.receipt_footer(${id}) as footer`;

  assertEquals(row!.footer, null);
});

/** Hands over all that has happened to trips, as the subscription does. */
async function countAll(sql: TransactionSql): Promise<void> {
  await sql`
    select private.count_trip_events(array(
      select event from public.event_store as event
      where event.event_type in ('trip.requested', 'trip.completed', 'trip.paid') order by event.version
    ))`;
}

async function configure(sql: TransactionSql, footer: string): Promise<void> {
  await sql`select public.set_config('trips', 'receipt_footer', to_jsonb(${footer}::text), is_public => true)`;
}

async function switchFlag(sql: TransactionSql, isOn: boolean): Promise<void> {
  await sql`
    select public.create_feature_flag('trips.receipt_footer', description => 'A line under receipts')
    where not exists (select from public.feature_flags where flag_key = 'trips.receipt_footer')`;
  await sql`
    select public.set_feature_flag_rules('trips.receipt_footer', environment, '[]', 'on', 'off'),
      public.set_feature_flag_enabled('trips.receipt_footer', environment, ${isOn})
    from public.flag_environments where is_default`;
}
