begin;

create function private.job_lock_key(job_id uuid)
returns bigint
language plpgsql
immutable
set search_path = ''
as $$
begin
  return hashtextextended('background_job ' || job_lock_key.job_id, 0);
end;
$$;

comment on function private.job_lock_key is 'The advisory lock that a SQL function''s run holds, so that others can see who runs it.';

create function private.job_run(job_id uuid, out pid integer, out started_at timestamptz, out progress jsonb)
language plpgsql
stable
security definer -- other sessions' activity is not for every role to see
set search_path = ''
as $$
declare
  v_key bigint := private.job_lock_key(job_run.job_id);
begin
  select
    activity.pid, activity.xact_start,
    case when pg_input_is_valid(said.progress, 'jsonb') then said.progress::jsonb else to_jsonb(said.progress) end
  into job_run.pid, job_run.started_at, job_run.progress
  from pg_locks as lock
  join pg_stat_activity as activity on activity.pid = lock.pid
  cross join lateral (values (substring(activity.application_name from '^job progress (.*)$'))) as said (progress)
  where lock.locktype = 'advisory' and lock.granted and lock.objsubid = 1
    and lock.classid = (v_key >> 32 & 4294967295)::oid and lock.objid = (v_key & 4294967295)::oid
    and lock.database = (select own.oid from pg_database as own where own.datname = current_database());
end;
$$;

comment on function private.job_run is 'The session in which a job''s SQL function runs now, since when, and how far it says it is; nulls if none does.';

create function private.interrupt_job(job_id uuid)
returns boolean
language plpgsql
security definer -- cancels another session's query: the owner may (pg_signal_backend)
set search_path = ''
as $$
begin
  -- The caller holds the job's row, which a run must write before it ends: the session is still at this job.
  return coalesce(pg_cancel_backend((private.job_run(interrupt_job.job_id)).pid), false);
exception when insufficient_privilege then
  return false;
end;
$$;

comment on function private.interrupt_job is
  'Cancels the SQL function of a job whose row the caller has locked; says whether it could. What it cannot reach ends by its own transaction_timeout, without effect.';

create function private.note_job_progress(progress jsonb)
returns void
language plpgsql
set search_path = ''
as $$
begin
  perform set_config('application_name', left(format('job progress %s', note_job_progress.progress), 63), true);
end;
$$;

comment on function private.note_job_progress is
  'For SQL handlers: says how far the work is, in at most 50 characters of JSON. Shown by get_job() while it runs, by way of the session''s application_name: '
  'whatever else the function writes is hidden until it commits.';

create function private.give_job_up(reason text)
returns void
language plpgsql
set search_path = ''
as $$
begin
  raise exception '%', give_job_up.reason using errcode = 'JOB00';
end;
$$;

comment on function private.give_job_up is 'For SQL handlers: fails the job for good, because another attempt would not help. Undoes what the handler has done.';

create function private.run_job(job_id uuid, lease_token bigint)
returns public.job_state
language plpgsql
security definer -- jobs are written by their functions only, and a handler may do what no client may
set search_path = ''
as $$
declare
  v_job public.background_jobs;
  v_type public.job_types;
  v_result private.job_document;
  v_error text;
  v_is_final boolean := false;
begin
  -- Taken before the job is read. No row is locked and nothing written before the handler writes: until then this transaction has no id, so it
  -- holds up no reader of events, and nobody who cancels the job or looks after it has to wait.
  if not pg_try_advisory_xact_lock(private.job_lock_key(run_job.job_id)) then
    perform private.refuse('lease_lost', '{"state": "running"}');
  end if;
  v_job := private.leased_job(run_job.job_id, run_job.lease_token);
  v_type := private.require_job_type(v_job.job_type);
  if v_type.handler is null then
    perform private.refuse('invalid_argument', '{"argument": "job_id", "range": "a job whose handler is a SQL function"}');
  end if;
  perform private.continue_correlation(v_job.correlation_id);
  -- The last resort, should nobody cancel it: ends the session. Unlike statement_timeout it can be set on the way.
  perform set_config('transaction_timeout', format('%ss', ceil(extract(epoch from v_type.timeout)) + 10), true);

  begin
    execute format('select %s($1)', v_type.handler) into v_result using v_job.payload::jsonb;
    set constraints all immediate;
  exception when others or query_canceled or assert_failure then
    v_error := concat_ws(
      ' ', case when sqlstate = '57014' and clock_timestamp() >= now() + v_type.timeout then 'timed out:' end, sqlstate, sqlerrm
    );
    v_is_final := sqlstate = 'JOB00';
  end;

  if v_error is null then
    v_job := private.complete_job(v_job.id, v_job.lease_token, v_result, now());
  else
    v_job := private.fail_attempt(v_job.id, v_job.lease_token, v_error, null, v_is_final);
  end if;
  if v_job.id is null then
    perform private.leased_job(run_job.job_id, run_job.lease_token);
  end if;
  return v_job.state;
end;
$$;

comment on function private.run_job is 'The work of public.run_job().';

create function public.run_job(job_id uuid, lease_token bigint)
returns public.job_state
language plpgsql
set search_path = ''
set statement_timeout = '65s'
as $$
begin
  return private.run_job(run_job.job_id, run_job.lease_token);
end;
$$;

comment on function public.run_job is
  'Runs the SQL function of a claimed job and completes the job in the same transaction, so that its effects happen once; says the state after it. '
  'If the function fails, or takes longer than its type''s timeout, its effects are undone and the attempt has failed. If the lease was lost meanwhile, or the '
  'job cancelled, nothing of it stays. Refuses: job_not_found, lease_lost, invalid_argument.';
grant execute on function public.run_job, private.run_job to service_role;

commit;
