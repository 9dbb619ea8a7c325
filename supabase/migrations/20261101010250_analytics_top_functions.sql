begin;

create type public.analytics_top_event as (event_name text, event_count bigint, actor_count bigint);
comment on type public.analytics_top_event is 'How often an event happened, and to how many people.';
create type public.analytics_top_property as (property_name text, event_count bigint, actor_count bigint);
comment on type public.analytics_top_property is 'How many events of a name have a property, and of how many people.';
create type public.analytics_top_value as (value text, event_count bigint, actor_count bigint);
comment on type public.analytics_top_value is 'How many events have a property of this value, as text, and of how many people; null: of those without it.';

create function private.analytics_top_events(from_day date, to_day date, max_count integer)
returns setof public.analytics_top_event
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
  perform private.require_count('max_count', analytics_top_events.max_count, 100);
  v_range := private.analytics_range(analytics_top_events.from_day, analytics_top_events.to_day, 366);
  return query
  select person.event_name, sum(person.event_count)::bigint, count(*)
  from (
    select fact.event_name, fact.actor_id, sum(fact.event_count) as event_count
    from public.analytics_actor_days as fact
    where fact.day between v_range.from_day and v_range.to_day
    group by fact.event_name, fact.actor_id
  ) as person
  group by person.event_name
  order by sum(person.event_count) desc, person.event_name collate "C"
  limit analytics_top_events.max_count;
end;
$$;

comment on function private.analytics_top_events is 'The work of public.analytics_top_events().';

create function public.analytics_top_events(from_day date default null, to_day date default null, max_count integer default 20)
returns setof public.analytics_top_event
language plpgsql
stable
set search_path = ''
set statement_timeout = '30s'
as $$
begin
  return query select * from private.analytics_top_events(
    analytics_top_events.from_day, analytics_top_events.to_day, analytics_top_events.max_count
  );
end;
$$;

comment on function public.analytics_top_events is
  'For operators and the service: the up to 100 most frequent events of up to 366 days; equals in the order of their names. Refuses: operator_required, invalid_argument.';
grant execute on function public.analytics_top_events, private.analytics_top_events to authenticated, service_role;

create function private.analytics_top_properties(event_name text, from_day date, to_day date, max_count integer)
returns setof public.analytics_top_property
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
  perform private.require_count('max_count', analytics_top_properties.max_count, 100);
  v_range := private.analytics_range(analytics_top_properties.from_day, analytics_top_properties.to_day, 92);
  return query
  select property.name, count(*), count(distinct event.actor_id)
  from public.analytics_events as event
  cross join lateral jsonb_object_keys(event.properties) as property (name)
  where event.day between v_range.from_day and v_range.to_day
    and event.event_name = analytics_top_properties.event_name and not event.is_bot
  group by property.name
  order by count(*) desc, property.name collate "C"
  limit analytics_top_properties.max_count;
end;
$$;

comment on function private.analytics_top_properties is 'The work of public.analytics_top_properties().';

create function public.analytics_top_properties(
  event_name text, from_day date default null, to_day date default null, max_count integer default 20
)
returns setof public.analytics_top_property
language plpgsql
stable
set search_path = ''
set statement_timeout = '30s'
as $$
begin
  return query select * from private.analytics_top_properties(
    analytics_top_properties.event_name, analytics_top_properties.from_day, analytics_top_properties.to_day,
    analytics_top_properties.max_count
  );
end;
$$;

comment on function public.analytics_top_properties is
  'For operators and the service: the up to 100 properties that most events of a name have, over up to 92 days; equals in the order of their names. Refuses: operator_required, invalid_argument.';
grant execute on function public.analytics_top_properties, private.analytics_top_properties to authenticated, service_role;

create function private.analytics_top_values(event_name text, property_name text, from_day date, to_day date, max_count integer)
returns setof public.analytics_top_value
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
  perform private.require_count('max_count', analytics_top_values.max_count, 100);
  v_range := private.analytics_range(analytics_top_values.from_day, analytics_top_values.to_day, 92);
  return query
  select event.properties ->> analytics_top_values.property_name, count(*), count(distinct event.actor_id)
  from public.analytics_events as event
  where event.day between v_range.from_day and v_range.to_day
    and event.event_name = analytics_top_values.event_name and not event.is_bot
  group by event.properties ->> analytics_top_values.property_name
  order by count(*) desc, (event.properties ->> analytics_top_values.property_name) collate "C"
  limit analytics_top_values.max_count;
end;
$$;

comment on function private.analytics_top_values is 'The work of public.analytics_top_values().';

create function public.analytics_top_values(
  event_name text, property_name text, from_day date default null, to_day date default null, max_count integer default 20
)
returns setof public.analytics_top_value
language plpgsql
stable
set search_path = ''
set statement_timeout = '30s'
as $$
begin
  return query select * from private.analytics_top_values(
    analytics_top_values.event_name, analytics_top_values.property_name, analytics_top_values.from_day, analytics_top_values.to_day,
    analytics_top_values.max_count
  );
end;
$$;

comment on function public.analytics_top_values is
  'For operators and the service: the up to 100 most frequent values of one property of one event over up to 92 days, as text; events without it stand under null. Equals in the order of their text. '
  'Refuses: operator_required, invalid_argument.';
grant execute on function public.analytics_top_values, private.analytics_top_values to authenticated, service_role;

commit;
