/** A revoked key works no longer than this. */
const KNOWN_MS = 30_000;
/** A new key works after this, though somebody tried it before. */
const UNKNOWN_MS = 5_000;
/** Strangers can invent any number of keys. */
const MAX_ENTRIES = 1_000;

/** What this isolate knows of write keys: each is asked for once at a time, and the answer remembered for a while. */
export class KnownKeys {
  #answers = new Map<string, { id: Promise<string | undefined>; until: number }>();

  /**
   * @param find - the id of the write key of this hash, or undefined when there is none
   * @param now - milliseconds of a clock that does not go back
   */
  constructor(
    readonly find: (hash: string) => Promise<string | undefined>,
    readonly now: () => number = () => performance.now(),
  ) {}

  /**
   * The id of the write key of this hash, or undefined when there is none.
   *
   * @throws what `find` rejects with, which is not remembered
   */
  async idOf(hash: string): Promise<string | undefined> {
    const known = this.#answers.get(hash);
    if (known && known.until > this.now()) return await known.id;
    if (this.#answers.size >= MAX_ENTRIES) this.#answers.clear();
    const askedAt = this.now();
    const entry = { id: this.find(hash), until: askedAt + KNOWN_MS };
    this.#answers.set(hash, entry);
    try {
      const id = await entry.id;
      if (id === undefined) entry.until = askedAt + UNKNOWN_MS;
      return id;
    } catch (error) {
      this.#answers.delete(hash);
      throw error;
    }
  }
}
