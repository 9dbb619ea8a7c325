begin;

create function private.promote_jobs(max_count integer)
returns integer
language plpgsql
set search_path = ''
as $$
declare
  v_count integer;
begin
  with due as materialized (
    select job.id from public.background_jobs as job
    where job.state = 'scheduled' and job.scheduled_at <= now()
    order by job.scheduled_at
    limit promote_jobs.max_count
    for no key update skip locked
  ), placed as materialized (
    select due.id, private.next_job_position() as ready_position from due
  )
  update public.background_jobs as job set state = 'ready', ready_position = placed.ready_position
  from placed
  where job.id = placed.id;
  get diagnostics v_count = row_count;
  return v_count;
end;
$$;

comment on function private.promote_jobs is 'Makes scheduled jobs ready whose time has come, the longest due first; says how many.';

create function private.reap_job(job_id uuid)
returns void
language plpgsql
set search_path = ''
as $$
declare
  v_job public.background_jobs;
  v_timeout interval;
  v_run record;
begin
  select * into v_job from public.background_jobs as job where job.id = reap_job.job_id;
  v_timeout := (private.require_job_type(v_job.job_type)).timeout;
  v_run := private.job_run(v_job.id);
  if v_run.pid is null then
    perform private.fail_attempt(
      v_job.id, v_job.lease_token,
      case when v_job.started_at + v_timeout <= now() then 'timed out' else 'worker lost: the lease has ended' end
    );
    return;
  end if;
  if v_run.started_at + v_timeout <= now() then
    perform private.interrupt_job(v_job.id);
  end if;
  update public.background_jobs as job set lease_until = greatest(v_run.started_at + v_timeout, now() + interval '5 seconds')
  where job.id = v_job.id;
end;
$$;

comment on function private.reap_job is
  'Looks after a job whose lease has ended, and whose row the caller has locked. Nobody runs it: the attempt has failed. A SQL function runs: it is left alone until its time '
  'limit, then interrupted, and says itself that it failed.';

create function private.reap_jobs(max_count integer)
returns integer
language plpgsql
set search_path = ''
as $$
begin
  return (
    with ended as materialized (
      select job.id from public.background_jobs as job
      where job.state = 'running' and job.lease_until <= now()
      order by job.lease_until
      limit reap_jobs.max_count
      for no key update skip locked
    )
    select count(private.reap_job(ended.id)) from ended
  );
end;
$$;

comment on function private.reap_jobs is 'Looks after running jobs whose lease has ended; says how many.';

create function private.purge_jobs(max_count integer)
returns integer
language plpgsql
set search_path = ''
as $$
declare
  v_count integer;
begin
  with old as materialized (
    select job.id
    from public.job_types as type
    cross join (values ('succeeded'::public.job_state), ('failed'), ('cancelled')) as finished (state)
    cross join lateral (
      select ended.id from public.background_jobs as ended
      where ended.job_type = type.job_type and ended.state = finished.state and ended.finished_at < now() - type.retention
      order by ended.finished_at
      limit purge_jobs.max_count
      for update skip locked
    ) as job
    limit purge_jobs.max_count
  )
  delete from public.background_jobs as job using old where job.id = old.id;
  get diagnostics v_count = row_count;
  return v_count;
end;
$$;

comment on function private.purge_jobs is 'Deletes finished jobs past their type''s retention, the oldest of each first; says how many.';

create function private.maintain_jobs(max_count integer)
returns jsonb
language plpgsql
security definer -- jobs are written by their functions only
set search_path = ''
as $$
declare
  v_scheduled integer := private.schedule_recurring_jobs(maintain_jobs.max_count);
  v_promoted integer := private.promote_jobs(maintain_jobs.max_count);
  v_reaped integer;
  v_purged integer;
begin
  if v_promoted > 0 then
    perform private.kick_worker();
  end if;
  perform private.raise_job_lanes();
  v_purged := private.purge_jobs(maintain_jobs.max_count);
  -- Last: a run that ends now waits for what this locks.
  v_reaped := private.reap_jobs(maintain_jobs.max_count);
  return jsonb_build_object('scheduled', v_scheduled, 'promoted', v_promoted, 'reaped', v_reaped, 'purged', v_purged);
end;
$$;

comment on function private.maintain_jobs is 'The work of public.maintain_jobs().';

create function public.maintain_jobs(max_count integer default 1000)
returns jsonb
language plpgsql
set search_path = ''
set statement_timeout = '30s'
as $$
begin
  if (maintain_jobs.max_count between 1 and 10000) is not true then
    perform private.refuse('invalid_argument', '{"argument": "max_count", "range": "1..10000"}');
  end if;
  return private.maintain_jobs(maintain_jobs.max_count);
end;
$$;

comment on function public.maintain_jobs is
  'Schedules recurring jobs, makes ready what is due, looks after ended leases, deletes what is past its retention, at most max_count of each; says how many. Any number may '
  'call it at a time. Run by the schedule, every five seconds. Refuses: invalid_argument.';
grant execute on function public.maintain_jobs, private.maintain_jobs to service_role;

insert into private.schedule (name, cron, command) values
  ('maintain-jobs', '5 seconds', 'select public.maintain_jobs()');
insert into private.schedule (name, cron, command, is_top_level) values
  ('vacuum-background-jobs', '*/5 * * * *', 'vacuum (analyze, skip_locked) public.background_jobs', true);

commit;
