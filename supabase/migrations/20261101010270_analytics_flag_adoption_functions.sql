begin;

create type public.analytics_flag_day as (
  day date,
  variant text,
  actor_count bigint,
  share numeric,
  estimated_actor_count bigint
);
comment on type public.analytics_flag_day is
  'People who were served a variant of a flag on a day, among those whose exposures are kept; their share of the day''s exposures; and how many there were in all, if the others are like them.';

create function private.exposure_weight(properties jsonb)
returns double precision
language plpgsql
immutable
parallel safe
set search_path = ''
as $$
begin
  -- A client's own exposures name no rate, or write whatever they like there.
  if jsonb_typeof(exposure_weight.properties -> 'sample_rate') is distinct from 'number' then
    return 1;
  end if;
  if (exposure_weight.properties ->> 'sample_rate')::numeric not between 0.0001 and 1 then
    return 1;
  end if;
  return 1 / (exposure_weight.properties ->> 'sample_rate')::double precision;
end;
$$;

comment on function private.exposure_weight is 'How many people an exposure stands for: one in the share that was kept.';

create function private.analytics_flag_adoption(flag_key text, from_day date, to_day date, environment text)
returns setof public.analytics_flag_day
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
  v_range := private.analytics_range(analytics_flag_adoption.from_day, analytics_flag_adoption.to_day, 92);
  return query
  with exposed as (
    select
      event.day, event.properties ->> '$feature_flag_response' as variant, event.actor_id,
      max(private.exposure_weight(event.properties)) as weight
    from public.analytics_events as event
    where event.day between v_range.from_day and v_range.to_day
      and event.event_name = '$feature_flag_called' and not event.is_bot
      and event.properties ->> '$feature_flag' = analytics_flag_adoption.flag_key
      and (analytics_flag_adoption.environment is null or event.properties ->> 'environment' = analytics_flag_adoption.environment)
    group by event.day, variant, event.actor_id
  )
  select
    exposed.day, exposed.variant, count(*), round(count(*) / sum(count(*)) over (partition by exposed.day), 4),
    round(sum(exposed.weight))::bigint
  from exposed
  group by exposed.day, exposed.variant
  order by exposed.day, exposed.variant collate "C";
end;
$$;

comment on function private.analytics_flag_adoption is 'The work of public.analytics_flag_adoption().';

create function public.analytics_flag_adoption(
  flag_key text, from_day date default null, to_day date default null, environment text default null
)
returns setof public.analytics_flag_day
language plpgsql
stable
set search_path = ''
set statement_timeout = '30s'
as $$
begin
  return query select * from private.analytics_flag_adoption(
    analytics_flag_adoption.flag_key, analytics_flag_adoption.from_day, analytics_flag_adoption.to_day,
    analytics_flag_adoption.environment
  );
end;
$$;

comment on function public.analytics_flag_adoption is
  'For operators and the service: how many people each variant of a flag was served to, by day, over up to 92 days, in one environment or all. Counted from the exposures that are kept, each weighed by its sample_rate in the estimate. '
  'Who saw two variants on a day is counted with both. Refuses: operator_required, invalid_argument.';
grant execute on function public.analytics_flag_adoption, private.analytics_flag_adoption to authenticated, service_role;

commit;
