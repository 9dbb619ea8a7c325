begin;

create type private.event_draft as (
  aggregate_type text,
  aggregate_id text,
  event_type text,
  payload jsonb,
  event_id uuid,
  causation_id text,
  correlation_id text,
  occurred_at timestamptz,
  schema_version integer,
  metadata jsonb,
  expected_version bigint
);
comment on type private.event_draft is
  'An event to append. Null stands for: an event_id of our own, no causation, the correlation of this request, now, schema version 1, '
  'no metadata, and any version of the stream.';

create type public.event_receipt as (
  event_id uuid,
  aggregate_type text,
  aggregate_id text,
  version bigint,
  transaction_id bigint,
  position bigint,
  appended_at timestamptz,
  is_duplicate boolean
);
comment on type public.event_receipt is
  'Where an event is stored: version in its stream, (transaction_id, position) in the whole. is_duplicate: it had been appended before.';

create function private.event_fault(
  aggregate_type text,
  aggregate_id text,
  event_type text,
  payload jsonb,
  causation_id text,
  correlation_id text,
  occurred_at timestamptz,
  schema_version integer,
  metadata jsonb,
  expected_version bigint
)
returns text
language plpgsql
immutable
set search_path = ''
as $$
begin
  -- Lengths apart: a bounded repetition makes matching twenty times slower.
  return case
    when (event_fault.aggregate_type ~ '^[a-z][a-z0-9_]*$' and length(event_fault.aggregate_type) <= 63) is not true then 'aggregate_type'
    when (event_fault.aggregate_id !~ '[[:cntrl:]]' and length(event_fault.aggregate_id) between 1 and 200) is not true then 'aggregate_id'
    when (event_fault.event_type ~ '^[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)+$' and length(event_fault.event_type) <= 127) is not true then 'event_type'
    when (jsonb_typeof(event_fault.payload) = 'object' and pg_column_size(event_fault.payload) <= 1048576) is not true then 'payload'
    when (event_fault.causation_id !~ '[[:cntrl:]]' and length(event_fault.causation_id) between 1 and 200) is false then 'causation_id'
    when (event_fault.correlation_id ~ '^[A-Za-z0-9._:-]+$' and length(event_fault.correlation_id) <= 64) is false then 'correlation_id'
    when not isfinite(event_fault.occurred_at) then 'occurred_at'
    when event_fault.schema_version not between 1 and 32767 then 'schema_version'
    when (jsonb_typeof(event_fault.metadata) = 'object' and pg_column_size(event_fault.metadata) <= 16384) is false then 'metadata'
    when event_fault.expected_version < 0 then 'expected_version'
  end;
end;
$$;

comment on function private.event_fault is
  'Which argument of an event is missing or out of its range; null if none is. A payload is an object of at most 1 MiB, metadata one of at most 16 KiB, as jsonb keeps them.';

create function private.refuse_stream_version(aggregate_type text, aggregate_id text, expected_version bigint, actual_version bigint)
returns void
language plpgsql
set search_path = ''
as $$
begin
  perform private.refuse('stream_version_conflict', jsonb_build_object(
    'aggregate_type', refuse_stream_version.aggregate_type,
    'aggregate_id', refuse_stream_version.aggregate_id,
    'expected_version', refuse_stream_version.expected_version,
    'actual_version', refuse_stream_version.actual_version
  ));
end;
$$;

comment on function private.refuse_stream_version is
  'Refuses an event whose stream has another version than it expects. Refuses: stream_version_conflict.';

create type private.event_survey as (
  is_one_stream boolean,
  has_event_ids boolean,
  has_expectations boolean
);
comment on type private.event_survey is 'What there is to do for a batch of events.';

create function private.survey_events(drafts private.event_draft[])
returns private.event_survey
language plpgsql
immutable
set search_path = ''
as $$
declare
  v_first private.event_draft := survey_events.drafts[1];
  v_draft private.event_draft;
  v_index integer := 0;
  v_fault text;
  v_survey private.event_survey := (true, false, false);
begin
  foreach v_draft in array survey_events.drafts loop
    v_fault := private.event_fault(
      v_draft.aggregate_type, v_draft.aggregate_id, v_draft.event_type, v_draft.payload, v_draft.causation_id, v_draft.correlation_id,
      v_draft.occurred_at, v_draft.schema_version, v_draft.metadata, v_draft.expected_version
    );
    if v_fault is not null then
      perform private.refuse('invalid_argument', jsonb_build_object('index', v_index, 'argument', v_fault));
    end if;
    v_index := v_index + 1;
    v_survey := (
      v_survey.is_one_stream and v_draft.aggregate_id = v_first.aggregate_id and v_draft.aggregate_type = v_first.aggregate_type,
      v_survey.has_event_ids or v_draft.event_id is not null,
      v_survey.has_expectations or v_draft.expected_version is not null
    );
  end loop;
  return v_survey;
end;
$$;

comment on function private.survey_events is 'Checks every event of a batch and says what there is to do for them. Refuses: invalid_argument.';

create type private.event_place as (
  stream_id bigint,
  version bigint,
  version_before bigint,
  appended_at timestamptz
);
comment on type private.event_place is
  'Where an event is to be stored: its version in its stream, and that which the stream had before this call.';

