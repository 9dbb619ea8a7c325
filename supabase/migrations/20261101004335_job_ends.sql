begin;

create function private.complete_job(job_id uuid, lease_token bigint, result jsonb, started_at timestamptz default null)
returns public.background_jobs
language plpgsql
security definer -- jobs are written by their functions only
set search_path = ''
as $$
declare
  v_job public.background_jobs;
begin
  -- By the primary key alone: a condition that names the state would let the planner walk the index of the running ones.
  update public.background_jobs as job set
    state = 'succeeded',
    lease_until = null,
    started_at = coalesce(complete_job.started_at, job.started_at),
    finished_at = clock_timestamp(),
    result = complete_job.result
  where job.id = complete_job.job_id and job.lease_token = complete_job.lease_token and job.lease_until is not null
  returning * into v_job;
  if found then
    return v_job;
  end if;
  select * into v_job from public.background_jobs as job
  where job.id = complete_job.job_id and job.lease_token = complete_job.lease_token and job.state = 'succeeded';
  if found then
    return v_job;
  end if;
  return private.leased_job(complete_job.job_id, complete_job.lease_token);
end;
$$;

comment on function private.complete_job is 'The work of public.complete_job(). started_at: when the attempt really began, if later than its claim.';

create function public.complete_job(job_id uuid, lease_token bigint, result jsonb default null)
returns public.job_state
language plpgsql
set search_path = ''
set statement_timeout = '5s'
as $$
begin
  if octet_length(complete_job.result::text) > 262144 then
    perform private.refuse('invalid_argument', '{"argument": "result", "range": "at most 256 KiB"}');
  end if;
  return (private.complete_job(complete_job.job_id, complete_job.lease_token, complete_job.result)).state;
end;
$$;

comment on function public.complete_job is
  'Ends a claimed job well, with a result. Only while it is running and leased by this token; again with the same token changes nothing. '
  'Called in the transaction of the effect, both happen once or not at all. Refuses: job_not_found, lease_lost, invalid_argument.';
grant execute on function public.complete_job, private.complete_job to service_role;

create function private.fail_attempt(
  job_id uuid,
  lease_token bigint,
  error text,
  retry_after interval default null,
  is_final boolean default false
)
returns public.background_jobs
language plpgsql
security definer -- jobs are written by their functions only
set search_path = ''
as $$
declare
  v_job public.background_jobs;
begin
  update public.background_jobs as job set
    state = case when spent.is_last then 'failed' else 'scheduled' end::public.job_state,
    lease_until = null,
    scheduled_at = case
      when spent.is_last then job.scheduled_at
      else now() + greatest(private.retry_delay(job.attempt_count, type.shortest_backoff, type.longest_backoff), fail_attempt.retry_after)
    end,
    finished_at = case when spent.is_last then clock_timestamp() end,
    last_error = left(fail_attempt.error, 1000),
    last_failed_at = clock_timestamp()
  from public.background_jobs as attempt
  join public.job_types as type on type.job_type = attempt.job_type
  cross join lateral (values (fail_attempt.is_final or attempt.attempt_count >= attempt.max_attempts)) as spent (is_last)
  where attempt.id = fail_attempt.job_id and job.id = attempt.id
    and job.lease_token = fail_attempt.lease_token and job.lease_until is not null
  returning job.* into v_job;
  return v_job;
end;
$$;

comment on function private.fail_attempt is
  'Ends an attempt badly: the job waits for the next, unless that was the last. Null if the lease is another''s.';

