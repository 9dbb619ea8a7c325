begin;

create function private.claim_messages(queue_name text, max_count integer, lease_seconds integer)
returns setof public.claimed_message
language plpgsql
security definer -- messages are written by the functions of the queue only
set search_path = ''
-- Planned once, and perhaps while the table was empty: only a walk of the index in order is ever right.
set plan_cache_mode = force_generic_plan
set enable_seqscan = off
set enable_bitmapscan = off
set enable_hashjoin = off
set enable_mergejoin = off
as $$
declare
  v_queue public.message_queues;
  v_left integer := claim_messages.max_count;
  v_count integer;
  v_priority smallint;
  v_head bigint;
begin
  select * into v_queue from public.message_queues as queue where queue.queue_name = claim_messages.queue_name;
  if not found then
    perform private.refuse('queue_not_found', jsonb_build_object('queue_name', claim_messages.queue_name));
  end if;
  if v_queue.is_paused then
    return;
  end if;
  foreach v_priority in array v_queue.priorities loop
    exit when v_left = 0;
    v_head := private.ready_head(v_queue.queue_name, v_priority);
    continue when v_head is null;
    return query
    with picked as materialized (
      select message.ctid as row
      from public.message_queue as message
      where message.queue_name = v_queue.queue_name and message.state = 'ready'
        and message.priority = v_priority and message.position >= v_head
      order by message.position
      limit v_left
      for update skip locked
    )
    update public.message_queue as message set
      state = 'leased',
      due_at = clock_timestamp() + make_interval(secs => coalesce(claim_messages.lease_seconds, v_queue.lease_seconds)),
      claimed_at = clock_timestamp(),
      lease_token = nextval('private.message_lease_tokens'),
      attempt_count = message.attempt_count + 1
    from picked
    where message.ctid = picked.row
    returning
      message.id, message.lease_token, message.due_at, message.queue_name, message.message_type, message.payload, message.headers,
      message.priority, message.attempt_count, message.max_attempts, message.ordering_key, message.idempotency_key,
      message.correlation_id, message.last_error, message.created_at;
    get diagnostics v_count = row_count;
    v_left := v_left - v_count;
  end loop;
end;
$$;

comment on function private.claim_messages is 'The work of public.claim_messages().';

create function public.claim_messages(queue_name text, max_count integer default 10, lease_seconds integer default null)
returns setof public.claimed_message
language plpgsql
set search_path = ''
set statement_timeout = '5s'
as $$
begin
  if (claim_messages.max_count between 1 and 1000) is not true then
    perform private.refuse('invalid_argument', '{"argument": "max_count", "range": "1..1000"}');
  end if;
  if claim_messages.lease_seconds not between 1 and 86400 then
    perform private.refuse('invalid_argument', '{"argument": "lease_seconds", "range": "1..86400"}');
  end if;
  return query select * from private.claim_messages(
    claim_messages.queue_name, claim_messages.max_count, claim_messages.lease_seconds
  );
end;
$$;

comment on function public.claim_messages is
  'Leases up to max_count ready messages of a queue, the most urgent and oldest first, to the caller alone: until lease_seconds have '
  'passed (the queue''s, unless given), or until it completes, fails or releases them with the lease_token of each. '
  'Gives none if none is ready or the queue is paused. Refuses: queue_not_found, invalid_argument.';
grant execute on function public.claim_messages, private.claim_messages to service_role;

commit;
