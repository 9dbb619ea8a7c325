import { assertEquals, assertNotEquals } from "@std/assert";
import type { TransactionSql } from "postgres";
import { toBase64 } from "../../shared/base64.ts";
import { createTestDatabase, rolledBack } from "../support/database.ts";
import { openedLeaves } from "../support/opened_leaves.ts";
import { reachableTexts, readSources, type Sources } from "../support/sql_mentions.ts";
import { corpus } from "../whatsapp/corpus/corpus.ts";

const MONTHS = 60;
/** Of one table, counting no month to come: those and the default partition are the same few however old the data is. */
const MOST_LEAVES = 3;
const UNREADABLE = "bm8ganNvbg==";

const database = await createTestDatabase();
await makeOldMonths();
const [{ delivery_id: deliveryId } = { delivery_id: "" }] = await database.sql<{ delivery_id: string }[]>`
  select delivery_id from public.ingest_whatsapp_delivery(${UNREADABLE})`;

type Work = (sql: TransactionSql) => Promise<unknown>;

/** One call of everything that reads or writes partitioned tables, as its callers call it. */
const CASES: Record<string, Work> = {
  "public.ingest_whatsapp_delivery": (sql) => ingestCorpus(sql, 450),
  "public.replay_whatsapp_delivery": (sql) => sql`select public.replay_whatsapp_delivery(${deliveryId})`,
  "public.replay_whatsapp_deliveries": (sql) =>
    sql`select public.replay_whatsapp_deliveries(now() - interval '1 day', now())`,
  "public.whatsapp_delivery_outcomes": (sql) =>
    sql`select * from public.whatsapp_delivery_outcomes where delivery_id >= private.uuid_v7_floor(now() - interval '1 day')`,
};

Deno.test("whatever reads or writes a partitioned table is tried here", async () => {
  assertEquals(await onPartitionedTables(await readSources(database.sql)), Object.keys(CASES).sort());
});

Deno.test("a breach is seen: a function on a partitioned table that nobody tries", async () => {
  const sources: Sources = new Map(await readSources(database.sql));
  const inner = { name: "private.inner", body: "select count(*) from public.whatsapp_events", comment: "" };
  const outer = { name: "public.outer", body: "select private.inner()", comment: "" };

  const found = await onPartitionedTables(new Map([...sources, [inner.name, inner], [outer.name, outer]]));

  assertEquals(found.includes("public.outer"), true);
});

for (const [name, work] of Object.entries(CASES)) {
  Deno.test(
    `${name} opens at most ${MOST_LEAVES} leaves of a table, beside ${MONTHS} months of them`,
    rolledBack(database, async (sql) => {
      const { used } = await openedLeaves(sql, () => work(sql));

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
    cross join generate_series(1, ${MONTHS}::int) as n`;
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

async function ingestCorpus(sql: TransactionSql, size: number): Promise<void> {
  for (const { bytes } of corpus(size, size, new Date())) {
    await sql`select public.ingest_whatsapp_delivery(${toBase64(bytes)})`;
  }
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
