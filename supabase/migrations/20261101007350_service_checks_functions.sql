begin;

create type public.claimed_service_check as (
  service_id uuid,
  lease_token bigint,
  url text
);
comment on type public.claimed_service_check is 'An address to call.';

create function private.claim_service_checks(max_count integer, lease_seconds integer)
returns setof public.claimed_service_check
language plpgsql
security definer -- the registry is written by its functions only
set search_path = ''
as $$
declare
  v_until constant timestamptz := now() + make_interval(secs => claim_service_checks.lease_seconds);
begin
  return query
  with due as materialized (
    select checked.service_id from public.service_checks as checked
    where checked.due_at <= now()
    order by checked.due_at
    limit claim_service_checks.max_count
    for update skip locked
  ), claimed as (
    update public.service_checks as checked set lease_token = checked.lease_token + 1, due_at = v_until, leased_until = v_until
    from due
    where checked.service_id = due.service_id
    returning checked.service_id, checked.lease_token
  )
  select claimed.service_id, claimed.lease_token, service.health_check_url
  from claimed
  join public.service_registry as service on service.id = claimed.service_id;
end;
$$;

comment on function private.claim_service_checks is 'The work of public.claim_service_checks().';

create function public.claim_service_checks(max_count integer default 20, lease_seconds integer default 15)
returns setof public.claimed_service_check
language plpgsql
set search_path = ''
set statement_timeout = '5s'
as $$
begin
  if (claim_service_checks.max_count between 1 and 500) is not true then
    perform private.refuse('invalid_argument', '{"argument": "max_count", "range": "1..500"}');
  end if;
  if (claim_service_checks.lease_seconds between 1 and 3600) is not true then
    perform private.refuse('invalid_argument', '{"argument": "lease_seconds", "range": "1..3600"}');
  end if;
  return query select * from private.claim_service_checks(claim_service_checks.max_count, claim_service_checks.lease_seconds);
end;
$$;

comment on function public.claim_service_checks is
  'Leases health checks that are due to a worker, the longest due first. What came of them it says by report_service_checks(). Refuses: invalid_argument.';
grant execute on function public.claim_service_checks, private.claim_service_checks to service_role;

create type private.service_check_report as (
  service_id uuid,
  lease_token bigint,
  status integer,
  error text,
  duration_ms integer
);
comment on type private.service_check_report is 'One call of a health_check_url: the answer''s status, or why there was none.';

create function private.next_service_check(failure_count integer)
returns interval
language plpgsql
volatile
set search_path = ''
as $$
begin
  return case
    when next_service_check.failure_count <= 3 then interval '15 seconds' * (0.9 + random() / 5)
    else private.retry_delay(next_service_check.failure_count - 3, '30 seconds', '2 minutes')
  end;
end;
$$;

comment on function private.next_service_check is
  'How long until the next check: 15 s, a tenth more or less; after three failures in a row longer each time, two minutes at most.';

create function private.settle_service_check(report private.service_check_report)
returns boolean
language plpgsql
set search_path = ''
as $$
declare
  v_report constant private.service_check_report := settle_service_check.report;
  v_found constant public.service_status := case
    when v_report.status between 200 and 299 then 'passing' when v_report.status = 429 then 'warning' else 'critical'
  end;
  v_check public.service_checks;
  v_known public.service_status;
  v_turns boolean;
begin
  select * into v_check from public.service_checks as checked
  where checked.service_id = v_report.service_id and checked.lease_token = v_report.lease_token and checked.leased_until is not null
  for update;
  if not found then
    return false;
  end if;
  select service.check_status into v_known from public.service_registry as service where service.id = v_report.service_id;
  v_check.streak := case
    when v_found = v_known then 0 when v_found > v_known then least(v_check.streak, 0) - 1 else greatest(v_check.streak, 0) + 1
  end;
  v_check.failure_count := case when v_found = 'passing' then 0 else v_check.failure_count + 1 end;
  v_turns := v_check.last_checked_at is null or v_check.streak <= -3 or v_check.streak >= 2;
  update public.service_checks as checked set
    due_at = now() + private.next_service_check(v_check.failure_count), leased_until = null,
    streak = case when v_turns then 0 else v_check.streak end, failure_count = v_check.failure_count,
    last_checked_at = now(), last_status = v_report.status, last_error = left(v_report.error, 100), last_duration_ms = v_report.duration_ms
  where checked.service_id = v_report.service_id;
  if v_turns and v_found <> v_known then
    update public.service_registry as service set check_status = v_found where service.id = v_report.service_id;
  end if;
  return true;
