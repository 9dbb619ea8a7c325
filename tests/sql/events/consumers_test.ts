import { assertEquals } from "@std/assert";
import type { ISql, TransactionSql } from "postgres";
import { createTestDatabase, rolledBack } from "../../support/database.ts";
import { refusalOf, type StoredEvent } from "./events.ts";
import { happen } from "./subscriptions.ts";

/** What `claim_subscription()` gives. */
interface Claim {
  lease_token: string;
  is_replay: boolean;
  attempt_count: number;
  from_transaction_id: string;
  from_position: string;
  to_transaction_id: string;
  to_position: string;
  events: StoredEvent[];
}

const database = await createTestDatabase();
await happen(
  database.sql,
  {},
  { aggregate_type: "ride" },
  { payload: { n: 2 } },
  { aggregate_id: "t2" },
);

/** A test with the subscription `mailer` of all trips. */
function consumerTest(name: string, body: (sql: TransactionSql) => Promise<void>): void {
  Deno.test(
    name,
    rolledBack(database, async (sql) => {
      await sql`select public.register_subscription('mailer', '{trip}', max_attempts => 2)`;
      await body(sql);
    }),
  );
}

async function claim(sql: ISql, maxCount = 100): Promise<Claim | null> {
  const [row] = await sql`select to_jsonb(public.claim_subscription('mailer', ${maxCount})) as claim`;
  return row!.claim;
}

async function advance(sql: ISql, claim: Claim, to: Partial<Claim> = {}, leaseSeconds = 0): Promise<void> {
  const { lease_token, from_transaction_id, from_position, to_transaction_id, to_position } = { ...claim, ...to };
  await sql`select public.advance_subscription('mailer', ${lease_token}, ${from_transaction_id}, ${from_position},
    ${to_transaction_id}, ${to_position}, ${leaseSeconds})`;
}

async function fail(sql: ISql, claim: Claim, event: StoredEvent): Promise<string> {
  const [row] =
    await sql`select public.fail_subscription_event('mailer', ${claim.lease_token}, ${event.id}, 'no answer') as outcome`;
  return row!.outcome;
}

function names(claim: Claim | null): string[] | undefined {
  return claim?.events.map(({ aggregate_id, version }) => aggregate_id + version);
}

consumerTest("a consumer claims the next events that it wants, and goes on after those that it did", async (sql) => {
  const first = await claim(sql, 2);
  assertEquals(names(first), ["t11", "t12"]);
  assertEquals(first!.events[1]!.payload, { n: 2 });
  await advance(sql, first!);

  const second = await claim(sql, 2);
  assertEquals(names(second), ["t21"]);
  await advance(sql, second!);

  assertEquals(await claim(sql), null);
});

consumerTest("while a lease lasts nobody else is given the subscription", async (sql) => {
  await claim(sql);

  assertEquals(await claim(sql), null);
});

consumerTest(
  "events under a lease that has run out are handed out again, and the first consumer cannot advance",
  async (sql) => {
    const lost = await claim(sql);
    await sql`update public.event_subscriptions set leased_until = now() - interval '1 second'`;
    const found = await claim(sql);

    assertEquals(names(found), names(lost));
    assertEquals(await refusalOf(sql, (sql) => advance(sql, lost!)), ["lease_lost", null]);
    await advance(sql, found!);
  },
);

consumerTest("a lease that has run out holds as long as nobody else has claimed", async (sql) => {
  const claimed = await claim(sql);
  await sql`update public.event_subscriptions set leased_until = now() - interval '1 second'`;

  await advance(sql, claimed!);

  assertEquals(await claim(sql), null);
});

consumerTest("a lease ends with the advance, or goes on if that asks for it", async (sql) => {
  const claimed = await claim(sql);
  const [first] = claimed!.events;
  const half = { to_transaction_id: first!.transaction_id, to_position: first!.position };

  await advance(sql, claimed!, half, 60);
  assertEquals(await claim(sql), null);
  await advance(sql, claimed!, { from_transaction_id: half.to_transaction_id, from_position: half.to_position });

  assertEquals(await refusalOf(sql, (sql) => advance(sql, claimed!)), ["lease_lost", null]);
});

consumerTest("who advances from a place where the subscription is not is told where it is", async (sql) => {
  const claimed = await claim(sql);

  const refusal = await refusalOf(sql, (sql) => advance(sql, claimed!, { from_position: "1" }));

  assertEquals(refusal, ["subscription_moved", { after_transaction_id: 0, after_position: 0 }]);
});

consumerTest("nobody advances backwards, or beyond what can be read", async (sql) => {
  const claimed = await claim(sql);
  await advance(sql, claimed!, {}, 60);
  const there = { from_transaction_id: claimed!.to_transaction_id, from_position: claimed!.to_position };

  for (const to of ["1", "9223372036854775807"]) {
    const [code] = await refusalOf(sql, (sql) => advance(sql, claimed!, { ...there, to_transaction_id: to }));
    assertEquals(code, "invalid_argument");
  }
});

consumerTest(
  "an event that failed is handed out again, the first of its claim, and what was before it is done",
  async (sql) => {
    const claimed = await claim(sql);

    assertEquals(await fail(sql, claimed!, claimed!.events[1]!), "retry");
    assertEquals(await claim(sql), null, "not before its time");
    await sql`update public.event_subscriptions set retry_at = now()`;

    const again = await claim(sql);
    assertEquals([names(again), again!.attempt_count], [["t12", "t21"], 1]);
  },
);

