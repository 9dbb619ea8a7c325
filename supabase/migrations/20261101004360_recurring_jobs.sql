begin;

create type public.missed_runs as enum ('skip', 'once');
comment on type public.missed_runs is
  'What becomes of the runs of a recurring job whose minute passed while nobody scheduled. skip: nothing, the next one comes in its time; once: one run makes up for them all.';

create table public.recurring_jobs (
  name text not null,
  job_type text not null,
  payload private.job_document not null default '{}',
  cron text not null,
  time_zone text not null default 'Africa/Kigali',
  missed public.missed_runs not null default 'once',
  priority private.work_priority,
  is_enabled boolean not null default true,
  next_run_at timestamptz,
  last_run_at timestamptz,
  last_job_id uuid,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  constraint recurring_jobs_pkey primary key (name),
  constraint recurring_jobs_job_type_fkey foreign key (job_type) references public.job_types (job_type),
  constraint recurring_jobs_name_is_short check (name ~ '^[a-z0-9][a-z0-9_.-]{0,99}$'),
  constraint recurring_jobs_cron_is_readable check (private.cron_fault(cron) is null)
);

comment on table public.recurring_jobs is
  'Jobs that are scheduled again and again, by the clocks of a zone. One run, one job: its idempotency key is made of the name and the time.';
comment on column public.recurring_jobs.cron is 'Five fields; see private.next_cron_time() for days on which the clocks change.';
comment on column public.recurring_jobs.next_run_at is 'Kept by a trigger when the row changes, and by the maintenance. Null: disabled, or no such day is to come.';
comment on column public.recurring_jobs.last_run_at is 'The time in the calendar that the last job stands for; the job itself may have come later.';
create index recurring_jobs_job_type_idx on public.recurring_jobs (job_type);
alter table public.recurring_jobs enable row level security;
grant select on public.recurring_jobs to service_role;

create trigger touch_updated_at
before update on public.recurring_jobs
for each row execute function private.touch_updated_at();

create function private.plan_recurring_job()
returns trigger
language plpgsql
set search_path = ''
as $$
begin
  if tg_op = 'UPDATE' and (new.cron, new.time_zone, new.is_enabled) is not distinct from (old.cron, old.time_zone, old.is_enabled) then
    return new;
  end if;
  if not private.is_time_zone(new.time_zone) then
    raise exception 'there is no time zone %', new.time_zone using errcode = 'check_violation';
  end if;
  new.next_run_at := case when new.is_enabled then private.next_cron_time(new.cron, now(), new.time_zone) end;
  return new;
end;
$$;

comment on function private.plan_recurring_job is
  'Sets the next run when the calendar of a recurring job changes. What leaves it as it was, such as a deployment that repeats its definition, moves no run.';
create trigger plan_next_run
before insert or update of cron, time_zone, is_enabled on public.recurring_jobs
for each row execute function private.plan_recurring_job();

create function private.set_recurring_job(
  name text,
  job_type text,
  cron text,
  payload jsonb default '{}',
  time_zone text default 'Africa/Kigali',
  missed public.missed_runs default 'once',
  priority integer default null,
  is_enabled boolean default true
)
returns public.recurring_jobs
language plpgsql
security definer -- recurring jobs are written by their functions only
set search_path = ''
as $$
declare
  v_recurring public.recurring_jobs;
begin
  insert into public.recurring_jobs as recurring (name, job_type, payload, cron, time_zone, missed, priority, is_enabled)
  values (
    set_recurring_job.name, set_recurring_job.job_type, set_recurring_job.payload, set_recurring_job.cron, set_recurring_job.time_zone,
    set_recurring_job.missed, set_recurring_job.priority, set_recurring_job.is_enabled
  )
  on conflict on constraint recurring_jobs_pkey do update set
    job_type = excluded.job_type, payload = excluded.payload, cron = excluded.cron, time_zone = excluded.time_zone,
    missed = excluded.missed, priority = excluded.priority, is_enabled = excluded.is_enabled
  returning * into v_recurring;
  return v_recurring;
end;
$$;

comment on function private.set_recurring_job is 'The work of public.set_recurring_job(), for migrations too.';

