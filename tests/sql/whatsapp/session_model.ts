import { type LogEntry, People } from "./identity_model.ts";
import { type Fact, namesOf, numberOf, timeOfFact } from "./session_log.ts";

/** What a session must say of its windows, whatever order its facts came in. */
export interface Windows {
  /** A label of the person. */
  person: string;
  number: string;
  inbound: Date | null;
  window: Date | null;
  outbound: Date | null;
  referred: Date | null;
  free: Date | null;
}

const HOUR = 3_600_000;
const KEYS_LIVE = 35 * 24 * HOUR;
/** Facts of which nothing hangs on the person. */
const NAMELESS = ["hangUp", "rejected", "read"];

/** The sessions after these facts, told from Meta's times alone. Shares no code with the system. */
export function windowsAfter(facts: Fact[], now: Date): Windows[] {
  const fresh = facts.filter((fact) => fact.kind === "history" || +now - +timeOfFact(fact) <= KEYS_LIVE);
  const people = new People(fresh.filter(({ kind }) => !NAMELESS.includes(kind)).map(entryOf));
  const conversations = Map.groupBy(fresh, (fact) => `${personOf(fact, people)} ${numberOf(fact.number)}`);
  return [...conversations.values()]
    .map((conversation) => windowsIn(conversation, people))
    .filter(({ inbound, outbound, free }) => inbound ?? outbound ?? free)
    .sort(byKey);
}

/** A stable order for comparing. */
export function byKey(a: Windows, b: Windows): number {
  return `${a.person} ${a.number}` < `${b.person} ${b.number}` ? -1 : 1;
}

function windowsIn(facts: Fact[], people: People): Windows {
  const times = (...kinds: Fact["kind"][]) => facts.filter(({ kind }) => kinds.includes(kind)).map(timeOfFact);
  const inbound = latest(times("text", "referral", "call", "accepted"));
  const answers = times("echo");
  const answered = times("referral")
    .filter((asked) => answers.some((at) => at >= asked && +at < +asked + 24 * HOUR));
  return {
    person: personOf(facts[0]!, people),
    number: numberOf(facts[0]!.number),
    inbound,
    window: inbound && later(inbound, 24),
    outbound: latest(answers),
    referred: latest(times("referral")),
    free: latest([...answered, ...times("free")].map((at) => later(at, 72))),
  };
}

function personOf(fact: Fact, people: People): string {
  return people.personAt(namesOf(fact), secondOf(fact));
}

function entryOf(fact: Fact): LogEntry {
  return { what: "message", id: "", at: secondOf(fact), names: namesOf(fact), body: "" };
}

function secondOf(fact: Fact): number {
  return +timeOfFact(fact) / 1000;
}

function latest(times: Date[]): Date | null {
  return times.length > 0 ? new Date(Math.max(...times.map(Number))) : null;
}

function later(time: Date, hours: number): Date {
  return new Date(+time + hours * HOUR);
}
