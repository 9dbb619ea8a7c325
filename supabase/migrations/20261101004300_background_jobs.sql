begin;

create type public.job_state as enum ('scheduled', 'ready', 'running', 'succeeded', 'failed', 'cancelled');
comment on type public.job_state is
  'Where a job is. scheduled: its time has not come (a first run, or the next attempt); ready: it waits for a worker; running: it is leased to one; '
  'succeeded, cancelled; failed: its attempts are used up, or it said itself that another would not help.';

create domain private.job_document as jsonb
  constraint job_document_is_small check (octet_length(value::text) <= 262144);
comment on domain private.job_document is 'What a job is given, or gives back: JSON of at most 256 KiB as text.';

create table public.job_types (
  job_type text not null,
  description text not null,
  handler text,
  timeout interval not null default '30 seconds',
  max_attempts integer not null default 10,
  shortest_backoff interval not null default '10 seconds',
  longest_backoff interval not null default '1 hour',
  retention interval not null default '7 days',
  priority private.work_priority not null default 5,
  is_paused boolean not null default false,
  constraint job_types_pkey primary key (job_type),
  constraint job_types_job_type_is_short check (job_type ~ '^[a-z][a-z0-9_.-]{0,62}$'),
  constraint job_types_timeout_is_bounded check (
    timeout between interval '1 second' and case when handler is null then interval '24 hours' else interval '1 minute' end
  ),
  constraint job_types_max_attempts_are_few check (max_attempts between 1 and 100),
  constraint job_types_backoff_has_a_range check (
    shortest_backoff >= interval '0' and longest_backoff between shortest_backoff and interval '7 days'
  ),
  constraint job_types_retention_is_bounded check (retention between interval '1 minute' and interval '1 year')
);

comment on table public.job_types is 'The kinds of background jobs, and how each is run. Written by migrations.';
comment on column public.job_types.handler is
  'The SQL function f(payload jsonb) returns jsonb that does the work, as text: a regprocedure would keep pg_upgrade from running. '
  'Null: a worker outside claims such jobs and completes them.';
comment on column public.job_types.timeout is
  'How long one attempt may take. A SQL function holds a transaction, a connection of the API and what its locks and writes hold up, so it gets a minute '
  'at most: longer work goes on in another job.';
comment on column public.job_types.max_attempts is 'After how many attempts a job has failed.';
comment on column public.job_types.shortest_backoff is 'How long to wait after the first failure; doubled with each, less up to half of it at random.';
comment on column public.job_types.retention is 'How long a finished job stays to be seen, and its idempotency key stands for it.';
comment on column public.job_types.is_paused is 'Nothing of this type is claimed; it may be scheduled as always.';
alter table public.job_types enable row level security;
grant select on public.job_types to service_role;

create table public.background_jobs (
  id uuid not null default private.uuid_v7(),
  job_type text not null,
  job_name text not null,
  state public.job_state not null,
  priority private.work_priority not null,
  payload private.job_document not null,
  scheduled_at timestamptz not null,
  ready_position bigint,
  attempt_count integer not null default 0,
  max_attempts integer not null,
  lease_token bigint not null default 0,
  lease_until timestamptz,
  started_at timestamptz,
  finished_at timestamptz,
  progress jsonb,
  result private.job_document,
  last_error text,
  last_failed_at timestamptz,
  idempotency_key text,
  request_hash bytea,
  unique_key text,
  correlation_id text,
  created_at timestamptz not null default now(),
  constraint background_jobs_pkey primary key (id),
  constraint background_jobs_job_name_is_short check (length(job_name) between 1 and 200),
  constraint background_jobs_ready_ones_have_a_place check ((state = 'ready') = (ready_position is not null)),
  constraint background_jobs_running_ones_are_leased check ((state = 'running') = (lease_until is not null)),
  constraint background_jobs_finished_ones_have_ended check ((state in ('succeeded', 'failed', 'cancelled')) = (finished_at is not null)),
  constraint background_jobs_progress_is_small check (octet_length(progress::text) <= 8192),
  constraint background_jobs_last_error_is_short check (length(last_error) <= 1000),
  constraint background_jobs_idempotency_key_is_short check (length(idempotency_key) between 1 and 255),
  constraint background_jobs_keys_know_their_request check ((idempotency_key is null) = (request_hash is null)),
  constraint background_jobs_unique_key_is_short check (length(unique_key) between 1 and 255)
)
with (
  fillfactor = 85, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 2000,
  autovacuum_vacuum_insert_scale_factor = 0.1, autovacuum_vacuum_cost_delay = 0, autovacuum_analyze_scale_factor = 0.05
);

