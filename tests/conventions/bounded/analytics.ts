import type { TransactionSql } from "postgres";
import { track } from "../../sql/analytics/analytics.ts";
import { asUser, createUser } from "../../sql/foundation/people.ts";
import type { BoundedCalls } from "./case.ts";

/** Every call of analytics that ends at its partitioned events. */
export const ANALYTICS: BoundedCalls = {
  "public.track_events": (sql) => trackTwice(sql),
  "public.track_event": async (sql) => {
    const user = await createUser(sql);
    await asUser(sql, user, (client) => client`select public.track_event('ride_booked')`);
  },
  "public.record_flag_exposures": (sql) =>
    sql`select public.record_flag_exposures('production', '[{"flag_key": "map", "variant": "on", "targeting_key": "0192f3a0-0000-7000-8000-000000000001"}]')`,
  "private.merge_analytics_actors": async (sql) => {
    await trackTwice(sql);
    await sql`
      insert into public.analytics_identities (alias_id, actor_id, settled_by)
      select private.analytics_actor_id(null, 'browser'), private.analytics_actor_id('aline', null), '3'`;
    await sql`select private.merge_analytics_actors(10)`;
  },
};

async function trackTwice(sql: TransactionSql): Promise<void> {
  for (let time = 0; time < 2; time++) {
    await track(sql, [{ message_id: "m1", anonymous_id: "browser" }, { message_id: "m2", user_id: "aline" }]);
  }
}