consumerTest(
  "an event that failed too often is parked and the others go on; on request it is handed out alone",
  async (sql) => {
    for (let attempt = 0; attempt < 2; attempt++) {
      const claimed = await claim(sql);
      assertEquals(await fail(sql, claimed!, claimed!.events[0]!), attempt === 0 ? "retry" : "parked");
      await sql`update public.event_subscriptions set retry_at = null`;
    }
    const others = await claim(sql);
    assertEquals([names(others), others!.attempt_count], [["t12", "t21"], 0]);
    await advance(sql, others!);

    await sql`update public.event_parked set replay_from = now()`;
    const replay = await claim(sql);
    assertEquals([names(replay), replay!.is_replay, replay!.from_position], [["t11"], true, null]);
    await sql`select public.settle_replay('mailer', ${replay!.lease_token}, ${replay!.events[0]!.id}, 'no answer')`;
    const [row] = await sql`select attempt_count, last_error, replay_from from public.event_parked`;
    assertEquals({ ...row }, { attempt_count: 3, last_error: "no answer", replay_from: null });

    await sql`select public.settle_replay('mailer', ${replay!.lease_token}, ${replay!.events[0]!.id})`;
    await sql`select public.release_subscription('mailer', ${replay!.lease_token})`;
    assertEquals((await sql`select from public.event_parked`).length, 0);
    assertEquals(await claim(sql), null);
  },
);

consumerTest("an attempt that another event failed does not count", async (sql) => {
  const claimed = await claim(sql);
  await fail(sql, claimed!, claimed!.events[0]!);
  await sql`update public.event_subscriptions set retry_at = null`;
  const again = await claim(sql);

  assertEquals(await fail(sql, again!, again!.events[1]!), "retry");
});

consumerTest("an event that is done already, or is none, cannot fail", async (sql) => {
  const claimed = await claim(sql, 1);
  await advance(sql, claimed!, {}, 60);

  for (const id of [claimed!.events[0]!.id, crypto.randomUUID()]) {
    const [code] = await refusalOf(sql, (sql) => fail(sql, claimed!, { id } as StoredEvent));
    assertEquals(code, "invalid_argument");
  }
});

consumerTest(
  "under park_stream followers of a parked event are not handed out, and one of a stream at a time is replayed",
  async (sql) => {
    await sql`select public.register_subscription('mailer', '{trip}', on_failure => 'park_stream', max_attempts => 1)`;
    const claimed = await claim(sql, 1);
    assertEquals(await fail(sql, claimed!, claimed!.events[0]!), "parked");

    const others = await claim(sql);
    assertEquals(names(others), ["t21"]);
    await advance(sql, others!);
    await sql`update public.event_parked set replay_from = now()`;

    for (const expected of ["t11", "t12"]) {
      const replay = await claim(sql);
      assertEquals(names(replay), [expected]);
      await sql`select public.settle_replay('mailer', ${replay!.lease_token}, ${replay!.events[0]!.id})`;
      await sql`select public.release_subscription('mailer', ${replay!.lease_token})`;
    }
    assertEquals(await claim(sql), null);
  },
);

consumerTest("followers that were parked under a lease that was lost are parked once", async (sql) => {
  await sql`select public.register_subscription('mailer', '{trip}', on_failure => 'park_stream', max_attempts => 1)`;
  const claimed = await claim(sql, 1);
  await fail(sql, claimed!, claimed!.events[0]!);
  await claim(sql);
  await sql`update public.event_subscriptions set leased_until = null`;

  assertEquals(names(await claim(sql)), ["t21"]);
  assertEquals((await sql`select from public.event_parked`).length, 2);
});

consumerTest("a released subscription is handed out again at once", async (sql) => {
  const claimed = await claim(sql);
  await sql`select public.release_subscription('mailer', ${claimed!.lease_token})`;

  assertEquals(names(await claim(sql)), names(claimed));
});

consumerTest("a consumer that commits its effect with its advance has it once", async (sql) => {
  await sql`create table public.sent (event_id uuid)`;
  const lost = await claim(sql, 1);
  await sql`update public.event_subscriptions set leased_until = now()`;
  const found = await claim(sql, 1);

  for (const claimed of [found!, lost!]) {
    await sql.savepoint(async (sql) => {
      await sql`insert into public.sent values (${claimed.events[0]!.event_id})`;
      await advance(sql, claimed);
    }).catch(() => {});
  }

  assertEquals((await sql`select from public.sent`).length, 1);
});

consumerTest("a paused subscription is not handed out", async (sql) => {
  await sql`update public.event_subscriptions set status = 'paused'`;

  assertEquals(await claim(sql), null);
});

consumerTest("registering and claiming refuse what makes no sense", async (sql) => {
  for (
    const call of [
      "register_subscription('Mailer')",
      "register_subscription('mailer', '{}')",
      "register_subscription('mailer', max_attempts => 0)",
      "claim_subscription('mailer', 0)",
      "claim_subscription('mailer', 10, 0)",
    ]
  ) {
    assertEquals((await refusalOf(sql, (sql) => sql.unsafe(`select public.${call}`)))[0], "invalid_argument", call);
  }
  for (const call of ["claim_subscription('x')", "release_subscription('x', 1)"]) {
    assertEquals(
      (await refusalOf(sql, (sql) => sql.unsafe(`select public.${call}`)))[0],
      "subscription_not_found",
      call,
    );
  }
});

consumerTest("what SQL serves cannot be claimed or taken over from outside", async (sql) => {
  await sql.unsafe(`
    create function private.project(events public.event_store[]) returns void language plpgsql as 'begin end';
    select private.register_subscription('inside', 'private.project(public.event_store[])')`).simple();

  assertEquals(
    (await refusalOf(sql, (sql) => sql`select public.claim_subscription('inside')`))[0],
    "subscription_not_found",
  );
  assertEquals(
    (await refusalOf(sql, (sql) => sql`select public.register_subscription('inside')`))[0],
    "invalid_argument",
  );
});
