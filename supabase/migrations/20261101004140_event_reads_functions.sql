begin;

create function private.stream_events(stream public.event_streams, after_version bigint, max_count integer)
returns setof public.event_store
language plpgsql
stable
set search_path = ''
as $$
declare
  v_stream public.event_streams := stream_events.stream;
  v_from uuid := private.uuid_v7_floor(v_stream.first_event_at);
  v_until uuid := private.uuid_v7_floor(v_stream.last_event_at + interval '1 microsecond');
begin
  if stream_events.after_version > 0 then
    select private.uuid_v7_floor(max(snapshot.event_at)) into v_from
    from (
      select v_stream.first_event_at as event_at
      union all
      select snapshot.event_at from public.event_snapshots as snapshot
      where snapshot.stream_id = v_stream.stream_id and snapshot.version <= stream_events.after_version
    ) as snapshot;
  end if;
  return query
  select event.* from public.event_store as event
  where event.stream_id = v_stream.stream_id and event.version > stream_events.after_version
    and event.id >= v_from and event.id < v_until
  order by event.version
  limit stream_events.max_count;
end;
$$;

comment on function private.stream_events is
  'The events of a stream after a version, as they are stored. Opens the months that the stream, or what follows its snapshot, reaches over.';
grant execute on function private.stream_events to service_role;

create function public.get_aggregate_events(
  aggregate_type text,
  aggregate_id text,
  after_version bigint default 0,
  max_count integer default 1000
)
returns setof public.event_store
language plpgsql
stable
set search_path = ''
set statement_timeout = '5s'
as $$
declare
  v_stream public.event_streams;
begin
  if (get_aggregate_events.after_version >= 0) is not true then
    perform private.refuse('invalid_argument', '{"argument": "after_version", "range": "0 or more"}');
  end if;
  if (get_aggregate_events.max_count between 1 and 10000) is not true then
    perform private.refuse('invalid_argument', '{"argument": "max_count", "range": "1..10000"}');
  end if;
  select stream.* into v_stream
  from public.event_streams as stream
  where stream.aggregate_type = get_aggregate_events.aggregate_type and stream.aggregate_id = get_aggregate_events.aggregate_id;

  if private.upcast_types() = '{}' then
    return query
    select * from private.stream_events(v_stream, get_aggregate_events.after_version, get_aggregate_events.max_count);
    return;
  end if;
  return query
  select upcast.*
  from private.stream_events(v_stream, get_aggregate_events.after_version, get_aggregate_events.max_count) as event
  cross join lateral private.upcast_event(event) as upcast
  order by event.version;
end;
$$;

comment on function public.get_aggregate_events is
  'The events of one stream after that version, in order, at most max_count, in their newest shapes; none if there is no such stream. '
  'Refuses: invalid_argument.';
grant execute on function public.get_aggregate_events to service_role;

create function private.read_events(after_transaction_id bigint, after_position bigint, max_count integer)
returns setof public.event_store
language plpgsql
security definer -- reads the ticks, which no role may see
set search_path = ''
as $$
declare
  v_horizon bigint := private.event_horizon();
  v_after_transaction_id bigint := read_events.after_transaction_id;
  v_after_position bigint := read_events.after_position;
  v_window record;
  v_missing integer := read_events.max_count;
  v_found integer;
begin
  loop
    v_window := private.event_window(v_after_transaction_id);
    return query
    select event.* from public.event_store as event
    where (event.transaction_id, event.position) > (v_after_transaction_id, v_after_position)
      and event.transaction_id < least(v_horizon, v_window.until_transaction_id)
      and event.id >= v_window.from_id and event.id < v_window.until_id
    order by event.transaction_id, event.position
    limit v_missing;
    get diagnostics v_found = row_count;
    v_missing := v_missing - v_found;
    exit when v_missing = 0 or v_window.until_transaction_id is null;
    v_after_transaction_id := v_window.until_transaction_id;
    v_after_position := 0;
  end loop;
end;
$$;

comment on function private.read_events is
  'The events of all streams after a place, as they are stored: month by month, until there are enough.';
grant execute on function private.read_events to service_role;

create function public.read_events(
  after_transaction_id bigint default 0,
  after_position bigint default 0,
  max_count integer default 100
)
returns setof public.event_store
language plpgsql
set search_path = ''
set statement_timeout = '5s'
as $$
begin
  if (read_events.max_count between 1 and 10000) is not true then
    perform private.refuse('invalid_argument', '{"argument": "max_count", "range": "1..10000"}');
  end if;
  if (read_events.after_transaction_id >= 0 and read_events.after_position >= 0) is not true then
    perform private.refuse('invalid_argument', '{"argument": "after_position", "range": "0 or more"}');
  end if;
  return query
  select upcast.*
  from private.read_events(read_events.after_transaction_id, read_events.after_position, read_events.max_count) as event
  cross join lateral private.upcast_event(event) as upcast
  order by event.transaction_id, event.position;
end;
$$;

comment on function public.read_events is
  'The events of all streams after that place, in the order of the whole, at most max_count, in their newest shapes. Whoever goes on after '
  'the last one''s (transaction_id, position) misses none, however slow its writer was, and meets each stream in order: an event shows once '
  'all transactions that are older than it have ended, in the whole cluster. Refuses: invalid_argument.';
grant execute on function public.read_events to service_role;

commit;
