import type { TransactionSql } from "postgres";
import type { BoundedCall, BoundedCalls } from "./case.ts";

/** Every question to analytics that reads raw events: over the days up to today, and a timeline's first page. */
export const ANALYTICS_QUESTIONS: BoundedCalls = {
  "public.analytics_flag_adoption": asked("analytics_flag_adoption('fare')"),
  "public.analytics_funnel": asked("analytics_funnel('{looked,rode}', breakdown => 'city')"),
  "public.analytics_sessions": asked("analytics_sessions()"),
  "public.analytics_timeline": asked("analytics_timeline('aline', max_count => 1)"),
  "public.analytics_top_properties": asked("analytics_top_properties('looked')"),
  "public.analytics_top_values": asked("analytics_top_values('looked', 'city')"),
};

function asked(question: string): BoundedCall {
  return async (sql) => {
    await happen(sql);
    // Seven times: from the sixth on, a plan may be one for all arguments.
    for (let time = 0; time < 7; time++) await sql.unsafe(`select * from public.${question}`);
  };
}

async function happen(sql: TransactionSql): Promise<void> {
  await sql`
    insert into public.analytics_events (day, id, event_name, actor_id, occurred_at)
    select (at at time zone 'Africa/Kigali')::date, gen_random_uuid(), 'looked', private.analytics_actor_id('aline', null), at
    from unnest(array[now(), now() - interval '1 hour']) as at`;
}
