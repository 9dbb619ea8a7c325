begin;

create function private.handle_events(handler text, events public.event_store[])
returns text
language plpgsql
set search_path = ''
as $$
declare
  v_correlation_id text := current_setting('app.correlation_id', true);
  v_ids text[] := array(select distinct event.correlation_id from unnest(handle_events.events) as event);
begin
  begin
    perform private.continue_correlation(case when cardinality(v_ids) = 1 then v_ids[1] end);
    execute format('select %s($1)', handle_events.handler) using handle_events.events;
    -- What would only fail at the commit fails here.
    set constraints all immediate;
  exception when others or query_canceled or assert_failure then
    -- Caught so that the failure is kept and the others go on; what the handler did is undone.
    return left(concat_ws(' ', sqlstate, sqlerrm), 2000);
  end;
  perform private.continue_correlation(v_correlation_id);
  return null;
end;
$$;

comment on function private.handle_events is
  'Gives events to a handler; says how it failed, as `<SQLSTATE> <message>`, or null. The handler carries on their correlation id if they all have the same.';

create function private.is_canceled(error text)
returns boolean
language plpgsql
immutable
set search_path = ''
as $$
begin
  return is_canceled.error like '57014 %';
end;
$$;

comment on function private.is_canceled is 'Whether a handler was cut off: then this statement''s time is up, too.';

create function private.is_time_up()
returns boolean
language plpgsql
stable
set search_path = ''
as $$
begin
  return clock_timestamp() > now() + interval '5 seconds';
end;
$$;

comment on function private.is_time_up is
  'Whether this run should come to its end: a third of its statement timeout has gone, so that no event is cut off for the time that others took.';

create function private.move_subscription(subscription_name text, to_transaction_id bigint, to_position bigint)
returns void
language plpgsql
set search_path = ''
as $$
begin
  update public.event_subscriptions as subscription set
    after_transaction_id = move_subscription.to_transaction_id,
    after_position = move_subscription.to_position,
    attempt_count = 0,
    retry_at = null,
    last_run_at = clock_timestamp()
  where subscription.name = move_subscription.subscription_name;
end;
$$;

comment on function private.move_subscription is 'Moves a checkpoint: everything up to that place is done or parked.';

create function private.note_event_failure(subscription public.event_subscriptions, event public.event_store, error text)
returns text
language plpgsql
set search_path = ''
as $$
declare
  v_subscription public.event_subscriptions := note_event_failure.subscription;
  v_event public.event_store := note_event_failure.event;
  v_attempt_count integer := v_subscription.attempt_count + 1;
  v_outcome text := case
    when v_attempt_count < v_subscription.max_attempts then 'retry'
    when v_subscription.on_failure = 'stop' then 'stopped'
    else 'parked'
  end;
begin
  if v_outcome = 'parked' then
    perform private.park_event(v_subscription, v_event, v_attempt_count, note_event_failure.error);
  end if;
  update public.event_subscriptions as failing set
    after_transaction_id = v_event.transaction_id,
    after_position = case v_outcome when 'parked' then v_event.position else v_event.position - 1 end,
    attempt_count = case v_outcome when 'parked' then 0 else v_attempt_count end,
    status = case v_outcome when 'stopped' then 'stopped'::public.event_subscription_status else failing.status end,
    retry_at = case v_outcome when 'retry' then now() + private.retry_delay(v_attempt_count, '1 second', '1 minute') end,
    last_run_at = clock_timestamp(),
    last_failed_at = clock_timestamp(),
    last_error = note_event_failure.error
  where failing.name = v_subscription.name;
  return v_outcome;
end;
$$;

comment on function private.note_event_failure is
  'Everything before this event is done; it failed. Says what becomes of it: retry, parked or stopped.';

create function private.delay_subscription(subscription public.event_subscriptions, error text)
returns void
language plpgsql
set search_path = ''
as $$
declare
  v_attempt_count integer := (delay_subscription.subscription).attempt_count + 1;
begin
  update public.event_subscriptions as failing set
    attempt_count = v_attempt_count,
    retry_at = now() + private.retry_delay(v_attempt_count, '1 second', '1 minute'),
    last_run_at = clock_timestamp(),
    last_failed_at = clock_timestamp(),
    last_error = delay_subscription.error
  where failing.name = (delay_subscription.subscription).name;
end;
$$;

comment on function private.delay_subscription is
  'A batch took too long: its events are tried again, one by one, as attempt_count is no longer 0.';

create function private.run_replays(subscription public.event_subscriptions, max_count integer, out done integer, out failed integer)
language plpgsql
set search_path = ''
as $$
declare
  v_subscription public.event_subscriptions := run_replays.subscription;
  v_parked public.event_parked;
  v_error text;
begin
  done := 0;
  failed := 0;
  for v_parked in select * from private.next_replays(v_subscription, run_replays.max_count) loop
    v_error := private.handle_events(v_subscription.handler, array[private.parked_event(v_parked)]);
    perform private.settle_parked_event(v_subscription, v_parked, v_error);
    done := done + (v_error is null)::integer;
    failed := failed + (v_error is not null)::integer;
    exit when private.is_canceled(v_error) or private.is_time_up();
  end loop;
