begin;

create table private.message_lanes (
  queue_name text collate "C" not null,
  ordering_key text collate "C" not null,
  first_id bigint not null default 0,
  checked_at timestamptz not null default now(),
  constraint message_lanes_pkey primary key (queue_name, ordering_key)
)
with (fillfactor = 70, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 2000);

comment on table private.message_lanes is
  'The ordering keys in use. Whoever adds to a lane or takes its head away holds the lock of its row, taken in key order. The truth is in '
  'message_queue: a lane that is not empty has exactly one message that is not blocked, its head. '
  'Rows are locked rather than updated, because every version of a row would stay as long as an old snapshot could see it.';
comment on column private.message_lanes.first_id is 'No message that is still in the lane has a lower id. Raised at most once a second.';
comment on column private.message_lanes.checked_at is 'When first_id was raised, or the schedule looked whether the lane is still in use.';
create index message_lanes_checked_at_idx on private.message_lanes (checked_at);
alter table private.message_lanes enable row level security;

create function private.lock_lanes(queue_name text, ordering_keys text[])
returns void
language plpgsql
set search_path = ''
as $$
begin
  -- An older snapshot would not show what those did who held the lock before.
  if current_setting('transaction_isolation') <> 'read committed' then
    perform private.refuse('read_committed_needed');
  end if;
  -- Locks what is there and inserts what is not, in one pass in key order: so two callers never wait for each other.
  insert into private.message_lanes as lane (queue_name, ordering_key)
  select distinct lock_lanes.queue_name, given.ordering_key collate "C"
  from unnest(lock_lanes.ordering_keys) as given (ordering_key)
  order by 2
  on conflict on constraint message_lanes_pkey do update set first_id = lane.first_id where false;
end;
$$;

comment on function private.lock_lanes is
  'Locks lanes until the end of the transaction, making those that do not exist. What is asked about them afterwards is true. '
  'Refuses: read_committed_needed.';

create function private.occupied_lanes(queue_name text, ordering_keys text[])
returns text[]
language plpgsql
stable
set search_path = ''
as $$
begin
  return array(
    select lane.ordering_key
    from private.message_lanes as lane
    where lane.queue_name = occupied_lanes.queue_name and lane.ordering_key = any(occupied_lanes.ordering_keys)
      and exists (
        select from public.message_queue as message
        where message.queue_name = lane.queue_name and message.ordering_key = lane.ordering_key
          and message.is_in_lane and message.id >= lane.first_id
      )
  );
end;
$$;

comment on function private.occupied_lanes is 'Which of these lanes, locked by the caller, have messages.';

create function private.advance_lanes(queue_name text, ordering_keys text[])
returns void
language plpgsql
set search_path = ''
-- As for private.finish_messages().
set plan_cache_mode = force_generic_plan
set enable_seqscan = off
set enable_bitmapscan = off
as $$
declare
  v_now timestamptz;
  v_heads bigint[];
begin
  perform private.lock_lanes(advance_lanes.queue_name, advance_lanes.ordering_keys);
  -- Not before the locks: what was enqueued meanwhile would seem to be due in the future.
  v_now := clock_timestamp();
  with lane as materialized (
    select lane.queue_name, lane.ordering_key, lane.checked_at, (
      select message.id from public.message_queue as message
      where message.queue_name = lane.queue_name and message.ordering_key = lane.ordering_key
        and message.is_in_lane and message.id >= lane.first_id
      order by message.id
      limit 1
    ) as head_id
    from private.message_lanes as lane
    where lane.queue_name = advance_lanes.queue_name and lane.ordering_key = any (advance_lanes.ordering_keys)
  ), raised as (
    update private.message_lanes as raised set
      -- Whoever will join an empty lane takes an id while holding its lock.
      first_id = coalesce(lane.head_id, (select sequence.last_value from public.message_queue_id_seq as sequence)),
      checked_at = v_now
    from lane
    where raised.queue_name = lane.queue_name and raised.ordering_key = lane.ordering_key
      and lane.checked_at < v_now - interval '1 second'
  )
  select array_agg(lane.head_id) into v_heads from lane where lane.head_id is not null;

  with head as (
    update public.message_queue as message set
      state = case when message.due_at > v_now then 'scheduled' else 'ready' end::public.message_state,
      due_at = greatest(message.due_at, v_now),
      position = private.ready_position(message.queue_name, message.priority, message.id)
    where message.id = any (v_heads) and message.state = 'blocked'
    returning message.state
  )
  insert into private.message_queue_changes (queue_name, blocked, scheduled)
  select advance_lanes.queue_name, -count(*), count(*) filter (where head.state = 'scheduled') from head;
end;
$$;

comment on function private.advance_lanes is 'Called by whoever took the heads of these lanes away: their next messages become the heads.';

commit;
