begin;

create function private.check_readiness()
returns jsonb
language plpgsql
stable
security definer -- the schedule is for no role to see
set search_path = ''
as $$
begin
  return jsonb_build_object(
    'schedule_started_at', (select max(job.last_started_at) from private.schedule as job),
    'failing_schedule', array(
      select job.name from private.schedule as job where job.is_enabled and job.last_error is not null order by job.name
    ),
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
  'Answers if the database can: what operations/ready asks. Says when the schedule last did something, which of its jobs failed last time, and which services have no usable instance.';
grant execute on function public.check_readiness, private.check_readiness to service_role;

commit;
