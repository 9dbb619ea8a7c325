begin;

create function private.finish_messages(message_ids bigint[], lease_tokens bigint[] default null)
returns bigint[]
language plpgsql
security definer -- messages are written by the functions of the queue only
set search_path = ''
-- Planned once, and perhaps while the table was empty: only the primary key is ever right, because the entries of finished
-- messages in other indexes may stay for long.
set plan_cache_mode = force_generic_plan
set enable_seqscan = off
set enable_bitmapscan = off
as $$
declare
  v_finished record;
  v_ids bigint[] := '{}';
begin
  for v_finished in
    with finished as (
      delete from public.message_queue as message
      where message.id = any (finish_messages.message_ids)
        and (finish_messages.lease_tokens is null or message.lease_token = any (finish_messages.lease_tokens))
      returning message.*, case
        when finish_messages.lease_tokens is not null then 'completed' when message.state = 'dead' then 'dead' else 'cancelled'
      end::public.message_outcome as outcome
    ), kept as (
      insert into public.message_queue_history (
        id, message_id, enqueued_at, claimed_at, outcome, priority, attempt_count, queue_name, message_type,
        ordering_key, idempotency_key, correlation_id, last_error, payload, headers
      )
      select
        ((select left(private.uuid_v7_floor(now())::text, 20)) || lpad(to_hex(finished.id), 15, '0'))::uuid,
        finished.id, finished.created_at, finished.claimed_at, finished.outcome, finished.priority, finished.attempt_count,
        finished.queue_name, finished.message_type, finished.ordering_key, finished.idempotency_key, finished.correlation_id,
        finished.last_error,
        case when finished.outcome <> 'completed' then finished.payload end,
        case when finished.outcome <> 'completed' then finished.headers end
      from finished
      join public.message_queues as queue on queue.queue_name = finished.queue_name
      where queue.keep_history = 'all'
        or queue.keep_history = 'failures' and (finished.outcome <> 'completed' or finished.last_error is not null)
    )
    select
      finished.queue_name,
      array_agg(finished.id) as ids,
      count(*) filter (where finished.state = 'scheduled') as scheduled,
      count(*) filter (where finished.state = 'blocked') as blocked,
      count(*) filter (where finished.state = 'dead') as dead,
      array_agg(finished.ordering_key) filter (where finished.is_in_lane and finished.state <> 'blocked') as lanes,
      array_agg(finished.idempotency_key) filter (where finished.idempotency_key is not null) as keys
    from finished
    group by finished.queue_name
    order by finished.queue_name
  loop
    v_ids := v_ids || v_finished.ids;
    insert into private.message_queue_changes (queue_name, live, scheduled, blocked, dead, completed)
    values (
      v_finished.queue_name, -cardinality(v_finished.ids), -v_finished.scheduled, -v_finished.blocked, -v_finished.dead,
      case when finish_messages.lease_tokens is not null then cardinality(v_finished.ids) else 0 end
    );
    if v_finished.lanes is not null then
      perform private.advance_lanes(v_finished.queue_name, v_finished.lanes);
    end if;
    if v_finished.keys is not null then
      perform private.expire_message_keys(
        v_finished.queue_name, v_finished.ids, v_finished.keys,
        -- What was never done may be asked for again.
        case when finish_messages.lease_tokens is null then '0'::interval else (private.require_queue(v_finished.queue_name)).dedupe_window end
      );
    end if;
  end loop;
  return v_ids;
end;
$$;

comment on function private.finish_messages is
  'Takes messages out of the queue and tells which: those leased under one of these tokens as completed; without tokens, whatever the '
  'caller has locked, as cancelled or dead. Keeps what the queue keeps, and lets the next of their lanes go.';

create function private.are_leases(message_ids bigint[], lease_tokens bigint[])
returns boolean
language plpgsql
immutable
set search_path = ''
as $$
begin
  return (cardinality(are_leases.message_ids) = cardinality(are_leases.lease_tokens) and cardinality(are_leases.message_ids) <= 1000) is true;
end;
$$;

comment on function private.are_leases is 'Whether there is one token for each message, and not too many of them.';

create function public.complete_messages(message_ids bigint[], lease_tokens bigint[])
returns bigint[]
language plpgsql
set search_path = ''
set statement_timeout = '5s'
as $$
begin
  if not private.are_leases(complete_messages.message_ids, complete_messages.lease_tokens) then
    perform private.refuse('invalid_argument', '{"argument": "lease_tokens", "range": "one for each of message_ids, at most 1000"}');
  end if;
  return private.finish_messages(complete_messages.message_ids, complete_messages.lease_tokens);
end;
$$;

comment on function public.complete_messages is
  'Completes messages that the caller has leased and gives their ids. One whose lease is lost is left out: it may be somebody else''s by '
  'now, so a caller that writes its effect in the same transaction rolls back. A lease that ran out still counts until the message is '
  'given to somebody else. Refuses: invalid_argument.';
grant execute on function public.complete_messages, private.finish_messages, private.are_leases to service_role;

commit;
