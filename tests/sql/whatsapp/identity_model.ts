/** The names on one item of a log, as Meta writes them. */
export interface Names {
  phone?: string;
  user?: string;
}

/** What somebody did or what became of their names, at a second. */
export type LogEntry =
  | { what: "message"; id: string; at: number; names: Names; body: string }
  | { what: "new_number"; id: string; at: number; names: Names; now: Names }
  | { what: "new_user_id"; at: number; phone?: string; previous: string; current: string };

type Decision = { decision: "stop" | "start"; at: number };

type Change = { from: Names; to: Names; at: number };

/**
 * Who is who after a whole log, told by reading it with everything at hand.
 *
 * User ids are one person's for good. A number goes with the user ids seen with it, from when each was first seen; a
 * change of number parts the time of both numbers. The same change told again is the first one.
 */
export class People {
  #parents = new Map<string, string>();
  #owners = new Map<string, { user: string; from: number }[]>();
  #partings = new Map<string, Set<number>>();

  constructor(log: LogEntry[]) {
    for (const entry of log) this.#witness(entry);
    const changes = firstOfEach(log.flatMap(changesIn));
    for (const { from, to, at } of changes) if (from.phone && to.phone) this.#part(from.phone, to.phone, at);
    for (const { from, to, at } of changes) this.#join(this.#holderOf(from, at), this.#holderOf(to, at));
  }

  /** A label of the person whom these names mean at that time. */
  personAt(names: Names, at: number): string {
    return this.#root(this.#holderOf(names, at));
  }

  #witness(entry: LogEntry): void {
    if (entry.what === "new_user_id") return this.#see({ phone: entry.phone, user: entry.current }, entry.at);
    this.#see(entry.names, entry.at);
    if (entry.what === "new_number") {
      this.#see({ phone: entry.now.phone, user: entry.now.user ?? entry.names.user }, entry.at);
    }
  }

  #see({ phone, user }: Names, at: number): void {
    if (phone && user) this.#owners.set(phone, [...this.#owners.get(phone) ?? [], { user, from: at }]);
  }

  #part(before: string, after: string, at: number): void {
    this.#partings.set(before, (this.#partings.get(before) ?? new Set()).add(at + 1));
    this.#partings.set(after, (this.#partings.get(after) ?? new Set()).add(at));
  }

  #holderOf({ phone, user }: Names, at: number): string {
    return user ? `user ${user}` : this.#holder(phone!, at);
  }

  /** Who has a number at a time: a user, or the nameless person of that life of the number. */
  #holder(phone: string, at: number): string {
    const partings = [-Infinity, ...this.#partings.get(phone) ?? [], Infinity].sort((a, b) => a - b);
    const start = partings.findLast((parting) => parting <= at)!;
    const end = partings.find((parting) => parting > at)!;
    const firstSeen = new Map<string, number>();
    for (const { user, from } of this.#owners.get(phone) ?? []) {
      firstSeen.set(user, Math.min(from, firstSeen.get(user) ?? Infinity));
    }
    const owners = [...firstSeen].filter(([, from]) => from >= start && from < end)
      .sort(([a, first], [b, second]) => first - second || (a < b ? -1 : 1));
    const owner = owners.findLast(([, from]) => from <= at) ?? owners[0];
    return owner ? `user ${owner[0]}` : `nobody known with ${phone} from ${start}`;
  }

  #root(name: string): string {
    const parent = this.#parents.get(name);
    return parent === undefined || parent === name ? name : this.#root(parent);
  }

  #join(one: string, other: string): void {
    this.#parents.set(this.#root(one), this.#root(other));
  }
}

/** What an entry says of names that replaced others, one name by one name. */
function changesIn(entry: LogEntry): Change[] {
  if (entry.what === "message") return [];
  if (entry.what === "new_user_id") {
    return [{ from: { user: entry.previous }, to: { user: entry.current }, at: entry.at }];
  }
  const { names, now, at } = entry;
  const numbers = { from: { phone: names.phone }, to: { phone: now.phone }, at };
  const users = { from: names.user ? { user: names.user } : { phone: names.phone }, to: { user: now.user }, at };
  return [...(names.phone && now.phone && names.phone !== now.phone ? [numbers] : []), ...(now.user ? [users] : [])];
}

function firstOfEach(changes: Change[]): Change[] {
  const earliest = changes.toSorted((a, b) => b.at - a.at);
  return [...new Map(earliest.map((change) => [JSON.stringify([change.from, change.to]), change])).values()];
}

const WORDS: Record<string, "stop" | "start"> = { STOP: "stop", "Hagarika!": "stop", START: "start", "anza": "start" };

/** What holds for each person after a whole log of messages: their latest word, stop before start in one second. */
export function decisions(log: LogEntry[], people: People): Map<string, Decision["decision"]> {
  const latest = new Map<string, Decision>();
  for (const entry of log) {
    const decision = entry.what === "message" ? WORDS[entry.body] : undefined;
    if (entry.what !== "message" || !decision) continue;
    const person = people.personAt(entry.names, entry.at);
    const known = latest.get(person);
    const isLater = !known || entry.at > known.at || (entry.at === known.at && decision === "stop");
    if (isLater) latest.set(person, { decision, at: entry.at });
  }
  return new Map([...latest].map(([person, { decision }]) => [person, decision]));
}
