import { type Driver, enlist, newPhone, places, rpc, type Stage, untilRow } from "./stage.ts";
import { OUR_NUMBER, type Phone, type Received } from "./phone.ts";

/** What the story leaves behind, for whoever wants to check it. */
export interface Told {
  tripId: string;
  /** What ties all of it together: of the delivery with which the passenger ordered. */
  correlationId: string;
  winner: "whatsapp" | "app";
  /** What the driver who was slower was told. */
  loserWasRefused: boolean;
  /** How the payment stood when the trip had ended. */
  paymentAtEnd: string;
  receipt: string;
}

/** One ride from the greeting to the receipt. */
export async function tellStory(stage: Stage): Promise<Told> {
  const { sql, tell } = stage;
  const { pickup, dropoff } = places();
  await steer(stage);
  const plates = [1, 2].map(() => `R${crypto.randomUUID().slice(0, 6).toUpperCase()}`);
  const first = await enlist(stage, "Jean-Paul", plates[0]!, pickup);
  const second = await enlist(stage, "Diane", plates[1]!, pickup);
  await first.phone.write("Muraho");
  await first.phone.hear();
  tell("1. two moto drivers are online: Jean-Paul works on WhatsApp, Diane in our app");

  const passenger = newPhone(stage, "Aline");
  await order(stage, passenger, pickup, dropoff);
  const trip = await untilRow("there is a trip", () =>
    sql`
      select trip.id, trip.correlation_id from public.trips as trip
      join public.profiles as rider on rider.id = trip.rider_id
      where rider.phone = ${`+${passenger.number}`}`);
  const tripId = trip.id as string;

  const { winner, loserWasRefused } = await race(stage, tripId, first, second);
  const paymentAtEnd = await drive(stage, tripId, winner === "app" ? second : first);
  await stage.letPay?.();
  const { body: receipt } = await passenger.hear(({ body }) => body.includes(RECEIPT_FOOTER));
  tell(`8. the provider's late callback has come; the receipt on WhatsApp says: ${receipt.replaceAll("\n", " / ")}`);
  for (const { app } of [first, second]) await rpc(app, "set_driver_online", { is_online: false });
  return { tripId, correlationId: trip.correlation_id as string, winner, loserWasRefused, paymentAtEnd, receipt };
}

/** What configuration puts under a receipt, where the flag is on. */
export const RECEIPT_FOOTER = "Murakoze kugendana na EasyMO!";

/** Sets what the story is steered by: a configuration value, and a flag that lets it be used. */
async function steer({ sql, tell }: Stage): Promise<void> {
  await sql`select public.set_conversation_number(${OUR_NUMBER}, true)`;
  await sql`select public.set_config('trips', 'receipt_footer', to_jsonb(${RECEIPT_FOOTER}::text), is_public => true)`;
  await sql`
    select public.create_feature_flag('trips.receipt_footer', description => 'A line under receipts')
    where not exists (select from public.feature_flags where flag_key = 'trips.receipt_footer')`;
  await sql`
    select public.set_feature_flag_rules('trips.receipt_footer', environment, '[]', 'on', 'off'),
      public.set_feature_flag_enabled('trips.receipt_footer', environment, true)
    from public.flag_environments where is_default`;
  tell("0. the flag trips.receipt_footer is on and the configuration trips/receipt_footer says what stands there");
}

async function order(
  { tell }: Stage,
  passenger: Phone,
  pickup: [number, number],
  dropoff: [number, number],
): Promise<void> {
  const offers = (action: string) => ({ choices }: Received) => choices.some(({ id }) => id.startsWith(`${action}|`));
  await passenger.write("Muraho");
  const menu = await passenger.hear(offers("ride"));
  tell(`2. ${passenger.name} (+${passenger.number}) writes "Muraho" and gets the menu`);
  await passenger.tap(menu, "ride");
  await passenger.tap(await passenger.hear(offers("vehicle")), "vehicle", "moto");
  await passenger.hear();
  await passenger.share(...pickup, "Huye");
  const nearby = await passenger.hear();
  tell(`3. she picks a moto and shares her location: ${nearby.body.split("\n")[0]}`);
  await passenger.share(...dropoff, "Tumba");
  const quote = await passenger.hear(offers("pay"));
  tell(`4. she says where to: ${quote.body.replaceAll("\n", " / ")}`);
  await passenger.tap(quote, "pay", "mtn_momo");
}

/** Both drivers accept at the same moment, each in their own way. */
async function race({ sql, tell }: Stage, tripId: string, first: Driver, second: Driver) {
  const isOffer = ({ choices }: Received) => choices.some(({ id }) => id.includes(`${tripId}:accept`));
  const offer = await first.phone.hear(isOffer);
  tell("5. both drivers are offered the trip");
  const [, answer] = await Promise.all([
    first.phone.tap(offer, "move", ":accept"),
    second.app.rpc("accept_trip", { trip_id: tripId }),
  ]);
  const reply = await first.phone.hear(({ choices }) => !choices.some(({ id }) => id.includes(":accept")));
  const [trip] = await sql`select driver_id from public.trips where id = ${tripId}`;
  const winner = trip!.driver_id === second.id ? "app" as const : "whatsapp" as const;
  const loserWasRefused = winner === "app"
    ? !reply.choices.some(({ id }) => id.includes(`${tripId}:arrive`))
    : answer.error !== null;
  tell(`6. both accept at once: ${winner === "app" ? "Diane in the app" : "Jean-Paul on WhatsApp"} was faster`);
  return { winner, loserWasRefused };
}

/** The ride itself; how its payment stands when it has ended. */
async function drive({ sql, tell }: Stage, trip_id: string, { app }: Driver): Promise<string> {
  for (const move of ["arrive_trip", "start_trip", "complete_trip"]) await rpc(app, move, { trip_id });
  const trip = await untilRow("the fare is asked for", () =>
    sql`
      select status, payment_status, fare_amount from public.trips
      where id = ${trip_id} and payment_status <> 'due'`);
  tell(
    `7. the trip is driven and over; MTN MoMo was asked for ${trip.fare_amount} francs and is ${trip.payment_status}`,
  );
  return `${trip.status} ${trip.payment_status}`;
}
