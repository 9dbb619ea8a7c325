begin;

create type public.analytics_active_day as (day date, dau bigint, wau bigint, mau bigint);
comment on type public.analytics_active_day is 'How many people were active on a day, and in the 7 and 30 days that end with it.';

create function private.analytics_active_users(from_day date, to_day date, event_name text)
returns setof public.analytics_active_day
language plpgsql
stable
security definer -- operators read under no policy
set search_path = ''
set work_mem = '64MB'
as $$
declare
  v_range private.analytics_range;
begin
  perform private.require_service_or_operator();
  v_range := private.analytics_range(analytics_active_users.from_day, analytics_active_users.to_day, 366);
  -- A day that somebody was active on counts for the days after it, until their next: such stretches of one person never
  -- overlap, so that a running sum of their beginnings and ends counts each person once.
  return query
  with seen as (
    select distinct fact.actor_id, fact.day
    from public.analytics_actor_days as fact
    where fact.day between v_range.from_day - 29 and v_range.to_day
      and (analytics_active_users.event_name is null or fact.event_name = analytics_active_users.event_name)
  ),
  following as (
    select seen.day, lead(seen.day) over (partition by seen.actor_id order by seen.day) - seen.day as gap from seen
  ),
  stretch as (
    select following.day, following.gap, count(*) as actors from following group by following.day, following.gap
  ),
  span (days) as (values (1), (7), (30)),
  move as (
    select span.days, change.day, change.actors
    from stretch
    cross join span
    cross join lateral (
      values (stretch.day, stretch.actors), (stretch.day + least(span.days, stretch.gap), -stretch.actors)
    ) as change (day, actors)
    union all
    select span.days, asked.day::date, 0
    from generate_series(v_range.from_day::timestamp, v_range.to_day::timestamp, '1 day') as asked (day)
    cross join span
  ),
  level as (
    select move.days, move.day, (sum(sum(move.actors)) over (partition by move.days order by move.day))::bigint as actors
    from move group by move.days, move.day
  )
  select
    level.day,
    max(level.actors) filter (where level.days = 1),
    max(level.actors) filter (where level.days = 7),
    max(level.actors) filter (where level.days = 30)
  from level
  where level.day between v_range.from_day and v_range.to_day
  group by level.day
  order by level.day;
end;
$$;

comment on function private.analytics_active_users is 'The work of public.analytics_active_users().';

create function public.analytics_active_users(from_day date default null, to_day date default null, event_name text default null)
returns setof public.analytics_active_day
language plpgsql
stable
set search_path = ''
set statement_timeout = '30s'
as $$
begin
  return query select * from private.analytics_active_users(
    analytics_active_users.from_day, analytics_active_users.to_day, analytics_active_users.event_name
  );
end;
$$;

comment on function public.analytics_active_users is
  'For operators and the service: people active (by one event, or any) on each day, and in the 7 and 30 days that end with it, exactly, up to 366 days. By default the last 30. '
  'Days are those of Kigali. Refuses: operator_required, invalid_argument.';
grant execute on function public.analytics_active_users, private.analytics_active_users to authenticated, service_role;

commit;