end;
$$;

comment on function private.settle_service_check is
  'Writes down what a check found: 2xx is passing, 429 warning, all else critical. The status follows after three worse results in a row or two better ones, so that one '
  'that flaps keeps it; the very first result decides alone. False if the lease was lost.';

create function private.report_service_checks(reports jsonb)
returns uuid[]
language plpgsql
security definer -- the registry is written by its functions only
set search_path = ''
as $$
declare
  v_report private.service_check_report;
  v_settled uuid[] := '{}';
begin
  -- Instances before checks, in the order of their ids, as everybody locks them.
  perform from public.service_registry as service
  where service.id = any(array(
    select report.service_id from jsonb_to_recordset(report_service_checks.reports) as report (service_id uuid)
  ))
  order by service.id
  for no key update;
  for v_report in
    select report.*
    from jsonb_populate_recordset(null::private.service_check_report, report_service_checks.reports) as report
    order by report.service_id
  loop
    if private.settle_service_check(v_report) then
      v_settled := v_settled || v_report.service_id;
    end if;
  end loop;
  return v_settled;
end;
$$;

comment on function private.report_service_checks is 'The work of public.report_service_checks().';

create function public.report_service_checks(reports jsonb)
returns uuid[]
language plpgsql
set search_path = ''
set statement_timeout = '10s'
as $$
begin
  if jsonb_typeof(report_service_checks.reports) is distinct from 'array' then
    perform private.refuse('invalid_argument', '{"argument": "reports"}');
  end if;
  return private.report_service_checks(report_service_checks.reports);
end;
$$;

comment on function public.report_service_checks is
  'What came of claimed health checks: [{"service_id", "lease_token", "status" or null, "error", "duration_ms"}]; what follows is decided here. '
  'Gives the ids that it has written down; those of a lost lease are left out. Refuses: invalid_argument.';
grant execute on function public.report_service_checks, private.report_service_checks to service_role;

create function private.release_service_checks(service_ids uuid[], lease_tokens bigint[])
returns uuid[]
language plpgsql
security definer -- the registry is written by its functions only
set search_path = ''
as $$
declare
  v_released uuid[];
begin
  with held as materialized (
    select checked.service_id
    from unnest(release_service_checks.service_ids, release_service_checks.lease_tokens) as claim (service_id, lease_token)
    join public.service_checks as checked on checked.service_id = claim.service_id and checked.lease_token = claim.lease_token
    where checked.leased_until is not null
    order by checked.service_id
    for update of checked
  ), released as (
    update public.service_checks as checked set due_at = now(), leased_until = null
    from held
    where checked.service_id = held.service_id
    returning checked.service_id
  )
  select coalesce(array_agg(released.service_id), '{}') into v_released from released;
  return v_released;
end;
$$;

comment on function private.release_service_checks is 'The work of public.release_service_checks().';

create function public.release_service_checks(service_ids uuid[], lease_tokens bigint[])
returns uuid[]
language plpgsql
set search_path = ''
set statement_timeout = '5s'
as $$
begin
  if cardinality(release_service_checks.service_ids) = cardinality(release_service_checks.lease_tokens) is not true then
    perform private.refuse('invalid_argument', '{"argument": "lease_tokens"}');
  end if;
  return private.release_service_checks(release_service_checks.service_ids, release_service_checks.lease_tokens);
end;
$$;

comment on function public.release_service_checks is
  'Gives back health checks that were claimed and not made; says which. Those of a lost lease are left out. Refuses: invalid_argument.';
grant execute on function public.release_service_checks, private.release_service_checks to service_role;

commit;
