begin;

create table public.trip_failures (
  trip_id uuid not null,
  work text not null,
  failure_count integer not null default 1,
  error text not null,
  failed_at timestamptz not null default now(),
  retry_at timestamptz not null,
  constraint trip_failures_pkey primary key (trip_id, work),
  constraint trip_failures_trip_id_fkey foreign key (trip_id) references public.trips (id),
  constraint trip_failures_work_is_known check (work in ('tend', 'settle', 'repeat'))
);

comment on table public.trip_failures is
  'What the schedule could not do about a trip and tries again, later each time; gone once it is done. Shown by public.stuck_trips.';
comment on column public.trip_failures.work is
  'tend: what was due of it. settle: what a provider took in for it was not given on. repeat: the next of the series that it began was not made.';
comment on column public.trip_failures.error is 'SQLSTATE and message of the last failure, or the code of a refusal.';
alter table public.trip_failures enable row level security;
grant select on public.trip_failures to service_role;

create function private.record_trip_failure(trip_id uuid, work text, error text)
returns timestamptz
language plpgsql
set search_path = ''
as $$
declare
  v_retry_at timestamptz;
begin
  insert into public.trip_failures as known (trip_id, work, error, retry_at)
  values (
    record_trip_failure.trip_id, record_trip_failure.work, left(record_trip_failure.error, 500),
    now() + private.retry_delay(1, '2 seconds', '5 minutes')
  )
  on conflict on constraint trip_failures_pkey do update set
    failure_count = known.failure_count + 1,
    error = excluded.error,
    failed_at = excluded.failed_at,
    retry_at = now() + private.retry_delay(known.failure_count + 1, '2 seconds', '5 minutes')
  returning known.retry_at into v_retry_at;
  return v_retry_at;
end;
$$;

comment on function private.record_trip_failure is 'Keeps that work on a trip failed; says when to try again.';

create function private.forget_trip_failures(trip_ids uuid[], work text)
returns void
language plpgsql
set search_path = ''
as $$
begin
  delete from public.trip_failures as known
  where known.trip_id = any(forget_trip_failures.trip_ids) and known.work = forget_trip_failures.work;
end;
$$;

comment on function private.forget_trip_failures is 'The work that had failed is done, or no longer due.';

commit;
