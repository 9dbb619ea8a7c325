begin;

create function private.discard_messages(queue_name text, message_ids bigint[])
returns bigint[]
language plpgsql
set search_path = ''
set plan_cache_mode = force_generic_plan
set enable_seqscan = off
set enable_bitmapscan = off
as $$
declare
  v_lanes text[] := array(
    select message.ordering_key from public.message_queue as message
    where message.id = any (discard_messages.message_ids) and message.is_in_lane
  );
begin
  -- Lanes before messages, and no waiting for a message: whoever completes one holds it and may wait for its lane.
  if v_lanes <> '{}' then
    perform private.lock_lanes(discard_messages.queue_name, v_lanes);
  end if;
  return private.finish_messages(array(
    select message.id from public.message_queue as message
    where message.id = any (discard_messages.message_ids) and message.queue_name = discard_messages.queue_name
      and message.state <> 'leased'
    for update skip locked
  ));
end;
$$;

comment on function private.discard_messages is
  'Takes messages of one queue out that nobody has leased, and tells which. Their lanes move on.';

create function private.cancel_messages(queue_name text, message_ids bigint[])
returns bigint[]
language plpgsql
security definer -- messages are written by the functions of the queue only
set search_path = ''
as $$
begin
  perform private.require_queue(cancel_messages.queue_name);
  return private.discard_messages(cancel_messages.queue_name, cancel_messages.message_ids);
end;
$$;

comment on function private.cancel_messages is 'The work of public.cancel_messages().';

create function public.cancel_messages(queue_name text, message_ids bigint[])
returns bigint[]
language plpgsql
set search_path = ''
set statement_timeout = '5s'
as $$
begin
  if (cardinality(cancel_messages.message_ids) <= 1000) is not true then
    perform private.refuse('invalid_argument', '{"argument": "message_ids", "range": "at most 1000"}');
  end if;
  return private.cancel_messages(cancel_messages.queue_name, cancel_messages.message_ids);
end;
$$;

comment on function public.cancel_messages is
  'Takes messages of a queue out, in whatever state but leased, and gives their ids. Those behind them with the same ordering key go on. '
  'Refuses: queue_not_found, invalid_argument.';
grant execute on function public.cancel_messages, private.cancel_messages to service_role;

create function private.purge_queue(queue_name text, states public.message_state[], max_count integer)
returns integer
language plpgsql
security definer -- messages are written by the functions of the queue only
set search_path = ''
as $$
begin
  perform private.require_queue(purge_queue.queue_name);
  return cardinality(private.discard_messages(purge_queue.queue_name, array(
    select message.id from public.message_queue as message
    where message.queue_name = purge_queue.queue_name and message.state = any (purge_queue.states)
    limit purge_queue.max_count
  )));
end;
$$;

comment on function private.purge_queue is 'The work of public.purge_queue().';

create function public.purge_queue(
  queue_name text,
  states public.message_state[] default '{ready,scheduled,blocked,dead}',
  max_count integer default 10000
)
returns integer
language plpgsql
set search_path = ''
set statement_timeout = '30s'
as $$
begin
  if (cardinality(purge_queue.states) > 0 and 'leased' <> all (purge_queue.states)) is not true then
    perform private.refuse('invalid_argument', '{"argument": "states", "range": "ready, scheduled, blocked, dead"}');
  end if;
  if (purge_queue.max_count between 1 and 100000) is not true then
    perform private.refuse('invalid_argument', '{"argument": "max_count", "range": "1..100000"}');
  end if;
  return private.purge_queue(purge_queue.queue_name, purge_queue.states, purge_queue.max_count);
end;
$$;

comment on function public.purge_queue is
  'Takes up to max_count messages in these states out of a queue, into its history; says how many: repeat it until that is 0. '
  'Leased ones stay. Refuses: queue_not_found, invalid_argument.';
grant execute on function public.purge_queue, private.purge_queue to service_role;

