begin;

create type public.subscription_claim as (
  lease_token bigint,
  is_replay boolean,
  attempt_count integer,
  from_transaction_id bigint,
  from_position bigint,
  to_transaction_id bigint,
  to_position bigint,
  events public.event_store[]
);
comment on type public.subscription_claim is
  'What a consumer has to do under a lease: events, in order, and the places that it moves the checkpoint from and to once they are done. '
  'attempt_count: how often the first one has failed. is_replay: events that were parked; each is settled alone, and the checkpoint stays.';

create function private.require_lease(subscription_name text, lease_token bigint)
returns public.event_subscriptions
language plpgsql
set search_path = ''
as $$
declare
  v_subscription public.event_subscriptions := private.require_subscription(require_lease.subscription_name);
begin
  -- One that has run out holds as long as nobody else has claimed.
  if (v_subscription.lease_token = require_lease.lease_token and v_subscription.leased_until is not null) is not true then
    perform private.refuse('lease_lost');
  end if;
  return v_subscription;
end;
$$;

comment on function private.require_lease is 'Locks a subscription that is leased under this token. Refuses: subscription_not_found, lease_lost.';

create function private.next_claim(subscription public.event_subscriptions, max_count integer)
returns public.subscription_claim
language plpgsql
set search_path = ''
as $$
declare
  v_subscription public.event_subscriptions := next_claim.subscription;
  v_scan record;
  v_claim public.subscription_claim;
begin
  v_claim.events := array(
    select private.parked_event(parked) from private.next_replays(v_subscription, next_claim.max_count) as parked
  );
  v_claim.is_replay := cardinality(v_claim.events) > 0;
  while cardinality(v_claim.events) = 0 loop
    v_scan := private.scan_subscription(v_subscription, next_claim.max_count);
    if v_scan.until_transaction_id is null or private.is_time_up() then
      return null;
    end if;
    v_claim.events := private.park_followers(v_subscription, v_scan.events);
    v_claim.from_transaction_id := v_subscription.after_transaction_id;
    v_claim.from_position := v_subscription.after_position;
    v_claim.to_transaction_id := v_scan.until_transaction_id;
    v_claim.to_position := v_scan.until_position;
    -- What is not wanted, or parked at once, needs nobody's word that it is done.
    if cardinality(v_claim.events) = 0 then
      perform private.move_subscription(v_subscription.name, v_claim.to_transaction_id, v_claim.to_position);
      v_subscription.after_transaction_id := v_claim.to_transaction_id;
      v_subscription.after_position := v_claim.to_position;
    end if;
  end loop;
  return v_claim;
end;
$$;

comment on function private.next_claim is 'What there is to do for a locked subscription: replays first; null if nothing.';

create function private.claim_subscription(subscription_name text, max_count integer, lease_seconds integer)
returns public.subscription_claim
language plpgsql
security definer -- the only writer of leases and checkpoints
set search_path = ''
as $$
declare
  v_subscription public.event_subscriptions;
  v_claim public.subscription_claim;
begin
  select subscription.* into v_subscription from public.event_subscriptions as subscription
  where subscription.name = claim_subscription.subscription_name and subscription.status = 'active'
    and coalesce(subscription.leased_until, now()) <= now() and coalesce(subscription.retry_at, now()) <= now()
  for no key update skip locked;
  if not found then
    return null;
  end if;
  v_claim := private.next_claim(v_subscription, claim_subscription.max_count);
  if v_claim.events is null then
    return null;
  end if;
  v_claim.attempt_count := v_subscription.attempt_count;
  update public.event_subscriptions as subscription set
    lease_token = subscription.lease_token + 1,
    leased_until = now() + make_interval(secs => claim_subscription.lease_seconds),
    last_run_at = clock_timestamp()
  where subscription.name = v_subscription.name
  returning subscription.lease_token into v_claim.lease_token;
  return v_claim;
end;
$$;

comment on function private.claim_subscription is 'The work of public.claim_subscription().';

