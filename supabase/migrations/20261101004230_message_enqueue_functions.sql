begin;

create function private.refuse_message(index bigint, argument text)
returns boolean
language plpgsql
set search_path = ''
as $$
begin
  perform private.refuse('invalid_argument', jsonb_build_object('index', refuse_message.index, 'argument', refuse_message.argument));
  return false;
end;
$$;

comment on function private.refuse_message is 'Refuses a message of a batch, from within a query. Refuses: invalid_argument.';

create function private.messages_of(messages jsonb)
returns private.new_message[]
language plpgsql
set search_path = ''
set plan_cache_mode = force_generic_plan
as $$
declare
  c_arguments constant text[] :=
    '{message_type,payload,priority,scheduled_at,idempotency_key,ordering_key,max_attempts,headers,correlation_id}';
begin
  return array(
    select row(
      new.message_type, new.payload, new.priority, new.scheduled_at, new.idempotency_key, new.ordering_key, new.max_attempts, new.headers,
      new.correlation_id
    )::private.new_message
    from (
      select
        n, message,
        message ->> 'message_type' as message_type,
        message -> 'payload' as payload,
        -- What is no number or time becomes one that is out of range.
        case when pg_input_is_valid(message ->> 'priority', 'integer') is not false then (message ->> 'priority')::integer else -1 end as priority,
        case when pg_input_is_valid(message ->> 'scheduled_at', 'timestamptz') is not false then (message ->> 'scheduled_at')::timestamptz
          else 'infinity' end as scheduled_at,
        message ->> 'idempotency_key' as idempotency_key,
        message ->> 'ordering_key' as ordering_key,
        case when pg_input_is_valid(message ->> 'max_attempts', 'integer') is not false then (message ->> 'max_attempts')::integer
          else -1 end as max_attempts,
        nullif(message -> 'headers', 'null') as headers,
        message ->> 'correlation_id' as correlation_id
      from jsonb_array_elements(messages_of.messages) with ordinality as given (message, n)
      offset 0 -- taken apart once, not wherever a part is used
    ) as new
    cross join lateral (
      select case
        when jsonb_typeof(new.message) <> 'object' then 'message'
        when new.message - c_arguments <> '{}' then (select min(name) from jsonb_object_keys(new.message - c_arguments) as name)
        when length(new.message_type) between 1 and 100 is not true then 'message_type'
        when (jsonb_typeof(new.payload) = 'object' and pg_column_size(new.payload) <= 262144) is not true then 'payload'
        when new.priority not between 0 and 9 then 'priority'
        when new.scheduled_at not between '-infinity' and now() + interval '366 days' then 'scheduled_at'
        when length(new.idempotency_key) not between 1 and 255 then 'idempotency_key'
        when length(new.ordering_key) not between 1 and 255 then 'ordering_key'
        when new.max_attempts not between 1 and 1000 then 'max_attempts'
        when jsonb_typeof(new.headers) <> 'object' or pg_column_size(new.headers) > 16384 then 'headers'
        when new.correlation_id !~ '^[A-Za-z0-9._:-]{1,64}$' then 'correlation_id'
      end as argument
    ) as fault
    where fault.argument is null or private.refuse_message(new.n - 1, fault.argument)
    order by new.n
  );
end;
$$;

comment on function private.messages_of is
  'Messages as the wire has them, once they are what they must be. '
  'Refuses: invalid_argument, with the index of a bad message and what is wrong with it.';

create function private.blocked_messages(queue_name text, messages private.new_message[], earlier_ids bigint[])
returns boolean[]
language plpgsql
set search_path = ''
as $$
declare
  v_occupied text[] := private.occupied_lanes(
    blocked_messages.queue_name, array(select message.ordering_key from unnest(blocked_messages.messages) as message)
  );
begin
  return array(
    select message.ordering_key is not null and (
      occupied.ordering_key is not null
      -- A duplicate takes no place in its lane.
      or row_number() over (partition by message.ordering_key, message.earlier_id is null order by message.n) > 1
    )
    from unnest(blocked_messages.messages, blocked_messages.earlier_ids) with ordinality as message (
      message_type, payload, priority, scheduled_at, idempotency_key, ordering_key, max_attempts, headers, correlation_id, earlier_id, n
    )
    left join unnest(v_occupied) as occupied (ordering_key) on occupied.ordering_key = message.ordering_key
    order by message.n
  );
end;
$$;

comment on function private.blocked_messages is
  'For each message, in order, whether another of its lane comes first. The lanes are locked by the caller.';

