import type { Change, Draft, Entry, Json } from "./delivery.ts";
import { FORMS, type Identity, PEOPLE, type Person } from "./people.ts";
import type { Random } from "../../../scripts/fakes/random.ts";

/** One of our business numbers. */
export interface Phone {
  waba_id: string;
  phone_number_id: string;
  display_phone_number: string;
}

/** What a scenario draws from; `now` in seconds. */
export interface Scene {
  random: Random;
  now: number;
  phone: Phone;
}

/** One story told in one or more deliveries. */
export type Scenario = (scene: Scene) => Draft | Draft[];

/** A scenario for each row of a table. */
export function table<T>(
  prefix: string,
  rows: Record<string, T>,
  tell: (row: T, name: string) => Scenario,
): Record<string, Scenario> {
  return Object.fromEntries(Object.entries(rows).map(([name, row]) => [`${prefix} ${name}`, tell(row, name)]));
}

/** Somebody in one of the forms in which Meta names people. */
export type Named = { person: Person; form: string; identity: Identity };

/** The first is the number of the local stack; nothing has announced the others. */
export const PHONES: readonly Phone[] = [
  { waba_id: "200000000000001", phone_number_id: "100000000000001", display_phone_number: "250788000001" },
  { waba_id: "200000000000001", phone_number_id: "100000000000002", display_phone_number: "250788000002" },
  { waba_id: "200000000000003", phone_number_id: "100000000000003", display_phone_number: "250788000003" },
];

export const DAY = 86_400;

/** A second of the last 20 days. */
export function recent({ random, now }: Scene): number {
  return now - random.between(600, 20 * DAY);
}

/** Seconds as Meta writes them: mostly a string, sometimes a number. */
export function stamp({ random }: Scene, seconds: number): string | number {
  return random.chance(0.15) ? seconds : String(seconds);
}

export function wamid({ random }: Scene): string {
  return `wamid.HBgM${random.token(36)}=`;
}

export function digits({ random }: Scene, length = 15): string {
  return random.pick("123456789") + random.token(length - 1, "0123456789");
}

export function someone(scene: Scene, form = scene.random.pick(Object.keys(FORMS))): Named {
  return as(scene.random.pick(PEOPLE), form);
}

/** A person by one of the forms. */
export function as(person: Person, form: string): Named {
  return { person, form, identity: FORMS[form]!(person) };
}

/** The entry of `contacts` for somebody, or none: each of its members may be absent. */
export function contactOf({ random }: Scene, { person, identity }: Named): Json | undefined {
  const username = identity.wa_id && random.chance(0.7) ? {} : { username: person.username };
  const full = { profile: { name: person.name, ...username }, ...identity };
  const sole = identity.wa_id ? { wa_id: identity.wa_id } : identity;
  return random.pick([full, full, full, full, identity as Json, sole as Json, undefined]);
}

/** The members of every messages-like value. */
export function product({ phone: { display_phone_number, phone_number_id } }: Scene): Json {
  return { messaging_product: "whatsapp", metadata: { display_phone_number, phone_number_id } };
}

/** An entry of the scene's account, its time a number, sometimes a string, sometimes absent. */
export function entry(scene: Scene, changes: Change | Change[], options: { id?: string; time?: number } = {}): Entry {
  const { id = scene.phone.waba_id, time = scene.random.chance(0.8) ? recent(scene) : undefined } = options;
  const json = { id, ...(time && { time: scene.random.chance(0.15) ? String(time) : time }) };
  return { json, time, changes: [changes].flat() };
}