create function public.claim_subscription(subscription_name text, max_count integer default 100, lease_seconds integer default 60)
returns public.subscription_claim
language plpgsql
set search_path = ''
set statement_timeout = '15s'
as $$
begin
  if (claim_subscription.max_count between 1 and 1000) is not true then
    perform private.refuse('invalid_argument', '{"argument": "max_count", "range": "1..1000"}');
  end if;
  if (claim_subscription.lease_seconds between 1 and 3600) is not true then
    perform private.refuse('invalid_argument', '{"argument": "lease_seconds", "range": "1..3600"}');
  end if;
  if not exists (
    select from public.event_subscriptions as subscription
    where subscription.name = claim_subscription.subscription_name and subscription.handler is null
  ) then
    perform private.refuse('subscription_not_found');
  end if;
  return private.claim_subscription(claim_subscription.subscription_name, claim_subscription.max_count, claim_subscription.lease_seconds);
end;
$$;

comment on function public.claim_subscription is
  'For a consumer outside of the database: leases the subscription and gives its next events, in order; null if there are none, it is leased, paused, or waits '
  'before it tries again. Who has done them calls advance_subscription(); who could not do one, fail_subscription_event(). An event may be handed out again after a lease '
  'was lost: what it does must bear that, or commit together with advance_subscription(). Refuses: subscription_not_found, invalid_argument.';
grant execute on function public.claim_subscription, private.claim_subscription to service_role;

create function private.advance_subscription(
  subscription_name text,
  lease_token bigint,
  from_transaction_id bigint,
  from_position bigint,
  to_transaction_id bigint,
  to_position bigint,
  lease_seconds integer
)
returns void
language plpgsql
security definer -- the only writer of leases and checkpoints
set search_path = ''
as $$
declare
  v_subscription public.event_subscriptions := private.require_lease(advance_subscription.subscription_name, advance_subscription.lease_token);
begin
  if (v_subscription.after_transaction_id, v_subscription.after_position)
    is distinct from (advance_subscription.from_transaction_id, advance_subscription.from_position) then
    perform private.refuse('subscription_moved', jsonb_build_object(
      'after_transaction_id', v_subscription.after_transaction_id, 'after_position', v_subscription.after_position
    ));
  end if;
  if (
    (advance_subscription.to_transaction_id, advance_subscription.to_position)
      >= (advance_subscription.from_transaction_id, advance_subscription.from_position)
    and advance_subscription.to_transaction_id < private.event_horizon()
  ) is not true then
    perform private.refuse('invalid_argument', '{"argument": "to_transaction_id", "range": "not before from, nor beyond what can be read"}');
  end if;
  perform private.move_subscription(v_subscription.name, advance_subscription.to_transaction_id, advance_subscription.to_position);
  update public.event_subscriptions as subscription set
    leased_until = case when advance_subscription.lease_seconds > 0 then now() + make_interval(secs => advance_subscription.lease_seconds) end
  where subscription.name = v_subscription.name;
end;
$$;

comment on function private.advance_subscription is 'The work of public.advance_subscription().';

create function public.advance_subscription(
  subscription_name text,
  lease_token bigint,
  from_transaction_id bigint,
  from_position bigint,
  to_transaction_id bigint,
  to_position bigint,
  lease_seconds integer default 0
)
returns void
language plpgsql
set search_path = ''
set statement_timeout = '5s'
as $$
begin
  if (advance_subscription.lease_seconds between 0 and 3600) is not true then
    perform private.refuse('invalid_argument', '{"argument": "lease_seconds", "range": "0..3600"}');
  end if;
  perform private.advance_subscription(
    advance_subscription.subscription_name, advance_subscription.lease_token, advance_subscription.from_transaction_id,
    advance_subscription.from_position, advance_subscription.to_transaction_id, advance_subscription.to_position,
    advance_subscription.lease_seconds
  );
end;
$$;

comment on function public.advance_subscription is
  'Moves the checkpoint of a claim to where the consumer has come: to the claim''s end, or, after a part of it, to the last event that is done. '
  'Then the lease ends, or goes on for lease_seconds from now. Of two who move it from the same place one is refused. '
  'Refuses: subscription_not_found, lease_lost, subscription_moved (with where it is), invalid_argument.';
grant execute on function public.advance_subscription, private.advance_subscription to service_role;

create function private.release_subscription(subscription_name text, lease_token bigint)
returns void
language plpgsql
security definer -- as private.claim_subscription()
set search_path = ''
as $$
begin
  perform private.require_lease(release_subscription.subscription_name, release_subscription.lease_token);
  update public.event_subscriptions as subscription set leased_until = null
  where subscription.name = release_subscription.subscription_name;
