begin;

create type public.claimed_service_job as (
  id uuid,
  lease_token bigint,
  job_type text,
  job_name text,
  payload jsonb,
  attempt_count integer,
  scheduled_at timestamptz,
  correlation_id text,
  url text,
  secrets text[],
  timeout_ms integer
);
comment on type public.claimed_service_job is 'All that it takes to post a job to a service. url is null if its last usable instance has just gone.';

create function private.claim_service_jobs(max_count integer, lease_seconds integer)
returns setof public.claimed_service_job
language plpgsql
security definer -- reads secrets, which no role may see
set search_path = ''
as $$
declare
  -- Of a service without a usable instance nothing is claimed: its jobs wait, and lose no attempt.
  v_job_types constant text[] := array(
    select handler.job_type
    from public.service_job_handlers as handler
    where exists (
      select from public.service_registry as service
      where service.service_name = handler.service_name and service.status <> 'critical' and service.endpoint is not null
    ) and exists (
      select from private.service_secrets as secret where secret.service_name = handler.service_name and secret.expires_at is null
    )
  );
begin
  if v_job_types = '{}' then
    return;
  end if;
  return query
  with claimed as materialized (
    select job.* from private.claim_jobs(v_job_types, claim_service_jobs.max_count, claim_service_jobs.lease_seconds) as job
  )
  select
    claimed.id, claimed.lease_token, claimed.job_type, claimed.job_name, claimed.payload, claimed.attempt_count, claimed.scheduled_at,
    claimed.correlation_id, rtrim(instance.endpoint, '/') || handler.path, private.service_secrets_of(handler.service_name),
    -- The answer must be written down before the type's time is over.
    least(25000, extract(epoch from type.timeout) * 800)::integer
  from claimed
  join public.job_types as type on type.job_type = claimed.job_type
  join public.service_job_handlers as handler on handler.job_type = claimed.job_type
  left join lateral (
    select service.endpoint from public.service_registry as service
    where service.service_name = handler.service_name and service.status <> 'critical' and service.endpoint is not null
    order by service.status, random()
    limit 1
  ) as instance on true;
end;
$$;

comment on function private.claim_service_jobs is 'The work of public.claim_service_jobs().';

create function public.claim_service_jobs(max_count integer default 10, lease_seconds integer default 45)
returns setof public.claimed_service_job
language plpgsql
set search_path = ''
set statement_timeout = '5s'
as $$
begin
  if (claim_service_jobs.max_count between 1 and 500) is not true then
    perform private.refuse('invalid_argument', '{"argument": "max_count", "range": "1..500"}');
  end if;
  if (claim_service_jobs.lease_seconds between 1 and 3600) is not true then
    perform private.refuse('invalid_argument', '{"argument": "lease_seconds", "range": "1..3600"}');
  end if;
  return query select * from private.claim_service_jobs(claim_service_jobs.max_count, claim_service_jobs.lease_seconds);
end;
$$;

comment on function public.claim_service_jobs is
  'Leases jobs that registered services do, each with the address of a usable instance. What came of posting them it says by report_service_jobs(); what it says nothing of '
  'is tried again when the lease ends. Refuses: invalid_argument.';
grant execute on function public.claim_service_jobs, private.claim_service_jobs to service_role;

create type private.service_job_report as (
  job_id uuid,
  lease_token bigint,
  status integer,
  error text,
  answer text,
  result jsonb,
  retry_after integer
);
comment on type private.service_job_report is
  'One POST of a job and what came of it: the answer''s status, how its body begins and the JSON that it is, or why there is none; seconds that it asks us to wait.';

create function private.settle_service_job(report private.service_job_report)
returns void
language plpgsql
set search_path = ''
as $$
declare
  v_report constant private.service_job_report := settle_service_job.report;
  v_is_final constant boolean := v_report.status between 400 and 499 and v_report.status not in (408, 409, 423, 425, 429);
begin
  if v_report.status = 202 then
    -- Accepted: the service ends the job itself, within the type's timeout.
    perform private.report_job_progress(v_report.job_id, v_report.lease_token, null, 86400);
    return;
  end if;
  if v_report.status between 200 and 299 then
    perform private.complete_job(v_report.job_id, v_report.lease_token, v_report.result);
    return;
  end if;
  perform private.fail_attempt(
    v_report.job_id, v_report.lease_token, concat_ws(' ', 'HTTP ' || v_report.status, v_report.error, v_report.answer),
    make_interval(secs => least(v_report.retry_after, 86400)), coalesce(v_is_final, false)
  );
end;
$$;

comment on function private.settle_service_job is
  'What follows an attempt: 2xx ends the job well, 202 leaves it to the service to end; 4xx fails it for good, but for those that ask to come again (408, 409, 423, 425, 429); '
  'all else fails the attempt.';

create function private.report_service_jobs(reports jsonb)
returns uuid[]
language plpgsql
security definer -- jobs are written by their functions only
set search_path = ''
as $$
declare
  v_report private.service_job_report;
  v_settled uuid[] := '{}';
begin
  for v_report in
    select report.*
    from jsonb_populate_recordset(null::private.service_job_report, report_service_jobs.reports) as report
    order by report.job_id
  loop
    perform from public.background_jobs as job
    where job.id = v_report.job_id and job.lease_token = v_report.lease_token and job.lease_until is not null
    for no key update;
    if found then
      perform private.settle_service_job(v_report);
      v_settled := v_settled || v_report.job_id;
    end if;
  end loop;
  return v_settled;
end;
$$;

comment on function private.report_service_jobs is 'The work of public.report_service_jobs().';

create function public.report_service_jobs(reports jsonb)
returns uuid[]
language plpgsql
set search_path = ''
set statement_timeout = '10s'
as $$
begin
  if jsonb_typeof(report_service_jobs.reports) is distinct from 'array' then
    perform private.refuse('invalid_argument', '{"argument": "reports"}');
  end if;
  return private.report_service_jobs(report_service_jobs.reports);
end;
$$;

comment on function public.report_service_jobs is
  'What came of posting claimed jobs: [{"job_id", "lease_token", "status" or null, "error", "answer", "result", "retry_after"}]; what follows is decided here. '
  'Gives the ids that it has written down; those of a lost lease are left out. Refuses: invalid_argument.';
grant execute on function public.report_service_jobs, private.report_service_jobs to service_role;

commit;
