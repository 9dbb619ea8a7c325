import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import type { TransactionSql } from "postgres";
import { createTestDatabase, rolledBack } from "../../support/database.ts";
import {
  answer,
  claim,
  type Claimed,
  createEndpoint,
  deliveriesOf,
  endLeases,
  type Endpoint,
  happened,
  makeDue,
} from "./webhooks.ts";

/** What an independent bookkeeper knows of one delivery. */
interface Known {
  state: "waiting" | "leased" | "delivered" | "dead";
  attempts: number;
  /** The claims of it, the last one being the one that counts. */
  claims: Claimed[];
}

const MOST_ATTEMPTS = 10;
const STEPS = ["event", "claim", "answer", "late answer", "release", "leases end", "time passes"] as const;
const arbitraryStep = fc.record({
  kind: fc.constantFrom(...STEPS),
  pick: fc.nat(1_000),
  status: fc.constantFrom(200, 204, 302, 404, 500, 503, null),
});
type Step = typeof arbitraryStep extends fc.Arbitrary<infer T> ? T : never;

const database = await createTestDatabase();

Deno.test("whatever happens in whatever order, each event is delivered or dead once, and only who holds the lease says so", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(arbitraryStep, { minLength: 20, maxLength: 80 }), async (steps) => {
      await rolledBack(database, async (sql) => {
        const history = new History(sql, await createEndpoint(sql));
        for (const step of steps) await history.take(step);
        await history.finish();
      })();
    }),
    { numRuns: 25 },
  );
});

/** A history of one endpoint, in the database and in the books. */
class History {
  readonly #known = new Map<string, Known>();
  /** Those that may be claimed. */
  #due = new Set<string>();

  constructor(readonly sql: TransactionSql, readonly endpoint: Endpoint) {}

  async take({ kind, pick, status }: Step): Promise<void> {
    const { sql } = this;
    if (kind === "event") {
      const id = await happened(sql);
      this.#known.set(id, { state: "waiting", attempts: 0, claims: [] });
      this.#due.add(id);
    }
    if (kind === "claim") await this.#claim(1 + pick % 6);
    if (kind === "answer") {
      await this.#answer(this.#pick(pick, ({ state }) => state === "leased")?.claims.at(-1), status);
    }
    if (kind === "late answer") {
      await this.#answer(this.#pick(pick, ({ claims }) => claims.length > 1)?.claims[0], status);
    }
    if (kind === "release") await this.#release(this.#pick(pick, ({ state }) => state === "leased")?.claims.at(-1));
    if (kind === "leases end") {
      await endLeases(sql);
      for (const [id, known] of this.#known) if (known.state === "leased") this.#due.add(id);
    }
    if (kind === "time passes") {
      await makeDue(sql);
      for (const [id, known] of this.#known) if (known.state === "waiting") this.#due.add(id);
    }
  }

  /** Lets everything be taken at last, and compares the books. */
  async finish(): Promise<void> {
    while ([...this.#known.values()].some(({ state }) => state === "waiting" || state === "leased")) {
      await this.take({ kind: "leases end", pick: 0, status: null });
      await this.take({ kind: "time passes", pick: 0, status: null });
      for (const claimed of await this.#claim(6)) await this.#answer(claimed, 200);
    }
    const listed = (await deliveriesOf(this.sql, this.endpoint)).map(({ event_id, state, attempt_count }) =>
      [event_id, state, attempt_count] as const
    );
    assertEquals(listed, [...this.#known].map(([id, { state, attempts }]) => [id, state, attempts] as const));
  }

  async #claim(maxCount: number): Promise<Claimed[]> {
    const claimed = await claim(this.sql, maxCount);
    assert(claimed.length <= maxCount);
    for (const each of claimed) {
      const known = this.#known.get(each.event_id)!;
      assert(this.#due.delete(each.event_id), `${each.event_id} was not due`);
      assert(known.claims.every(({ lease_token }) => Number(lease_token) < Number(each.lease_token)));
      known.state = "leased";
      known.attempts++;
      known.claims.push(each);
    }
    const [busy] = await this
      .sql`select count(*)::int as count from public.webhook_deliveries where leased_until > now()`;
    assert(busy!.count <= 8);
    return claimed;
  }

  async #answer(claimed: Claimed | undefined, status: number | null): Promise<void> {
    if (!claimed) return;
    const known = this.#known.get(claimed.event_id)!;
    const isHolder = known.state === "leased" && known.claims.at(-1) === claimed;

    assertEquals(await answer(this.sql, claimed, { status }), isHolder);

    if (!isHolder) return;
    this.#due.delete(claimed.event_id);
    const isTaken = status !== null && status < 300;
    known.state = isTaken ? "delivered" : known.attempts >= MOST_ATTEMPTS ? "dead" : "waiting";
  }

  async #release(claimed: Claimed | undefined): Promise<void> {
    if (!claimed) return;
    await this.sql`select public.release_webhook_deliveries(${[claimed.id]}, ${[claimed.lease_token]})`;
    const known = this.#known.get(claimed.event_id)!;
    known.state = "waiting";
    known.attempts--;
    this.#due.add(claimed.event_id);
  }

  /** One of those that are so, by a number. */
  #pick(pick: number, isSo: (known: Known) => boolean): Known | undefined {
    const found = [...this.#known.values()].filter(isSo);
    return found[pick % Math.max(found.length, 1)];
  }
}