end;
$$;

comment on function private.run_replays is 'Gives parked events that are to be tried again to the handler, one by one.';

create function private.run_singly(
  subscription public.event_subscriptions,
  events public.event_store[],
  until_transaction_id bigint,
  until_position bigint,
  out done integer,
  out failed integer
)
language plpgsql
set search_path = ''
as $$
declare
  v_subscription public.event_subscriptions := run_singly.subscription;
  v_event public.event_store;
  v_error text;
begin
  done := 0;
  failed := 0;
  foreach v_event in array run_singly.events loop
    if failed > 0 and private.is_stream_parked(v_subscription, v_event.stream_id) then
      perform private.park_event(v_subscription, v_event, 0, null);
      continue;
    end if;
    v_error := private.handle_events(v_subscription.handler, array[v_event]);
    done := done + (v_error is null)::integer;
    failed := failed + (v_error is not null)::integer;
    if v_error is not null and (
      private.note_event_failure(v_subscription, v_event, v_error) <> 'parked' or private.is_canceled(v_error)
    ) then
      return;
    end if;
    -- The attempts were the first event's.
    v_subscription.attempt_count := 0;
    if private.is_time_up() then
      perform private.move_subscription(v_subscription.name, v_event.transaction_id, v_event.position);
      return;
    end if;
  end loop;
  perform private.move_subscription(v_subscription.name, run_singly.until_transaction_id, run_singly.until_position);
end;
$$;

comment on function private.run_singly is
  'Gives events to the handler one by one, so that one that fails harms no others, and moves the checkpoint as far as that goes.';

create function private.run_subscription(subscription public.event_subscriptions, max_count integer, out done integer, out failed integer)
language plpgsql
set search_path = ''
as $$
declare
  v_subscription public.event_subscriptions := run_subscription.subscription;
  v_scan record;
  v_events public.event_store[];
  v_error text;
  v_singly record;
begin
  select replays.done, replays.failed into done, failed from private.run_replays(v_subscription, run_subscription.max_count) as replays;
  if done + failed > 0 then
    return;
  end if;
  v_scan := private.scan_subscription(v_subscription, least(v_subscription.batch_size, run_subscription.max_count));
  if v_scan.until_transaction_id is null then
    return;
  end if;
  v_events := private.park_followers(v_subscription, v_scan.events);
  if cardinality(v_events) > 1 and v_subscription.attempt_count = 0 then
    v_error := private.handle_events(v_subscription.handler, v_events);
    if v_error is null then
      done := cardinality(v_events);
      perform private.move_subscription(v_subscription.name, v_scan.until_transaction_id, v_scan.until_position);
      return;
    end if;
  end if;
  if private.is_canceled(v_error) then
    perform private.delay_subscription(v_subscription, v_error);
    failed := 1;
    return;
  end if;
  v_singly := private.run_singly(v_subscription, v_events, v_scan.until_transaction_id, v_scan.until_position);
  done := v_singly.done;
  failed := v_singly.failed;
end;
$$;

comment on function private.run_subscription is
  'Hands a locked subscription its next events, all at once, or, if that fails, one by one; checkpoint and effects commit together.';

create function private.run_subscriptions(max_count integer)
returns jsonb
language plpgsql
security definer -- handlers are the owner's, and write what no role may write
set search_path = ''
as $$
declare
  v_candidate public.event_subscriptions;
  v_subscription public.event_subscriptions;
  v_run record;
begin
  for v_candidate in
    select candidate.* from public.event_subscriptions as candidate
    where candidate.handler is not null and candidate.status = 'active' and coalesce(candidate.retry_at, now()) <= now()
    order by candidate.last_run_at
  loop
    continue when not private.has_unread_events(v_candidate);
    select locked.* into v_subscription from public.event_subscriptions as locked
    where locked.name = v_candidate.name and locked.status = 'active' and coalesce(locked.retry_at, now()) <= now()
    for no key update skip locked;
    continue when not found;
    v_run := private.run_subscription(v_subscription, run_subscriptions.max_count);
    return jsonb_build_object('done', v_run.done, 'failed', v_run.failed, 'more', true);
  end loop;
  return '{"done": 0, "failed": 0, "more": false}';
end;
$$;

comment on function private.run_subscriptions is 'The work of public.run_subscriptions().';

create function public.run_subscriptions(max_count integer default 100)
returns jsonb
language plpgsql
set search_path = ''
set statement_timeout = '15s'
as $$
begin
  if (run_subscriptions.max_count between 1 and 1000) is not true then
    perform private.refuse('invalid_argument', '{"argument": "max_count", "range": "1..1000"}');
  end if;
  return private.run_subscriptions(run_subscriptions.max_count);
end;
$$;

comment on function public.run_subscriptions is
  'For the worker, which repeats it while there is more: hands the subscription that has waited longest its next events, at most max_count and its batch_size. '
  'Answers {"done", "failed", "more"}: events handled, attempts that failed, whether there may be more to do. Any number may run at once; each subscription '
  'is one''s at a time. Each call is one transaction of one subscription, as others'' events stay hidden while it writes. Refuses: invalid_argument.';
grant execute on function public.run_subscriptions, private.run_subscriptions to service_role;

commit;
