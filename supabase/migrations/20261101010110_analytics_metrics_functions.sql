begin;

create materialized view private.daily_metrics as
select
  daily.day,
  daily.event_name,
  daily.event_count,
  daily.actor_count,
  round(daily.event_count::numeric / daily.actor_count, 2) as events_per_actor
from private.analytics_daily as daily;

comment on materialized view private.daily_metrics is 'Events and people per day and name (* is all of them). Read through public.daily_metrics.';
create unique index daily_metrics_day_event_name_key on private.daily_metrics (day, event_name);

create function private.sum_analytics_days(days date[])
returns void
language plpgsql
set search_path = ''
as $$
begin
  delete from private.analytics_daily as daily where daily.day = any(sum_analytics_days.days);
  -- A fact is one person's, so that counting them by name counts people; for all names together people repeat.
  insert into private.analytics_daily (day, event_name, event_count, actor_count)
  select fact.day, fact.event_name, sum(fact.event_count), count(*)
  from public.analytics_actor_days as fact
  where fact.day = any(sum_analytics_days.days)
  group by fact.day, fact.event_name
  union all
  select person.day, '*', sum(person.event_count), count(*)
  from (
    select fact.day, fact.actor_id, sum(fact.event_count) as event_count
    from public.analytics_actor_days as fact
    where fact.day = any(sum_analytics_days.days)
    group by fact.day, fact.actor_id
  ) as person
  group by person.day;
end;
$$;

comment on function private.sum_analytics_days is 'Adds up the facts of days anew.';

create function private.refresh_daily_metrics()
returns setof date
language plpgsql
security definer -- only its owner may refresh a materialized view
set search_path = ''
as $$
declare
  v_days date[];
begin
  perform pg_advisory_xact_lock(hashtextextended('refresh_daily_metrics', 0));
  with taken as (delete from private.analytics_dirty_days as mark returning mark.day)
  select array_agg(distinct taken.day order by taken.day) into v_days from taken;
  if v_days is null then
    return;
  end if;
  -- A later statement, and so a later snapshot: it sees every event whose mark was just taken.
  perform private.sum_analytics_days(v_days);
  refresh materialized view concurrently private.daily_metrics;
  return query select unnest(v_days);
end;
$$;

comment on function private.refresh_daily_metrics is 'The work of public.refresh_daily_metrics().';

create function public.refresh_daily_metrics()
returns setof date
language plpgsql
set search_path = ''
set statement_timeout = '60s'
as $$
begin
  return query select private.refresh_daily_metrics();
end;
$$;

comment on function public.refresh_daily_metrics is
  'Adds up the days whose events have changed since the last time, however late those came, and refreshes daily_metrics; says which days. Costs what has changed, not what there is. Run by the schedule.';
grant execute on function public.refresh_daily_metrics, private.refresh_daily_metrics to service_role;

create function private.read_daily_metrics()
returns setof private.daily_metrics
language plpgsql
stable
security definer -- a materialized view knows no policies: nobody is granted it
set search_path = ''
as $$
begin
  perform private.require_service_or_operator();
  return query select * from private.daily_metrics;
end;
$$;

comment on function private.read_daily_metrics is 'The rows of public.daily_metrics. Refuses: operator_required.';

create view public.daily_metrics
with (security_invoker = on)
as
select * from private.read_daily_metrics();

comment on view public.daily_metrics is
  'For operators and the service: events, people and events per person by day (Africa/Kigali) and event name, as of the last refresh; the name * is all of them. Bots are left out.';
grant execute on function private.read_daily_metrics to authenticated, service_role;
grant select on public.daily_metrics to authenticated, service_role;

commit;
