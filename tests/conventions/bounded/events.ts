import type { ISql, TransactionSql } from "postgres";
import type { BoundedCalls } from "./case.ts";
import { untilReadable } from "../../sql/events/events.ts";

const EVENT = { aggregate_type: "probe", aggregate_id: "p1", event_type: "probe.tried", payload: {} };
const EVENT_ID = "01a204ec-d44e-785a-b953-060770745de0";

/** Every call of the event store that ends at a partitioned table. */
export const EVENTS: BoundedCalls = {
  "public.append_event": async (sql) => {
    for (let time = 0; time < 2; time++) {
      await sql`select public.append_event('probe', 'p1', 'probe.tried', '{}')`;
      await sql`select public.append_event('probe', 'p2', 'probe.tried', '{}', event_id => ${EVENT_ID})`;
    }
  },
  "public.append_events": append,
  "public.get_aggregate_events": async (sql) => {
    await append(sql);
    await sql`select public.get_aggregate_events('probe', 'p1', 1)`;
  },
  "public.get_aggregate_state": async (sql) => {
    await append(sql);
    await sql`select public.get_aggregate_state('probe', 'p1')`;
  },
  "public.save_snapshot": async (sql) => {
    await append(sql);
    await sql`select public.save_snapshot('probe', 'p1', 2, '{}')`;
  },
  "public.read_events": (sql) => sql`select public.read_events()`,
  "public.cloud_events": (sql) =>
    sql`select * from public.cloud_events where stored_id >= private.uuid_v7_floor(now() - interval '1 day')`,
  "public.event_store_stats": async (sql) => {
    await append(sql);
    await sql`select * from public.event_store_stats`;
  },
  "public.event_subscription_stats": async (sql) => {
    await sql`select public.register_subscription('probe')`;
    await sql`select * from public.event_subscription_stats`;
  },
  "public.register_subscription": afterRestore((sql) =>
    sql`select public.register_subscription('probe', is_from_start => false)`
  ),
  "public.event_horizon": afterRestore((sql) => sql`select * from public.event_horizon`),
  "private.tick_events": afterRestore((sql) => sql`select private.tick_events()`),
  "public.run_subscriptions": async (sql) => {
    await sql.unsafe(`
      create function private.probe(events public.event_store[]) returns void language plpgsql as 'begin end';
      select private.register_subscription('probe', 'private.probe(public.event_store[])')`).simple();
    await sql`select public.run_subscriptions()`;
  },
  "public.claim_subscription": claim,
  "public.advance_subscription": afterRestore(async (sql) => {
    await claim(sql);
    await sql`select public.advance_subscription('probe', 1, 0, 0, 0, 0)`;
  }),
  "public.fail_subscription_event": async (sql) => {
    await claim(sql);
    const [event] =
      await sql`select id from public.event_store where id >= private.uuid_v7_floor(now() - interval '1 day')`;
    await sql`select public.fail_subscription_event('probe', 1, ${event!.id}, 'no')`;
  },
  "public.pause_subscription": (sql) => steer(sql, "pause_subscription"),
  "public.resume_subscription": (sql) => steer(sql, "resume_subscription"),
  "public.delete_subscription": (sql) => steer(sql, "delete_subscription"),
  "public.replay_parked_events": (sql) => steer(sql, "replay_parked_events"),
};

/** Appends an event that subscriptions can read: one of an open transaction they cannot. */
export async function prepareEvents(sql: ISql): Promise<void> {
  await append(sql);
  await untilReadable(sql);
}

async function claim(sql: TransactionSql): Promise<void> {
  await sql`select public.register_subscription('probe')`;
  await sql`select public.claim_subscription('probe')`;
}

async function steer(sql: TransactionSql, work: string): Promise<void> {
  await sql`select public.register_subscription('probe')`;
  await sql`select set_config('role', 'service_role', true)`;
  await sql.unsafe(`select public.${work}('probe')`);
  await sql`reset role`;
}

async function append(sql: ISql): Promise<void> {
  await sql`select public.append_events(${sql.json([EVENT, EVENT])})`;
}

/** Calls as the first of a cluster into which the database was restored. */
function afterRestore(call: (sql: TransactionSql) => Promise<unknown>): (sql: TransactionSql) => Promise<void> {
  return async (sql) => {
    await sql`update private.event_epoch set cluster_id = 1`;
    await call(sql);
  };
}
