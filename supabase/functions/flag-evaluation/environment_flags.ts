import { compileSnapshot, type FlagSet } from "shared/flags/evaluate_flag.ts";
import type { FlagSnapshot } from "shared/flags/snapshot.ts";

/** So a kill switch is seen within two seconds. */
const MAX_AGE_MS = 1_000;

/** What evaluations go by. */
export interface KnownFlags {
  set: FlagSet;
  /** The database could not be asked: the flags are the last that are known. */
  isStale: boolean;
}

/** The flags of one environment in this isolate: asked for by revision at most once a second, kept when the database is away. */
export class EnvironmentFlags {
  #set: FlagSet | undefined;
  #isStale = false;
  #checkedAt = -Infinity;
  #refresh: Promise<void> | undefined;

  /**
   * @param fetchSnapshot - null when the revision that is known is the latest; rejects soon when the database is away
   * @param now - milliseconds of a clock that does not go back
   */
  constructor(
    readonly fetchSnapshot: (knownRevision: number | undefined) => Promise<FlagSnapshot | null>,
    readonly now: () => number = () => performance.now(),
  ) {}

  /**
   * The flags as they are known now.
   *
   * @throws what `fetchSnapshot` rejects with, while nothing is known yet
   */
  async current(): Promise<KnownFlags> {
    if (this.now() - this.#checkedAt >= MAX_AGE_MS) {
      this.#refresh ??= this.#fetch().finally(() => this.#refresh = undefined);
      await this.#refresh;
    }
    return { set: this.#set!, isStale: this.#isStale };
  }

  async #fetch(): Promise<void> {
    try {
      const snapshot = await this.fetchSnapshot(this.#set?.revision);
      if (snapshot) this.#set = compileSnapshot(snapshot);
      this.#isStale = false;
    } catch (error) {
      if (!this.#set) throw error;
      this.#isStale = true;
    }
    this.#checkedAt = this.now();
  }
}