create function private.lock_event_stream(aggregate_type text, aggregate_id text, event_count integer)
returns private.event_place[]
language plpgsql
set search_path = ''
as $$
declare
  c_step constant interval := '1 microsecond';
  v_count integer := lock_event_stream.event_count;
  v_stream_id bigint;
  v_version bigint;
  v_at timestamptz;
begin
  insert into public.event_streams as head (aggregate_type, aggregate_id, version, first_event_at, last_event_at)
  values (
    lock_event_stream.aggregate_type, lock_event_stream.aggregate_id, v_count, clock_timestamp(), clock_timestamp() + (v_count - 1) * c_step
  )
  on conflict on constraint event_streams_pkey do update set
    version = head.version + v_count,
    last_event_at = greatest(head.last_event_at + c_step, clock_timestamp()) + (v_count - 1) * c_step
  returning head.stream_id, head.version - v_count, head.last_event_at - v_count * c_step
  into v_stream_id, v_version, v_at;
  return array(
    select (v_stream_id, v_version + place, v_version, v_at + place * c_step)::private.event_place
    from generate_series(1, v_count) as place
  );
end;
$$;

comment on function private.lock_event_stream is
  'Opens or locks a stream, moves its head on by so many events, and says where they go. The lock is what puts writers in a row.';

create function private.lock_event_streams(drafts private.event_draft[])
returns private.event_place[]
language plpgsql
set search_path = ''
as $$
declare
  c_step constant interval := '1 microsecond';
begin
  -- In the order of their names, so that two batches cannot deadlock.
  insert into public.event_streams as head (aggregate_type, aggregate_id, version, first_event_at, last_event_at)
  select asked.aggregate_type, asked.aggregate_id, asked.count, asked.at, asked.at + (asked.count - 1) * c_step
  from (
    select draft.aggregate_type, draft.aggregate_id, count(*), clock_timestamp() as at
    from unnest(lock_event_streams.drafts) as draft
    group by draft.aggregate_type, draft.aggregate_id
    order by draft.aggregate_type collate "C", draft.aggregate_id collate "C"
  ) as asked
  on conflict on constraint event_streams_pkey do update set
    version = head.version + excluded.version,
    last_event_at = greatest(head.last_event_at + c_step, clock_timestamp()) + (excluded.version - 1) * c_step;
  return array(
    select (
      head.stream_id, head.version - numbered.followers, head.version - numbered.count, head.last_event_at - numbered.followers * c_step
    )::private.event_place
    from (
      select
        draft.aggregate_type,
        draft.aggregate_id,
        draft.ordinality,
        count(*) over stream as count,
        count(*) over stream - row_number() over (stream order by draft.ordinality) as followers
      from unnest(lock_event_streams.drafts) with ordinality as draft
      window stream as (partition by draft.aggregate_type, draft.aggregate_id)
    ) as numbered
    join public.event_streams as head
      on head.aggregate_type = numbered.aggregate_type and head.aggregate_id = numbered.aggregate_id
    order by numbered.ordinality
  );
end;
$$;

comment on function private.lock_event_streams is 'What private.lock_event_stream() does, for events of many streams.';

create function private.require_stream_versions(drafts private.event_draft[], places private.event_place[])
returns void
language plpgsql
set search_path = ''
as $$
begin
  perform private.refuse_stream_version(event.aggregate_type, event.aggregate_id, event.expected_version, event.version_before)
  from rows from (unnest(require_stream_versions.drafts), unnest(require_stream_versions.places)) as event
  where event.expected_version <> event.version_before;
end;
$$;

comment on function private.require_stream_versions is
  'Refuses events whose stream has another version than they expect. Refuses: stream_version_conflict.';

create function private.store_events(drafts private.event_draft[], places private.event_place[])
returns public.event_receipt[]
language plpgsql
set search_path = ''
as $$
declare
  v_transaction_id bigint := private.next_event_transaction_id(private.event_base());
  v_correlation_id text := private.correlation_id();
  v_actor text := private.caller();
  v_receipts public.event_receipt[];
begin
  with stored as (
    insert into public.event_store as event (
      id, created_at, stream_id, version, transaction_id, event_id, occurred_at, schema_version, aggregate_type, aggregate_id,
      event_type, payload, metadata, correlation_id, causation_id, actor
    )
    select
      news.id, news.appended_at, news.stream_id, news.version, v_transaction_id, coalesce(news.event_id, news.id),
      coalesce(news.occurred_at, news.appended_at), coalesce(news.schema_version, 1), news.aggregate_type, news.aggregate_id,
      news.event_type, news.payload, coalesce(news.metadata, '{}'), coalesce(news.correlation_id, v_correlation_id),
      news.causation_id, v_actor
    from (
      select event.*, private.uuid_v7(event.appended_at) as id
      from rows from (unnest(store_events.drafts), unnest(store_events.places)) as event
    ) as news
    returning (
      event.event_id, event.aggregate_type, event.aggregate_id, event.version, event.transaction_id, event.position,
      event.created_at, false
    )::public.event_receipt as receipt
  )
  select array_agg(stored.receipt) into v_receipts from stored;
  return v_receipts;
end;
$$;

comment on function private.store_events is 'Writes events to their places, in streams that are locked, in their order.';

commit;
