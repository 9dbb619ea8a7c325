begin;

create type public.webhook_delivery_state as enum ('waiting', 'sending', 'delivered', 'dead', 'cancelled');
comment on type public.webhook_delivery_state is
  'How far a delivery is. delivered: answered with 2xx; dead: no attempt got through, and none is left; cancelled: its endpoint was disabled or deleted first.';

create table public.webhook_deliveries (
  id uuid not null default private.uuid_v7(),
  endpoint_id uuid not null,
  event_id uuid not null,
  event_type text not null,
  occurred_at timestamptz not null,
  data jsonb not null,
  due_at timestamptz not null default now(),
  attempt_count integer not null default 0,
  lease_token bigint not null default 0,
  leased_until timestamptz,
  last_attempt_at timestamptz,
  last_status integer,
  last_error text,
  last_answer text,
  correlation_id text default private.correlation_id(),
  constraint webhook_deliveries_pkey primary key (id),
  constraint webhook_deliveries_endpoint_id_event_id_key unique (endpoint_id, event_id),
  constraint webhook_deliveries_endpoint_id_fkey foreign key (endpoint_id) references public.webhook_endpoints (id),
  constraint webhook_deliveries_leases_end_when_due check (leased_until = due_at)
) with (fillfactor = 70, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 2000);

comment on table public.webhook_deliveries is
  'Events on their way to endpoints, one row for each event and endpoint; those that are through are in webhook_delivery_history, under the same id.';
comment on column public.webhook_deliveries.event_id is
  'The event''s id in the event store: what is sent as webhook-id, equal in every attempt and every replay.';
comment on column public.webhook_deliveries.due_at is 'When it is tried next; of one that is being sent: when its lease ends, so that a lost one is tried again.';
comment on column public.webhook_deliveries.lease_token is 'Rises with each claim: who has an older one has lost the delivery.';
comment on column public.webhook_deliveries.last_status is 'The HTTP status of the last answer; null if there was none.';
comment on column public.webhook_deliveries.last_error is 'Why there was no answer: timeout, connection_lost, address_refused ...';
comment on column public.webhook_deliveries.last_answer is 'How the last answer''s body began: 1,000 characters at most, no headers.';
create index webhook_deliveries_endpoint_id_due_at_idx on public.webhook_deliveries (endpoint_id, due_at);
create index webhook_deliveries_leased_idx on public.webhook_deliveries (endpoint_id, leased_until) where leased_until is not null;
alter table public.webhook_deliveries enable row level security;
grant select on public.webhook_deliveries to service_role;

create table public.webhook_delivery_history (
  like public.webhook_deliveries including defaults including comments,
  state public.webhook_delivery_state not null,
  finished_at timestamptz not null default now(),
  constraint webhook_delivery_history_pkey primary key (id),
  constraint webhook_delivery_history_is_final check (state in ('delivered', 'dead', 'cancelled'))
) partition by range (id);

comment on table public.webhook_delivery_history is 'Deliveries that are through. A replay is a new one, of the same event.';
create index webhook_delivery_history_endpoint_id_id_idx on public.webhook_delivery_history (endpoint_id, id);
alter table public.webhook_delivery_history enable row level security;
grant select on public.webhook_delivery_history to service_role;
select private.manage_partitions('webhook_delivery_history', interval '3 months', interval '6 months');

create function private.finish_webhook_delivery(delivery_id uuid, state public.webhook_delivery_state)
returns void
language plpgsql
set search_path = ''
as $$
begin
  with through as (
    delete from public.webhook_deliveries as delivery
    where delivery.id = finish_webhook_delivery.delivery_id
    returning delivery.*
  )
  insert into public.webhook_delivery_history
  select through.*, finish_webhook_delivery.state, now() from through;
end;
$$;

comment on function private.finish_webhook_delivery is 'Moves a delivery into the history.';

create function private.cancel_webhook_deliveries(max_count integer, endpoint_id uuid default null)
returns integer
language plpgsql
set search_path = ''
as $$
declare
  v_is_for_one constant boolean := cancel_webhook_deliveries.endpoint_id is not null;
  v_endpoint_ids constant uuid[] := array(
    select endpoint.id from public.webhook_endpoints as endpoint
    where case when v_is_for_one then endpoint.id = cancel_webhook_deliveries.endpoint_id else endpoint.status = 'disabled' end
  );
  v_count integer;
begin
  with taken as materialized (
    select delivery.id
    from public.webhook_deliveries as delivery
    where delivery.endpoint_id = any(v_endpoint_ids) and (v_is_for_one or coalesce(delivery.leased_until <= now(), true))
    limit cancel_webhook_deliveries.max_count
    for update skip locked
  ), through as (
    delete from public.webhook_deliveries as delivery using taken where delivery.id = taken.id
    returning delivery.*
  )
  insert into public.webhook_delivery_history select through.*, 'cancelled', now() from through;
  get diagnostics v_count = row_count;
  return v_count;
end;
$$;

comment on function private.cancel_webhook_deliveries is
  'Cancels what waits for endpoints that are disabled, or whatever one has, which is locked; says how many. What is being sent to a disabled one ends as it ends.';

insert into private.schedule (name, cron, command) values
  ('cancel-webhook-deliveries', '* * * * *', 'select private.cancel_webhook_deliveries(5000)');

commit;
