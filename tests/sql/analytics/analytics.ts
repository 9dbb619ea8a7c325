import type { ISql } from "postgres";
import { until } from "../../support/until.ts";

/** One item of a batch, as the edge hands it over. */
export interface Item {
  message_id?: string;
  type?: string;
  event_name?: string;
  user_id?: string;
  anonymous_id?: string;
  previous_id?: string;
  properties?: unknown;
  is_bot?: boolean;
  timestamp?: string;
  sent_at?: string;
}

/** What track_events() answers. */
export interface Answer {
  received: number;
  stored: number;
  duplicate: number;
  suppressed: number;
  rejected: { index: number; id: string | null; reason: string }[];
}

/** Stores a batch as the service does. */
export async function track(sql: ISql, items: Item[], batch: Record<string, unknown> = {}): Promise<Answer> {
  const full = items.map((item, index) => ({ index, type: "track", event_name: "ride_booked", ...item }));
  const [row] = await sql`select public.track_events(${
    JSON.stringify({ items: full, ...batch })
  }::text::jsonb) as answer`;
  return row!.answer;
}

/** A time that many days ago. */
export function daysAgo(days: number): string {
  return new Date(Date.now() - days * 86_400_000).toISOString();
}

/** Who a user id is. */
export async function userActor(sql: ISql, userId: string): Promise<string> {
  const [row] = await sql`select private.analytics_actor_id(${userId}, null) as id`;
  return row!.id;
}

/**
 * Merges all that was claimed, while nobody writes events. Who could not see the links has ended: the schedule must wait
 * for everybody else on the cluster too, which it shares with other tests.
 */
export async function mergeAll(sql: ISql): Promise<void> {
  await until(async () => {
    await sql`update public.analytics_identities set settled_by = '3' where merged_at is null`;
    await sql`select private.merge_analytics_actors(500)`;
    return !await pending(sql);
  }, "every claim is merged");
}

async function pending(sql: ISql): Promise<boolean> {
  const [row] = await sql`
    select exists (select from private.analytics_identity_claims) or exists (
      select from public.analytics_identities as link
      where link.merged_at is null
        and not exists (select from private.analytics_suppressed_links as suppressed where suppressed.alias_id = link.alias_id)
    ) as pending`;
  return row!.pending;
}

/** The refreshed metrics, as `day name events people`. */
export async function metrics(sql: ISql): Promise<string[]> {
  await sql`select public.refresh_daily_metrics()`;
  const rows = await sql`
    select concat_ws(' ', day, event_name, event_count, actor_count) as line
    from public.daily_metrics order by day, event_name collate "C"`;
  return rows.map(({ line }) => line);
}

/** The same lines, counted anew from the raw events. */
export async function recount(sql: ISql): Promise<string[]> {
  const rows = await sql`
    select concat_ws(' ', day, coalesce(event_name, '*'), count(*), count(distinct actor_id)) as line
    from public.analytics_events where not is_bot and type <> 'group'
    group by grouping sets ((day, event_name), (day)) order by day, coalesce(event_name, '*') collate "C"`;
  return rows.map(({ line }) => line);
}
