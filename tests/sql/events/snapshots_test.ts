import { assertEquals } from "@std/assert";
import type { TransactionSql } from "postgres";
import { createTestDatabase, rolledBack } from "../../support/database.ts";
import { append, appendAll, draft, refusalOf, type StoredEvent, streamOf } from "./events.ts";

/** What `get_aggregate_state()` gives. */
interface State {
  version: number;
  snapshot_version: number;
  snapshot: unknown;
  events: StoredEvent[];
}

const database = await createTestDatabase();

/** A test with a stream of five events. */
function test(name: string, body: (sql: TransactionSql) => Promise<void>): void {
  Deno.test(
    name,
    rolledBack(database, async (sql) => {
      await appendAll(sql, ...Array(5).fill(draft()));
      await body(sql);
    }),
  );
}

async function save(sql: TransactionSql, version: number, state: unknown, schemaVersion = 1): Promise<void> {
  await sql`select public.save_snapshot('trip', 't1', ${version}, ${sql.json(state as never)}, ${schemaVersion})`;
}

async function stateOf(sql: TransactionSql, schemaVersion = 1, maxCount = 1000, aggregateId = "t1"): Promise<State> {
  const [row] = await sql`
    select to_jsonb(public.get_aggregate_state('trip', ${aggregateId}, ${schemaVersion}, ${maxCount})) as state`;
  return row!.state;
}

async function snapshots(sql: TransactionSql): Promise<number[]> {
  const rows = await sql`select version::int from public.event_snapshots order by version`;
  return rows.map(({ version }) => version);
}

test("get_aggregate_state() gives the latest snapshot and the events after it", async (sql) => {
  await save(sql, 3, { seats: 3 });

  const state = await stateOf(sql);

  assertEquals([state.version, state.snapshot_version, state.snapshot], [5, 3, { seats: 3 }]);
  assertEquals(state.events.map(({ version }) => Number(version)), [4, 5]);
});

test("get_aggregate_state() gives all events where there is no snapshot, and nothing where there is no stream", async (sql) => {
  const whole = await stateOf(sql);
  assertEquals([whole.version, whole.snapshot_version, whole.snapshot, whole.events.length], [5, 0, null, 5]);

  assertEquals(await stateOf(sql, 1, 10, "t2"), { version: 0, snapshot_version: 0, snapshot: null, events: [] });
});

test("get_aggregate_state() gives at most as many events as asked for; the version tells that there are more", async (sql) => {
  await save(sql, 1, {});

  const state = await stateOf(sql, 1, 2);

  assertEquals([state.version, state.events.map(({ version }) => Number(version))], [5, [2, 3]]);
});

test("a snapshot of another shape is as good as none", async (sql) => {
  await save(sql, 3, { seats: 3 });

  assertEquals((await stateOf(sql, 2)).snapshot, null);
  assertEquals((await sql`select from public.get_snapshot('trip', 't1', 2)`).length, 0);
  assertEquals([...await sql`select state from public.get_snapshot('trip', 't1')`], [{ state: { seats: 3 } }]);
});

test("the last two snapshots of a stream stay, in whatever order they come", async (sql) => {
  for (const version of [1, 4, 2, 5]) await save(sql, version, {});

  assertEquals(await snapshots(sql), [4, 5]);
});

test("a snapshot that is saved again replaces the one of its version", async (sql) => {
  await save(sql, 2, { seats: 1 });
  await save(sql, 2, { seats: 2 }, 7);

  assertEquals([...await sql`select state, schema_version from public.event_snapshots`], [
    { state: { seats: 2 }, schema_version: 7 },
  ]);
});

test("a snapshot lets later events be found without the months before it", async (sql) => {
  await save(sql, 3, {});
  const before =
    await sql`update public.event_streams set first_event_at = first_event_at - interval '10 years' returning stream_id`;
  assertEquals(before.length, 1);

  assertEquals((await streamOf(sql, "t1", 3)).map(({ version }) => version), ["4", "5"]);
  assertEquals((await streamOf(sql, "t1", 1)).map(({ version }) => version), ["2", "3", "4", "5"]);
});

test("a snapshot of a version that the stream does not have, or of no state, is refused", async (sql) => {
  for (const version of [0, 6]) {
    assertEquals(await refusalOf(sql, (sql) => save(sql, version, {})), [
      "invalid_argument",
      { argument: "version", stream_version: 5 },
    ]);
  }
  for (const state of [null, [], "seats", { text: "x".repeat(1_048_576) }]) {
    assertEquals((await refusalOf(sql, (sql) => save(sql, 1, state)))[0], "invalid_argument");
  }
});

test("old payloads are read in the newest shape that there is a way to, and stay as they are", async (sql) => {
  await sql.unsafe(`
    create function private.name_seats(payload jsonb) returns jsonb language sql immutable as $$ select jsonb_build_object('seats', payload -> 'n') $$;
    create function private.count_seats(payload jsonb) returns jsonb language sql immutable as $$ select payload || '{"counted": true}' $$;
    select private.register_event_upcaster('trip.seated', 1, 'private.name_seats(jsonb)');
    select private.register_event_upcaster('trip.seated', 2, 'private.count_seats(jsonb)');`).simple();
  const stream = { aggregate_id: "seated", event_type: "trip.seated" };
  await append(sql, { ...stream, payload: { n: 1 } });
  await append(sql, { ...stream, payload: { seats: 2 }, schema_version: 2 });
  await append(sql, { ...stream, payload: { seats: 3 }, schema_version: 3 });
  await append(sql, { ...stream, event_type: "trip.left", payload: { n: 4 } });

  const shapes = (await streamOf(sql, "seated")).map(({ payload, schema_version }) => [payload, schema_version]);

  assertEquals(shapes, [
    [{ seats: 1, counted: true }, 3],
    [{ seats: 2, counted: true }, 3],
    [{ seats: 3 }, 3],
    [{ n: 4 }, 1],
  ]);
  const state = await stateOf(sql, 1, 10, "seated");
  assertEquals(state.events[0]!.payload, { seats: 1, counted: true });
  const [stored] =
    await sql`select payload from public.event_store where aggregate_id = 'seated' order by version limit 1`;
  assertEquals(stored!.payload, { n: 1 });
});

test("what is no function of a payload is no upcaster", async (sql) => {
  const state = await sql.savepoint((sql) =>
    sql`select private.register_event_upcaster('trip.seated', 1, 'private.uuid_v7_time(uuid)')`
  )
    .then(() => "00000", (error) => error.code);

  assertEquals(state, "22023");
});
