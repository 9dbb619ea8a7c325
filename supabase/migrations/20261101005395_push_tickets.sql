begin;

create table private.push_tickets (
  ticket_id text not null,
  endpoint_id uuid not null,
  check_at timestamptz not null default now() + interval '15 minutes',
  created_at timestamptz not null default now(),
  constraint push_tickets_pkey primary key (ticket_id),
  constraint push_tickets_endpoint_id_fkey foreign key (endpoint_id) references public.push_endpoints (id) on delete cascade,
  constraint push_tickets_ticket_id_is_short check (length(ticket_id) between 1 and 100)
);

comment on table private.push_tickets is
  'What Expo took and has to tell of: a quarter of an hour later its receipt says whether Apple or Google took it too, and whether the device is gone.';
comment on column private.push_tickets.check_at is 'When its receipt is asked for; without one, again an hour later. Expo keeps receipts for a day.';
create index push_tickets_check_at_idx on private.push_tickets (check_at);
create index push_tickets_endpoint_id_idx on private.push_tickets (endpoint_id);
alter table private.push_tickets enable row level security;
grant select, insert, update, delete on private.push_tickets to service_role;

create function public.keep_push_tickets(ticket_ids text[], endpoint_ids uuid[])
returns integer
language plpgsql
set search_path = ''
set statement_timeout = '2s'
as $$
declare
  v_count integer;
begin
  insert into private.push_tickets (ticket_id, endpoint_id)
  select ticket.id, endpoint.id
  from unnest(keep_push_tickets.ticket_ids, keep_push_tickets.endpoint_ids) as ticket (id, endpoint_id)
  join public.push_endpoints as endpoint on endpoint.id = ticket.endpoint_id
  on conflict on constraint push_tickets_pkey do nothing;
  get diagnostics v_count = row_count;
  return v_count;
end;
$$;

comment on function public.keep_push_tickets is 'For the worker: remembers Expo''s tickets and the endpoints that they are of; says how many are new.';
grant execute on function public.keep_push_tickets to service_role;

create function public.due_push_tickets(max_count integer default 300)
returns text[]
language plpgsql
set search_path = ''
set statement_timeout = '5s'
as $$
declare
  v_ticket_ids text[];
begin
  if (due_push_tickets.max_count between 1 and 1000) is not true then
    perform private.refuse('invalid_argument', '{"argument": "max_count", "range": "1..1000"}');
  end if;
  with due as materialized (
    select ticket.ticket_id
    from private.push_tickets as ticket
    where ticket.check_at <= now()
    order by ticket.check_at
    limit due_push_tickets.max_count
    for update skip locked
  ), asked as (
    update private.push_tickets as ticket set check_at = now() + interval '1 hour'
    from due
    where ticket.ticket_id = due.ticket_id
    returning ticket.ticket_id
  )
  select coalesce(array_agg(asked.ticket_id), '{}') into v_ticket_ids from asked;
  return v_ticket_ids;
end;
$$;

comment on function public.due_push_tickets is
  'For the worker: the tickets whose receipts are to be asked for now, each an hour later again unless it is settled. Refuses: invalid_argument.';
grant execute on function public.due_push_tickets to service_role;

create function public.settle_push_tickets(ticket_ids text[], gone_ticket_ids text[] default '{}')
returns integer
language plpgsql
set search_path = ''
set statement_timeout = '5s'
as $$
declare
  v_endpoint_ids uuid[];
begin
  select array_agg(ticket.endpoint_id) into v_endpoint_ids
  from private.push_tickets as ticket
  where ticket.ticket_id = any(settle_push_tickets.gone_ticket_ids);
  delete from private.push_tickets as ticket
  where ticket.ticket_id = any(settle_push_tickets.ticket_ids || settle_push_tickets.gone_ticket_ids);
  return public.forget_push_endpoints(v_endpoint_ids);
end;
$$;

comment on function public.settle_push_tickets is
  'For the worker: forgets tickets whose receipts are there, and the devices of those that are gone; says how many devices.';
grant execute on function public.settle_push_tickets to service_role;

insert into private.schedule (name, cron, command) values
  ('purge-push-tickets', '40 * * * *', 'delete from private.push_tickets where created_at < now() - interval ''1 day''');

commit;
