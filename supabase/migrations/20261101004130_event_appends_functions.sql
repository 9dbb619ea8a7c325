begin;

create function private.append_drafts(drafts private.event_draft[])
returns public.event_receipt[]
language plpgsql
security definer -- with private.append_event() the only writer of events: no role may write the tables itself
set search_path = ''
set plan_cache_mode = force_generic_plan -- planning for each array would cost more than the work
as $$
declare
  v_drafts private.event_draft[] := append_drafts.drafts;
  v_survey private.event_survey := private.survey_events(v_drafts);
  v_places private.event_place[];
  v_known public.event_receipt[] := '{}';
  v_new public.event_receipt[];
begin
  v_places := case
    when v_survey.is_one_stream then
      private.lock_event_stream(v_drafts[1].aggregate_type, v_drafts[1].aggregate_id, cardinality(v_drafts))
    else private.lock_event_streams(v_drafts)
  end;
  if v_survey.has_event_ids then
    select * into v_drafts, v_places, v_known from private.recall_events(v_drafts, v_places);
    if v_drafts is null then
      return v_known;
    end if;
  end if;
  if v_survey.has_expectations then
    perform private.require_stream_versions(v_drafts, v_places);
  end if;
  v_new := private.store_events(v_drafts, v_places);
  if v_survey.has_event_ids then
    perform private.keep_event_ids(v_drafts, v_places);
  end if;
  if exists (select from public.event_subscriptions as subscription where subscription.status = 'active') then
    perform private.kick_worker();
  end if;
  return v_known || v_new;
end;
$$;

comment on function private.append_drafts is
  'Appends events of any number of streams, all or none; says where each is stored, known ones first. '
  'Refuses: invalid_argument, stream_version_conflict, event_id_reused.';
grant execute on function private.append_drafts to service_role;

create function private.append_event(
  aggregate_type text,
  aggregate_id text,
  event_type text,
  payload jsonb,
  expected_version bigint,
  causation_id text,
  schema_version integer,
  metadata jsonb
)
returns public.event_receipt
language plpgsql
security definer -- as private.append_drafts()
set search_path = ''
as $$
declare
  v_fault text := private.event_fault(
    append_event.aggregate_type, append_event.aggregate_id, append_event.event_type, append_event.payload, append_event.causation_id,
    null, null, append_event.schema_version, append_event.metadata, append_event.expected_version
  );
  v_stream_id bigint;
  v_version bigint;
  v_at timestamptz;
  v_base bigint;
  v_has_readers boolean;
  v_id uuid;
  v_transaction_id bigint;
  v_position bigint;
begin
  if v_fault is not null then
    perform private.refuse('invalid_argument', jsonb_build_object('argument', v_fault));
  end if;
  insert into public.event_streams as head (aggregate_type, aggregate_id, version, first_event_at, last_event_at)
  values (append_event.aggregate_type, append_event.aggregate_id, 1, clock_timestamp(), clock_timestamp())
  on conflict on constraint event_streams_pkey do update set
    version = head.version + 1,
    last_event_at = greatest(head.last_event_at + interval '1 microsecond', clock_timestamp())
  returning
    head.stream_id, head.version, head.last_event_at,
    -- What private.event_base() looks up, unless the session does not know its cluster yet.
    (select epoch.base from private.event_epoch as epoch where epoch.cluster_id = nullif(current_setting('app.cluster_id', true), '')::bigint),
    exists (select from public.event_subscriptions as subscription where subscription.status = 'active')
  into v_stream_id, v_version, v_at, v_base, v_has_readers;
  if v_version - 1 <> append_event.expected_version then
    perform private.refuse_stream_version(
      append_event.aggregate_type, append_event.aggregate_id, append_event.expected_version, v_version - 1
    );
  end if;
  v_id := private.uuid_v7(v_at);
  v_transaction_id := private.next_event_transaction_id(v_base);
  insert into public.event_store as event (
    id, created_at, stream_id, version, transaction_id, event_id, occurred_at, schema_version, aggregate_type, aggregate_id,
    event_type, payload, metadata, correlation_id, causation_id, actor
  ) values (
    v_id, v_at, v_stream_id, v_version, v_transaction_id, v_id, v_at, coalesce(append_event.schema_version, 1),
    append_event.aggregate_type, append_event.aggregate_id, append_event.event_type, append_event.payload,
    coalesce(append_event.metadata, '{}'), private.correlation_id(), append_event.causation_id, private.caller()
  )
  returning event.position into v_position;
  if v_has_readers then
    perform private.kick_worker();
  end if;
  return (
    v_id, append_event.aggregate_type, append_event.aggregate_id, v_version, v_transaction_id, v_position, v_at, false
  )::public.event_receipt;
end;
$$;

comment on function private.append_event is
  'What private.append_drafts() does, for one event with an id of our own: in a third of the time, as it handles no arrays. '
  'Refuses: invalid_argument, stream_version_conflict.';
grant execute on function private.append_event to service_role;

create type private.new_event as (
  aggregate_type text,
  aggregate_id text,
  event_type text,
  payload jsonb,
  event_id uuid,
  causation_id text,
  correlation_id text,
  occurred_at timestamptz,
  schema_version smallint
);
comment on type private.new_event is
  'What SQL has to tell. Null stands for: an event_id of our own, no causation, the correlation of this request, now, and schema version 1.';

