begin;

create table private.worker_runs (
  slot smallint not null,
  run_id uuid,
  started_at timestamptz,
  extended_at timestamptz,
  expires_at timestamptz not null default '-infinity',
  ended_at timestamptz,
  last_report jsonb,
  abandoned_count bigint not null default 0,
  constraint worker_runs_pkey primary key (slot)
) with (fillfactor = 50);

comment on table private.worker_runs is
  'The slots that runs of the worker take: as many rows, as many runs at once. More or fewer rows are a setting, no more.';
comment on column private.worker_runs.run_id is 'The run that holds the slot, or null.';
comment on column private.worker_runs.expires_at is 'Until when the slot is held; a run that was killed extends it no more.';
comment on column private.worker_runs.last_report is 'What the last run that ended here did.';
comment on column private.worker_runs.abandoned_count is 'Runs that never ended: killed, or cut off from the database.';
alter table private.worker_runs enable row level security;
grant select, update on private.worker_runs to service_role;
insert into private.worker_runs (slot) select generate_series(1, 4);

create function public.begin_worker_run(lease_seconds integer default 15)
returns uuid
language plpgsql
set search_path = ''
set statement_timeout = '2s'
as $$
declare
  v_run_id uuid;
begin
  if (begin_worker_run.lease_seconds between 1 and 300) is not true then
    perform private.refuse('invalid_argument');
  end if;
  with free as materialized (
    select run.slot from private.worker_runs as run
    where run.expires_at <= now()
    order by run.slot
    for no key update skip locked
    limit 1
  )
  update private.worker_runs as run set
    run_id = private.uuid_v7(),
    started_at = now(),
    extended_at = now(),
    expires_at = now() + make_interval(secs => begin_worker_run.lease_seconds),
    abandoned_count = run.abandoned_count + (run.run_id is not null)::integer
  from free
  where run.slot = free.slot
  returning run.run_id into v_run_id;
  return v_run_id;
end;
$$;

comment on function public.begin_worker_run is
  'Takes a free slot for a run of the worker, for so many seconds; null when all are taken. Never waits. '
  'Refuses: invalid_argument (lease_seconds 1 to 300).';

create function public.extend_worker_run(run_id uuid, lease_seconds integer default 15)
returns boolean
language plpgsql
set search_path = ''
set statement_timeout = '2s'
as $$
begin
  if (extend_worker_run.lease_seconds between 1 and 300) is not true then
    perform private.refuse('invalid_argument');
  end if;
  update private.worker_runs as run set
    extended_at = now(),
    expires_at = now() + make_interval(secs => extend_worker_run.lease_seconds)
  where run.run_id = extend_worker_run.run_id;
  return found;
end;
$$;

comment on function public.extend_worker_run is
  'Holds a run''s slot for so many seconds from now; false when it is another''s by now, so that the run must end. '
  'Refuses: invalid_argument (lease_seconds 1 to 300).';

create function public.end_worker_run(run_id uuid, report jsonb, has_more boolean)
returns void
language plpgsql
set search_path = ''
set statement_timeout = '2s'
as $$
begin
  update private.worker_runs as run set
    run_id = null,
    expires_at = '-infinity',
    ended_at = now(),
    last_report = end_worker_run.report
  where run.run_id = end_worker_run.run_id;
  if end_worker_run.has_more then
    perform private.kick_worker();
  end if;
end;
$$;

comment on function public.end_worker_run is
  'Gives a run''s slot back and keeps what it did; wakes the worker anew when there is more to do.';
grant execute on function public.begin_worker_run, public.extend_worker_run, public.end_worker_run to service_role;

create view public.worker_health
with (security_invoker = on)
as
select
  run.slot,
  run.expires_at > now() as is_running,
  run.started_at,
  run.extended_at,
  run.ended_at,
  run.last_report,
  run.abandoned_count
from private.worker_runs as run;

comment on view public.worker_health is 'Each slot of the worker: whether a run holds it, and what the last one did.';
grant select on public.worker_health to service_role;

create function private.is_worker_needed()
returns boolean
language plpgsql
set search_path = ''
as $$
begin
  -- Runs look at every source again and again as long as they go on, so no further one is needed when all slots are taken.
  -- That work may be due is assumed: this is the place for a probe, once each source has one that misses nothing.
  return exists (select from private.worker_runs as run where run.expires_at <= now());
end;
$$;

comment on function private.is_worker_needed is 'Whether the schedule should wake the worker: whether a slot is free.';

insert into private.schedule (name, cron, command) values
  ('worker', '5 seconds', 'select private.wake_worker() where private.is_worker_needed()');

commit;
