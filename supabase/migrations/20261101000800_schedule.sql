begin;

create table private.schedule (
  name text not null,
  cron text not null,
  command text not null,
  is_enabled boolean not null default true,
  last_started_at timestamptz,
  last_finished_at timestamptz,
  last_error text,
  failure_count bigint not null default 0,
  constraint schedule_pkey primary key (name),
  constraint schedule_cron_is_readable check (cron ~ '^([1-9]|[1-5][0-9]) seconds?$' or cron ~ '^\S+( +\S+){4}$')
);

comment on table private.schedule is
  'The recurring jobs of the suite, one row each: pg_cron runs them where it exists, the local stack''s timer elsewhere.';
comment on column private.schedule.cron is 'A cron expression of five fields in UTC, or `<n> seconds` (1 to 59), as pg_cron reads them.';
comment on column private.schedule.command is 'One SQL statement.';
comment on column private.schedule.last_error is 'SQLSTATE and message of the last run, if it failed.';
alter table private.schedule enable row level security;

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
  select job.command into strict v_command from private.schedule as job where job.name = run_scheduled_job.name;
  begin
    execute v_command;
  exception when others or query_canceled or assert_failure then
    -- Caught so that the failure itself is kept, timeouts included; the command's own work is rolled back.
    v_error := concat_ws(' ', sqlstate, sqlerrm);
  end;
  update private.schedule as job set
    last_started_at = v_started_at,
    last_finished_at = clock_timestamp(),
    last_error = v_error,
    failure_count = job.failure_count + (v_error is not null)::integer
  where job.name = run_scheduled_job.name;
  return v_error is null;
end;
$$;

comment on function private.run_scheduled_job is
  'Runs one row of the schedule now and keeps when, how long and how it ended; says whether it went well.';

create function private.install_schedule()
returns integer
language plpgsql
set search_path = ''
as $$
declare
  v_count integer;
begin
  if to_regprocedure('cron.schedule(text, text, text)') is null then
    return 0;
  end if;
  execute $cron$
    select cron.unschedule(job.jobname) from cron.job as job
    where job.command like 'select private.run_scheduled_job(%'
      and not exists (select from private.schedule as planned where planned.name = job.jobname and planned.is_enabled)
  $cron$;
  execute $cron$
    select count(cron.schedule(planned.name, planned.cron, format('select private.run_scheduled_job(%L)', planned.name)))
    from private.schedule as planned where planned.is_enabled
  $cron$ into v_count;
  return v_count;
end;
$$;

comment on function private.install_schedule is
  'Gives the schedule to pg_cron and takes back what is no longer in it; says how many jobs run. Without pg_cron it does nothing. Repeating it changes nothing.';

insert into private.schedule (name, cron, command) values
  ('ensure-partitions', '10 0 * * *', 'select public.ensure_partitions()'),
  ('archive-partitions', '40 1 2 * *', 'select public.archive_partitions()'),
  ('purge-idempotency-keys', '20 * * * *', 'select private.purge_idempotency_keys()'),
  ('purge-rate-limits', '*/5 * * * *', 'select private.purge_rate_limits()');

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
  job.failure_count
from private.schedule as job;

comment on view public.schedule_health is 'Last run, duration and failure of each recurring job.';
grant select on private.schedule, public.schedule_health to service_role;

commit;
