begin;

create function private.known_event(draft private.event_draft, key public.event_keys)
returns public.event_receipt
language plpgsql
set search_path = ''
as $$
declare
  v_draft private.event_draft := known_event.draft;
  v_key public.event_keys := known_event.key;
  v_event public.event_store;
begin
  select event.* into v_event from public.event_store as event
  where event.stream_id = v_key.stream_id and event.version = v_key.version
    and event.id >= private.uuid_v7_floor(v_key.appended_at)
    and event.id < private.uuid_v7_floor(v_key.appended_at + interval '1 microsecond');
  if (v_event.aggregate_type, v_event.aggregate_id, v_event.event_type, v_event.schema_version, v_event.payload)
    is distinct from (v_draft.aggregate_type, v_draft.aggregate_id, v_draft.event_type, coalesce(v_draft.schema_version, 1), v_draft.payload)
  then
    perform private.refuse('event_id_reused', jsonb_build_object('event_id', v_draft.event_id));
  end if;
  return (
    v_event.event_id, v_event.aggregate_type, v_event.aggregate_id, v_event.version, v_event.transaction_id, v_event.position,
    v_event.created_at, true
  )::public.event_receipt;
end;
$$;

comment on function private.known_event is
  'Where an event that comes again is stored. Refuses: event_id_reused, if the id is that of an event of another stream or content, or of none.';

create function private.recall_events(
  inout drafts private.event_draft[],
  inout places private.event_place[],
  out receipts public.event_receipt[]
)
language plpgsql
set search_path = ''
as $$
begin
  receipts := '{}';
  if not exists (
    select from public.event_keys as key
    where key.event_id = any(array(select draft.event_id from unnest(recall_events.drafts) as draft))
  ) then
    return;
  end if;
  -- By stream, as each is an append of its own: if one of its events is known, all must be.
  select
    array_agg(given.draft order by given.number) filter (where not given.is_known),
    array_agg(given.place order by given.number) filter (where not given.is_known),
    array_agg(private.known_event(given.draft, given.key) order by given.number) filter (where given.is_known)
  into recall_events.drafts, recall_events.places, receipts
  from (
    select
      number,
      recall_events.drafts[number] as draft,
      recall_events.places[number] as place,
      key,
      bool_or(key.event_id is not null) over (partition by recall_events.places[number].stream_id) as is_known
    from generate_subscripts(recall_events.drafts, 1) as number
    left join public.event_keys as key on key.event_id = recall_events.drafts[number].event_id
  ) as given;

  -- Nobody has seen these heads any higher: they are ours until we commit.
  update public.event_streams as head set version = head.version - known.count
  from (
    select receipt.aggregate_type, receipt.aggregate_id, count(*)
    from unnest(receipts) as receipt
    group by receipt.aggregate_type, receipt.aggregate_id
  ) as known
  where head.aggregate_type = known.aggregate_type and head.aggregate_id = known.aggregate_id;
end;
$$;

comment on function private.recall_events is
  'Takes the events out that were appended before, says where, and moves the heads of their streams back. Refuses: event_id_reused.';

create function private.keep_event_ids(drafts private.event_draft[], places private.event_place[])
returns void
language plpgsql
set search_path = ''
as $$
declare
  v_given_count bigint;
  v_kept_count bigint;
begin
  with given as (
    select event.event_id, event.stream_id, event.version, event.appended_at
    from rows from (unnest(keep_event_ids.drafts), unnest(keep_event_ids.places)) as event
    where event.event_id is not null
  ),
  kept as (
    insert into public.event_keys (event_id, stream_id, version, appended_at)
    select * from given order by given.event_id
    on conflict on constraint event_keys_pkey do nothing
    returning event_id
  )
  select (select count(*) from given), (select count(*) from kept) into v_given_count, v_kept_count;
  -- One stands in the batch twice, or another writer has just used it in another stream.
  if v_kept_count < v_given_count then
    perform private.refuse('event_id_reused');
  end if;
end;
$$;

comment on function private.keep_event_ids is 'Makes the ids known that writers gave. Refuses: event_id_reused.';

commit;