comment on table public.background_jobs is
  'Background jobs, from the day they are scheduled until their type''s retention has passed since they ended. One table for all states: every '
  'look for work goes through an index that holds only the rows of one state, so what has ended costs the living nothing. '
  'No foreign key leads to the type: it would lock the type''s row with every job; keep_used_job_type() guards the other side.';
comment on column public.background_jobs.scheduled_at is 'When it is, or was, to run: first as asked for, after a failure when it is tried again.';
comment on column public.background_jobs.ready_position is 'Its place among the ready ones of its type and priority: drawn anew whenever it becomes ready.';
comment on column public.background_jobs.lease_token is 'Rises with every claim: only the last claimer''s token still counts.';
comment on column public.background_jobs.lease_until is
  'When the maintenance looks whether the job is still being worked on: the end of the claimer''s lease, or the time limit of a SQL function that runs.';
comment on column public.background_jobs.started_at is 'When the last attempt began.';
comment on column public.background_jobs.progress is 'What a worker outside last reported. A SQL function''s own stays hidden until it commits: see get_job().';
comment on column public.background_jobs.last_error is 'Why the last attempt failed: SQLSTATE and message, or what the worker reported.';
comment on column public.background_jobs.request_hash is 'sha256 of what was asked for: the same idempotency key with something else is refused.';
comment on column public.background_jobs.unique_key is 'Of two jobs of a type that have not ended, at most one has it.';
create unique index background_jobs_idempotency_key_key on public.background_jobs (job_type, idempotency_key)
where idempotency_key is not null;
create unique index background_jobs_unique_key_key on public.background_jobs (job_type, unique_key)
where unique_key is not null and state in ('scheduled', 'ready', 'running');
create index background_jobs_ready_idx on public.background_jobs (job_type, priority, ready_position) where state = 'ready';
create index background_jobs_scheduled_idx on public.background_jobs (scheduled_at) include (job_type) where state = 'scheduled';
create index background_jobs_retried_idx on public.background_jobs (job_type, last_failed_at)
where state = 'scheduled' and attempt_count > 0;
create index background_jobs_running_idx on public.background_jobs (lease_until) where state = 'running';
create index background_jobs_finished_idx on public.background_jobs (job_type, state, finished_at) where finished_at is not null;
alter table public.background_jobs enable row level security;
grant select on public.background_jobs to service_role;

create function private.keep_used_job_type()
returns trigger
language plpgsql
set search_path = ''
as $$
begin
  if exists (select from public.background_jobs as job where job.job_type = old.job_type) then
    raise exception 'there are jobs of type %', old.job_type using errcode = 'foreign_key_violation';
  end if;
  return old;
end;
$$;

comment on function private.keep_used_job_type is 'Keeps a type as long as there are jobs of it; pause it instead.';
create trigger keep_used
before delete on public.job_types
for each row execute function private.keep_used_job_type();

create function private.check_job_handler()
returns trigger
language plpgsql
set search_path = ''
as $$
begin
  if new.handler is not null and not exists (
    select from pg_catalog.pg_proc as function
    where function.oid = to_regprocedure(new.handler || '(jsonb)') and function.prorettype = 'jsonb'::regtype and not function.proretset
  ) then
    raise exception 'there is no function %(jsonb) returns jsonb', new.handler using errcode = 'undefined_function';
  end if;
  return new;
end;
$$;

comment on function private.check_job_handler is 'Keeps a job type from naming a handler that is not there.';
create trigger check_handler
before insert or update of handler on public.job_types
for each row execute function private.check_job_handler();

commit;
