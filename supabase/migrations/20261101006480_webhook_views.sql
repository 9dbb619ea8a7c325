begin;

create view public.webhook_delivery_log
with (security_invoker = on)
as
select
  delivery.id, delivery.endpoint_id, delivery.event_id, delivery.event_type, delivery.occurred_at,
  case when delivery.leased_until > now() then 'sending' else 'waiting' end::public.webhook_delivery_state as state,
  delivery.attempt_count, delivery.due_at, delivery.last_attempt_at, delivery.last_status, delivery.last_error, delivery.last_answer,
  null::timestamptz as finished_at
from public.webhook_deliveries as delivery
union all
select
  through.id, through.endpoint_id, through.event_id, through.event_type, through.occurred_at, through.state, through.attempt_count,
  null, through.last_attempt_at, through.last_status, through.last_error, through.last_answer, through.finished_at
from public.webhook_delivery_history as through;

comment on view public.webhook_delivery_log is 'Every delivery, on its way or through. Query it with a floor of id.';
grant select on public.webhook_delivery_log to service_role;

create function private.list_webhook_deliveries(endpoint_id uuid, since timestamptz, states public.webhook_delivery_state[], max_count integer)
returns setof public.webhook_delivery_log
language plpgsql
security definer -- operators read what no client may
set search_path = ''
as $$
declare
  v_from constant uuid := private.uuid_v7_floor(list_webhook_deliveries.since);
begin
  perform private.require_service_or_registered_operator();
  if not exists (
    select from public.webhook_endpoints as endpoint where endpoint.id = list_webhook_deliveries.endpoint_id
  ) then
    perform private.refuse('webhook_endpoint_not_found');
  end if;
  return query
  select log.*
  from public.webhook_delivery_log as log
  where log.endpoint_id = list_webhook_deliveries.endpoint_id and log.id >= v_from and coalesce(log.state = any(list_webhook_deliveries.states), true)
  order by log.id desc
  limit list_webhook_deliveries.max_count;
end;
$$;

comment on function private.list_webhook_deliveries is 'The work of public.list_webhook_deliveries().';

create function public.list_webhook_deliveries(
  endpoint_id uuid,
  since timestamptz default now() - interval '7 days',
  states public.webhook_delivery_state[] default null,
  max_count integer default 100
)
returns setof public.webhook_delivery_log
language plpgsql
set search_path = ''
set statement_timeout = '10s'
as $$
begin
  if (list_webhook_deliveries.since >= now() - interval '31 days') is not true then
    perform private.refuse('invalid_argument', '{"argument": "since", "range": "the last 31 days"}');
  end if;
  if (list_webhook_deliveries.max_count between 1 and 1000) is not true then
    perform private.refuse('invalid_argument', '{"argument": "max_count", "range": "1..1000"}');
  end if;
  return query select * from private.list_webhook_deliveries(
    list_webhook_deliveries.endpoint_id, list_webhook_deliveries.since, list_webhook_deliveries.states, list_webhook_deliveries.max_count
  );
end;
$$;

comment on function public.list_webhook_deliveries is
  'For registered operators and the service: what an endpoint was sent since then (31 days at most), the newest first: how far each delivery is, its last status and how the answer began. '
  'Refuses: operator_required, webhook_endpoint_not_found, invalid_argument.';
grant execute on function public.list_webhook_deliveries, private.list_webhook_deliveries to authenticated, service_role;

create view public.webhook_endpoint_stats
with (security_invoker = on)
as
select
  endpoint.id, endpoint.status, endpoint.disabled_reason, endpoint.failing_from, endpoint.paused_until, endpoint.concurrency,
  count(delivery.id) as waiting_count,
  count(delivery.id) filter (where delivery.leased_until > now()) as sending_count,
  min(delivery.occurred_at) as oldest_occurred_at
from public.webhook_endpoints as endpoint
left join public.webhook_deliveries as delivery on delivery.endpoint_id = endpoint.id
group by endpoint.id;

comment on view public.webhook_endpoint_stats is 'For each endpoint whether it is well, and what is on its way to it.';
grant select on public.webhook_endpoint_stats to service_role;

commit;
