begin;

create function private.save_snapshot(stream public.event_streams, version bigint, state jsonb, schema_version integer)
returns void
language plpgsql
security definer -- the only writer of snapshots
set search_path = ''
as $$
declare
  v_stream public.event_streams := save_snapshot.stream;
begin
  insert into public.event_snapshots (stream_id, version, event_at, schema_version, state)
  select v_stream.stream_id, save_snapshot.version, event.created_at, save_snapshot.schema_version, save_snapshot.state
  from private.stream_events(v_stream, save_snapshot.version - 1, 1) as event
  on conflict on constraint event_snapshots_pkey do update set
    saved_at = excluded.saved_at, schema_version = excluded.schema_version, state = excluded.state;

  delete from public.event_snapshots as snapshot
  where snapshot.stream_id = v_stream.stream_id and snapshot.version < (
    select recent.version from public.event_snapshots as recent
    where recent.stream_id = v_stream.stream_id
    order by recent.version desc
    offset 1 limit 1
  );
end;
$$;

comment on function private.save_snapshot is 'The work of public.save_snapshot().';

create function public.save_snapshot(
  aggregate_type text,
  aggregate_id text,
  version bigint,
  state jsonb,
  schema_version integer default 1
)
returns void
language plpgsql
set search_path = ''
set statement_timeout = '5s'
as $$
declare
  v_stream public.event_streams;
begin
  select stream.* into v_stream
  from public.event_streams as stream
  where stream.aggregate_type = save_snapshot.aggregate_type and stream.aggregate_id = save_snapshot.aggregate_id;
  if (save_snapshot.version between 1 and v_stream.version) is not true then
    perform private.refuse('invalid_argument', jsonb_build_object('argument', 'version', 'stream_version', coalesce(v_stream.version, 0)));
  end if;
  if (jsonb_typeof(save_snapshot.state) = 'object' and pg_column_size(save_snapshot.state) <= 1048576) is not true then
    perform private.refuse('invalid_argument', '{"argument": "state", "range": "an object of at most 1 MiB"}');
  end if;
  if (save_snapshot.schema_version between 1 and 32767) is not true then
    perform private.refuse('invalid_argument', '{"argument": "schema_version", "range": "1..32767"}');
  end if;
  perform private.save_snapshot(v_stream, save_snapshot.version, save_snapshot.state, save_snapshot.schema_version);
end;
$$;

comment on function public.save_snapshot is
  'Keeps what an aggregate had become at a version of its stream; of a stream the last two snapshots stay. Saved again at the same version it is replaced. '
  'schema_version is the caller''s own: get_aggregate_state() gives only states of the shape that it is asked for. Refuses: invalid_argument.';
grant execute on function public.save_snapshot, private.save_snapshot to service_role;

create function public.get_snapshot(
  aggregate_type text,
  aggregate_id text,
  schema_version integer default 1
)
returns setof public.event_snapshots
language plpgsql
stable
set search_path = ''
set statement_timeout = '2s'
as $$
begin
  return query
  select snapshot.*
  from public.event_snapshots as snapshot
  where snapshot.stream_id = (
    select stream.stream_id from public.event_streams as stream
    where stream.aggregate_type = get_snapshot.aggregate_type and stream.aggregate_id = get_snapshot.aggregate_id
  ) and snapshot.schema_version = get_snapshot.schema_version
  order by snapshot.version desc
  limit 1;
end;
$$;

comment on function public.get_snapshot is 'The latest snapshot of that shape, or none.';
grant execute on function public.get_snapshot to service_role;

create type public.aggregate_state as (
  version bigint,
  snapshot_version bigint,
  snapshot jsonb,
  events public.event_store[]
);
comment on type public.aggregate_state is
  'A stream''s version, its latest snapshot (version 0 and null if there is none), and the events after that. '
  'If the last event is not yet of the stream''s version, get_aggregate_events() goes on after it.';

create function public.get_aggregate_state(
  aggregate_type text,
  aggregate_id text,
  schema_version integer default 1,
  max_count integer default 1000
)
returns public.aggregate_state
language plpgsql
stable
set search_path = ''
set statement_timeout = '5s'
as $$
declare
  v_state public.aggregate_state;
begin
  select coalesce(max(stream.version), 0) into v_state.version
  from public.event_streams as stream
  where stream.aggregate_type = get_aggregate_state.aggregate_type and stream.aggregate_id = get_aggregate_state.aggregate_id;

  select snapshot.version, snapshot.state into v_state.snapshot_version, v_state.snapshot
  from public.get_snapshot(get_aggregate_state.aggregate_type, get_aggregate_state.aggregate_id, get_aggregate_state.schema_version) as snapshot;
  v_state.snapshot_version := coalesce(v_state.snapshot_version, 0);

  v_state.events := array(
    select event from public.get_aggregate_events(
      get_aggregate_state.aggregate_type, get_aggregate_state.aggregate_id, v_state.snapshot_version, get_aggregate_state.max_count
    ) as event
  );
  return v_state;
end;
$$;

comment on function public.get_aggregate_state is
  'What is needed to tell the state of an aggregate: its latest snapshot of that shape and the events after it, at most max_count. Refuses: invalid_argument.';
grant execute on function public.get_aggregate_state to service_role;

commit;
