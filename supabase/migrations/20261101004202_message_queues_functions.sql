begin;

create function private.create_queue(
  queue_name text,
  max_attempts integer default null,
  lease_seconds integer default null,
  shortest_backoff interval default null,
  longest_backoff interval default null,
  dedupe_window interval default null,
  dead_retention interval default null,
  keep_history public.message_history default null,
  keeps_lane_behind_dead boolean default null,
  is_paused boolean default null
)
returns public.message_queues
language plpgsql
security definer -- the only writer of settings
set search_path = ''
as $$
declare
  v_queue public.message_queues;
  v_fault text := case
    when create_queue.queue_name ~ '^[a-z][a-z0-9_.-]{0,62}$' is not true then 'queue_name'
    when create_queue.max_attempts not between 1 and 1000 then 'max_attempts'
    when create_queue.lease_seconds not between 1 and 86400 then 'lease_seconds'
    when create_queue.shortest_backoff not between '0' and interval '7 days' then 'shortest_backoff'
    when create_queue.longest_backoff not between '0' and interval '7 days' then 'longest_backoff'
    when create_queue.dedupe_window not between '0' and interval '31 days' then 'dedupe_window'
    when create_queue.dead_retention not between '0' and interval '366 days' then 'dead_retention'
  end;
begin
  if v_fault is not null then
    perform private.refuse('invalid_argument', jsonb_build_object('argument', v_fault));
  end if;
  insert into public.message_queues (queue_name) values (create_queue.queue_name)
  on conflict on constraint message_queues_pkey do nothing;
  update public.message_queues as queue set
    max_attempts = coalesce(create_queue.max_attempts, queue.max_attempts),
    lease_seconds = coalesce(create_queue.lease_seconds, queue.lease_seconds),
    shortest_backoff = coalesce(create_queue.shortest_backoff, queue.shortest_backoff),
    longest_backoff = coalesce(create_queue.longest_backoff, queue.longest_backoff),
    dedupe_window = coalesce(create_queue.dedupe_window, queue.dedupe_window),
    dead_retention = coalesce(create_queue.dead_retention, queue.dead_retention),
    keep_history = coalesce(create_queue.keep_history, queue.keep_history),
    keeps_lane_behind_dead = coalesce(create_queue.keeps_lane_behind_dead, queue.keeps_lane_behind_dead),
    is_paused = coalesce(create_queue.is_paused, queue.is_paused)
  where queue.queue_name = create_queue.queue_name
  returning queue.* into v_queue;
  perform private.kick_worker();
  return v_queue;
end;
$$;

comment on function private.create_queue is 'The work of public.create_queue().';

create function public.create_queue(
  queue_name text,
  max_attempts integer default null,
  lease_seconds integer default null,
  shortest_backoff interval default null,
  longest_backoff interval default null,
  dedupe_window interval default null,
  dead_retention interval default null,
  keep_history public.message_history default null,
  keeps_lane_behind_dead boolean default null,
  is_paused boolean default null
)
returns public.message_queues
language plpgsql
set search_path = ''
set statement_timeout = '5s'
as $$
begin
  return private.create_queue(
    create_queue.queue_name, create_queue.max_attempts, create_queue.lease_seconds, create_queue.shortest_backoff,
    create_queue.longest_backoff, create_queue.dedupe_window, create_queue.dead_retention, create_queue.keep_history,
    create_queue.keeps_lane_behind_dead, create_queue.is_paused
  );
end;
$$;

comment on function public.create_queue is
  'Makes a queue, or changes the settings that are given of one that exists; the others stay as they are. Gives all of them. '
  'Repeating it changes nothing. is_paused holds claims back and lets them go on. '
  'Refuses: invalid_argument (names like `receipts` or `trips.updates`, 1 to 1,000 attempts, leases up to a day, backoffs up to 7 days, '
  'dedupe_window up to 31 days, dead_retention up to 366 days).';
grant execute on function public.create_queue, private.create_queue to service_role;

create function private.set_queue_handler(queue_name text, handler regprocedure)
returns void
language plpgsql
set search_path = ''
as $$
begin
  update public.message_queues as queue set handler = set_queue_handler.handler::text
  where queue.queue_name = set_queue_handler.queue_name;
end;
$$;

comment on function private.set_queue_handler is
  'Lets run_messages() call handler(message public.claimed_message) for each message of a queue, or nothing (null). It runs with the '
  'rights of the owner: for migrations, granted to nobody.';

create function private.delete_queue(queue_name text)
returns void
language plpgsql
security definer -- the only writer of settings
set search_path = ''
set lock_timeout = '2s'
as $$
declare
  v_queue public.message_queues := private.require_queue(delete_queue.queue_name);
begin
  -- Waits for those who are enqueuing, and holds off others.
  lock table public.message_queue in share mode;
  if exists (select from public.message_queue as message where message.queue_name = v_queue.queue_name) then
    perform private.refuse('queue_not_empty', jsonb_build_object('queue_name', v_queue.queue_name));
  end if;
  delete from private.message_keys as stored where stored.queue_name = v_queue.queue_name;
  delete from private.message_lanes as lane where lane.queue_name = v_queue.queue_name;
  delete from private.message_queue_marks as mark where mark.queue_name = v_queue.queue_name;
  delete from public.message_queues as queue where queue.queue_name = v_queue.queue_name;
end;
$$;

comment on function private.delete_queue is 'The work of public.delete_queue().';

create function public.delete_queue(queue_name text)
returns void
language plpgsql
set search_path = ''
set statement_timeout = '5s'
as $$
begin
  perform private.delete_queue(delete_queue.queue_name);
end;
$$;

comment on function public.delete_queue is
  'Deletes an empty queue with its settings and idempotency keys; its history stays. Stop whoever enqueues first. '
  'Refuses: queue_not_found, queue_not_empty (purge_queue() empties it).';
grant execute on function public.delete_queue, private.delete_queue to service_role;

commit;
