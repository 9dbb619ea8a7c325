begin;

create type public.analytics_timeline_event as (
  id uuid,
  occurred_at timestamptz,
  event_name text,
  type public.analytics_event_type,
  event_category text,
  user_id text,
  anonymous_id text,
  session_id text,
  group_id text,
  properties jsonb,
  received_at timestamptz
);
comment on type public.analytics_timeline_event is 'One thing that a person did, under the ids that the client gave them then.';

create function private.analytics_timeline(user_id text, anonymous_id text, before_at timestamptz, before_id uuid, max_count integer)
returns setof public.analytics_timeline_event
language plpgsql
stable
security definer -- operators read under no policy
set search_path = ''
as $$
declare
  v_person uuid;
  v_before_at constant timestamptz := coalesce(analytics_timeline.before_at, 'infinity');
  v_before_id constant uuid := coalesce(analytics_timeline.before_id, '00000000-0000-0000-0000-000000000000');
  v_left integer := analytics_timeline.max_count;
  v_month date;
  v_found integer;
begin
  perform private.require_service_or_operator();
  perform private.require_count('max_count', analytics_timeline.max_count, 100);
  if num_nonnulls(analytics_timeline.user_id, analytics_timeline.anonymous_id) <> 1 then
    perform private.refuse('invalid_argument', '{"argument": "user_id"}');
  end if;
  v_person := private.analytics_person(private.analytics_actor_id(analytics_timeline.user_id, analytics_timeline.anonymous_id));
  -- The facts know the months in which there is anything: no other leaf is opened.
  for v_month in
    select date_trunc('month', fact.day::timestamp)::date as month
    from public.analytics_actor_days as fact
    where fact.actor_id = v_person and fact.day <= private.reporting_day(v_before_at)
    group by month
    order by month desc
  loop
    return query
    select
      event.id, event.occurred_at, event.event_name, event.type, event.event_category, event.user_id, event.anonymous_id,
      event.session_id, event.group_id, event.properties, event.received_at
    from public.analytics_events as event
    where event.actor_id = v_person and not event.is_bot
      and event.day >= v_month and event.day < (v_month + interval '1 month')::date
      and event.occurred_at <= v_before_at
      and (event.occurred_at, event.id) < (v_before_at, v_before_id)
    order by event.occurred_at desc, event.id desc
    limit v_left;
    get diagnostics v_found = row_count;
    v_left := v_left - v_found;
    exit when v_left = 0;
  end loop;
end;
$$;

comment on function private.analytics_timeline is 'The work of public.analytics_timeline().';

create function public.analytics_timeline(
  user_id text default null,
  anonymous_id text default null,
  before_at timestamptz default null,
  before_id uuid default null,
  max_count integer default 50
)
returns setof public.analytics_timeline_event
language plpgsql
stable
set search_path = ''
set statement_timeout = '10s'
as $$
begin
  return query select * from private.analytics_timeline(
    analytics_timeline.user_id, analytics_timeline.anonymous_id, analytics_timeline.before_at, analytics_timeline.before_id,
    analytics_timeline.max_count
  );
end;
$$;

comment on function public.analytics_timeline is
  'For operators and the service: what one person did, under whichever of their ids, the newest first, as far back as raw events are kept. The next page is the one before the last row''s occurred_at and id; '
  'before_at alone means strictly before it. Refuses: operator_required, invalid_argument (either user_id or anonymous_id; 1 to 100 rows).';
grant execute on function public.analytics_timeline, private.analytics_timeline to authenticated, service_role;

commit;
