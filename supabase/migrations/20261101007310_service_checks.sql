begin;

create table public.service_checks (
  service_id uuid not null,
  due_at timestamptz not null default now(),
  lease_token bigint not null default 0,
  leased_until timestamptz,
  streak integer not null default 0,
  failure_count integer not null default 0,
  last_checked_at timestamptz,
  last_status integer,
  last_error text,
  last_duration_ms integer,
  constraint service_checks_pkey primary key (service_id),
  constraint service_checks_service_id_fkey foreign key (service_id) references public.service_registry (id) on delete cascade,
  constraint service_checks_leases_end_when_due check (leased_until = due_at)
) with (fillfactor = 70, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 1000);

comment on table public.service_checks is
  'When the health_check_url of each instance that has one is called next, and what came of the last call. Apart from the registry, so that checks and heartbeats '
  'seldom meet.';
comment on column public.service_checks.due_at is 'When it is called next; while it is being called: when the lease ends.';
comment on column public.service_checks.lease_token is 'Rises with each claim and with each new address: who has an older one has lost the check.';
comment on column public.service_checks.streak is
  'Successive results that differ from check_status: above 0 better ones, below 0 worse ones.';
comment on column public.service_checks.failure_count is 'Successive results that are not passing.';
comment on column public.service_checks.last_status is 'The HTTP status of the last answer; null if there was none.';
comment on column public.service_checks.last_error is 'Why there was no answer: timeout, connect_failed, address_refused ...';
create index service_checks_due_at_idx on public.service_checks (due_at);
alter table public.service_checks enable row level security;
grant select on public.service_checks to service_role;

create function private.plan_service_check(service_id uuid)
returns void
language plpgsql
set search_path = ''
as $$
begin
  insert into public.service_checks as planned (service_id) values (plan_service_check.service_id)
  on conflict on constraint service_checks_pkey do update set
    due_at = now(), lease_token = planned.lease_token + 1, leased_until = null, streak = 0, failure_count = 0,
    last_checked_at = null, last_status = null, last_error = null, last_duration_ms = null;
  perform private.kick_worker();
end;
$$;

comment on function private.plan_service_check is 'Has an instance''s address checked at once, as one that nothing is known of. The caller holds the instance''s row.';

commit;
