begin;

create type public.claimed_webhook as (
  id uuid,
  lease_token bigint,
  url text,
  secrets text[],
  event_id uuid,
  event_type text,
  occurred_at timestamptz,
  data jsonb,
  correlation_id text
);

comment on type public.claimed_webhook is 'All that it takes to post an event to an endpoint.';

create function private.lease_webhook_deliveries(endpoint_ids uuid[], max_count integer, lease_seconds integer)
returns setof public.webhook_deliveries
language plpgsql
set search_path = ''
as $$
declare
  v_until constant timestamptz := now() + make_interval(secs => lease_webhook_deliveries.lease_seconds);
begin
  return query
  with due as materialized (
    select oldest.id, oldest.due_at, row_number() over (partition by endpoint.id order by oldest.due_at, oldest.id) as turn
    from public.webhook_endpoints as endpoint
    cross join lateral (
      select delivery.id, delivery.due_at
      from public.webhook_deliveries as delivery
      where delivery.endpoint_id = endpoint.id and delivery.due_at <= now()
      order by delivery.due_at, delivery.id
      limit greatest(0, endpoint.concurrency - (
        select count(*) from public.webhook_deliveries as busy where busy.endpoint_id = endpoint.id and busy.leased_until > now()
      ))
      for update skip locked
    ) as oldest
    where endpoint.id = any(lease_webhook_deliveries.endpoint_ids)
  ), taken as materialized (
    -- Each endpoint its first before any its second.
    select due.id from due order by due.turn, due.due_at, due.id limit lease_webhook_deliveries.max_count
  )
  update public.webhook_deliveries as delivery set
    lease_token = delivery.lease_token + 1, attempt_count = delivery.attempt_count + 1, due_at = v_until, leased_until = v_until
  from taken
  where delivery.id = taken.id
  returning delivery.*;
end;
$$;

comment on function private.lease_webhook_deliveries is
  'Takes due deliveries of endpoints that are locked: of each as many as may be on their way to it, all of them in turns.';

create function private.claim_webhook_deliveries(max_count integer, lease_seconds integer)
returns setof public.claimed_webhook
language plpgsql
security definer -- the only writer of deliveries; reads secrets, which no role may see
set search_path = ''
as $$
declare
  v_endpoint_ids uuid[];
begin
  -- One claims at a time from an endpoint: the next statement's snapshot shows what others have taken, so the bound holds.
  v_endpoint_ids := array(
    select endpoint.id from public.webhook_endpoints as endpoint
    where endpoint.status = 'enabled' and endpoint.paused_until <= now() and exists (
      select from public.webhook_deliveries as due where due.endpoint_id = endpoint.id and due.due_at <= now()
    )
    order by endpoint.id
    for no key update skip locked
  );
  return query
  with claimed as materialized (
    select leased.* from private.lease_webhook_deliveries(
      v_endpoint_ids, claim_webhook_deliveries.max_count, claim_webhook_deliveries.lease_seconds
    ) as leased
  ), target as materialized (
    select endpoint.id, endpoint.url, private.webhook_secrets_of(endpoint.id) as secrets
    from public.webhook_endpoints as endpoint
    where endpoint.id = any(array(select distinct claimed.endpoint_id from claimed))
  )
  select
    claimed.id, claimed.lease_token, target.url, target.secrets, claimed.event_id, claimed.event_type, claimed.occurred_at,
    claimed.data, claimed.correlation_id
  from claimed
  join target on target.id = claimed.endpoint_id
  order by claimed.id;
end;
$$;

comment on function private.claim_webhook_deliveries is 'The work of public.claim_webhook_deliveries().';

create function public.claim_webhook_deliveries(max_count integer default 40, lease_seconds integer default 30)
returns setof public.claimed_webhook
language plpgsql
set search_path = ''
set statement_timeout = '10s'
as $$
begin
  if (claim_webhook_deliveries.max_count between 1 and 500) is not true then
    perform private.refuse('invalid_argument', '{"argument": "max_count", "range": "1..500"}');
  end if;
  if (claim_webhook_deliveries.lease_seconds between 1 and 3600) is not true then
    perform private.refuse('invalid_argument', '{"argument": "lease_seconds", "range": "1..3600"}');
  end if;
  return query select * from private.claim_webhook_deliveries(
    claim_webhook_deliveries.max_count, claim_webhook_deliveries.lease_seconds
  );
end;
$$;

comment on function public.claim_webhook_deliveries is
  'Leases due deliveries to a worker, at most as many of an endpoint at once as its concurrency, all endpoints in turns. What became of each it says by '
  'report_webhook_attempts(); what it says nothing of is tried again when the lease ends. Refuses: invalid_argument.';
grant execute on function public.claim_webhook_deliveries, private.claim_webhook_deliveries to service_role;

create function private.release_webhook_deliveries(delivery_ids uuid[], lease_tokens bigint[])
returns uuid[]
language plpgsql
security definer -- the only writer of deliveries
set search_path = ''
as $$
declare
  v_released uuid[];
begin
  with held as materialized (
    select delivery.id
    from unnest(release_webhook_deliveries.delivery_ids, release_webhook_deliveries.lease_tokens) as claim (id, lease_token)
    join public.webhook_deliveries as delivery on delivery.id = claim.id and delivery.lease_token = claim.lease_token
    where delivery.leased_until is not null
    order by delivery.id
    for update of delivery
  ), released as (
    update public.webhook_deliveries as delivery set due_at = now(), leased_until = null, attempt_count = delivery.attempt_count - 1
    from held
    where delivery.id = held.id
    returning delivery.id
  )
  select coalesce(array_agg(released.id), '{}') into v_released from released;
  return v_released;
end;
$$;

comment on function private.release_webhook_deliveries is 'The work of public.release_webhook_deliveries().';

create function public.release_webhook_deliveries(delivery_ids uuid[], lease_tokens bigint[])
returns uuid[]
language plpgsql
set search_path = ''
set statement_timeout = '5s'
as $$
begin
  if cardinality(release_webhook_deliveries.delivery_ids) = cardinality(release_webhook_deliveries.lease_tokens) is not true then
    perform private.refuse('invalid_argument', '{"argument": "lease_tokens"}');
  end if;
  return private.release_webhook_deliveries(release_webhook_deliveries.delivery_ids, release_webhook_deliveries.lease_tokens);
end;
$$;

comment on function public.release_webhook_deliveries is
  'Gives back deliveries that were claimed and certainly not posted, so that no attempt is counted; says which. Those of a lost lease are left out. Refuses: invalid_argument.';
grant execute on function public.release_webhook_deliveries, private.release_webhook_deliveries to service_role;

commit;
