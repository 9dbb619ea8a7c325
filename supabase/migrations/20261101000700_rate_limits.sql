begin;

create unlogged table private.rate_limits (
  key text not null,
  theoretical_arrival_at timestamptz not null,
  constraint rate_limits_pkey primary key (key)
);

comment on table private.rate_limits is
  'GCRA state: the time at which the next request would arrive if requests came evenly. Lost in a crash, which only forgives.';
alter table private.rate_limits enable row level security;

create function private.charge_rate_limit(key text, requests integer, period interval, burst integer)
returns table (is_allowed boolean, remaining integer, retry_after_seconds integer)
language plpgsql
security definer -- the only writer of the limits
set search_path = ''
as $$
declare
  v_now timestamptz := clock_timestamp();
  v_interval interval := charge_rate_limit.period / charge_rate_limit.requests;
  v_tolerance interval := v_interval * charge_rate_limit.burst;
  v_arrival timestamptz;
begin
  insert into private.rate_limits as stored (key, theoretical_arrival_at)
  values (charge_rate_limit.key, v_now + v_interval)
  on conflict on constraint rate_limits_pkey do update
    set theoretical_arrival_at = greatest(stored.theoretical_arrival_at, v_now) + v_interval
    where greatest(stored.theoretical_arrival_at, v_now) + v_interval <= v_now + v_tolerance
  returning stored.theoretical_arrival_at into v_arrival;
  if found then
    return query select true, floor(extract(epoch from v_now + v_tolerance - v_arrival) / extract(epoch from v_interval))::integer, 0;
    return;
  end if;

  select stored.theoretical_arrival_at into v_arrival
  from private.rate_limits as stored
  where stored.key = charge_rate_limit.key;
  return query select false, 0, greatest(1, ceil(extract(epoch from v_arrival + v_interval - v_tolerance - v_now))::integer);
end;
$$;

comment on function private.charge_rate_limit is 'The work of public.charge_rate_limit().';

create function public.charge_rate_limit(
  key text,
  requests integer,
  period_seconds integer,
  burst integer default null
)
returns table (is_allowed boolean, remaining integer, retry_after_seconds integer)
language plpgsql
set search_path = ''
set statement_timeout = '2s'
as $$
begin
  if (
    length(charge_rate_limit.key) between 1 and 255
    and charge_rate_limit.requests between 1 and 100000
    and charge_rate_limit.period_seconds between 1 and 31 * 86400
    and coalesce(charge_rate_limit.burst, charge_rate_limit.requests) between 1 and 100000
  ) is not true then
    perform private.refuse('invalid_argument');
  end if;
  return query select * from private.charge_rate_limit(
    charge_rate_limit.key,
    charge_rate_limit.requests,
    make_interval(secs => charge_rate_limit.period_seconds),
    coalesce(charge_rate_limit.burst, charge_rate_limit.requests)
  );
end;
$$;

comment on function public.charge_rate_limit is
  'Counts one request against a key: `requests` per `period_seconds`, evenly (GCRA), with a burst that defaults to `requests`. '
  'Says whether it is allowed, how many more would be now, and after how many seconds to come again. '
  'A call of its own, so that a later rollback does not refund it. '
  'Refuses: invalid_argument (requests and burst 1 to 100000, period up to 31 days, key up to 255 characters).';
grant execute on function public.charge_rate_limit, private.charge_rate_limit to service_role;

create function private.purge_rate_limits()
returns bigint
language plpgsql
set search_path = ''
as $$
declare
  v_count bigint;
begin
  delete from private.rate_limits as stored where stored.theoretical_arrival_at < now() - interval '1 minute';
  get diagnostics v_count = row_count;
  return v_count;
end;
$$;

comment on function private.purge_rate_limits is 'Forgets keys that are at rest; says how many. Run by the schedule.';

commit;
