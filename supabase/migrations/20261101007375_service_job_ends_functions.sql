begin;

create function private.require_own_service_job(job_id uuid)
returns void
language plpgsql
stable
set search_path = ''
as $$
declare
  v_service_name constant text := (
    select handler.service_name
    from public.background_jobs as job
    join public.service_job_handlers as handler on handler.job_type = job.job_type
    where job.id = require_own_service_job.job_id
  );
begin
  if v_service_name is null then
    perform private.refuse('job_not_found');
  end if;
  perform private.require_service_scope(v_service_name);
end;
$$;

comment on function private.require_own_service_job is
  'Lets a service''s key end jobs of that service alone. Refuses: job_not_found (also a job that no service does), service_out_of_scope.';

create function public.complete_service_job(job_id uuid, lease_token bigint, result jsonb default null)
returns public.job_state
language plpgsql
set search_path = ''
set statement_timeout = '5s'
as $$
begin
  perform private.require_own_service_job(complete_service_job.job_id);
  return public.complete_job(complete_service_job.job_id, complete_service_job.lease_token, complete_service_job.result);
end;
$$;

comment on function public.complete_service_job is
  'complete_job() for a service that answered 202 to a job of its own. Refuses: job_not_found, service_out_of_scope, lease_lost, invalid_argument.';

create function public.fail_service_job(
  job_id uuid,
  lease_token bigint,
  error text,
  retry_after_seconds integer default null,
  is_final boolean default false
)
returns public.job_state
language plpgsql
set search_path = ''
set statement_timeout = '5s'
as $$
begin
  perform private.require_own_service_job(fail_service_job.job_id);
  return public.fail_job(
    fail_service_job.job_id, fail_service_job.lease_token, fail_service_job.error, fail_service_job.retry_after_seconds, fail_service_job.is_final
  );
end;
$$;

comment on function public.fail_service_job is
  'fail_job() for a service that answered 202 to a job of its own. Refuses: job_not_found, service_out_of_scope, lease_lost, invalid_argument.';
grant execute on function public.complete_service_job, public.fail_service_job, private.require_own_service_job to service_role;

commit;
