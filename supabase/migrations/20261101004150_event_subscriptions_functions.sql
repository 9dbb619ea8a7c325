begin;

create function private.require_subscription(subscription_name text)
returns public.event_subscriptions
language plpgsql
set search_path = ''
as $$
declare
  v_subscription public.event_subscriptions;
begin
  select subscription.* into v_subscription
  from public.event_subscriptions as subscription
  where subscription.name = require_subscription.subscription_name
  for no key update;
  if not found then
    perform private.refuse('subscription_not_found');
  end if;
  return v_subscription;
end;
$$;

comment on function private.require_subscription is 'Locks a subscription. Refuses: subscription_not_found.';

create function private.register_subscription(
  subscription_name text,
  handler regprocedure default null,
  aggregate_types text[] default null,
  event_types text[] default null,
  is_from_start boolean default true,
  on_failure public.event_failure_policy default 'park_event',
  max_attempts integer default 5,
  batch_size integer default 100
)
returns public.event_subscriptions
language plpgsql
set search_path = ''
as $$
declare
  v_handler text := register_subscription.handler::regproc::text;
  v_start bigint := case when register_subscription.is_from_start then 0 else private.event_horizon() end;
  v_subscription public.event_subscriptions;
begin
  if register_subscription.handler is distinct from to_regprocedure(v_handler || '(public.event_store[])') then
    raise exception '% is not a function of one public.event_store[]', register_subscription.handler using errcode = 'invalid_parameter_value';
  end if;
  insert into public.event_subscriptions as subscription (
    name, handler, aggregate_types, event_types, after_transaction_id, on_failure, max_attempts, batch_size
  ) values (
    register_subscription.subscription_name, v_handler, register_subscription.aggregate_types, register_subscription.event_types, v_start,
    register_subscription.on_failure, register_subscription.max_attempts, register_subscription.batch_size
  )
  on conflict on constraint event_subscriptions_pkey do update set
    handler = excluded.handler,
    aggregate_types = excluded.aggregate_types,
    event_types = excluded.event_types,
    on_failure = excluded.on_failure,
    max_attempts = excluded.max_attempts,
    batch_size = excluded.batch_size
  returning * into v_subscription;
  return v_subscription;
end;
$$;

comment on function private.register_subscription is
  'For migrations: subscribes a SQL function of public.event_store[] to the event store, or changes how it is served; where it is stays. '
  'The function runs as the owner, in the transaction that moves the checkpoint. To build a read model anew, register its function under a new name: '
  'it begins at the start.';

create function private.register_consumer(
  subscription_name text,
  aggregate_types text[],
  event_types text[],
  is_from_start boolean,
  on_failure public.event_failure_policy,
  max_attempts integer
)
returns public.event_subscriptions
language plpgsql
security definer -- no role may write subscriptions, nor choose a function that runs as the owner
set search_path = ''
as $$
begin
  if exists (
    select from public.event_subscriptions as subscription
    where subscription.name = register_consumer.subscription_name and subscription.handler is not null
  ) then
    perform private.refuse('invalid_argument', '{"argument": "subscription_name"}');
  end if;
  return private.register_subscription(
    register_consumer.subscription_name, null, register_consumer.aggregate_types, register_consumer.event_types,
    register_consumer.is_from_start, register_consumer.on_failure, register_consumer.max_attempts
  );
end;
$$;

comment on function private.register_consumer is 'The work of public.register_subscription(). Refuses: invalid_argument.';

