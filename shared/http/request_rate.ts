/** Clients that are counted at the same time; the one heard of the longest ago is forgotten, which only forgives. */
const MOST_CLIENTS = 10_000;
const MINUTE_MS = 60_000;
/** Part of a minute's requests that may come at once. */
const BURST_SHARE = 1 / 6;

/** Counts requests of clients in this isolate, evenly (GCRA): cheap, and as many times as generous as there are isolates. */
export class RequestRate {
  #arrivals = new Map<string, number>();

  /**
   * Counts one request.
   *
   * @param now - milliseconds of a clock that does not go back
   * @returns milliseconds to wait; zero when the request is within the rate
   */
  charge(client: string, perMinute: number, now: number): number {
    const interval = MINUTE_MS / perMinute;
    const arrival = Math.max(this.#arrivals.get(client) ?? 0, now) + interval;
    const wait = arrival - now - Math.max(interval, MINUTE_MS * BURST_SHARE);
    if (wait > 0) return wait;
    this.#arrivals.delete(client);
    this.#arrivals.set(client, arrival);
    if (this.#arrivals.size > MOST_CLIENTS) this.#forgetOldest();
    return 0;
  }

  #forgetOldest(): void {
    for (const client of this.#arrivals.keys()) {
      this.#arrivals.delete(client);
      return;
    }
  }
}
