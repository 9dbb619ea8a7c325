begin;

create type public.analytics_breakdown as enum ('first_step', 'every_step');
comment on type public.analytics_breakdown is
  'Whose property a funnel is broken down by: that of the first step, whatever the later ones say, or one that all steps must share.';

create type public.analytics_funnel_step as (
  value text,
  step integer,
  event_name text,
  actor_count bigint,
  conversion_from_first numeric,
  conversion_from_previous numeric,
  median_seconds numeric
);
comment on type public.analytics_funnel_step is
  'How many people got to a step of a funnel, among those whose property has the value. median_seconds: from their latest start, the first time that they got there.';

create function private.funnel_walk(steps text[])
returns text
language plpgsql
immutable
set search_path = ''
as $$
declare
  v_walk text := 'select event.*, case when event.is_start then event.at end as start_1 from candidate as event';
  v_frame text;
begin
  -- Each level asks for the latest start that leads to the step before; all share one sort. Only positions are written into
  -- the text. Steps at one time count in their order, but an event that repeats an earlier step must be a later one.
  for v_step in 2..cardinality(funnel_walk.steps) loop
    v_frame := case
      when funnel_walk.steps[v_step] = any(funnel_walk.steps[1:v_step - 1]) then 'groups between unbounded preceding and 1 preceding'
      else 'range between unbounded preceding and current row'
    end;
    v_walk := format(
      'select walk.*, case when walk.event_name = ($1)[%1$s] and max(walk.start_%2$s) over earlier >= walk.at - $2
        then max(walk.start_%2$s) over earlier end as start_%1$s
      from (%3$s) as walk window earlier as (partition by walk.actor_id, walk.value order by walk.at %4$s)',
      v_step, v_step - 1, v_walk, v_frame
    );
  end loop;
  return format(
    'select walk.actor_id, walk.value, walk.at, array[%s] as starts from (%s) as walk',
    (select string_agg('walk.start_' || number, ', ' order by number) from generate_series(1, cardinality(funnel_walk.steps)) as number),
    v_walk
  );
end;
$$;

comment on function private.funnel_walk is
  'The query that tells for each candidate event, and each step it can be, when the latest attempt that gets there started. $1 are the steps, $2 is the conversion window.';

create function private.read_analytics_funnel(
  steps text[], days private.analytics_range, conversion_seconds integer, breakdown text, breakdown_by public.analytics_breakdown
)
returns setof public.analytics_funnel_step
language plpgsql
stable
set search_path = ''
as $$
begin
  return query execute format(
    $query$
    with event as materialized (
      select stored.actor_id, stored.event_name, stored.occurred_at as at, stored.day, stored.properties ->> $6 as value
      from public.analytics_events as stored
      where stored.day between $3 and $5 and stored.event_name = any($1) and not stored.is_bot
    ),
    started as (
      select distinct event.actor_id, event.value from event where event.event_name = ($1)[1] and event.day <= $4
    ),
    candidate as (
      select
        event.actor_id, started.value, event.event_name, event.at,
        event.event_name = ($1)[1] and event.day <= $4 and event.value is not distinct from started.value as is_start
      from event
      join started on started.actor_id = event.actor_id and ($7 or event.value is not distinct from started.value)
    ),
    walked as (%s),
    reached as (
      select walked.actor_id, walked.value, step.number, min(walked.at) - min(step.started_at) as duration
      from walked
      cross join lateral unnest(walked.starts) with ordinality as step (started_at, number)
      where step.started_at is not null
      group by walked.actor_id, walked.value, step.number
    ),
    counted as (
      select
        reached.value, reached.number, count(*) as actor_count,
        percentile_cont(0.5) within group (order by extract(epoch from reached.duration)::double precision) as median
      from reached group by reached.value, reached.number
    ),
    shown as (
      (select counted.value, counted.actor_count as starters from counted where counted.number = 1
      order by counted.actor_count desc, counted.value collate "C" limit 25)
      union all
      select null, 0 where $6 is null and not exists (select from counted)
    )
    select
      shown.value, step.number::integer, step.name, coalesce(counted.actor_count, 0),
      round(coalesce(counted.actor_count, 0)::numeric / nullif(shown.starters, 0), 4),
      round(coalesce(counted.actor_count, 0)::numeric / nullif(lag(coalesce(counted.actor_count, 0), 1, shown.starters) over by_value, 0), 4),
      round(counted.median::numeric, 3)
    from shown
    cross join unnest($1) with ordinality as step (name, number)
    left join counted on counted.number = step.number and counted.value is not distinct from shown.value
    window by_value as (partition by shown.value order by step.number)
    order by shown.starters desc, shown.value collate "C", step.number
    $query$,
    private.funnel_walk(read_analytics_funnel.steps)
  )
  using
    read_analytics_funnel.steps,
    make_interval(secs => read_analytics_funnel.conversion_seconds),
    (read_analytics_funnel.days).from_day,
    (read_analytics_funnel.days).to_day,
    (read_analytics_funnel.days).to_day + ceil(read_analytics_funnel.conversion_seconds / 86400.0)::integer,
    read_analytics_funnel.breakdown,
    read_analytics_funnel.breakdown_by = 'first_step';
