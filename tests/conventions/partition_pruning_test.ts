import { assertEquals, assertNotEquals } from "@std/assert";
import { createTestDatabase, rolledBack } from "../support/database.ts";
import { openedLeaves } from "../support/opened_leaves.ts";
import { reachableTexts, readSources, type Sources } from "../support/sql_mentions.ts";
import type { BoundedCalls } from "./bounded/case.ts";
import { ANALYTICS } from "./bounded/analytics.ts";
import { ANALYTICS_QUESTIONS } from "./bounded/analytics_questions.ts";
import { CONFIGURATION } from "./bounded/configuration.ts";
import { CONVERSATION } from "./bounded/conversation.ts";
import { EVENTS, prepareEvents } from "./bounded/events.ts";
import { FLAGS } from "./bounded/flags.ts";
import { MESSAGE_QUEUE } from "./bounded/message_queue.ts";
import { OBSERVABILITY, prepareObservability } from "./bounded/observability.ts";
import { NOTIFICATIONS } from "./bounded/notifications.ts";
import { PAYMENT_INTAKE } from "./bounded/payment_intake.ts";
import { PAYMENTS } from "./bounded/payments.ts";
import { RECONCILIATION } from "./bounded/reconciliation.ts";
import { SERVICES } from "./bounded/services.ts";
import { TRIPS } from "./bounded/trips.ts";
import { WALLET } from "./bounded/wallet.ts";
import { WEBHOOKS } from "./bounded/webhooks.ts";
import { ingestCorpus, WHATSAPP } from "./bounded/whatsapp.ts";
import { WHATSAPP_OUTBOUND } from "./bounded/whatsapp_outbound.ts";
import { TRACE } from "./bounded/trace.ts";

const MONTHS = 60;
/** Of one table, counting no month to come: those and the default partition are the same few however old the data is. */
const MOST_LEAVES = 3;

const CALLS: BoundedCalls = {
  ...ANALYTICS,
  ...ANALYTICS_QUESTIONS,
  ...TRACE,
  ...CONFIGURATION,
  ...CONVERSATION,
  ...EVENTS,
  ...FLAGS,
  ...MESSAGE_QUEUE,
  ...NOTIFICATIONS,
  ...OBSERVABILITY,
  ...PAYMENT_INTAKE,
  ...PAYMENTS,
  ...RECONCILIATION,
  ...SERVICES,
  ...TRIPS,
  ...WALLET,
  ...WEBHOOKS,
  ...WHATSAPP,
  ...WHATSAPP_OUTBOUND,
};
/** These look through all of history, and are called as rarely as that costs. */
const UNBOUNDED = {
  "private.check_audit_log": "once a week",
  "private.erase_suppressed_aliases": "all that a person ever did, once",
  "private.verify_wallet_ledger": "replays all of it, at night",
  "public.erase_analytics_user": "all that a person ever did, once",
  "public.erase_payment_data": "all that a person ever paid, once",
  "public.erase_person": "all that a person ever left, once",
  "public.suppress_analytics_user": "reads no leaf: it locks the parent",
  "public.unsuppress_analytics_user": "reads no leaf: it locks the parent",
  "public.verify_audit_log": "a forged row may lie in any leaf",
};

const database = await createTestDatabase();
await prepareEvents(database.sql);
await prepareObservability(database.sql);
await makeOldMonths();

Deno.test("whatever reads or writes a partitioned table is tried here", async () => {
  assertEquals(
    await onPartitionedTables(await readSources(database.sql)),
    Object.keys({ ...CALLS, ...UNBOUNDED }).sort(),
  );
});

Deno.test("a breach is seen: a function on a partitioned table that nobody tries", async () => {
  const sources: Sources = new Map(await readSources(database.sql));
  const inner = { name: "private.inner", body: "select count(*) from public.whatsapp_events", comment: "" };
  const outer = { name: "public.outer", body: "select private.inner()", comment: "" };

  const found = await onPartitionedTables(new Map([...sources, [inner.name, inner], [outer.name, outer]]));

  assertEquals(found.includes("public.outer"), true);
});

for (const [name, call] of Object.entries(CALLS)) {
  Deno.test(
    `${name} opens at most ${MOST_LEAVES} leaves of a table, beside ${MONTHS} months of them`,
    rolledBack(database, async (sql) => {
      const { used } = await openedLeaves(sql, () => call(sql));

      assertNotEquals(used, []);
      assertEquals(crowds(used), []);
    }),
  );
}

Deno.test(
  "ingest_whatsapp_delivery() does not even lock other leaves while it plans",
  rolledBack(database, async (sql) => {
    // Otherwise the sixth run of each statement tries a generic plan, once per session, and locks every leaf for it.
    await sql`set local plan_cache_mode = force_custom_plan`;
    const { locked } = await openedLeaves(sql, () => ingestCorpus(sql, 60));

    assertEquals(crowds(locked), []);
  }),
);

Deno.test(
  "a breach is seen: a query without an id floor, inside a function",
  rolledBack(database, async (sql) => {
    await sql.unsafe(`create function private.probe() returns bigint language plpgsql as $$
      begin
        return (select count(*) from public.whatsapp_messages as message where message.contact_id = gen_random_uuid());
      end $$`).simple();

    const { used } = await openedLeaves(sql, () => sql`select private.probe()`);

    assertEquals(crowds(used), [`public.whatsapp_messages: ${MONTHS + 1}`]);
  }),
);

async function makeOldMonths(): Promise<void> {
  await database.sql`
    select private.create_partition(managed.table_name, date_trunc('month', now(), 'UTC') - make_interval(months => n))
    from private.partitioned_tables as managed
    cross join generate_series(1, ${MONTHS}::int) as n
    where to_regclass(format(
      'partitions.%I', managed.table_name || to_char(date_trunc('month', now(), 'UTC') - make_interval(months => n), '_YYYY_MM')
    )) is null`;
}

/** Tables of which too many leaves are among these. */
function crowds(leaves: string[]): string[] {
  const thisMonth = new Date().toISOString().slice(0, 7).replace("-", "_");
  const months = leaves.map((leaf) => /^partitions\.(\w+)_(\d{4}_\d\d)$/.exec(leaf))
    .filter((match) => match !== null && match[2]! <= thisMonth);
  const byTable = Object.groupBy(months, (match) => match![1]!);
  return Object.entries(byTable).filter(([, found]) => found!.length > MOST_LEAVES)
    .map(([table, found]) => `public.${table}: ${found!.length}`);
}

/** What clients and the schedule can call that ends at a partitioned table. */
async function onPartitionedTables(sources: Sources): Promise<string[]> {
  const tables = await database.sql<{ name: string }[]>`
    select format('%I.%I', 'public', table_name) as name from private.partitioned_tables`;
  const jobs = await database.sql<{ command: string }[]>`select command from private.schedule`;
  const entrances = [...sources.values()].filter(({ name }) =>
    name.startsWith("public.") || jobs.some(({ command }) => command.includes(`${name}(`))
  );
  const mention = new RegExp(`\\b(${tables.map(({ name }) => name).join("|")})\\b`);
  return entrances.filter(({ body }) => reachableTexts(body, sources).some((text) => mention.test(text)))
    .map(({ name }) => name).sort();
}
