begin;

create function private.parked_event(parked public.event_parked)
returns public.event_store
language plpgsql
stable
set search_path = ''
as $$
declare
  v_event public.event_store;
begin
  select event.* into v_event from public.event_store as event where event.id = (parked_event.parked).id;
  return private.upcast_event(v_event);
end;
$$;

comment on function private.parked_event is 'The event that is parked there, in its newest shape.';

create function private.park_event(subscription public.event_subscriptions, event public.event_store, attempt_count integer, error text)
returns void
language plpgsql
set search_path = ''
as $$
declare
  v_event public.event_store := park_event.event;
begin
  insert into public.event_parked (
    subscription_name, id, transaction_id, position, stream_id, aggregate_type, aggregate_id, version, event_type, attempt_count, last_error
  ) values (
    (park_event.subscription).name, v_event.id, v_event.transaction_id, v_event.position, v_event.stream_id, v_event.aggregate_type,
    v_event.aggregate_id, v_event.version, v_event.event_type, park_event.attempt_count, park_event.error
  )
  -- Parked already under a lease that was lost.
  on conflict on constraint event_parked_pkey do nothing;
end;
$$;

comment on function private.park_event is 'Puts an event aside: it failed, or follows one in its stream that did (attempt_count 0).';

create function private.is_stream_parked(subscription public.event_subscriptions, stream_id bigint)
returns boolean
language plpgsql
stable
set search_path = ''
as $$
begin
  return (is_stream_parked.subscription).on_failure = 'park_stream' and exists (
    select from public.event_parked as parked
    where parked.subscription_name = (is_stream_parked.subscription).name and parked.stream_id = is_stream_parked.stream_id
  );
end;
$$;

comment on function private.is_stream_parked is 'Whether events of a stream must be parked behind others.';

create function private.park_followers(subscription public.event_subscriptions, inout events public.event_store[])
language plpgsql
set search_path = ''
as $$
declare
  v_subscription public.event_subscriptions := park_followers.subscription;
  v_parked bigint[];
begin
  if v_subscription.on_failure <> 'park_stream' then
    return;
  end if;
  v_parked := array(
    select distinct parked.stream_id from public.event_parked as parked
    where parked.subscription_name = v_subscription.name
      and parked.stream_id = any(array(select event.stream_id from unnest(park_followers.events) as event))
  );
  if v_parked = '{}' then
    return;
  end if;
  perform private.park_event(v_subscription, event, 0, null)
  from unnest(park_followers.events) as event
  where event.stream_id = any(v_parked)
  order by event.transaction_id, event.position;
  park_followers.events := array(
    select event from unnest(park_followers.events) as event
    where event.stream_id <> all(v_parked)
    order by event.transaction_id, event.position
  );
end;
$$;

comment on function private.park_followers is 'Parks those events whose streams are parked, under park_stream; gives the others.';

create function private.settle_parked_event(subscription public.event_subscriptions, parked public.event_parked, error text)
returns void
language plpgsql
set search_path = ''
as $$
declare
  v_parked public.event_parked := settle_parked_event.parked;
begin
  if settle_parked_event.error is null then
    delete from public.event_parked as done
    where done.subscription_name = v_parked.subscription_name and done.id = v_parked.id;
    return;
  end if;
  update public.event_parked as failed set
    replay_from = null,
    attempt_count = failed.attempt_count + (failed.id = v_parked.id)::integer,
    last_error = case when failed.id = v_parked.id then settle_parked_event.error else failed.last_error end
  where failed.subscription_name = v_parked.subscription_name and (
    failed.id = v_parked.id
    or (settle_parked_event.subscription).on_failure = 'park_stream' and failed.stream_id = v_parked.stream_id
  );
end;
$$;

comment on function private.settle_parked_event is
  'A parked event was tried again: with success, then it is forgotten here, or not, then it rests again, under park_stream with all that follow it.';

