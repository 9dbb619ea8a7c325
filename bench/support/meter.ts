import process from "node:process";
import { cpuOfFamily, cpuOfMachine } from "./machine.ts";

/** What one round came to, from its first success to its last. */
export interface Reading {
  /** Done in that time. */
  count: number;
  /** Done at all: the first success starts the clock and does not count. */
  total: number;
  seconds: number;
  /** CPU of all Postgres processes for each one done, in microseconds. */
  postgresCpu: number;
  /** The part of the machine (0 to 1) that neither Postgres nor the client used. */
  foreign: number;
}

/** When a round is over: whichever comes first. */
export interface Limit {
  seconds: number;
  /** How many there are to do. */
  count?: number;
}

/**
 * Counts what is done until time or work is over, and reads the CPU at those two moments.
 * The clock starts with the first success, so that neither connecting nor a runner's start is in it.
 */
export class Meter {
  total = 0;
  #first = 0;
  #start: ReturnType<typeof clocks>;
  #end?: ReturnType<typeof clocks> & { total: number };
  readonly #over = Promise.withResolvers<void>();

  constructor(readonly postmaster: number, readonly limit: Limit) {
    this.#start = clocks(postmaster);
  }

  /** Tells whether to stop. */
  get isOver(): boolean {
    return this.#end !== undefined;
  }

  /** Resolves when it is time to stop. */
  get over(): Promise<void> {
    return this.#over.promise;
  }

  /** To be told of each success, or of each batch of them. */
  done(count: number): void {
    this.total += count;
    if (this.isOver) return;
    if (this.#first === 0) {
      this.#first = count;
      this.#start = clocks(this.postmaster);
    }
    const seconds = (performance.now() - this.#start.time) / 1_000;
    if (seconds >= this.limit.seconds || this.total >= (this.limit.count ?? Infinity)) this.stop();
  }

  stop(): void {
    this.#end ??= { ...clocks(this.postmaster), total: this.total };
    this.#over.resolve();
  }

  read(): Reading {
    this.stop();
    const [start, end] = [this.#start, this.#end!];
    const milliseconds = end.time - start.time;
    const count = end.total - this.#first;
    const postgres = end.postgres - start.postgres;
    const own = postgres + end.client - start.client;
    return {
      count,
      total: this.total,
      seconds: milliseconds / 1_000,
      postgresCpu: postgres * 1_000 / count,
      foreign: (end.machine - start.machine - own) / (milliseconds * navigator.hardwareConcurrency),
    };
  }
}

/** Where the clocks stand. */
function clocks(postmaster: number) {
  const { user, system } = process.cpuUsage();
  const client = (user + system) / 1_000;
  return { time: performance.now(), postgres: cpuOfFamily(postmaster), client, machine: cpuOfMachine() };
}
