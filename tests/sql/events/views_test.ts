import { assertEquals } from "@std/assert";
import { connect } from "../../../scripts/stack/connection.ts";
import { createTestDatabase, rolledBack } from "../../support/database.ts";
import { append, appendAll, draft, streamOf } from "./events.ts";
import { createScene, runAll } from "./subscriptions.ts";

const database = await createTestDatabase();
const test = (name: string, body: Parameters<typeof rolledBack>[1]) => Deno.test(name, rolledBack(database, body));

test("cloud_events shows events as CloudEvents 1.0", async (sql) => {
  await sql`select set_config('request.headers', '{"x-correlation-id": "tap-1"}', true)`;
  await append(sql, {
    payload: { seats: 2 },
    schema_version: 3,
    causation_id: "command-1",
    metadata: { traceparent: "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01" },
  });
  const [event] = await streamOf(sql);

  const [row] = await sql`
    select to_jsonb(cloud_event) - '{stored_id,transaction_id,position,time}'::text[] as attributes, time
    from public.cloud_events as cloud_event where stored_id >= ${event!.id}`;

  assertEquals(row!.attributes, {
    specversion: "1.0",
    id: event!.event_id,
    source: "/easymo/trip",
    type: "trip.moved",
    subject: "t1",
    datacontenttype: "application/json",
    dataschema: "urn:easymo:event:trip.moved:3",
    data: { seats: 2 },
    sequence: "0000000000000000001",
    correlationid: "tap-1",
    causationid: "command-1",
    traceparent: "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
    actor: "postgres",
  });
  assertEquals(row!.time, event!.occurred_at);
});

test("event_store_stats counts streams and events by their kind", async (sql) => {
  await appendAll(sql, draft(), draft(), draft({ aggregate_id: "t2" }), draft({ aggregate_type: "ride" }));

  const rows = await sql`
    select aggregate_type, stream_count::int, event_count::int, event_count_last_5_minutes::int as lately,
      last_event_at > now() - interval '1 minute' as is_fresh
    from public.event_store_stats order by aggregate_type`;

  assertEquals([...rows], [
    { aggregate_type: "ride", stream_count: 1, event_count: 1, lately: 1, is_fresh: true },
    { aggregate_type: "trip", stream_count: 2, event_count: 3, lately: 3, is_fresh: true },
  ]);
});

Deno.test("event_subscription_stats shows how far behind a subscription is, since when, and what it has parked", async () => {
  const { sql, happen } = await createScene(", max_attempts => 1");
  const stats = async () => {
    const [row] = await sql`
      select status, is_served_by_sql, unread_count::int as unread, oldest_unread_at, parked_count::int as parked,
        replay_count::int as replays, last_error
      from public.event_subscription_stats where name = 'moves'`;
    return { ...row! };
  };
  const [first] = await happen({ payload: { poison: true } }, {}, {});

  assertEquals(await stats(), {
    status: "active",
    is_served_by_sql: true,
    unread: 3,
    oldest_unread_at: first!.appended_at,
    parked: 0,
    replays: 0,
    last_error: null,
  });

  await runAll(sql);
  await sql`update public.event_parked set replay_from = now()`;
  const { unread, oldest_unread_at, parked, replays, last_error } = await stats();
  assertEquals([unread, oldest_unread_at, parked, replays, last_error], [0, null, 1, 1, "P0001 poisoned"]);
  await sql.end();
});

Deno.test("event_subscription_stats tells of a subscription that begins now without counting what it will not read", async () => {
  const { sql, happen } = await createScene();
  await happen({}, {}, {});
  await sql`select public.register_subscription('later', is_from_start => false)`;
  const [row] = await sql`select unread_count from public.event_subscription_stats where name = 'later'`;

  assertEquals(row!.unread_count, "0");
  await sql.end();
});

Deno.test("event_horizon names the writer that has been at it longest", async () => {
  const { sql, url } = await createTestDatabase();
  const [oldest, later] = [connect(url), connect(url)];

  const held = await oldest.begin(async (oldest) => {
    const [{ pid } = { pid: 0 }] = await oldest<
      { pid: number }[]
    >`select pg_backend_pid() as pid, pg_current_xact_id()`;
    return await later.begin(async (later) => {
      await later`select pg_current_xact_id()`;
      const [horizon] = await sql`
        select pid = ${pid} or started_at < (select xact_start from pg_stat_activity where pid = ${pid}) as is_oldest,
          transaction_id, database_name is not null and role_name is not null as is_known
        from public.event_horizon`;
      return horizon!;
    });
  });

  assertEquals([held.is_oldest, held.is_known], [true, true]);
  await Promise.all([sql, oldest, later].map((sql) => sql.end()));
});
