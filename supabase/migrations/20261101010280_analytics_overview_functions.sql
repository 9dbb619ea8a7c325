begin;

create type public.analytics_overview_period as (
  from_day date,
  to_day date,
  event_count bigint,
  event_name_count bigint,
  actor_count bigint,
  new_actor_count bigint
);
comment on type public.analytics_overview_period is 'What happened on some days. New are people of whom there was nothing before.';

create function private.read_analytics_overview(days private.analytics_range)
returns public.analytics_overview_period
language plpgsql
stable
set search_path = ''
as $$
declare
  v_from constant date := (read_analytics_overview.days).from_day;
  v_to constant date := (read_analytics_overview.days).to_day;
  v_overview public.analytics_overview_period;
begin
  with person as (
    select fact.actor_id, sum(fact.event_count) as event_count
    from public.analytics_actor_days as fact
    where fact.day between v_from and v_to
    group by fact.actor_id
  )
  select
    v_from, v_to, coalesce(sum(person.event_count), 0),
    (select count(distinct fact.event_name) from public.analytics_actor_days as fact where fact.day between v_from and v_to),
    count(*),
    count(*) filter (where not exists (
      select from public.analytics_actor_days as earlier where earlier.actor_id = person.actor_id and earlier.day < v_from
    ))
  into v_overview
  from person;
  return v_overview;
end;
$$;

comment on function private.read_analytics_overview is 'Reads one period of an overview.';

create function private.analytics_overview(from_day date, to_day date)
returns setof public.analytics_overview_period
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
  v_range := private.analytics_range(analytics_overview.from_day, analytics_overview.to_day, 366);
  return next private.read_analytics_overview(v_range);
  return next private.read_analytics_overview(
    (v_range.from_day - (v_range.to_day - v_range.from_day + 1), v_range.from_day - 1)::private.analytics_range
  );
end;
$$;

comment on function private.analytics_overview is 'The work of public.analytics_overview().';

create function public.analytics_overview(from_day date default null, to_day date default null)
returns setof public.analytics_overview_period
language plpgsql
stable
set search_path = ''
set statement_timeout = '30s'
as $$
begin
  return query select * from private.analytics_overview(analytics_overview.from_day, analytics_overview.to_day);
end;
$$;

comment on function public.analytics_overview is
  'For operators and the service: events, names of events, people and new people of up to 366 days, and in a second row of as many days before them. Refuses: operator_required, invalid_argument.';
grant execute on function public.analytics_overview, private.analytics_overview to authenticated, service_role;

commit;
