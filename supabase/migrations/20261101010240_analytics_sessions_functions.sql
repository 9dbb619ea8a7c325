begin;

create type public.analytics_session_day as (
  day date,
  session_count bigint,
  actor_count bigint,
  event_count bigint,
  bounce_count bigint,
  bounce_rate numeric,
  median_seconds numeric,
  average_seconds numeric
);
comment on type public.analytics_session_day is
  'The sessions that began on a day; of day null, on all days asked for. A bounce is a session of one event.';

create function private.analytics_sessions(from_day date, to_day date)
returns setof public.analytics_session_day
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
  v_range := private.analytics_range(analytics_sessions.from_day, analytics_sessions.to_day, 92);
  return query
  with action as (
    select
      event.actor_id, event.session_id, event.day, event.occurred_at,
      coalesce(
        event.occurred_at - lag(event.occurred_at) over visit > case when event.session_id is null then interval '30 minutes' else '24 hours' end,
        true
      ) as is_start
    from public.analytics_events as event
    -- The day before tells which sessions had begun then; the day after, how they end.
    where event.day between v_range.from_day - 1 and v_range.to_day + 1
      and not event.is_bot and event.type in ('track', 'page', 'screen') and event.event_name <> '$feature_flag_called'
    window visit as (partition by event.actor_id, event.session_id order by event.occurred_at)
  ),
  numbered as (
    select action.*, count(*) filter (where action.is_start) over visit as number
    from action
    window visit as (partition by action.actor_id, action.session_id order by action.occurred_at rows unbounded preceding)
  ),
  part as (
    select
      numbered.actor_id, numbered.session_id, numbered.number, numbered.day,
      min(numbered.day) over (partition by numbered.actor_id, numbered.session_id, numbered.number) as started_on,
      count(*) as event_count, min(numbered.occurred_at) as first_at, max(numbered.occurred_at) as last_at
    from numbered
    group by numbered.actor_id, numbered.session_id, numbered.number, numbered.day
  ),
  session as (
    select
      part.actor_id, part.started_on, sum(part.event_count) as event_count,
      extract(epoch from max(part.last_at) - min(part.first_at))::double precision as seconds
    from part
    -- The same end, whichever days are asked for.
    where part.day <= part.started_on + 1 and part.started_on between v_range.from_day and v_range.to_day
    group by part.actor_id, part.session_id, part.number, part.started_on
  ),
  counted as (
    select
      session.started_on, count(*) as session_count, count(distinct session.actor_id) as actor_count,
      sum(session.event_count)::bigint as event_count, count(*) filter (where session.event_count = 1) as bounce_count,
      percentile_cont(0.5) within group (order by session.seconds) as median, avg(session.seconds) as average
    from session
    group by grouping sets ((session.started_on), ())
  )
  select
    asked.day, coalesce(counted.session_count, 0), coalesce(counted.actor_count, 0), coalesce(counted.event_count, 0),
    coalesce(counted.bounce_count, 0), round(counted.bounce_count::numeric / nullif(counted.session_count, 0), 4),
    round(counted.median::numeric, 3), round(counted.average::numeric, 3)
  from (
    select v_range.from_day + number from generate_series(0, v_range.to_day - v_range.from_day) as number
    union all
    select null
  ) as asked (day)
  left join counted on counted.started_on is not distinct from asked.day
  order by asked.day nulls first;
end;
$$;

comment on function private.analytics_sessions is 'The work of public.analytics_sessions().';

create function public.analytics_sessions(from_day date default null, to_day date default null)
returns setof public.analytics_session_day
language plpgsql
stable
set search_path = ''
set statement_timeout = '30s'
as $$
begin
  return query select * from private.analytics_sessions(analytics_sessions.from_day, analytics_sessions.to_day);
end;
$$;

comment on function public.analytics_sessions is
  'For operators and the service: the sessions that began on each of up to 92 days, and on all of them (day null). A session is one person''s track, page and screen events (not exposures to flags) of one session id of the client''s, or those without one, '
  'until 30 minutes pass without any (24 hours where there is an id); it is followed to the end of the day after it began. Refuses: operator_required, invalid_argument.';
grant execute on function public.analytics_sessions, private.analytics_sessions to authenticated, service_role;

commit;
