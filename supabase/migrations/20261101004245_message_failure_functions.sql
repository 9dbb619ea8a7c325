begin;

create type public.failed_message as (message_id bigint, state public.message_state, due_at timestamptz);
comment on type public.failed_message is
  'What became of a message that failed: scheduled, to be tried again at due_at; ready, at once; or dead, since due_at.';

create function private.fail_messages(
  message_ids bigint[],
  lease_tokens bigint[],
  errors text[],
  retry_after_seconds integer[],
  is_permanent boolean[]
)
returns public.failed_message[]
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
  v_now timestamptz := clock_timestamp();
  v_failed record;
  v_answer public.failed_message[] := '{}';
begin
  for v_failed in
    with failing as materialized (
      select message.id, queue.keeps_lane_behind_dead, failure.error,
        message.attempt_count >= message.max_attempts or coalesce(failure.is_permanent, false) as is_dying,
        coalesce(
          make_interval(secs => failure.retry_after_seconds),
          private.retry_delay(message.attempt_count, queue.shortest_backoff, queue.longest_backoff)
        ) as delay
      from public.message_queue as message
      join public.message_queues as queue on queue.queue_name = message.queue_name
      cross join lateral (
        select fail_messages.errors[at.n] as error, fail_messages.retry_after_seconds[at.n] as retry_after_seconds,
          fail_messages.is_permanent[at.n] as is_permanent
        from array_position(fail_messages.lease_tokens, message.lease_token) as at (n)
      ) as failure
      where message.id = any (fail_messages.message_ids) and message.lease_token = any (fail_messages.lease_tokens)
      for update of message
    ), failed as (
      update public.message_queue as message set
        state = case
          when failing.is_dying then 'dead' when failing.delay > interval '0' then 'scheduled' else 'ready'
        end::public.message_state,
        due_at = case when failing.is_dying then v_now else v_now + failing.delay end,
        position = private.ready_position(message.queue_name, message.priority, message.id),
        lease_token = null,
        is_in_lane = message.is_in_lane and (failing.keeps_lane_behind_dead or not failing.is_dying),
        last_error = left(failing.error, 2000)
      from failing
      where message.id = failing.id
      returning message.*
    )
    select
      failed.queue_name,
      array_agg(row(failed.id, failed.state, failed.due_at)::public.failed_message) as messages,
      count(*) filter (where failed.state = 'scheduled') as scheduled,
      count(*) filter (where failed.state = 'dead') as dead,
      array_agg(failed.ordering_key) filter (where failed.ordering_key is not null and not failed.is_in_lane) as lanes
    from failed
    group by failed.queue_name
    order by failed.queue_name
  loop
    v_answer := v_answer || v_failed.messages;
    insert into private.message_queue_changes (queue_name, scheduled, dead, failed)
    values (v_failed.queue_name, v_failed.scheduled, v_failed.dead, cardinality(v_failed.messages));
    if v_failed.lanes is not null then
      perform private.advance_lanes(v_failed.queue_name, v_failed.lanes);
    end if;
  end loop;
  return v_answer;
end;
$$;

comment on function private.fail_messages is 'The work of public.fail_messages().';

create function public.fail_messages(
  message_ids bigint[],
  lease_tokens bigint[],
  errors text[] default null,
  retry_after_seconds integer[] default null,
  is_permanent boolean[] default null
)
returns setof public.failed_message
language plpgsql
set search_path = ''
set statement_timeout = '5s'
as $$
begin
  if not private.are_leases(fail_messages.message_ids, fail_messages.lease_tokens) then
    perform private.refuse('invalid_argument', '{"argument": "lease_tokens", "range": "one for each of message_ids, at most 1000"}');
  end if;
  if exists (select from unnest(fail_messages.retry_after_seconds) as seconds where seconds not between 0 and 604800) then
    perform private.refuse('invalid_argument', '{"argument": "retry_after_seconds", "range": "0..604800"}');
  end if;
  return query select * from unnest(private.fail_messages(
    fail_messages.message_ids, fail_messages.lease_tokens, fail_messages.errors, fail_messages.retry_after_seconds,
    fail_messages.is_permanent
  ));
