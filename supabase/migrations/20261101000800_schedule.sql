begin;

create table private.schedule (
  name text not null,
  cron text not null,
  command text not null,
  is_top_level boolean not null default false,
  is_enabled boolean not null default true,
  last_started_at timestamptz,
  last_finished_at timestamptz,
  last_error text,
  failure_count bigint not null default 0,
  last_cron_run_id bigint not null default 0,
  created_at timestamptz not null default now(),
  constraint schedule_pkey primary key (name),
  constraint schedule_cron_is_readable check (cron ~ '^([1-9]|[1-5][0-9]) seconds?$' or private.cron_fault(cron) is null)
) with (fillfactor = 50);

comment on table private.schedule is
  'The recurring jobs of the suite, one row each: pg_cron runs them where it exists, the local stack''s timer elsewhere. No job overlaps itself.';
comment on column private.schedule.cron is 'A cron expression of five fields in UTC, or `<n> seconds` (1 to 59), as pg_cron reads them.';
comment on column private.schedule.command is 'One SQL statement.';
comment on column private.schedule.is_top_level is
  'Whether the command must not run inside a transaction or a function (VACUUM): it is then run as it stands.';
comment on column private.schedule.last_error is 'SQLSTATE and message of the last run, if it failed.';
comment on column private.schedule.last_cron_run_id is 'The last of pg_cron''s own records that private.collect_cron_runs() has taken over.';
alter table private.schedule enable row level security;

create function private.next_scheduled_run(cron text, after timestamptz)
returns timestamptz
language plpgsql
stable
set search_path = ''
as $$
begin
  if next_scheduled_run.cron ~ 'second' then
    return next_scheduled_run.after + next_scheduled_run.cron::interval;
  end if;
  return private.next_cron_time(next_scheduled_run.cron, next_scheduled_run.after, 'UTC');
end;
$$;

comment on function private.next_scheduled_run is 'When a job of the schedule falls due again after a run.';

create function private.due_schedule()
returns setof private.schedule
language plpgsql
stable
set search_path = ''
as $$
begin
  return query
  select job.* from private.schedule as job
  where job.is_enabled
    and (job.last_started_at is null or private.next_scheduled_run(job.cron, job.last_started_at) <= now())
  order by job.last_started_at nulls first, job.name;
end;
$$;

comment on function private.due_schedule is
  'The jobs whose time has come since they last ran, the one that ran the longest ago first; one that never ran is due. What a timer asks that stands in for pg_cron.';

create function private.record_scheduled_run(name text, started_at timestamptz, finished_at timestamptz, error text)
returns void
language plpgsql
set search_path = ''
as $$
begin
  update private.schedule as job set failure_count = job.failure_count + 1
  where job.name = record_scheduled_run.name and record_scheduled_run.error is not null;
  update private.schedule as job set
    last_started_at = record_scheduled_run.started_at,
    last_finished_at = record_scheduled_run.finished_at,
    last_error = record_scheduled_run.error
  where job.name = record_scheduled_run.name
    and record_scheduled_run.started_at >= coalesce(job.last_started_at, '-infinity');
end;
$$;

comment on function private.record_scheduled_run is 'Keeps how a run went, if none that began later is known already; a failure counts in any case.';

create function private.run_scheduled_job(name text)
returns boolean
language plpgsql
set search_path = ''
as $$
declare
  v_command text;
  v_started_at timestamptz := clock_timestamp();
  v_error text;
begin
  if not pg_try_advisory_xact_lock(hashtext('schedule'), hashtext(run_scheduled_job.name)) then
    return null;
  end if;
  select job.command into strict v_command from private.schedule as job where job.name = run_scheduled_job.name;
  begin
    execute v_command;
  exception when others or query_canceled or assert_failure then
    -- Caught so that the failure itself is kept, timeouts included; the command's own work is rolled back.
    v_error := concat_ws(' ', sqlstate, sqlerrm);
  end;
  perform private.record_scheduled_run(run_scheduled_job.name, v_started_at, clock_timestamp(), v_error);
  return v_error is null;
end;
$$;

comment on function private.run_scheduled_job is
  'Runs one row of the schedule now and keeps when, how long and how it ended; says whether it went well, or null if it is running already.';

create view public.schedule_health
with (security_invoker = on)
as
select
  job.name,
  job.cron,
  job.is_enabled,
  job.last_started_at,
  job.last_finished_at - job.last_started_at as last_duration,
  job.last_error,
  job.failure_count,
  due.due_at,
  job.is_enabled and due.due_at < now() - interval '1 minute' as is_late
from private.schedule as job
cross join lateral (values (private.next_scheduled_run(job.cron, coalesce(job.last_started_at, job.created_at)))) as due (due_at);

comment on view public.schedule_health is
  'Last run, duration and failure of each recurring job, and when it falls due. is_late: more than a minute ago, so that it is stuck, or nobody drives the schedule.';
grant execute on function
  private.next_scheduled_run, private.next_cron_time, private.first_cron_time, private.utc_offset, private.cron_allows_day,
  private.read_cron, private.read_cron_field
to service_role;
grant select on private.schedule, public.schedule_health to service_role;

insert into private.schedule (name, cron, command) values
  ('ensure-partitions', '10 0 * * *', 'select public.ensure_partitions()'),
  ('archive-partitions', '40 1 2 * *', 'select public.archive_partitions()'),
  ('purge-idempotency-keys', '20 * * * *', 'select private.purge_idempotency_keys()'),
  ('purge-rate-limits', '*/5 * * * *', 'select private.purge_rate_limits()');

commit;
