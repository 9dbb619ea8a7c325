begin;

create function private.check_readiness()
returns jsonb
language plpgsql
stable
security definer -- the schedule is for no role to see
set search_path = ''
as $$
declare
  v_schema_version text;
begin
  -- Who applies migrations keeps this table: it need not be there.
  if to_regclass('supabase_migrations.schema_migrations') is not null then
    execute 'select max(applied.version) from supabase_migrations.schema_migrations as applied' into v_schema_version;
  end if;
  return jsonb_build_object(
    'schedule_started_at', (select max(job.last_started_at) from private.schedule as job),
    'failing_schedule', array(
      select job.name from private.schedule as job where job.is_enabled and job.last_error is not null order by job.name
    ),
    'late_schedule', array(select health.name from public.schedule_health as health where health.is_late order by health.name),
    'worker_seen_at', (select max(coalesce(health.ended_at, health.extended_at)) from public.worker_health as health),
    'unhealthy_partitions', array(
      select health.table_name::text from public.partition_health as health where not health.is_healthy order by health.table_name::text
    ),
    'schema_version', v_schema_version,
    'critical_services', array(
      select overview.service_name from public.service_health_overview as overview where overview.status = 'critical' order by overview.service_name
    )
  );
end;
$$;

comment on function private.check_readiness is 'The work of public.check_readiness().';

create function public.check_readiness()
returns jsonb
language plpgsql
stable
set search_path = ''
set statement_timeout = '2s'
as $$
begin
  return private.check_readiness();
end;
$$;

comment on function public.check_readiness is
  'Answers if the database can: what operations/ready asks. Says when the schedule last did something, which of its jobs are late or failed last time, '
  'when a worker was last at work, which tables lack room for next month, the last migration, and which services have no usable instance.';
grant execute on function public.check_readiness, private.check_readiness to service_role;

commit;