end;
$$;

comment on function public.fail_messages is
  'Ends the attempt at messages that the caller has leased: each is tried again after the queue''s backoff, or is dead after its last '
  'attempt or a permanent failure; says which. Beside each id there may be an error (its first 2,000 characters are kept), '
  'the seconds that a provider said to wait, which then replace the backoff, and whether trying again is pointless. '
  'Messages whose lease is lost are left out. Refuses: invalid_argument.';
grant execute on function public.fail_messages, private.fail_messages to service_role;

create function private.release_messages(message_ids bigint[], lease_tokens bigint[])
returns bigint[]
language plpgsql
security definer -- messages are written by the functions of the queue only
set search_path = ''
-- As for private.fail_messages().
set plan_cache_mode = force_generic_plan
set enable_seqscan = off
set enable_bitmapscan = off
as $$
declare
  v_ids bigint[];
begin
  with released as (
    update public.message_queue as message set
      state = 'ready',
      due_at = clock_timestamp(),
      position = private.ready_position(message.queue_name, message.priority, message.id),
      lease_token = null,
      attempt_count = message.attempt_count - 1
    where message.id = any (release_messages.message_ids) and message.lease_token = any (release_messages.lease_tokens)
    returning message.id
  )
  select coalesce(array_agg(released.id), '{}') into v_ids from released;
  perform private.kick_worker();
  return v_ids;
end;
$$;

comment on function private.release_messages is 'The work of public.release_messages().';

create function public.release_messages(message_ids bigint[], lease_tokens bigint[])
returns bigint[]
language plpgsql
set search_path = ''
set statement_timeout = '5s'
as $$
begin
  if not private.are_leases(release_messages.message_ids, release_messages.lease_tokens) then
    perform private.refuse('invalid_argument', '{"argument": "lease_tokens", "range": "one for each of message_ids, at most 1000"}');
  end if;
  return private.release_messages(release_messages.message_ids, release_messages.lease_tokens);
end;
$$;

comment on function public.release_messages is
  'Gives back messages that the caller has leased and has not begun with: they are ready at once, and the attempt does not count. '
  'Gives the ids; those whose lease is lost are left out. Refuses: invalid_argument.';

create function private.extend_messages(message_ids bigint[], lease_tokens bigint[], lease_seconds integer)
returns bigint[]
language plpgsql
security definer -- messages are written by the functions of the queue only
set search_path = ''
-- As for private.fail_messages().
set plan_cache_mode = force_generic_plan
set enable_seqscan = off
set enable_bitmapscan = off
as $$
declare
  v_ids bigint[];
begin
  with extended as (
    update public.message_queue as message set due_at = clock_timestamp() + make_interval(secs => extend_messages.lease_seconds)
    where message.id = any (extend_messages.message_ids) and message.lease_token = any (extend_messages.lease_tokens)
    returning message.id
  )
  select coalesce(array_agg(extended.id), '{}') into v_ids from extended;
  return v_ids;
end;
$$;

comment on function private.extend_messages is 'The work of public.extend_messages().';

create function public.extend_messages(message_ids bigint[], lease_tokens bigint[], lease_seconds integer)
returns bigint[]
language plpgsql
set search_path = ''
set statement_timeout = '5s'
as $$
begin
  if not private.are_leases(extend_messages.message_ids, extend_messages.lease_tokens) then
    perform private.refuse('invalid_argument', '{"argument": "lease_tokens", "range": "one for each of message_ids, at most 1000"}');
  end if;
  if (extend_messages.lease_seconds between 1 and 86400) is not true then
    perform private.refuse('invalid_argument', '{"argument": "lease_seconds", "range": "1..86400"}');
  end if;
  return private.extend_messages(extend_messages.message_ids, extend_messages.lease_tokens, extend_messages.lease_seconds);
end;
$$;

comment on function public.extend_messages is
  'Lets leases of the caller last lease_seconds from now and gives the ids; those whose lease is lost are left out: somebody who gets '
  'fewer back stops working on them. Refuses: invalid_argument.';
grant execute on function
  public.release_messages, private.release_messages, public.extend_messages, private.extend_messages
to service_role;

commit;
