import { status } from "../../support/deliveries.ts";
import type { Claim } from "./outbound.ts";

/** One copy of a message that Meta took. */
interface Copy {
  wamid: string;
  hasFailed: boolean;
}

/** A status that Meta has not brought yet. */
interface Pending {
  wamid: string;
  messageId: string;
  name: string;
  code: number | undefined;
  /** By the model's clock. */
  at: number;
}

/** Meta as far as sending goes: what it took from us, in which order, and what it has yet to report. */
export class MetaModel {
  /** Seconds that have passed beside real time. */
  elapsed = 0;
  readonly copies = new Map<string, Copy[]>();
  /** The messages taken for each phone or user id, each where it was first taken. */
  readonly order = new Map<string, string[]>();
  #pending: Pending[] = [];
  #count = 0;

  /** Takes a message; `failureCode`: it will report that it failed, after all. */
  take({ id, request }: Claim, failureCode?: number): string {
    const wamid = `wamid.model${crypto.randomUUID()}${this.#count++}`;
    const copies = this.copies.get(id) ?? [];
    this.copies.set(id, [...copies, { wamid, hasFailed: failureCode !== undefined }]);
    if (copies.length === 0) this.#queueOf(String(request.to ?? request.recipient)).push(id);
    const names = failureCode === undefined ? ["sent", "delivered"] : ["sent", "failed"];
    for (const name of names) {
      this.#pending.push({ wamid, messageId: id, name, code: failureCode, at: this.#now() });
    }
    return wamid;
  }

  /** How many copies of a message reached its person, or still may. */
  livingCopies(id: string): number {
    return (this.copies.get(id) ?? []).filter(({ hasFailed }) => !hasFailed).length;
  }

  /** Some of the statuses that are due, by `dice` in any order; all when `share` is 1. */
  report(dice: number, share = 1): Record<string, unknown>[] {
    const shuffled = this.#pending
      .map((pending, at) => ({ pending, rank: (at * 7_919 + dice) % 101 }))
      .sort((a, b) => a.rank - b.rank)
      .map(({ pending }) => pending);
    const taken = shuffled.slice(0, Math.ceil(shuffled.length * share));
    this.#pending = shuffled.slice(taken.length);
    return taken.map((pending) => this.#statusOf(pending));
  }

  /** A status of some other message of ours: the sign that Meta reports. */
  heartbeat(): Record<string, unknown> {
    const now = {
      wamid: `wamid.${crypto.randomUUID()}`,
      messageId: crypto.randomUUID(),
      name: "sent",
      code: undefined,
    };
    return this.#statusOf({ ...now, at: this.#now() + 2 });
  }

  #statusOf({ wamid, messageId, name, code, at }: Pending): Record<string, unknown> {
    return status(wamid, name, {
      timestamp: String(Math.floor(Date.now() / 1000 - (this.#now() - at))),
      biz_opaque_callback_data: messageId,
      ...(name === "failed" && { errors: [{ code }] }),
    });
  }

  #now(): number {
    return Date.now() / 1000 + this.elapsed;
  }

  #queueOf(recipient: string): string[] {
    const queue = this.order.get(recipient) ?? [];
    this.order.set(recipient, queue);
    return queue;
  }
}