end;
$$;

comment on function private.read_analytics_funnel is 'Reads a funnel whose arguments are checked.';

create function private.analytics_funnel(
  steps text[], from_day date, to_day date, conversion_seconds integer, breakdown text, breakdown_by public.analytics_breakdown
)
returns setof public.analytics_funnel_step
language plpgsql
stable
security definer -- operators read under no policy
set search_path = ''
set work_mem = '64MB'
as $$
declare
  v_steps constant text[] := array(select step.name from unnest(analytics_funnel.steps) as step (name));
begin
  perform private.require_service_or_operator();
  perform private.require_count('steps', cardinality(v_steps), 10);
  perform private.require_count('conversion_seconds', analytics_funnel.conversion_seconds, 90 * 86400);
  if (select bool_or((length(step.name) between 1 and 200) is not true) from unnest(v_steps) as step (name)) then
    perform private.refuse('invalid_argument', '{"argument": "steps"}');
  end if;
  if (length(analytics_funnel.breakdown) not between 1 and 200) is true or analytics_funnel.breakdown_by is null then
    perform private.refuse('invalid_argument', '{"argument": "breakdown"}');
  end if;
  return query select * from private.read_analytics_funnel(
    v_steps, private.analytics_range(analytics_funnel.from_day, analytics_funnel.to_day, 92), analytics_funnel.conversion_seconds,
    analytics_funnel.breakdown, analytics_funnel.breakdown_by
  );
end;
$$;

comment on function private.analytics_funnel is 'The work of public.analytics_funnel().';

create function public.analytics_funnel(
  steps text[],
  from_day date default null,
  to_day date default null,
  conversion_seconds integer default 604800,
  breakdown text default null,
  breakdown_by public.analytics_breakdown default 'first_step'
)
returns setof public.analytics_funnel_step
language plpgsql
stable
set search_path = ''
set statement_timeout = '30s'
as $$
begin
  return query select * from private.analytics_funnel(
    analytics_funnel.steps, analytics_funnel.from_day, analytics_funnel.to_day, analytics_funnel.conversion_seconds,
    analytics_funnel.breakdown, analytics_funnel.breakdown_by
  );
end;
$$;

comment on function public.analytics_funnel is
  'For operators and the service: how many people did 1 to 10 events in this order, each within the conversion window (7 days; up to 90) of the first, whose start is on one of up to 92 days. '
  'Of all attempts of a person the one that gets farthest counts; an event is one step only. Broken down by a property: its 25 values with the most starters, with those who start without it under null; '
  'who starts with several values is counted with each. Refuses: operator_required, invalid_argument.';
grant execute on function public.analytics_funnel, private.analytics_funnel to authenticated, service_role;

commit;
