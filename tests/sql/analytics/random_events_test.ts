import { assertEquals } from "@std/assert";
import * as fc from "fast-check";
import type { Sql } from "postgres";
import { connect } from "../../../scripts/stack/connection.ts";
import { createTestDatabase } from "../../support/database.ts";
import { daysAgo, type Item, mergeAll, metrics, recount, track } from "./analytics.ts";

const WRITERS = 6;
const USERS = 3;
const BROWSERS = 6;
const MESSAGES = 40;

/** A message that some client may send, once or again. */
interface Message {
  browser: number;
  isSignedIn: boolean;
  name: string;
  age: number;
}

type Command =
  | { kind: "batch"; messages: number[] }
  | { kind: "identify"; browser: number }
  | { kind: "erase"; user: number }
  | { kind: "merge" | "refresh" };

const message = fc.record({
  browser: fc.nat(BROWSERS - 1),
  isSignedIn: fc.boolean(),
  name: fc.constantFrom("looked", "booked", "paid"),
  age: fc.nat(25),
});
const command: fc.Arbitrary<Command> = fc.oneof(
  {
    weight: 12,
    arbitrary: fc.record({
      kind: fc.constant("batch" as const),
      messages: fc.array(fc.nat(MESSAGES - 1), { minLength: 1, maxLength: 12 }),
    }),
  },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant("identify" as const), browser: fc.nat(BROWSERS - 1) }) },
  { weight: 4, arbitrary: fc.record({ kind: fc.constantFrom("merge" as const, "refresh" as const) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("erase" as const), user: fc.nat(USERS - 1) }) },
);

const database = await createTestDatabase();
const pool = connect(database.url, { max: WRITERS });
// Writers would wait for one another's commits otherwise, and meet less.
await database.sql`update private.analytics_settings set publishable_events_per_minute = null`;
const noon = daysAgo(0).slice(0, 10);

/** One run's clients and their ids; ids of two runs never meet. */
class Clients {
  constructor(readonly run: string, readonly messages: Message[]) {}

  user(number: number): string {
    return `${this.run}-user-${number}`;
  }

  browser(number: number): string {
    return `${this.run}-browser-${number}`;
  }

  ownerOf(browser: number): number {
    return browser % USERS;
  }

  item(index: number): Item {
    const { browser, isSignedIn, name, age } = this.messages[index]!;
    const day = new Date(Date.parse(noon) - age * 86_400_000).toISOString().slice(0, 10);
    const id = isSignedIn ? { user_id: this.user(this.ownerOf(browser)) } : { anonymous_id: this.browser(browser) };
    return { message_id: `${this.run}-${index}`, event_name: name, timestamp: `${day}T00:00:01Z`, ...id };
  }

  identify(browser: number): Item {
    return {
      message_id: `${this.run}-identify-${browser}`,
      type: "identify",
      event_name: "identified",
      user_id: this.user(this.ownerOf(browser)),
      anonymous_id: this.browser(browser),
      timestamp: `${noon}T00:00:01Z`,
    };
  }
}

async function act(sql: Sql, clients: Clients, command: Command): Promise<void> {
  switch (command.kind) {
    case "batch":
      await track(sql, command.messages.map((index) => clients.item(index)));
      break;
    case "identify":
      await track(sql, [clients.identify(command.browser)]);
      break;
    case "erase":
      await sql`select public.erase_analytics_user(${clients.user(command.user)})`;
      break;
    case "merge":
      await sql`select private.merge_analytics_actors(2)`;
      break;
    case "refresh":
      await sql`select public.refresh_daily_metrics()`;
  }
}

/** Hands the commands to as many writers as there are; each takes the next when it is done. */
async function race(clients: Clients, commands: Command[]): Promise<void> {
  const left = [...commands];
  await Promise.all(Array.from({ length: WRITERS }, async () => {
    for (let next = left.shift(); next; next = left.shift()) await act(pool, clients, next);
  }));
}

