import { Batcher } from "./batcher.ts";
import { Lane, type RunContext } from "./lane.ts";
import type { ClaimedSource, Outcome, Settled } from "./source.ts";

/** What a lease lasts beyond the handler's time: to claim, to answer an abort and to settle, twice if need be. */
const LEASE_MARGIN_MS = 10_000;
/** How long a handler may take to answer its signal before it is given up. */
const ANSWER_MS = 1_000;
const PAUSES_MS = [250, 1_000];

/** A source whose items are claimed and handled here, in one run. */
export class ClaimedLane extends Lane {
  readonly #settling: Record<Outcome["kind"], Batcher<Settled<unknown>>>;

  constructor(readonly source: ClaimedSource<unknown>, run: RunContext) {
    super(source.name, run);
    this.#settling = {
      done: new Batcher((items) => this.#settle("done", items, () => source.complete(items))),
      failed: new Batcher((items) => this.#settle("failed", items, () => source.fail(items))),
      released: new Batcher((items) => this.#settle("released", items, () => source.release(items))),
    };
  }

  /** Half of it at least, so that a busy source is not claimed from item by item. */
  get hasRoom(): boolean {
    return this.inFlight <= this.source.concurrency / 2;
  }

  protected async take(): Promise<boolean> {
    const { source, run } = this;
    const leaseSeconds = Math.ceil((source.timeoutMs + LEASE_MARGIN_MS) / 1_000);
    const room = source.concurrency - this.inFlight;
    const items = await run.cpu.measure(() => source.claim(room, leaseSeconds));
    this.inFlight += items.length;
    for (const item of items) {
      if (run.signal.aborted) this.#settling.released.add({ item });
      else this.#work(item);
    }
    return items.length > 0;
  }

  async #work(item: unknown): Promise<void> {
    const { kind, ...what } = await this.#outcomeOf(item);
    this.#settling[kind].add({ item, ...what });
  }

  async #outcomeOf(item: unknown): Promise<Outcome> {
    const { source, run } = this;
    const [deadline, end] = [new AbortController(), new AbortController()];
    const signal = AbortSignal.any([run.signal, deadline.signal]);
    try {
      return await Promise.race([
        run.cpu.measure(() => source.handle(item, signal)),
        this.#timeOut(deadline, end.signal),
      ]);
    } catch (error) {
      return { kind: "failed", error };
    } finally {
      end.abort();
    }
  }

  /** Tells the handler that its time is over, and a moment later does not wait for it any longer. */
  async #timeOut(deadline: AbortController, end: AbortSignal): Promise<Outcome> {
    const error = new DOMException("The handler took too long", "TimeoutError");
    await this.run.clock.sleep(this.source.timeoutMs, end);
    if (!end.aborted) deadline.abort(error);
    await this.run.clock.sleep(ANSWER_MS, end);
    return { kind: "failed", error };
  }

  async #settle(kind: Outcome["kind"], items: Settled<unknown>[], send: () => Promise<number>): Promise<void> {
    try {
      const settled = await this.#withPatience(send);
      this.report[kind] += settled;
      this.report.lost += items.length - settled;
      // What waited for these, in their order, may be claimed now.
      if (kind !== "released") this.stir();
    } catch (error) {
      this.noteFailure(error);
      this.report.left += items.length;
    }
    this.inFlight -= items.length;
    this.run.onChange();
  }

  /** Tries again what may have failed in passing; settling twice changes nothing, since the lease ends with the first. */
  async #withPatience(send: () => Promise<number>): Promise<number> {
    for (const pause of PAUSES_MS) {
      try {
        return await this.run.cpu.measure(send);
      } catch {
        await this.run.clock.sleep(pause);
      }
    }
    return await this.run.cpu.measure(send);
  }
}
