import type { FetchLike } from "../graph/deliver.ts";
import type { Random } from "../random.ts";
import type { MomoBooks, MomoEntry } from "./momo_books.ts";

/** How callbacks are brought. */
export interface CallbackManner {
  /** How often each comes; MTN sends it once. */
  copies?: number;
  /** In any order instead of that in which requests came. */
  shuffled?: boolean;
}

/** Callbacks on their way. MTN signs none, and never sends one again. */
export class CallbackFeed {
  readonly #pending: MomoEntry[] = [];

  constructor(readonly books: MomoBooks, readonly random: Random, readonly bring: FetchLike = fetch) {}

  add(entry: MomoEntry): void {
    if (entry.callbackUrl !== null) this.#pending.push(entry);
  }

  /** Brings what is decided, one after the other; what is not waits. */
  async deliver({ copies = 1, shuffled = false }: CallbackManner = {}): Promise<void> {
    const isDecided = (entry: MomoEntry) => this.books.statusOf(entry) !== "PENDING";
    const taken = this.#pending.splice(0);
    this.#pending.push(...taken.filter((entry) => !isDecided(entry)));
    const copied = Array.from({ length: copies }, () => taken.filter(isDecided)).flat();
    for (const entry of shuffled ? this.random.shuffle(copied) : copied) await this.#post(entry);
  }

  async #post(entry: MomoEntry): Promise<void> {
    const init = {
      method: this.random.pick(["PUT", "POST"]),
      headers: { "content-type": "application/json" },
      body: JSON.stringify(this.books.shown(entry)),
    };
    try {
      await (await this.bring(new Request(entry.callbackUrl!, init))).body?.cancel();
    } catch {
      // Nobody is there: it is lost, as at MTN.
    }
  }
}
