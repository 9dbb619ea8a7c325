import { serveCommands } from "./json_server.ts";
import { type Limit, Meter, type Reading } from "./meter.ts";
import { together } from "./queue_server.ts";

/** A ledger under measurement. */
export interface Ledger {
  /** Opens the accounts, once. */
  open(count: number): Promise<Accounts>;
  /** Moves one unit in a transaction of its own. */
  transfer(from: string, to: string): Promise<unknown>;
}

/** Whom money moves between. */
export interface Accounts {
  people: string[];
  /** Paid by everybody, without a guard: as our account for fees. */
  unguarded: string;
  /** Paid by everybody, with guards: as a large merchant's. */
  guarded: string;
}

/** Who is paid: somebody else at random, or one account by all. */
export type Receiver = "people" | "unguarded" | "guarded";

/** What a ledger's server can be asked. */
export interface LedgerCommands {
  open: { count: number };
  transfer: { receiver: Receiver; clients: number } & Limit;
}

/** For a process of its own: serves one ledger on the port that it was given, beside that Postgres. */
export function serveLedger(port: number, postmaster: number, ledger: Ledger): void {
  let accounts: Accounts;
  serveCommands(port, {
    async open({ count }: LedgerCommands["open"]) {
      accounts = await ledger.open(count);
    },
    async transfer({ receiver, clients, ...limit }: LedgerCommands["transfer"]): Promise<Reading> {
      const meter = new Meter(postmaster, limit);
      await together(clients, async () => {
        while (!meter.isOver) {
          const [from, other] = twoOf(accounts.people);
          await ledger.transfer(from, receiver === "people" ? other : accounts[receiver]);
          meter.done(1);
        }
      });
      return meter.read();
    },
  });
}

/** Two of them, not the same. */
function twoOf(people: readonly string[]): [string, string] {
  const one = Math.floor(Math.random() * people.length);
  const two = (one + 1 + Math.floor(Math.random() * (people.length - 1))) % people.length;
  return [people[one]!, people[two]!];
}
