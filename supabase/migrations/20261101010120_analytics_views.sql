begin;

create view public.analytics_summary
with (security_invoker = on)
as
select
  fact.event_name,
  sum(fact.event_count) filter (where fact.day = today.day) as events_today,
  sum(fact.event_count) filter (where fact.day > today.day - 7) as events_7_days,
  sum(fact.event_count) as events_30_days,
  count(distinct fact.actor_id) filter (where fact.day = today.day) as actors_today,
  count(distinct fact.actor_id) filter (where fact.day > today.day - 7) as actors_7_days,
  count(distinct fact.actor_id) as actors_30_days,
  max(fact.last_at) as last_at
from (values ((now() at time zone 'Africa/Kigali')::date)) as today (day)
join public.analytics_actor_days as fact on fact.day between today.day - 29 and today.day
group by fact.event_name;

comment on view public.analytics_summary is
  'Each event name of the last 30 days, today included: how often, and by how many people, today and in the last 7 and 30 days. Exact and current: from the facts, not from daily_metrics.';

create view public.user_engagement_metrics
with (security_invoker = on)
as
select
  fact.actor_id,
  count(distinct fact.day) filter (where fact.day > today.day - 7) as active_days_7_days,
  count(distinct fact.day) as active_days_30_days,
  sum(fact.event_count) as events_30_days,
  count(distinct fact.event_name) as event_names_30_days,
  min(fact.first_at) as first_at,
  max(fact.last_at) as last_at,
  today.day - max(fact.day) as days_since_last
from (values ((now() at time zone 'Africa/Kigali')::date)) as today (day)
join public.analytics_actor_days as fact on fact.day between today.day - 29 and today.day
group by fact.actor_id, today.day;

comment on view public.user_engagement_metrics is
  'Each person of the last 30 days, today included: on how many days they were active, what they did, and when first and last within them.';
grant select on public.analytics_summary, public.user_engagement_metrics to service_role;

commit;
