begin;

create function private.enqueue_message(
  queue_name text,
  message_type text,
  payload jsonb,
  priority integer,
  scheduled_at timestamptz,
  idempotency_key text,
  ordering_key text,
  max_attempts integer,
  headers jsonb
)
returns public.enqueued_message
language plpgsql
security definer -- messages are written by the functions of the queue only
set search_path = ''
set plan_cache_mode = force_generic_plan -- planning costs more than storing
as $$
declare
  -- Whoever holds an id has a transaction id by then: private.sweep_messages() waits for it.
  v_transaction_id xid8 := pg_current_xact_id();
  v_id bigint;
begin
  -- The plain message goes a way of its own, at half the cost. Whatever is special about one is dealt with in one place only.
  if enqueue_message.priority = 5 and length(enqueue_message.message_type) between 1 and 100
    and jsonb_typeof(enqueue_message.payload) = 'object' and pg_column_size(enqueue_message.payload) < 8192
    and num_nulls(
      enqueue_message.scheduled_at, enqueue_message.idempotency_key, enqueue_message.ordering_key,
      enqueue_message.max_attempts, enqueue_message.headers
    ) = 5
  then
    v_id := nextval('public.message_queue_id_seq');
    insert into public.message_queue (
      id, position, due_at, state, priority, max_attempts, is_in_lane, queue_name, message_type, payload, headers, correlation_id
    )
    select
      v_id, v_id, clock_timestamp(), 'ready', 5, queue.max_attempts, false, queue.queue_name, enqueue_message.message_type,
      enqueue_message.payload, '{}', private.correlation_id()
    from public.message_queues as queue
    where queue.queue_name = enqueue_message.queue_name;
    if found then
      insert into private.message_queue_changes (queue_name, live) values (enqueue_message.queue_name, 1);
      perform private.kick_worker();
      return row(v_id, false);
    end if;
  end if;
  return (private.enqueue_messages(enqueue_message.queue_name, jsonb_build_array(jsonb_build_object(
    'message_type', enqueue_message.message_type,
    'payload', enqueue_message.payload,
    'priority', enqueue_message.priority,
    'scheduled_at', enqueue_message.scheduled_at,
    'idempotency_key', enqueue_message.idempotency_key,
    'ordering_key', enqueue_message.ordering_key,
    'max_attempts', enqueue_message.max_attempts,
    'headers', enqueue_message.headers
  ))))[1];
end;
$$;

comment on function private.enqueue_message is 'The work of public.enqueue_message().';

create function public.enqueue_message(
  queue_name text,
  message_type text,
  payload jsonb,
  priority integer default 5,
  scheduled_at timestamptz default null,
  idempotency_key text default null,
  ordering_key text default null,
  max_attempts integer default null,
  headers jsonb default null
)
returns public.enqueued_message
language plpgsql
set search_path = ''
set statement_timeout = '5s'
as $$
begin
  return private.enqueue_message(
    enqueue_message.queue_name, enqueue_message.message_type, enqueue_message.payload, enqueue_message.priority,
    enqueue_message.scheduled_at, enqueue_message.idempotency_key, enqueue_message.ordering_key, enqueue_message.max_attempts,
    enqueue_message.headers
  );
end;
$$;

comment on function public.enqueue_message is
  'Puts a message into a queue, in the caller''s transaction: it is there if and only if that commits. '
  'priority: 0 first, 9 last. scheduled_at: not before then. idempotency_key: a repeat while the message is there, or for the queue''s '
  'dedupe_window after it was completed, gives the first one''s id. ordering_key: not before those enqueued earlier with the same key have '
  'finished. Refuses: queue_not_found, invalid_argument, idempotency_key_reused, '
  'read_committed_needed (an ordering_key in a stricter transaction).';
grant execute on function public.enqueue_message, private.enqueue_message to service_role;

create function public.enqueue_messages(queue_name text, messages jsonb)
returns setof public.enqueued_message
language plpgsql
set search_path = ''
set statement_timeout = '10s'
as $$
begin
  if jsonb_typeof(enqueue_messages.messages) is distinct from 'array' or jsonb_array_length(enqueue_messages.messages) > 1000 then
    perform private.refuse('invalid_argument', '{"argument": "messages", "range": "an array of at most 1000 messages"}');
  end if;
  return query select * from unnest(private.enqueue_messages(enqueue_messages.queue_name, enqueue_messages.messages));
end;
$$;

comment on function public.enqueue_messages is
  'Puts up to 1,000 messages into a queue, all or none, in order; each is an object with the arguments of enqueue_message(), and a correlation_id if '
  'it is not the caller''s. '
  'Answers in the same order: the id, and whether it is an earlier message''s. '
  'Refuses: queue_not_found, invalid_argument (with the index of the first bad message and what is wrong with it), '
  'idempotency_key_reused, read_committed_needed.';
grant execute on function public.enqueue_messages, private.enqueue_messages to service_role;

commit;