create function public.set_recurring_job(
  name text,
  job_type text,
  cron text,
  payload jsonb default '{}',
  time_zone text default 'Africa/Kigali',
  missed public.missed_runs default 'once',
  priority integer default null,
  is_enabled boolean default true
)
returns public.recurring_jobs
language plpgsql
set search_path = ''
set statement_timeout = '5s'
as $$
declare
  v_fault text := case
    when (set_recurring_job.name ~ '^[a-z0-9][a-z0-9_.-]{0,99}$') is not true then 'name'
    when set_recurring_job.payload is null or octet_length(set_recurring_job.payload::text) > 262144 then 'payload'
    when private.is_time_zone(set_recurring_job.time_zone) is not true then 'time_zone'
    when private.cron_fault(set_recurring_job.cron) is not null then 'cron'
    when private.next_cron_time(set_recurring_job.cron, now(), set_recurring_job.time_zone) is null then 'cron'
    when set_recurring_job.missed is null then 'missed'
    when set_recurring_job.priority not between 0 and 9 then 'priority'
    when set_recurring_job.is_enabled is null then 'is_enabled'
  end;
begin
  if v_fault is not null then
    perform private.refuse('invalid_argument', jsonb_strip_nulls(jsonb_build_object(
      'argument', v_fault,
      'range', case v_fault when 'cron' then coalesce(private.cron_fault(set_recurring_job.cron), 'a day that is to come') end
    )));
  end if;
  perform private.require_job_type(set_recurring_job.job_type);
  return private.set_recurring_job(
    set_recurring_job.name, set_recurring_job.job_type, set_recurring_job.cron, set_recurring_job.payload, set_recurring_job.time_zone,
    set_recurring_job.missed, set_recurring_job.priority, set_recurring_job.is_enabled
  );
end;
$$;

comment on function public.set_recurring_job is
  'Makes or changes a job that is scheduled whenever a cron expression of five fields says so, by the clocks of a zone. Repeating it changes nothing, the next run included. '
  'missed: what becomes of runs whose minute has passed unscheduled. Refuses: invalid_argument (with cron: the field that cannot be read).';
grant execute on function public.set_recurring_job, private.set_recurring_job, private.cron_fault, private.is_time_zone to service_role;

create function private.delete_recurring_job(name text)
returns boolean
language plpgsql
security definer -- recurring jobs are written by their functions only
set search_path = ''
as $$
begin
  delete from public.recurring_jobs as recurring where recurring.name = delete_recurring_job.name;
  return found;
end;
$$;

comment on function private.delete_recurring_job is 'The work of public.delete_recurring_job().';

create function public.delete_recurring_job(name text)
returns boolean
language plpgsql
set search_path = ''
set statement_timeout = '2s'
as $$
begin
  return private.delete_recurring_job(delete_recurring_job.name);
end;
$$;

comment on function public.delete_recurring_job is 'Ends a recurring job; says whether there was one. Jobs that it has scheduled stay.';
grant execute on function public.delete_recurring_job, private.delete_recurring_job to service_role;

create function private.schedule_recurring_jobs(max_count integer)
returns integer
language plpgsql
set search_path = ''
as $$
declare
  v_recurring public.recurring_jobs;
  v_count integer := 0;
begin
  for v_recurring in
    select recurring.* from public.recurring_jobs as recurring
    where recurring.next_run_at <= now()
    order by recurring.next_run_at
    limit schedule_recurring_jobs.max_count
    for no key update skip locked
  loop
    -- On time is whatever is within its minute, the finest that the calendar knows.
    if v_recurring.missed = 'once' or v_recurring.next_run_at > now() - interval '1 minute' then
      v_recurring.last_run_at := v_recurring.next_run_at;
      v_recurring.last_job_id := (private.schedule_job(
        v_recurring.job_type,
        v_recurring.name,
        v_recurring.payload,
        v_recurring.next_run_at,
        v_recurring.priority,
        format('recurring:%s:%s', v_recurring.name, to_char(v_recurring.next_run_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI"Z"'))
      )).job_id;
      v_count := v_count + 1;
    end if;
    update public.recurring_jobs as recurring set
      last_run_at = v_recurring.last_run_at,
      last_job_id = v_recurring.last_job_id,
      next_run_at = private.next_cron_time(v_recurring.cron, now(), v_recurring.time_zone)
    where recurring.name = v_recurring.name;
  end loop;
  return v_count;
end;
$$;

comment on function private.schedule_recurring_jobs is
  'Schedules the recurring jobs that have fallen due, each run once however many call this at a time; says how many.';

commit;
