import { assertEquals, assertGreater } from "@std/assert";
import fc from "fast-check";
import type { Sql } from "postgres";
import { connect } from "../../../scripts/stack/connection.ts";
import { createTestDatabase } from "../../support/database.ts";
import {
  cancel,
  claim,
  complete,
  enqueueAll,
  extend,
  fail,
  openQueue,
  pass,
  QUEUE,
  redrive,
  release,
  tend,
} from "./queues.ts";
import { type ModelDraft, QueueModel } from "./queue_model.ts";

const CONNECTIONS = 3;
const database = await createTestDatabase();
const connections = Array.from({ length: CONNECTIONS }, () => connect(database.url));

/** What was handed out so far, stale leases included. */
interface Run {
  model: QueueModel;
  leases: { id: string; token: string }[];
  lastToken: number;
}

type Step = (sql: Sql, run: Run, n: number) => Promise<void>;

const STEPS: Record<string, Step> = {
  async enqueue(sql, { model }, n) {
    const drafts = [draftOf(n), draftOf(n * 7 + 3)];
    const earlier = drafts.map((draft, position) => {
      const twin = position === 1 && drafts[0]!.key !== null && drafts[0]!.key === draft.key;
      return twin ? "twin" : model.duplicateOf(draft);
    });
    const enqueued = await enqueueAll(sql, drafts.map(wireOf));

    enqueued.forEach(({ message_id, is_duplicate }, position) => {
      assertEquals(is_duplicate, earlier[position] !== undefined);
      if (!is_duplicate) model.enqueue(message_id, drafts[position]!);
    });
  },
  async claim(sql, run, n) {
    const count = 1 + n % 4;
    const expected = run.model.claimablePriorities(count);
    const claimed = await claim(sql, count);

    assertEquals(claimed.map(({ priority }) => priority).sort((a, b) => a - b), expected);
    for (const { id, lease_token } of claimed) {
      assertGreater(Number(lease_token), run.lastToken);
      run.model.claim(id, lease_token);
      run.leases.push({ id, token: lease_token });
    }
    run.lastToken = Math.max(run.lastToken, ...claimed.map(({ lease_token }) => Number(lease_token)));
  },
  complete: (sql, run, n) => act(run, n, (leases) => complete(sql, leases), ({ model }, id) => model.complete(id)),
  fail: (sql, run, n) =>
    act(run, n, async (leases) => {
      const failed = await fail(sql, leases, { retryAfter: n % 2 * 60, isPermanent: n % 5 === 0 });
      return failed.map(({ message_id }) => message_id);
    }, ({ model }, id) => model.fail(id, n % 5 === 0 ? "forever" : n % 2 === 0 ? "none" : "some")),
  release: (sql, run, n) => act(run, n, (leases) => release(sql, leases), ({ model }, id) => model.release(id)),
  extend: (sql, run, n) => act(run, n, (leases) => extend(sql, leases, 600), () => {}),
  async passTime(sql, { model }) {
    await pass(sql, "1 hour");
    await tend(sql);
    model.passTime();
  },
  async cancel(sql, { model }, n) {
    const some = model.messages.filter((_, position) => position % 5 === n % 5);
    const expected = some.filter(({ state }) => state !== "leased").map(({ id }) => id);

    assertEquals((await cancel(sql, some.map(({ id }) => id))).sort(), expected.sort());
    expected.forEach((id) => model.remove(id));
  },
  async redrive(sql, { model }, n) {
    const dead = model.messages.filter(({ state }) => state === "dead").map(({ id }) => id);
    const some = dead.filter((_, position) => position % 2 === n % 2);
    if (some.length === 0) return;

    assertEquals((await redrive(sql, { message_ids: some })).sort(), some.toSorted());
    model.redrive(some);
  },
};

for (const keepsLane of [true, false]) {
  Deno.test(`a queue whose dead ${keepsLane ? "keep" : "leave"} their lane does what its model does`, async () => {
    const step = fc.tuple(fc.constantFrom(...Object.keys(STEPS)), fc.nat(1_000), fc.nat(CONNECTIONS - 1));
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 15, maxLength: 60 }), async (steps) => {
        await database.sql`delete from public.message_queue`;
        await database.sql`delete from private.message_keys`;
        await openQueue(database.sql, { keeps_lane_behind_dead: keepsLane, keep_history: "none", lease_seconds: 600 });
        const run: Run = { model: new QueueModel(keepsLane), leases: [], lastToken: 0 };

        for (const [name, n, connection] of steps) {
          await STEPS[name]!(connections[connection]!, run, n);
          assertEquals(await statesOf(database.sql), statesIn(run.model), name);
        }
      }),
      { numRuns: 40 },
    );
  });
}

Deno.test("connections of the model are closed", async () => {
  await Promise.all(connections.map((sql) => sql.end()));
});

/** Acts on some leases, of which some are lost; expects that it takes effect on the others. */
async function act(
  run: Run,
  n: number,
  work: (leases: { id: string; lease_token: string }[]) => Promise<string[]>,
  effect: (run: Run, id: string) => void,
): Promise<void> {
  const some = run.leases.filter((_, position) => position % 3 === n % 3);
  const held = some.filter((lease) => run.model.holds(lease)).map(({ id }) => id);

  const acted = await work(some.map(({ id, token }) => ({ id, lease_token: token })));

  assertEquals(acted.toSorted(), held.toSorted());
  held.forEach((id) => effect(run, id));
}

function draftOf(n: number): ModelDraft {
  return {
    priority: [5, 0, 9][n % 3]!,
    lane: n % 4 === 0 ? null : `lane-${n % 3}`,
    key: n % 6 === 0 ? `key-${n % 4}` : null,
    maxAttempts: 1 + n % 3,
    isScheduled: n % 5 === 0,
  };
}

function wireOf({ priority, lane, key, maxAttempts, isScheduled }: ModelDraft): Record<string, unknown> {
  return {
    priority,
    max_attempts: maxAttempts,
    ...(lane && { ordering_key: lane }),
    ...(key && { idempotency_key: key }),
    ...(isScheduled && { scheduled_at: new Date(Date.now() + 60_000) }),
  };
}

async function statesOf(sql: Sql): Promise<string[]> {
  const rows = await sql`
    select id, state, attempt_count from public.message_queue where queue_name = ${QUEUE} order by id`;
  return rows.map(({ id, state, attempt_count }) => `${id} ${state} ${attempt_count}`);
}

function statesIn({ messages }: QueueModel): string[] {
  return messages.map(({ id, state, attempts }) => `${id} ${state} ${attempts}`);
}
