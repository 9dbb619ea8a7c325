import { Problem } from "shared/problem.ts";

/**
 * Bounds how much is being read and stored at the same time, because an isolate has 256 MB: a batch takes about ten times
 * its own length while it is parsed, written anew and waits for the database.
 */
export class BytesInFlight {
  #bytes = 0;

  /**
   * @param budget - of the texts that are under way together
   * @param small - texts up to this length are never turned away
   */
  constructor(readonly budget: number, readonly small: number) {}

  /**
   * Does the work if there is room for a text of that length; one alone always has it.
   *
   * @throws service_unavailable (503), after which every client comes again
   */
  async during<Result>(length: number, work: () => Promise<Result>): Promise<Result> {
    if (length > this.small && this.#bytes > 0 && this.#bytes + length > this.budget) {
      throw new Problem("service_unavailable", { headers: { "retry-after": "1" }, cause: "too many bytes in flight" });
    }
    this.#bytes += length;
    try {
      return await work();
    } finally {
      this.#bytes -= length;
    }
  }
}