create function public.fail_job(
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
declare
  v_job public.background_jobs;
begin
  if fail_job.error is null or fail_job.retry_after_seconds not between 0 and 2592000 or fail_job.is_final is null then
    perform private.refuse('invalid_argument');
  end if;
  v_job := private.fail_attempt(
    fail_job.job_id, fail_job.lease_token, fail_job.error, make_interval(secs => fail_job.retry_after_seconds), fail_job.is_final
  );
  if v_job.id is null then
    v_job := private.leased_job(fail_job.job_id, fail_job.lease_token);
  end if;
  return v_job.state;
end;
$$;

comment on function public.fail_job is
  'Ends an attempt at a claimed job badly, and keeps why (1000 characters of it). Tried again after the type''s backoff, at the earliest after retry_after_seconds, '
  'until max_attempts; then, or if is_final, the job has failed. Says the state. Only while it is running and leased by this token. '
  'Refuses: job_not_found, lease_lost, invalid_argument (retry_after_seconds up to 30 days).';
grant execute on function public.fail_job, private.fail_attempt, private.leased_job to service_role;

create function private.release_job(job_id uuid, lease_token bigint)
returns void
language plpgsql
security definer -- jobs are written by their functions only
set search_path = ''
as $$
begin
  update public.background_jobs as job set
    state = 'ready',
    ready_position = private.next_job_position(),
    attempt_count = job.attempt_count - 1,
    lease_until = null
  where job.id = release_job.job_id and job.lease_token = release_job.lease_token and job.lease_until is not null;
  if not found then
    perform private.leased_job(release_job.job_id, release_job.lease_token);
  end if;
  perform private.kick_worker();
end;
$$;

comment on function private.release_job is 'The work of public.release_job().';

create function public.release_job(job_id uuid, lease_token bigint)
returns void
language plpgsql
set search_path = ''
set statement_timeout = '5s'
as $$
begin
  perform private.release_job(release_job.job_id, release_job.lease_token);
end;
$$;

comment on function public.release_job is
  'Hands a claimed job back untouched: it is ready again, and the attempt does not count. Only while it is running and leased by this token. '
  'Refuses: job_not_found, lease_lost.';
grant execute on function public.release_job, private.release_job to service_role;

create function private.report_job_progress(job_id uuid, lease_token bigint, progress jsonb, lease_seconds integer)
returns timestamptz
language plpgsql
security definer -- jobs are written by their functions only
set search_path = ''
as $$
declare
  v_job public.background_jobs := private.leased_job(report_job_progress.job_id, report_job_progress.lease_token);
  v_type public.job_types := private.require_job_type(v_job.job_type);
begin
  update public.background_jobs as job set
    progress = coalesce(report_job_progress.progress, job.progress),
    lease_until = least(now() + make_interval(secs => report_job_progress.lease_seconds), job.started_at + v_type.timeout)
  where job.id = v_job.id and job.lease_token = v_job.lease_token and job.lease_until is not null
  returning job.lease_until into v_job.lease_until;
  if not found then
    perform private.leased_job(report_job_progress.job_id, report_job_progress.lease_token);
  end if;
  return v_job.lease_until;
end;
$$;

comment on function private.report_job_progress is 'The work of public.report_job_progress().';

create function public.report_job_progress(job_id uuid, lease_token bigint, progress jsonb default null, lease_seconds integer default 60)
returns timestamptz
language plpgsql
set search_path = ''
set statement_timeout = '5s'
as $$
begin
  if octet_length(report_job_progress.progress::text) > 8192 or (report_job_progress.lease_seconds between 1 and 3600) is not true then
    perform private.refuse('invalid_argument');
  end if;
  return private.report_job_progress(
    report_job_progress.job_id, report_job_progress.lease_token, report_job_progress.progress, report_job_progress.lease_seconds
  );
end;
$$;

comment on function public.report_job_progress is
  'For workers outside: keeps how far a job is (any JSON of at most 8 KiB, such as {"percent": 40}; null leaves it) and extends the lease, never beyond the type''s '
  'timeout; says until when it holds. lease_lost with state cancelled says that the work is not wanted any more. '
  'Refuses: job_not_found, lease_lost, invalid_argument (lease_seconds 1 to 3600).';
grant execute on function public.report_job_progress, private.report_job_progress, private.require_job_type to service_role;

commit;