/** What must be stored when all is merged: `id messages` of each that is not erased. */
function expected(clients: Clients, commands: Command[]): string[] {
  const identified = new Set(commands.flatMap((one) => one.kind === "identify" ? [one.browser] : []));
  const erased = new Set(commands.flatMap((one) => one.kind === "erase" ? [one.user] : []));
  const sent = new Set(commands.flatMap((one) => one.kind === "batch" ? one.messages : []));
  const counts = new Map<string, number>();
  const count = (browser: number, isUser: boolean) => {
    const owner = clients.ownerOf(browser);
    if (isUser && erased.has(owner)) return;
    const id = isUser ? clients.user(owner) : clients.browser(browser);
    counts.set(id, (counts.get(id) ?? 0) + 1);
  };
  for (const browser of identified) count(browser, true);
  for (const index of sent) {
    const { browser, isSignedIn } = clients.messages[index]!;
    count(browser, isSignedIn || identified.has(browser));
  }
  return [...counts].map(([id, events]) => `${id} ${events}`).sort();
}

async function stored(clients: Clients): Promise<string[]> {
  const ids = [
    ...Array.from({ length: USERS }, (_, number) => [clients.user(number), null]),
    ...Array.from({ length: BROWSERS }, (_, number) => [null, clients.browser(number)]),
  ];
  const rows = await pool`
    select coalesce(who.user_id, who.anonymous_id) || ' ' || count(*) as line
    from jsonb_to_recordset(${
    JSON.stringify(ids.map(([user_id, anonymous_id]) => ({ user_id, anonymous_id })))
  }::text::jsonb) as who (user_id text, anonymous_id text)
    join public.analytics_events as event on event.actor_id = private.analytics_actor_id(who.user_id, who.anonymous_id)
    group by who.user_id, who.anonymous_id`;
  return rows.map(({ line }) => line).sort();
}

/** Facts that the raw events do not bear out, or the other way round. */
async function wrongFacts(): Promise<unknown[]> {
  return [
    ...await pool`
    with raw as (
      select day, event_name, actor_id, count(*)::int as event_count, min(occurred_at) as first_at, max(occurred_at) as last_at
      from public.analytics_events group by 1, 2, 3
    )
    (select * from raw except select * from public.analytics_actor_days)
    union all (select * from public.analytics_actor_days except select * from raw)`,
  ];
}

Deno.test("metrics, facts and people are those of the raw events after any race of writers, merges, erasures and refreshes", async () => {
  let run = 0;
  await fc.assert(
    fc.asyncProperty(
      fc.array(message, { minLength: MESSAGES, maxLength: MESSAGES }),
      fc.array(command, { minLength: 30, maxLength: 80 }),
      async (messages, commands) => {
        const clients = new Clients(`run${run++}`, messages);

        await race(clients, commands);
        await mergeAll(pool);
        await pool`select private.erase_suppressed_aliases()`;

        assertEquals(await stored(clients), expected(clients, commands));
        assertEquals(await wrongFacts(), []);
        assertEquals(await metrics(pool), await recount(pool));
      },
    ),
    // Another race would go another way: there is nothing to shrink.
    { numRuns: 12, endOnFailure: true },
  );
});

Deno.test("batches that share events in any order do not deadlock, and each event is stored once", async () => {
  const clients = new Clients("shared", fc.sample(message, { numRuns: MESSAGES, seed: 1 }));
  const orders = fc.sample(fc.shuffledSubarray([...Array(MESSAGES).keys()], { minLength: MESSAGES }), {
    numRuns: 60,
    seed: 1,
  });

  await race(clients, orders.map((messages) => ({ kind: "batch", messages })));

  const [row] = await pool`
    select count(*)::int from public.analytics_events where user_id like 'shared-%' or anonymous_id like 'shared-%'`;
  assertEquals(row!.count, MESSAGES);
  await pool.end();
});
