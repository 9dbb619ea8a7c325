begin;

create function private.cancel_job(job_id uuid)
returns public.background_jobs
language plpgsql
security definer -- jobs are written by their functions only
set search_path = ''
as $$
declare
  v_job public.background_jobs;
begin
  perform private.require_service_or_registered_operator();
  select * into v_job from public.background_jobs as job where job.id = cancel_job.job_id for no key update;
  if not found then
    perform private.refuse('job_not_found');
  end if;
  if v_job.state in ('succeeded', 'failed') then
    perform private.refuse('job_state_conflict', jsonb_build_object('state', v_job.state));
  end if;
  if v_job.state = 'running' then
    perform private.interrupt_job(v_job.id);
  end if;
  if v_job.state <> 'cancelled' then
    update public.background_jobs as job set
      state = 'cancelled', ready_position = null, lease_until = null, finished_at = clock_timestamp()
    where job.id = v_job.id
    returning * into v_job;
  end if;
  return v_job;
end;
$$;

comment on function private.cancel_job is 'The work of public.cancel_job().';

create function public.cancel_job(job_id uuid)
returns public.background_jobs
language plpgsql
set search_path = ''
set statement_timeout = '5s'
as $$
begin
  return private.cancel_job(cancel_job.job_id);
end;
$$;

comment on function public.cancel_job is
  'For the service and registered operators: ends a job that has not ended. scheduled, ready: it will not run. running: at once too, whatever its worker does still: '
  'its result counts no more, a SQL function is interrupted and leaves no effect, a worker outside is told when it next reports. cancelled: stays so. '
  'Refuses: operator_required, job_not_found, job_state_conflict (succeeded, failed).';
grant execute on function public.cancel_job, private.cancel_job to authenticated, service_role;

create function private.retry_job(job_id uuid)
returns public.background_jobs
language plpgsql
security definer -- jobs are written by their functions only
set search_path = ''
as $$
declare
  v_job public.background_jobs;
begin
  perform private.require_service_or_registered_operator();
  select * into v_job from public.background_jobs as job where job.id = retry_job.job_id for no key update;
  if not found then
    perform private.refuse('job_not_found');
  end if;
  if v_job.state in ('running', 'succeeded') then
    perform private.refuse('job_state_conflict', jsonb_build_object('state', v_job.state));
  end if;
  if exists (
    select from public.background_jobs as living
    where living.job_type = v_job.job_type and living.unique_key = v_job.unique_key and living.state in ('scheduled', 'ready', 'running')
      and living.id <> v_job.id
  ) then
    perform private.refuse('job_state_conflict', jsonb_build_object('unique_key', v_job.unique_key));
  end if;
  if v_job.state <> 'ready' then
    update public.background_jobs as job set
      state = 'ready',
      ready_position = private.next_job_position(),
      scheduled_at = now(),
      attempt_count = 0,
      max_attempts = (private.require_job_type(job.job_type)).max_attempts,
      finished_at = null
    where job.id = v_job.id
    returning * into v_job;
  end if;
  perform private.kick_worker();
  return v_job;
end;
$$;

comment on function private.retry_job is 'The work of public.retry_job().';

create function public.retry_job(job_id uuid)
returns public.background_jobs
language plpgsql
set search_path = ''
set statement_timeout = '5s'
as $$
begin
  return private.retry_job(retry_job.job_id);
end;
$$;

comment on function public.retry_job is
  'For the service and registered operators: has a job run now, with all its attempts before it. failed, cancelled: again; scheduled: before its time; ready: stays so. '
  'Refuses: operator_required, job_not_found, job_state_conflict (running, succeeded, or another living job has its unique_key).';
grant execute on function public.retry_job, private.retry_job to authenticated, service_role;

create function private.get_job(job_id uuid)
returns public.background_jobs
language plpgsql
stable
security definer -- shows operators what no client may read
set search_path = ''
as $$
declare
  v_job public.background_jobs;
begin
  perform private.require_service_or_registered_operator();
  select * into v_job from public.background_jobs as job where job.id = get_job.job_id;
  if not found then
    perform private.refuse('job_not_found');
  end if;
  if v_job.state = 'running' and v_job.progress is null then
    v_job.progress := (private.job_run(v_job.id)).progress;
  end if;
  return v_job;
end;
$$;

comment on function private.get_job is 'The work of public.get_job().';

create function public.get_job(job_id uuid)
returns public.background_jobs
language plpgsql
stable
set search_path = ''
set statement_timeout = '2s'
as $$
begin
  return private.get_job(get_job.job_id);
end;
$$;

comment on function public.get_job is
  'For the service and registered operators: one job, with its progress as it is now, also that of a SQL function that says it by private.note_job_progress(). '
  'Refuses: operator_required, job_not_found.';
grant execute on function public.get_job, private.get_job to authenticated, service_role;

create function private.list_jobs(state public.job_state, job_type text, before timestamptz, max_count integer)
returns setof public.background_jobs
language plpgsql
stable
security definer -- shows operators what no client may read
set search_path = ''
set plan_cache_mode = force_custom_plan -- the index depends on the state
as $$
begin
  perform private.require_service_or_registered_operator();
  if list_jobs.state in ('succeeded', 'failed', 'cancelled') then
    return query
    select job.*
    from public.job_types as type
    cross join lateral (
      select ended.* from public.background_jobs as ended
      where ended.job_type = type.job_type and ended.state = list_jobs.state and ended.finished_at < coalesce(list_jobs.before, 'infinity')
      order by ended.finished_at desc
      limit list_jobs.max_count
    ) as job
    where type.job_type = coalesce(list_jobs.job_type, type.job_type)
    order by job.finished_at desc
    limit list_jobs.max_count;
    return;
  end if;
  return query
  select job.* from public.background_jobs as job
  where job.state = list_jobs.state and job.job_type = coalesce(list_jobs.job_type, job.job_type)
    and job.scheduled_at < coalesce(list_jobs.before, 'infinity')
  order by job.scheduled_at
  limit list_jobs.max_count;
end;
$$;

comment on function private.list_jobs is 'The work of public.list_jobs().';

create function public.list_jobs(
  state public.job_state,
  job_type text default null,
  before timestamptz default null,
  max_count integer default 50
)
returns setof public.background_jobs
language plpgsql
stable
set search_path = ''
set statement_timeout = '5s'
as $$
begin
  if list_jobs.state is null or (list_jobs.max_count between 1 and 1000) is not true then
    perform private.refuse('invalid_argument');
  end if;
  return query select * from private.list_jobs(list_jobs.state, list_jobs.job_type, list_jobs.before, list_jobs.max_count);
end;
$$;

comment on function public.list_jobs is
  'For the service and registered operators: the jobs in a state, of one type or all. succeeded, failed, cancelled: the last ended first, before that time; '
  'scheduled, ready, running: the first due first, due before it. Refuses: operator_required, invalid_argument (max_count 1 to 1000).';
grant execute on function public.list_jobs, private.list_jobs to authenticated, service_role;

commit;