create function private.next_replays(subscription public.event_subscriptions, max_count integer)
returns setof public.event_parked
language plpgsql
stable
set search_path = ''
as $$
declare
  v_subscription public.event_subscriptions := next_replays.subscription;
begin
  return query
  select parked.* from public.event_parked as parked
  where parked.subscription_name = v_subscription.name and parked.replay_from is not null
    and not (v_subscription.on_failure = 'park_stream' and exists (
      select from public.event_parked as earlier
      where earlier.subscription_name = parked.subscription_name and earlier.stream_id = parked.stream_id and earlier.version < parked.version
    ))
  order by parked.transaction_id, parked.position
  limit next_replays.max_count;
end;
$$;

comment on function private.next_replays is
  'The parked events that are to be tried again now: under park_stream the first of each stream.';

create function private.has_unread_events(subscription public.event_subscriptions)
returns boolean
language plpgsql
set search_path = ''
as $$
begin
  return exists (
    select from private.read_events((has_unread_events.subscription).after_transaction_id, (has_unread_events.subscription).after_position, 1)
  ) or exists (
    select from private.next_replays(has_unread_events.subscription, 1)
  );
end;
$$;

comment on function private.has_unread_events is 'Whether there is anything to look at for a subscription, wanted or not, or to replay.';

create function private.replay_parked_events(subscription_name text, aggregate_type text, aggregate_id text, max_count integer)
returns integer
language plpgsql
security definer -- operators ask for what they cannot write
set search_path = ''
as $$
declare
  v_actor record := private.current_actor();
  v_subscription public.event_subscriptions;
  v_count integer;
begin
  if v_actor.actor_type <> 'service' then
    perform private.require_operator();
  end if;
  v_subscription := private.require_subscription(replay_parked_events.subscription_name);
  with wanted as (
    select parked.id, parked.stream_id
    from public.event_parked as parked
    where parked.subscription_name = v_subscription.name
      and (replay_parked_events.aggregate_type is null or parked.aggregate_type = replay_parked_events.aggregate_type)
      and (replay_parked_events.aggregate_id is null or parked.aggregate_id = replay_parked_events.aggregate_id)
    order by parked.transaction_id, parked.position
    limit replay_parked_events.max_count
  )
  update public.event_parked as parked set replay_from = coalesce(parked.replay_from, now())
  where parked.subscription_name = v_subscription.name and case v_subscription.on_failure
    when 'park_stream' then parked.stream_id = any(array(select wanted.stream_id from wanted))
    else parked.id = any(array(select wanted.id from wanted))
  end;
  get diagnostics v_count = row_count;
  perform private.kick_worker();
  perform private.log_audit_event(
    v_actor.actor_type, v_actor.actor_identifier, 'replay', 'event_subscription', v_subscription.name, jsonb_build_object('count', v_count)
  );
  return v_count;
end;
$$;

comment on function private.replay_parked_events is 'The work of public.replay_parked_events().';

create function public.replay_parked_events(
  subscription_name text,
  aggregate_type text default null,
  aggregate_id text default null,
  max_count integer default 1000
)
returns integer
language plpgsql
set search_path = ''
set statement_timeout = '15s'
as $$
begin
  if (replay_parked_events.max_count between 1 and 10000) is not true then
    perform private.refuse('invalid_argument', '{"argument": "max_count", "range": "1..10000"}');
  end if;
  return private.replay_parked_events(
    replay_parked_events.subscription_name, replay_parked_events.aggregate_type, replay_parked_events.aggregate_id, replay_parked_events.max_count
  );
end;
$$;

comment on function public.replay_parked_events is
  'For operators and the service: has parked events tried again, oldest first, each alone; of one kind of aggregate, or of one, if that is given; says how many. '
  'Those that fail again stay parked. Under park_stream whole streams are replayed, in their order, and once all of a stream is through, it flows again. '
  'Audited. Refuses: operator_required, subscription_not_found, invalid_argument.';
grant execute on function public.replay_parked_events, private.replay_parked_events to authenticated, service_role;

commit;
