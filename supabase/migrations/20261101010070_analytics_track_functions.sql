begin;

create function private.track_analytics_events(batch jsonb)
returns jsonb
language plpgsql
security definer -- reads rates and keys, and writes events, which no role may
set search_path = ''
as $$
declare
  v_write_key_id constant uuid := track_analytics_events.batch ->> 'write_key_id';
  v_key constant text := 'analytics:' || coalesce(v_write_key_id::text, 'publishable');
  v_rate integer;
  v_answer jsonb;
begin
  if v_write_key_id is null then
    select settings.publishable_events_per_minute into v_rate from private.analytics_settings as settings;
  else
    select key.events_per_minute into v_rate from public.analytics_write_keys as key where key.id = v_write_key_id;
  end if;
  if v_rate is not null then
    perform private.require_analytics_rate(v_key);
  end if;
  v_answer := private.store_analytics_events(track_analytics_events.batch);
  if v_rate is not null then
    perform private.spend_analytics_rate(v_key, (v_answer ->> 'received')::integer, v_rate);
  end if;
  return v_answer;
end;
$$;

comment on function private.track_analytics_events is 'The work of public.track_events().';

create function public.track_events(batch jsonb)
returns jsonb
language plpgsql
set search_path = ''
set statement_timeout = '8s'
as $$
begin
  if (
    jsonb_typeof(track_events.batch) = 'object'
    and jsonb_typeof(coalesce(track_events.batch -> 'items', '[]')) = 'array'
    and jsonb_typeof(coalesce(track_events.batch -> 'rejected', '[]')) = 'array'
    and jsonb_array_length(coalesce(track_events.batch -> 'items', '[]')) <= 2500
  ) is not true then
    perform private.refuse('invalid_argument', jsonb_build_object('argument', 'batch'));
  end if;
  return private.track_analytics_events(track_events.batch);
end;
$$;

comment on function public.track_events is
  'Stores a batch of events that the edge has read: {write_key_id, sub, received_at, source, is_bot, items: [{index, message_id, type, event_name, event_category, user_id, anonymous_id, '
  'previous_id, group_id, session_id, properties, context, is_bot, timestamp, sent_at}], rejected: [{index, message_id, reason, item}]}, up to 2500 items. sub (a user''s token) overrides every user_id. '
  'Answers {received, stored, duplicate, suppressed, rejected: [{index, id, reason}]}: one bad item is kept aside and refuses no batch. An event sent again on its day is a duplicate. '
  'Reasons: event_name_invalid, id_missing, id_invalid, type_unknown, properties_invalid, context_invalid, too_old, and the edge''s own. '
  'Refuses: invalid_argument, rate_limited, read_committed_needed.';
grant execute on function public.track_events, private.track_analytics_events to service_role;

create function private.track_own_event(item jsonb)
returns boolean
language plpgsql
security definer -- as private.track_analytics_events()
set search_path = ''
as $$
declare
  v_user_id constant uuid := (select auth.uid());
  v_key constant text := 'analytics:user:' || v_user_id;
  v_answer jsonb;
begin
  if v_user_id is null then
    perform private.refuse('invalid_argument', '{"argument": "sub"}');
  end if;
  perform private.require_analytics_rate(v_key);
  v_answer := private.store_analytics_events(jsonb_build_object(
    'sub', v_user_id, 'source', 'sql', 'received_at', now(), 'items', jsonb_build_array(track_own_event.item)
  ));
  perform private.spend_analytics_rate(v_key, 1, (select settings.user_events_per_minute from private.analytics_settings as settings));
  return v_answer ->> 'stored' = '1';
end;
$$;

comment on function private.track_own_event is 'The work of public.track_event().';

create function public.track_event(
  event_name text,
  event_category text default null,
  properties jsonb default '{}',
  context jsonb default '{}',
  session_id text default null
)
returns boolean
language plpgsql
set search_path = ''
set statement_timeout = '2s'
as $$
begin
  if (
    length(track_event.event_name) between 1 and 200
    and track_event.event_name <> '*'
    and length(coalesce(track_event.event_category, '')) <= 200
    and length(coalesce(track_event.session_id, '')) <= 255
    and jsonb_typeof(track_event.properties) = 'object'
    and jsonb_typeof(track_event.context) = 'object'
    and length(track_event.properties::text) + length(track_event.context::text) <= 32768
  ) is not true then
    perform private.refuse('invalid_argument');
  end if;
  return private.track_own_event(jsonb_build_object(
    'index', 0,
    'type', 'track',
    'event_name', track_event.event_name,
    'event_category', track_event.event_category,
    'properties', track_event.properties,
    'context', track_event.context,
    'session_id', track_event.session_id
  ));
end;
$$;

comment on function public.track_event is
  'Stores one event of the signed-in user, now. Each call is an event of its own. False: nothing is kept of this user, who has asked for that. '
  'Refuses: invalid_argument (name 1 to 200 characters and not *, properties and context objects of up to 32768 characters together), rate_limited, read_committed_needed.';
grant execute on function public.track_event, private.track_own_event to authenticated;

commit;