create function private.record_events(news private.new_event[])
returns public.event_receipt[]
language plpgsql
set search_path = ''
as $$
begin
  if cardinality(record_events.news) = 0 then
    return '{}';
  end if;
  return private.append_drafts(array(
    select (news.*, null, null)::private.event_draft from unnest(record_events.news) as news
  ));
end;
$$;

comment on function private.record_events is
  'Appends events to any number of streams, at whatever versions they are, all or none; says where each is stored. '
  'For SQL that has something to tell. Call it last: the streams stay locked until the transaction ends. '
  'Events that come again with their event_ids are not appended again; of those of one stream in one call, all or none must be known. '
  'Refuses: invalid_argument, event_id_reused.';
grant execute on function private.record_events to service_role;

create function private.event_form_fault(event jsonb)
returns text
language plpgsql
immutable
set search_path = ''
as $$
declare
  v_event jsonb := event_form_fault.event;
begin
  if jsonb_typeof(v_event) <> 'object' then
    return 'event';
  end if;
  -- What can be any text or JSON takes no form; most events have nothing else.
  v_event := v_event - '{aggregate_type,aggregate_id,event_type,payload,causation_id,correlation_id,metadata}'::text[];
  if v_event = '{}' then
    return null;
  end if;
  return (
    select given.name
    from jsonb_each_text(v_event) as given (name, value)
    left join (
      values ('event_id', 'uuid'), ('occurred_at', 'timestamptz'), ('schema_version', 'integer'), ('expected_version', 'bigint')
    ) as rule (name, type) on rule.name = given.name
    where not coalesce(pg_input_is_valid(given.value, rule.type), rule.name is not null)
    order by given.name
    limit 1
  );
end;
$$;

comment on function private.event_form_fault is 'Which argument of an event is unknown or cannot be read; null if none is.';

create function private.read_event_drafts(events jsonb)
returns private.event_draft[]
language plpgsql
immutable
set search_path = ''
as $$
declare
  v_refused record;
begin
  select given.place - 1 as index, fault as argument into v_refused
  from jsonb_array_elements(read_event_drafts.events) with ordinality as given (event, place)
  cross join lateral private.event_form_fault(given.event) as fault
  where fault is not null
  order by given.place
  limit 1;
  if found then
    perform private.refuse('invalid_argument', to_jsonb(v_refused));
  end if;
  return array(
    select draft from jsonb_populate_recordset(null::private.event_draft, read_event_drafts.events) as draft
  );
end;
$$;

comment on function private.read_event_drafts is 'Events as the API gives them. Refuses: invalid_argument.';
grant execute on function private.read_event_drafts, private.event_form_fault to service_role;

create function public.append_events(events jsonb)
returns setof public.event_receipt
language plpgsql
set search_path = ''
set statement_timeout = '5s'
as $$
begin
  if (jsonb_typeof(append_events.events) = 'array' and jsonb_array_length(append_events.events) between 1 and 1000) is not true then
    perform private.refuse('invalid_argument', '{"argument": "events", "range": "an array of 1 to 1000 events"}');
  end if;
  return query select * from unnest(private.append_drafts(private.read_event_drafts(append_events.events)));
end;
$$;

comment on function public.append_events is
  'Appends events to one or more streams, in their order, all or none; says where each is stored. Each is an object with the arguments of '
  'append_event(), and correlation_id and occurred_at where they are not this request''s and now. expected_version is the stream''s before this call; '
  'the events of one stream say the same, or only one of them says it. '
  'Events that come again with their event_ids are not appended again but answered first, as they are stored; of those of one stream, all or none must be known. '
  'Refuses: invalid_argument (with the index of the first bad event), stream_version_conflict (with the actual version), event_id_reused.';
grant execute on function public.append_events to service_role;

create function public.append_event(
  aggregate_type text,
  aggregate_id text,
  event_type text,
  payload jsonb,
  expected_version bigint default null,
  event_id uuid default null,
  causation_id text default null,
  schema_version integer default 1,
  metadata jsonb default '{}'
)
returns public.event_receipt
language plpgsql
set search_path = ''
set statement_timeout = '5s'
as $$
begin
  if append_event.event_id is null then
    return private.append_event(
      append_event.aggregate_type, append_event.aggregate_id, append_event.event_type, append_event.payload,
      append_event.expected_version, append_event.causation_id, append_event.schema_version, append_event.metadata
    );
  end if;
  return (private.append_drafts(array[(
    append_event.aggregate_type, append_event.aggregate_id, append_event.event_type, append_event.payload, append_event.event_id,
    append_event.causation_id, null, null, append_event.schema_version, append_event.metadata, append_event.expected_version
  )::private.event_draft]))[1];
end;
$$;

comment on function public.append_event is
  'Appends one event to a stream, which begins with it if there is none; says where it is stored. expected_version is the version that the stream must have '
  '(0: none yet; null: any). An event that comes again with its event_id within 35 days is not appended again but answered as it is stored. '
  'Refuses: invalid_argument, stream_version_conflict (with the actual version), event_id_reused.';
grant execute on function public.append_event to service_role;

commit;