create function private.redrive_messages(queue_name text, message_ids bigint[])
returns bigint[]
language plpgsql
security definer -- messages are written by the functions of the queue only
set search_path = ''
set plan_cache_mode = force_generic_plan
set enable_seqscan = off
set enable_bitmapscan = off
as $$
declare
  v_lanes text[] := array(
    select message.ordering_key from public.message_queue as message
    where message.id = any (redrive_messages.message_ids) and message.ordering_key is not null
  );
  v_occupied text[] := '{}';
  v_redriven record;
begin
  if v_lanes <> '{}' then
    perform private.lock_lanes(redrive_messages.queue_name, v_lanes);
    v_occupied := private.occupied_lanes(redrive_messages.queue_name, v_lanes);
  end if;
  with dead as materialized (
    select message.id, message.ordering_key, not message.is_in_lane and message.ordering_key is not null as is_rejoining
    from public.message_queue as message
    where message.id = any (redrive_messages.message_ids) and message.queue_name = redrive_messages.queue_name
      and message.state = 'dead'
    for update skip locked
  ), placed as (
    select dead.id, dead.is_rejoining and (
      dead.ordering_key = any (v_occupied) or row_number() over (partition by dead.ordering_key, dead.is_rejoining order by dead.id) > 1
    ) as is_blocked
    from dead
  ), lowered as (
    update private.message_lanes as lane set first_id = least(lane.first_id, rejoining.id)
    from (
      select dead.ordering_key, min(dead.id) as id from dead where dead.is_rejoining group by dead.ordering_key
    ) as rejoining
    where lane.queue_name = redrive_messages.queue_name and lane.ordering_key = rejoining.ordering_key
      and lane.first_id > rejoining.id
  ), redriven as (
    update public.message_queue as message set
      state = case when placed.is_blocked then 'blocked' else 'ready' end::public.message_state,
      due_at = clock_timestamp(),
      position = private.ready_position(message.queue_name, message.priority, message.id),
      attempt_count = 0,
      is_in_lane = message.ordering_key is not null
    from placed
    where message.id = placed.id
    returning message.id, message.state
  ), counted as (
    insert into private.message_queue_changes (queue_name, dead, blocked)
    select redrive_messages.queue_name, -count(*), count(*) filter (where redriven.state = 'blocked') from redriven
  )
  select coalesce(array_agg(redriven.id), '{}') as ids into v_redriven from redriven;
  perform private.kick_worker();
  return v_redriven.ids;
end;
$$;

comment on function private.redrive_messages is
  'Lets these dead messages of a queue start anew and tells which. One that kept its lane waiting is its head again; one that did not '
  'joins its lane again, before those enqueued later.';

create function private.find_dead_messages(queue_name text, message_type text, max_count integer)
returns bigint[]
language plpgsql
stable
security definer -- messages belong to nobody who calls
set search_path = ''
as $$
begin
  perform private.require_queue(find_dead_messages.queue_name);
  return array(
    select message.id from public.message_queue as message
    where message.queue_name = find_dead_messages.queue_name and message.state = 'dead'
      and (find_dead_messages.message_type is null or message.message_type = find_dead_messages.message_type)
    order by message.due_at
    limit find_dead_messages.max_count
  );
end;
$$;

comment on function private.find_dead_messages is 'Dead messages of a queue, those that died first first. Refuses: queue_not_found.';

create function public.redrive_messages(
  queue_name text,
  message_ids bigint[] default null,
  message_type text default null,
  max_count integer default 100
)
returns bigint[]
language plpgsql
set search_path = ''
set statement_timeout = '10s'
as $$
begin
  if (coalesce(cardinality(redrive_messages.message_ids), redrive_messages.max_count) between 1 and 1000) is not true then
    perform private.refuse('invalid_argument', '{"argument": "max_count", "range": "1..1000"}');
  end if;
  return private.redrive_messages(redrive_messages.queue_name, coalesce(
    redrive_messages.message_ids,
    private.find_dead_messages(redrive_messages.queue_name, redrive_messages.message_type, redrive_messages.max_count)
  ));
end;
$$;

comment on function public.redrive_messages is
  'Gives dead messages of a queue all their attempts again: those named, or else up to max_count of those that died first, '
  'of one message_type if given. Gives their ids. Refuses: queue_not_found, invalid_argument.';
grant execute on function public.redrive_messages, private.redrive_messages, private.find_dead_messages to service_role;

commit;
