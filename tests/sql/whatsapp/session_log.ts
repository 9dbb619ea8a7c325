import fc from "fast-check";
import { bytesOf, inbox, text } from "../../support/deliveries.ts";
import type { Names } from "./identity_model.ts";
import { freeStatus } from "./sessions.ts";

type Fields = Record<string, unknown>;
type Naming = "phone" | "user" | "both";

/** Something that Meta tells us of, once or more often. */
export interface Fact {
  kind: keyof typeof KINDS;
  phone: number;
  user: number;
  names: Naming;
  number: number;
  hoursAgo: number;
  /** The deliveries that carry it, by number. */
  deliveries: number[];
}

const HOUR = 3_600;
const NOW = Math.floor(Date.now() / 1000);

type Kind = [field: string, value: (by: (role: string) => Fields, common: Fields) => Fields];

const said = (field: string, more: Fields = {}): Kind => [field, (by, common) => ({
  messages: [text({ ...by("from"), ...common, ...more })],
})];
const rung = (event: string): Kind => ["calls", (by, common) => ({
  calls: [{ ...by("from"), ...common, event, direction: "USER_INITIATED" }],
})];
const rungByUs = (name: string): Kind => ["calls", (by, common) => ({
  statuses: [{ ...by("recipient"), ...common, type: "call", status: name }],
})];

/** The field of each kind of fact, and the change's value about a person named so, with that id and time. */
const KINDS = {
  text: said("messages"),
  referral: said("messages", { referral: { source_type: "ad" } }),
  reaction: said("messages", { type: "reaction" }),
  edit: said("messages", { type: "edit" }),
  group: said("messages", { group_id: "g1" }),
  standby: said("standby"),
  history: ["history", (by, common) => ({
    history: [{ metadata: { phase: 0 }, threads: [{ messages: [text({ ...by("from"), ...common })] }] }],
  })],
  echo: ["smb_message_echoes", (by, common) => ({
    message_echoes: [text({ ...by("to"), ...common, from: "250788000000" })],
  })],
  call: rung("connect"),
  hangUp: rung("terminate"),
  accepted: rungByUs("ACCEPTED"),
  rejected: rungByUs("REJECTED"),
  free: ["messages", (by, common) => ({
    statuses: [freeStatus(String(Number(common.timestamp) + 72 * HOUR), { ...by("recipient"), ...common })],
  })],
  read: ["messages", (by, common) => ({ statuses: [{ status: "read", ...by("recipient"), ...common }] })],
} satisfies Record<string, Kind>;

/** Logs of everything that happens, of one person who comes from ads and is answered, and of numbers that change hands. */
export const LOGS: Record<string, fc.Arbitrary<Fact[]>> = {
  "everything": logOf(Object.keys(KINDS) as Fact["kind"][], { people: 3, numbers: 2 }),
  "numbers that change hands": logOf(["text", "referral", "echo", "call", "accepted", "free"], {
    people: 2,
    numbers: 1,
    changeHands: true,
  }),
  "ads and answers": logOf(["referral", "echo", "echo"], { people: 1, numbers: 1 }),
};

/** The hours meet each other and the ends of the windows often. */
function logOf(
  kinds: Fact["kind"][],
  { people, numbers, changeHands = false }: { people: number; numbers: number; changeHands?: boolean },
) {
  const fact = fc.record({
    kind: fc.constantFrom(...kinds),
    phone: fc.nat(people - 1),
    user: fc.nat(people - 1),
    names: fc.constantFrom<Naming>("phone", "user", "both"),
    number: fc.nat(numbers - 1),
    hoursAgo: fc.oneof({ weight: 9, arbitrary: fc.nat(100) }, { weight: 1, arbitrary: fc.constant(36 * 24) }),
    deliveries: fc.array(fc.nat(5), { minLength: 1, maxLength: 3 }),
  });
  const own = fact.map((each) => ({ ...each, user: each.phone }));
  return fc.array(changeHands ? fact : own, { minLength: 1, maxLength: 12 });
}

/** The deliveries of these facts, in their order. */
export function deliveriesOf(facts: Fact[]): Uint8Array[] {
  const changes: Fields[][] = [];
  facts.forEach((fact, index) => {
    for (const delivery of fact.deliveries) (changes[delivery] ??= []).unshift(changeOf(fact, index));
  });
  return changes.filter((list) => list).map((list) =>
    bytesOf(JSON.stringify({ object: "whatsapp_business_account", entry: [{ id: "1020", changes: list }] }))
  );
}

function changeOf({ kind, phone, user, names, number, hoursAgo }: Fact, index: number): Fields {
  const [field, valueOf] = KINDS[kind];
  const by = (role: string): Fields => ({
    [role === "recipient" ? "recipient_id" : role]: names === "user" ? undefined : phoneOf(phone),
    [`${role}_user_id`]: names === "phone" ? undefined : userOf(user),
  });
  const common = { id: `id.${index}`, timestamp: String(NOW - hoursAgo * HOUR) };
  const metadata = { display_phone_number: "250788000000", phone_number_id: numberOf(number) };
  return { field, value: { ...inbox(valueOf(by, common)), metadata } };
}

/** The names that a fact gives its person. */
export function namesOf({ phone, user, names }: Fact): Names {
  return { phone: names === "user" ? undefined : phoneOf(phone), user: names === "phone" ? undefined : userOf(user) };
}

/** Meta's time of a fact. */
export function timeOfFact({ hoursAgo }: Fact): Date {
  return new Date((NOW - hoursAgo * HOUR) * 1000);
}

/** Our number of a fact. */
export function numberOf(number: number): string {
  return `10000000000000${number}`;
}

function phoneOf(phone: number): string {
  return `25078800000${phone + 1}`;
}

function userOf(user: number): string {
  return `RW.1349120865530274191${user}`;
}