create function private.store_messages(queue public.message_queues, messages private.new_message[], lanes text[], has_keys boolean)
returns public.enqueued_message[]
language plpgsql
set search_path = ''
set plan_cache_mode = force_generic_plan -- planning costs more than storing
as $$
declare
  v_correlation_id text := private.correlation_id();
  v_now timestamptz;
  v_transaction_id xid8;
  v_ids bigint[];
  v_earlier_ids bigint[];
  v_is_blocked boolean[];
begin
  if store_messages.lanes <> '{}' then
    perform private.lock_lanes((store_messages.queue).queue_name, store_messages.lanes);
  end if;
  -- Whoever holds an id has a transaction id by then: private.sweep_messages() waits for it.
  v_transaction_id := pg_current_xact_id();
  v_ids := array(select nextval('public.message_queue_id_seq') from generate_series(1, cardinality(store_messages.messages)));
  if store_messages.has_keys then
    v_earlier_ids := private.reserve_message_keys((store_messages.queue).queue_name, store_messages.messages, v_ids);
  end if;
  if store_messages.lanes <> '{}' then
    v_is_blocked := private.blocked_messages((store_messages.queue).queue_name, store_messages.messages, v_earlier_ids);
  end if;

  -- Not before the locks: what became due meanwhile would be stored as scheduled.
  v_now := clock_timestamp();
  with new as (
    insert into public.message_queue (
      id, position, due_at, created_at, state, priority, max_attempts, is_in_lane, queue_name, message_type, payload, headers,
      ordering_key, idempotency_key, correlation_id
    )
    select
      message.id,
      message.id,
      coalesce(message.scheduled_at, v_now),
      v_now,
      case when message.is_blocked then 'blocked' when message.scheduled_at > v_now then 'scheduled' else 'ready' end::public.message_state,
      coalesce(message.priority, 5),
      coalesce(message.max_attempts, (store_messages.queue).max_attempts),
      message.ordering_key is not null,
      (store_messages.queue).queue_name,
      message.message_type,
      message.payload,
      coalesce(message.headers, '{}'),
      message.ordering_key,
      message.idempotency_key,
      coalesce(message.correlation_id, v_correlation_id)
    from unnest(store_messages.messages, v_ids, v_earlier_ids, v_is_blocked) as message (
      message_type, payload, priority, scheduled_at, idempotency_key, ordering_key, max_attempts, headers, correlation_id,
      id, earlier_id, is_blocked
    )
    where message.earlier_id is null
    returning state
  )
  insert into private.message_queue_changes (queue_name, live, scheduled, blocked)
  select
    (store_messages.queue).queue_name,
    count(*),
    count(*) filter (where new.state = 'scheduled'),
    count(*) filter (where new.state = 'blocked')
  from new;

  return array(
    select row(coalesce(new.earlier_id, new.id), new.earlier_id is not null)::public.enqueued_message
    from unnest(v_ids, v_earlier_ids) as new (id, earlier_id)
  );
end;
$$;

comment on function private.store_messages is
  'Stores messages and says for each what became of it. Locks the lanes, then the idempotency keys, each in key order. '
  'Refuses: idempotency_key_reused, read_committed_needed.';

create function private.enqueue_messages(queue_name text, messages jsonb)
returns public.enqueued_message[]
language plpgsql
security definer -- messages are written by the functions of the queue only
set search_path = ''
as $$
declare
  v_queue public.message_queues := private.require_queue(enqueue_messages.queue_name);
  v_messages private.new_message[] := private.messages_of(enqueue_messages.messages);
  v_lanes text[] := '{}';
  v_priorities smallint[] := '{}';
  v_enqueued public.enqueued_message[];
begin
  if enqueue_messages.messages @? '$[*].ordering_key' then
    v_lanes := array(select message.ordering_key from unnest(v_messages) as message where message.ordering_key is not null);
  end if;
  if enqueue_messages.messages @? '$[*].priority' then
    v_priorities := array(select message.priority from unnest(v_messages) as message where message.priority <> all (v_queue.priorities));
  end if;
  if v_priorities <> '{}' then
    perform private.add_priorities(v_queue.queue_name, v_priorities);
  end if;
  v_enqueued := private.store_messages(v_queue, v_messages, v_lanes, enqueue_messages.messages @? '$[*].idempotency_key');
  perform private.kick_worker();
  return v_enqueued;
end;
$$;

comment on function private.enqueue_messages is
  'The work of public.enqueue_messages(), and how other parts of the suite enqueue: all messages or none, in order. '
  'Refuses: queue_not_found, invalid_argument, idempotency_key_reused, read_committed_needed.';

commit;