end;
$$;

comment on function private.release_subscription is 'The work of public.release_subscription().';

create function public.release_subscription(subscription_name text, lease_token bigint)
returns void
language plpgsql
set search_path = ''
set statement_timeout = '5s'
as $$
begin
  perform private.release_subscription(release_subscription.subscription_name, release_subscription.lease_token);
end;
$$;

comment on function public.release_subscription is
  'Ends a lease; what was not done is handed out again at once, as if it had not been tried. Refuses: subscription_not_found, lease_lost.';
grant execute on function public.release_subscription, private.release_subscription to service_role;

create function private.fail_subscription_event(subscription_name text, lease_token bigint, id uuid, error text)
returns text
language plpgsql
security definer -- as private.claim_subscription()
set search_path = ''
as $$
declare
  v_subscription public.event_subscriptions :=
    private.require_lease(fail_subscription_event.subscription_name, fail_subscription_event.lease_token);
  v_event public.event_store;
  v_outcome text;
begin
  select event.* into v_event from public.event_store as event where event.id = fail_subscription_event.id;
  if ((v_event.transaction_id, v_event.position) > (v_subscription.after_transaction_id, v_subscription.after_position)
    and v_event.transaction_id < private.event_horizon()) is not true then
    perform private.refuse('invalid_argument', '{"argument": "id", "range": "an event after the checkpoint"}');
  end if;
  -- The attempts so far were those of the event right after the checkpoint.
  if (v_event.transaction_id, v_event.position - 1) <> (v_subscription.after_transaction_id, v_subscription.after_position) then
    v_subscription.attempt_count := 0;
  end if;
  v_outcome := private.note_event_failure(v_subscription, v_event, fail_subscription_event.error);
  update public.event_subscriptions as subscription set leased_until = null where subscription.name = v_subscription.name;
  return v_outcome;
end;
$$;

comment on function private.fail_subscription_event is 'The work of public.fail_subscription_event().';

create function public.fail_subscription_event(subscription_name text, lease_token bigint, id uuid, error text)
returns text
language plpgsql
set search_path = ''
set statement_timeout = '5s'
as $$
begin
  return private.fail_subscription_event(
    fail_subscription_event.subscription_name, fail_subscription_event.lease_token, fail_subscription_event.id,
    left(fail_subscription_event.error, 2000)
  );
end;
$$;

comment on function public.fail_subscription_event is
  'Says that everything of a claim before this event is done and the event itself failed, and ends the lease. Answers what becomes of it: `retry` (it is handed out again '
  'later, the first of its claim), `parked` (the others go on) or `stopped` (nothing goes on). Refuses: subscription_not_found, lease_lost, invalid_argument.';
grant execute on function public.fail_subscription_event, private.fail_subscription_event to service_role;

create function private.settle_replay(subscription_name text, lease_token bigint, id uuid, error text)
returns void
language plpgsql
security definer -- as private.claim_subscription()
set search_path = ''
as $$
declare
  v_subscription public.event_subscriptions := private.require_lease(settle_replay.subscription_name, settle_replay.lease_token);
  v_parked public.event_parked;
begin
  select parked.* into v_parked from public.event_parked as parked
  where parked.subscription_name = v_subscription.name and parked.id = settle_replay.id;
  if found then
    perform private.settle_parked_event(v_subscription, v_parked, settle_replay.error);
  end if;
end;
$$;

comment on function private.settle_replay is 'The work of public.settle_replay().';

create function public.settle_replay(subscription_name text, lease_token bigint, id uuid, error text default null)
returns void
language plpgsql
set search_path = ''
set statement_timeout = '5s'
as $$
begin
  perform private.settle_replay(
    settle_replay.subscription_name, settle_replay.lease_token, settle_replay.id, left(settle_replay.error, 2000)
  );
end;
$$;

comment on function public.settle_replay is
  'Says that an event of a claim of replays is done, or why it failed again: then it stays parked. Said again it changes nothing. After the last one the consumer '
  'releases the lease. Refuses: subscription_not_found, lease_lost.';
grant execute on function public.settle_replay, private.settle_replay to service_role;

commit;