create function public.register_subscription(
  subscription_name text,
  aggregate_types text[] default null,
  event_types text[] default null,
  is_from_start boolean default true,
  on_failure public.event_failure_policy default 'park_event',
  max_attempts integer default 5
)
returns public.event_subscriptions
language plpgsql
set search_path = ''
set statement_timeout = '5s'
as $$
declare
  v_fault text := case
    when (register_subscription.subscription_name ~ '^[a-z][a-z0-9_-]*$' and length(register_subscription.subscription_name) <= 63) is not true
      then 'subscription_name'
    when register_subscription.aggregate_types = '{}' then 'aggregate_types'
    when register_subscription.event_types = '{}' then 'event_types'
    when register_subscription.is_from_start is null then 'is_from_start'
    when register_subscription.on_failure is null then 'on_failure'
    when (register_subscription.max_attempts between 1 and 100) is not true then 'max_attempts'
  end;
begin
  if v_fault is not null then
    perform private.refuse('invalid_argument', jsonb_build_object('argument', v_fault));
  end if;
  return private.register_consumer(
    register_subscription.subscription_name, register_subscription.aggregate_types, register_subscription.event_types,
    register_subscription.is_from_start, register_subscription.on_failure, register_subscription.max_attempts
  );
end;
$$;

comment on function public.register_subscription is
  'Opens a subscription for a consumer outside of the database, or changes one: how far it has come stays. A new one begins at the start of the event store, '
  'or, if is_from_start is false, with what is appended from now on. Refuses: invalid_argument, also for the name of a subscription that SQL serves.';
grant execute on function public.register_subscription, private.register_consumer to service_role;

create function private.steer_subscription(subscription_name text, action text)
returns void
language plpgsql
security definer -- operators steer what they cannot write
set search_path = ''
as $$
declare
  v_actor record := private.current_actor();
begin
  if v_actor.actor_type <> 'service' then
    perform private.require_operator();
  end if;
  perform private.require_subscription(steer_subscription.subscription_name);
  case steer_subscription.action
    when 'pause' then
      update public.event_subscriptions as subscription set status = 'paused'
      where subscription.name = steer_subscription.subscription_name;
    when 'resume' then
      update public.event_subscriptions as subscription set status = 'active', attempt_count = 0, retry_at = null
      where subscription.name = steer_subscription.subscription_name;
      perform private.kick_worker();
    when 'delete' then
      delete from public.event_subscriptions as subscription where subscription.name = steer_subscription.subscription_name;
  end case;
  perform private.log_audit_event(
    v_actor.actor_type, v_actor.actor_identifier, steer_subscription.action, 'event_subscription', steer_subscription.subscription_name, '{}'
  );
end;
$$;

comment on function private.steer_subscription is
  'The work of pause_subscription(), resume_subscription() and delete_subscription(). Refuses: operator_required, subscription_not_found.';

create function public.pause_subscription(subscription_name text)
returns void
language plpgsql
set search_path = ''
set statement_timeout = '15s' -- a run that is under way is waited for
as $$
begin
  perform private.steer_subscription(pause_subscription.subscription_name, 'pause');
end;
$$;

comment on function public.pause_subscription is
  'For operators and the service: nothing is handed to that subscription until it is resumed. Audited. Refuses: operator_required, subscription_not_found.';

create function public.resume_subscription(subscription_name text)
returns void
language plpgsql
set search_path = ''
set statement_timeout = '15s'
as $$
begin
  perform private.steer_subscription(resume_subscription.subscription_name, 'resume');
end;
$$;

comment on function public.resume_subscription is
  'For operators and the service: a paused or stopped subscription goes on where it is, its next event with as many attempts as a new one. '
  'Audited. Refuses: operator_required, subscription_not_found.';

create function public.delete_subscription(subscription_name text)
returns void
language plpgsql
set search_path = ''
set statement_timeout = '15s'
as $$
begin
  perform private.steer_subscription(delete_subscription.subscription_name, 'delete');
end;
$$;

comment on function public.delete_subscription is
  'For operators and the service: ends a subscription and forgets how far it had come and what it had parked; the events stay. '
  'Audited. Refuses: operator_required, subscription_not_found.';
grant execute on function public.pause_subscription, public.resume_subscription, public.delete_subscription, private.steer_subscription
to authenticated, service_role;

commit;
