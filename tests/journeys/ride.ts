import type { Sql } from "postgres";
import { formatMoney } from "shared/money.ts";
import { TEXTS } from "shared/conversation/texts/texts.ts";
import { bodyOf } from "../shared/conversation/dialogue.ts";
import { DROPOFF, openDriver, openRider, type Person, PICKUP } from "../sql/trips/trips.ts";
import type { Messaging } from "../support/messaging.ts";
import { Chat, switchOn } from "./chat.ts";

const { rw } = TEXTS;
export const RIDER = "250788000001";
export const DRIVER = "250788000002";

/** A rider with 100,000 francs and a driver near, who have both written to us. */
export async function people(messaging: Messaging) {
  await switchOn(messaging);
  const [person, chauffeur] = [await openRider(messaging.sql), await openDriver(messaging.sql)];
  return {
    person,
    chauffeur,
    rider: await known(messaging, person, RIDER),
    driver: await known(messaging, chauffeur, DRIVER),
  };
}

/** Somebody's chat, after a greeting. */
export async function known(messaging: Messaging, { id }: Person, phone: string): Promise<Chat> {
  await messaging.sql`update public.profiles set phone = ${`+${phone}`}, full_name = 'Jean-Paul' where id = ${id}`;
  const chat = new Chat(messaging, phone);
  await chat.write("Muraho");
  return chat;
}

/** From the menu to the requested trip; gives what was said then. */
export async function order(rider: Chat, method: string) {
  await rider.tap(await rider.hear("ride"), "ride");
  await rider.tap(await rider.hear("vehicle"), "vehicle", "moto");
  await rider.hearOf((reply) => bodyOf(reply) === rw.askPickup, "the question where from");
  await rider.share(PICKUP);
  await rider.hearOf((reply) => bodyOf(reply).includes(rw.askDropoff), "the question where to");
  await rider.share(DROPOFF);
  await rider.tap(await rider.hear("pay"), "pay", method);
  return await rider.hear("cancel", ":rider");
}

/** The driver's taps, from the offer to the end. */
export async function drive(driver: Chat): Promise<void> {
  for (const move of [":accept", ":arrive", ":start", ":complete"]) {
    await driver.tap(await driver.hear("move", move), "move", move);
  }
}

/** What the one trip costs. */
export async function fareOf(sql: Sql): Promise<{ amount: number; text: string }> {
  const [trip] = await sql`select fare_amount::int as amount from public.trips`;
  return { amount: trip!.amount, text: formatMoney(BigInt(trip!.amount), "RWF", "rw") };
}
