begin;

create type public.claimed_job as (
  id uuid,
  lease_token bigint,
  lease_until timestamptz,
  job_type text,
  job_name text,
  payload jsonb,
  attempt_count integer,
  max_attempts integer,
  times_out_at timestamptz,
  scheduled_at timestamptz,
  correlation_id text
);
comment on type public.claimed_job is 'A job as its worker gets it. Its lease can be extended until times_out_at.';

create function private.claim_jobs(job_types text[], max_count integer, lease_seconds integer)
returns setof public.claimed_job
language plpgsql
security definer -- jobs are written by their functions only
set search_path = ''
-- Planned once, and perhaps while nothing was ready: only a walk of the index in order is ever right.
set plan_cache_mode = force_generic_plan
set enable_seqscan = off
set enable_bitmapscan = off
set enable_hashjoin = off
set enable_mergejoin = off
as $$
declare
  v_lane record;
  v_wanted integer := claim_jobs.max_count;
  v_count integer;
begin
  for v_lane in
    select lane.job_type, lane.priority, lane.low_position, type.timeout,
      -- A SQL function must have begun by the end of its lease; what runs outside may be extended up to its time limit.
      least(make_interval(secs => claim_jobs.lease_seconds), case when type.handler is null then type.timeout end) as lease
    from private.job_lanes as lane
    join public.job_types as type on type.job_type = lane.job_type
    cross join lateral (
      select job.ready_position from public.background_jobs as job
      where job.job_type = lane.job_type and job.priority = lane.priority and job.state = 'ready'
        and job.ready_position >= lane.low_position
      order by job.ready_position
      limit 1
    ) as head
    where not type.is_paused
      and case when claim_jobs.job_types is null then type.handler is not null else type.job_type = any(claim_jobs.job_types) end
    -- Of equally urgent types first the one whose oldest has waited longest, so that none starves another.
    order by lane.priority, head.ready_position
  loop
    return query
    with picked as materialized (
      select job.id from public.background_jobs as job
      where job.job_type = v_lane.job_type and job.priority = v_lane.priority and job.state = 'ready'
        and job.ready_position >= v_lane.low_position
      order by job.ready_position
      limit v_wanted
      for update skip locked
    )
    update public.background_jobs as job set
      state = 'running',
      ready_position = null,
      attempt_count = job.attempt_count + 1,
      lease_token = job.lease_token + 1,
      lease_until = now() + v_lane.lease,
      started_at = now(),
      progress = null
    from picked
    where job.id = picked.id
    returning
      job.id, job.lease_token, job.lease_until, job.job_type, job.job_name, job.payload::jsonb, job.attempt_count, job.max_attempts,
      now() + v_lane.timeout, job.scheduled_at, job.correlation_id;
    get diagnostics v_count = row_count;
    v_wanted := v_wanted - v_count;
    exit when v_wanted = 0;
  end loop;
end;
$$;

comment on function private.claim_jobs is 'The work of public.claim_jobs().';

create function public.claim_jobs(job_types text[] default null, max_count integer default 10, lease_seconds integer default 60)
returns setof public.claimed_job
language plpgsql
set search_path = ''
set statement_timeout = '5s'
as $$
declare
  v_fault text := case
    when cardinality(claim_jobs.job_types) = 0 or array_position(claim_jobs.job_types, null) is not null then 'job_types'
    when (claim_jobs.max_count between 1 and 1000) is not true then 'max_count'
    when (claim_jobs.lease_seconds between 1 and 3600) is not true then 'lease_seconds'
  end;
begin
  if v_fault is not null then
    perform private.refuse('invalid_argument', jsonb_build_object('argument', v_fault));
  end if;
  return query select * from private.claim_jobs(claim_jobs.job_types, claim_jobs.max_count, claim_jobs.lease_seconds);
end;
$$;

comment on function public.claim_jobs is
  'Leases up to max_count ready jobs to the caller alone, the most urgent and oldest first: those of the types named, or, with null, those whose handler is a '
  'SQL function, for run_job(). Who works outside completes, fails or releases each with its lease_token, and extends the lease by report_job_progress(); '
  'when it ends, the attempt has failed. Types that are paused give none. Refuses: invalid_argument (max_count 1 to 1000, lease_seconds 1 to 3600).';
grant execute on function public.claim_jobs, private.claim_jobs to service_role;

create function private.leased_job(job_id uuid, lease_token bigint)
returns public.background_jobs
language plpgsql
stable
set search_path = ''
as $$
declare
  v_job public.background_jobs;
begin
  select * into v_job from public.background_jobs as job where job.id = leased_job.job_id;
  if not found then
    perform private.refuse('job_not_found');
  end if;
  if (v_job.state = 'running' and v_job.lease_token = leased_job.lease_token) is not true then
    perform private.refuse('lease_lost', jsonb_build_object('state', v_job.state));
  end if;
  return v_job;
end;
$$;

comment on function private.leased_job is 'A job that is leased by that token. Refuses: job_not_found, lease_lost.';

commit;
