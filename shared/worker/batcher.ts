/** Hands things over in batches: what comes in while one batch is on its way goes with the next. */
export class Batcher<Entry> {
  #waiting: Entry[] = [];
  #isSending = false;

  /** @param send - must not reject */
  constructor(readonly send: (entries: Entry[]) => Promise<void>) {}

  /** Takes one more; nobody waits for it. */
  add(entry: Entry): void {
    this.#waiting.push(entry);
    if (!this.#isSending) this.#sendAll();
  }

  async #sendAll(): Promise<void> {
    this.#isSending = true;
    while (this.#waiting.length > 0) await this.send(this.#waiting.splice(0));
    this.#isSending = false;
  }
}
