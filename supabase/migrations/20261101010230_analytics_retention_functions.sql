begin;

create type public.analytics_period as enum ('day', 'week');
comment on type public.analytics_period is 'What people are counted by; weeks begin on Monday.';

create type public.analytics_cohort_period as (cohort_on date, cohort_size bigint, period integer, actor_count bigint);
comment on type public.analytics_cohort_period is
  'Of the people who came on a day, or in the week that begins with it: how many came back in the period that is so many later.';

create function private.read_analytics_retention(
  days private.analytics_range, period_days integer, period_count integer, start_event text, return_event text
)
returns setof public.analytics_cohort_period
language plpgsql
stable
set search_path = ''
as $$
declare
  v_from constant date := (read_analytics_retention.days).from_day;
  v_to constant date := (read_analytics_retention.days).to_day;
  v_length constant integer := read_analytics_retention.period_days;
  v_today constant date := private.reporting_day(now());
begin
  return query
  with came as (
    select fact.actor_id, min(fact.day) as day
    from public.analytics_actor_days as fact
    where fact.day between v_from and v_to
      and (read_analytics_retention.start_event is null or fact.event_name = read_analytics_retention.start_event)
    group by fact.actor_id
  ),
  newcomer as (
    select came.actor_id, v_from + (came.day - v_from) / v_length * v_length as cohort_on
    from came
    where not exists (
      select from public.analytics_actor_days as earlier
      where earlier.actor_id = came.actor_id and earlier.day < v_from
        and (read_analytics_retention.start_event is null or earlier.event_name = read_analytics_retention.start_event)
    )
  ),
  returned as (
    select newcomer.cohort_on, (fact.day - newcomer.cohort_on) / v_length as period, count(distinct newcomer.actor_id) as actor_count
    from newcomer
    join public.analytics_actor_days as fact on fact.actor_id = newcomer.actor_id
      and fact.day >= newcomer.cohort_on and fact.day < newcomer.cohort_on + v_length * (read_analytics_retention.period_count + 1)
    where fact.day between v_from and v_to + v_length * read_analytics_retention.period_count
      and (read_analytics_retention.return_event is null or fact.event_name = read_analytics_retention.return_event)
    group by newcomer.cohort_on, (fact.day - newcomer.cohort_on) / v_length
  ),
  cohort as (
    select newcomer.cohort_on, count(*) as size from newcomer group by newcomer.cohort_on
  )
  select asked.day, coalesce(cohort.size, 0), later.period, coalesce(returned.actor_count, 0)
  from (select v_from + number * v_length from generate_series(0, (v_to - v_from) / v_length) as number) as asked (day)
  cross join generate_series(0, read_analytics_retention.period_count) as later (period)
  left join cohort on cohort.cohort_on = asked.day
  left join returned on returned.cohort_on = asked.day and returned.period = later.period
  -- What has not begun is no nought.
  where asked.day + later.period * v_length <= v_today
  order by asked.day, later.period;
end;
$$;

comment on function private.read_analytics_retention is 'Reads cohorts whose arguments are checked, and whose days are whole periods.';

create function private.analytics_retention(
  from_day date, to_day date, period public.analytics_period, period_count integer, start_event text, return_event text
)
returns setof public.analytics_cohort_period
language plpgsql
stable
security definer -- operators read under no policy
set search_path = ''
set work_mem = '64MB'
as $$
declare
  v_is_weekly constant boolean := (analytics_retention.period = 'week') is true;
  v_range private.analytics_range;
begin
  perform private.require_service_or_operator();
  if analytics_retention.period is null then
    perform private.refuse('invalid_argument', '{"argument": "period"}');
  end if;
  perform private.require_count('period_count', analytics_retention.period_count, case when v_is_weekly then 53 else 92 end);
  v_range := private.analytics_range(
    analytics_retention.from_day, analytics_retention.to_day, case when v_is_weekly then 366 else 92 end
  );
  if v_is_weekly then
    v_range.from_day := v_range.from_day - (extract(isodow from v_range.from_day)::integer - 1);
    v_range.to_day := v_range.to_day + (7 - extract(isodow from v_range.to_day)::integer);
  end if;
  return query select * from private.read_analytics_retention(
    v_range, case when v_is_weekly then 7 else 1 end, analytics_retention.period_count, analytics_retention.start_event,
    analytics_retention.return_event
  );
end;
$$;

comment on function private.analytics_retention is 'The work of public.analytics_retention().';

create function public.analytics_retention(
  from_day date default null,
  to_day date default null,
  period public.analytics_period default 'day',
  period_count integer default 7,
  start_event text default null,
  return_event text default null
)
returns setof public.analytics_cohort_period
language plpgsql
stable
set search_path = ''
set statement_timeout = '30s'
as $$
begin
  return query select * from private.analytics_retention(
    analytics_retention.from_day, analytics_retention.to_day, analytics_retention.period, analytics_retention.period_count,
    analytics_retention.start_event, analytics_retention.return_event
  );
end;
$$;

comment on function public.analytics_retention is
  'For operators and the service: of the people who did an event (or anything) for the first time ever on each of up to 92 days, or in each week that the days are of (up to 366), how many did one (or anything) in the same period and in those after it, '
  'as far as they have begun. Refuses: operator_required, invalid_argument.';
grant execute on function public.analytics_retention, private.analytics_retention to authenticated, service_role;

commit;
