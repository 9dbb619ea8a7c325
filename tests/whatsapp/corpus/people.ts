import type { Json } from "./delivery.ts";

/** The identifiers by which Meta may name somebody: a phone number, a business-scoped user id, its parent form. */
export interface Identity {
  wa_id?: string;
  user_id?: string;
  parent_user_id?: string;
}

/** A user of WhatsApp. A phone number belongs to one person, and so does each user id. */
export type Person = Required<Identity> & { name: string; username: string };

const NAMES = [
  "Aline Uwimana",
  "Jean-Bosco Habyarimana",
  "Émile N'Diaye",
  "Mwajuma 🚕",
  "李 小龙",
  "مريم",
  'A/B \\ "C"',
];

function personAt(index: number): Person {
  return {
    wa_id: String(250788000100 + index),
    user_id: `RW.${13491208655302741000n + BigInt(index)}`,
    parent_user_id: `RW.ENT.${11815799212886844000n + BigInt(index)}`,
    name: NAMES[index % NAMES.length]!,
    username: `rider_${index}`,
  };
}

/** The people who write to us. Whatever the seed, they are the same. */
export const PEOPLE: readonly Person[] = Array.from({ length: 40 }, (_, index) => personAt(index));

/** Who somebody is after a new SIM card: another number and therefore another user id. */
export function moved(person: Person): Person {
  return personAt(PEOPLE.indexOf(person) + 500);
}

/** The forms in which Meta names a person. */
export const FORMS: Record<string, (person: Person) => Identity> = {
  phone: ({ wa_id }) => ({ wa_id }),
  phone_and_user_id: ({ wa_id, user_id }) => ({ wa_id, user_id }),
  user_id: ({ user_id }) => ({ user_id }),
  user_id_and_parent: ({ user_id, parent_user_id }) => ({ user_id, parent_user_id }),
  everything: ({ wa_id, user_id, parent_user_id }) => ({ wa_id, user_id, parent_user_id }),
};

/** The members that name somebody as `from`, `to` or `recipient`. */
export function named(role: "from" | "to" | "recipient", { wa_id, user_id, parent_user_id }: Identity): Json {
  return {
    ...(wa_id && { [role === "recipient" ? "recipient_id" : role]: wa_id }),
    ...(user_id && { [`${role}_user_id`]: user_id }),
    ...(parent_user_id && { [`${role}_parent_user_id`]: parent_user_id }),
  };
}
