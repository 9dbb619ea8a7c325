begin;

create type public.job_unique_mode as enum ('reject', 'replace');
comment on type public.job_unique_mode is
  'What becomes of a job whose unique_key a living one has. reject: the living one stays as it is; replace: it takes the new name, payload, priority and time.';

create type public.scheduled_job as (
  job_id uuid,
  state public.job_state,
  scheduled_at timestamptz,
  is_duplicate boolean
);
comment on type public.scheduled_job is 'A job as it stands after it was scheduled. is_duplicate: it was there already, and stays as it was.';

create function private.require_job_type(job_type text)
returns public.job_types
language plpgsql
stable
set search_path = ''
as $$
declare
  v_type public.job_types;
begin
  select * into v_type from public.job_types as type where type.job_type = require_job_type.job_type;
  if not found then
    perform private.refuse('invalid_argument', '{"argument": "job_type", "range": "a row of job_types"}');
  end if;
  return v_type;
end;
$$;

comment on function private.require_job_type is 'How jobs of a type are run. Refuses: invalid_argument.';

create function private.replace_job(job public.background_jobs)
returns uuid
language plpgsql
set search_path = ''
as $$
declare
  v_living public.background_jobs;
begin
  select * into v_living from public.background_jobs as living
  where living.job_type = (replace_job.job).job_type and living.unique_key = (replace_job.job).unique_key
    and living.state in ('scheduled', 'ready', 'running')
  for no key update;
  if v_living.state = 'running' then
    -- It may have read what has changed since: it ends as it will, and the new one has the key.
    update public.background_jobs as living set unique_key = null, max_attempts = living.attempt_count where living.id = v_living.id;
    return null;
  end if;
  update public.background_jobs as living set
    job_name = (replace_job.job).job_name,
    state = (replace_job.job).state,
    priority = (replace_job.job).priority,
    payload = (replace_job.job).payload,
    scheduled_at = (replace_job.job).scheduled_at,
    ready_position = (replace_job.job).ready_position,
    attempt_count = 0,
    max_attempts = (replace_job.job).max_attempts,
    correlation_id = (replace_job.job).correlation_id
  where living.id = v_living.id;
  return v_living.id;
end;
$$;

comment on function private.replace_job is
  'Puts a new request in the place of the living job with its unique_key, and says which that is; null if there is none, or if it runs already: '
  'then it gives up the key, and further attempts, to a new one.';

create function private.duplicate_job(job public.background_jobs)
returns public.background_jobs
language plpgsql
set search_path = ''
as $$
declare
  v_duplicate public.background_jobs;
begin
  select * into v_duplicate from public.background_jobs as earlier
  where earlier.job_type = (duplicate_job.job).job_type and earlier.idempotency_key = (duplicate_job.job).idempotency_key;
  if found then
    if v_duplicate.request_hash <> (duplicate_job.job).request_hash then
      perform private.refuse('idempotency_key_reused');
    end if;
    return v_duplicate;
  end if;
  select * into v_duplicate from public.background_jobs as living
  where living.job_type = (duplicate_job.job).job_type and living.unique_key = (duplicate_job.job).unique_key
    and living.state in ('scheduled', 'ready', 'running');
  return v_duplicate;
end;
$$;

comment on function private.duplicate_job is 'The job that has a new one''s idempotency_key, or lives and has its unique_key. Refuses: idempotency_key_reused.';

create function private.new_job(
  type public.job_types,
  job_name text,
  payload jsonb,
  scheduled_at timestamptz,
  priority integer,
  idempotency_key text,
  unique_key text
)
returns public.background_jobs
language plpgsql
set search_path = ''
as $$
declare
  v_job public.background_jobs;
begin
  v_job.id := private.uuid_v7();
  v_job.job_type := (new_job.type).job_type;
  v_job.job_name := coalesce(new_job.job_name, v_job.job_type);
  v_job.priority := coalesce(new_job.priority, (new_job.type).priority);
  v_job.payload := new_job.payload;
  v_job.scheduled_at := coalesce(new_job.scheduled_at, now());
  v_job.state := case when v_job.scheduled_at > now() then 'scheduled' else 'ready' end;
  v_job.ready_position := case when v_job.state = 'ready' then private.next_job_position() end;
  v_job.attempt_count := 0;
  v_job.max_attempts := (new_job.type).max_attempts;
  v_job.lease_token := 0;
  v_job.unique_key := new_job.unique_key;
  v_job.idempotency_key := new_job.idempotency_key;
  if new_job.idempotency_key is not null then
    v_job.request_hash := sha256(convert_to(jsonb_build_array(
      new_job.job_name, new_job.payload, new_job.scheduled_at, new_job.priority, new_job.unique_key
    )::text, 'UTF8'));
  end if;
  v_job.correlation_id := coalesce(private.correlation_id(), v_job.id::text);
  v_job.created_at := now();
  return v_job;
end;
$$;

comment on function private.new_job is 'A job as it is asked for, not stored yet: ready if its time has come, with what its type says where nothing is asked for.';

create function private.schedule_job(
  job_type text,
  job_name text default null,
  payload jsonb default '{}',
  scheduled_at timestamptz default null,
  priority integer default null,
  idempotency_key text default null,
  unique_key text default null,
  unique_mode public.job_unique_mode default 'reject'
)
returns public.scheduled_job
language plpgsql
security definer -- jobs are written by their functions only
set search_path = ''
as $$
declare
  v_job public.background_jobs := private.new_job(
    private.require_job_type(schedule_job.job_type), schedule_job.job_name, schedule_job.payload, schedule_job.scheduled_at,
    schedule_job.priority, schedule_job.idempotency_key, schedule_job.unique_key
  );
  v_duplicate public.background_jobs;
  v_replaced_id uuid;
begin
  loop
    if schedule_job.unique_mode = 'replace' then
      v_replaced_id := private.replace_job(v_job);
      exit when v_replaced_id is not null;
    end if;
    insert into public.background_jobs values (v_job.*) on conflict do nothing;
    exit when found;
    v_duplicate := private.duplicate_job(v_job);
    if v_duplicate.id is not null and schedule_job.unique_mode = 'reject' then
      return (v_duplicate.id, v_duplicate.state, v_duplicate.scheduled_at, true);
    end if;
    -- It has ended, or begun, in between.
  end loop;

  perform private.open_job_lane(v_job.job_type, v_job.priority);
  if v_job.state = 'ready' then
    perform private.kick_worker();
  end if;
  return (coalesce(v_replaced_id, v_job.id), v_job.state, v_job.scheduled_at, false);
end;
$$;

comment on function private.schedule_job is 'The work of public.schedule_job(), for SQL.';

create function public.schedule_job(
  job_type text,
  job_name text default null,
  payload jsonb default '{}',
  scheduled_at timestamptz default null,
  priority integer default null,
  idempotency_key text default null,
  unique_key text default null,
  unique_mode public.job_unique_mode default 'reject'
)
returns public.scheduled_job
language plpgsql
set search_path = ''
set statement_timeout = '5s'
as $$
declare
  v_fault text := case
    when length(schedule_job.job_name) not between 1 and 200 then 'job_name'
    when schedule_job.payload is null or octet_length(schedule_job.payload::text) > 262144 then 'payload'
    when not isfinite(schedule_job.scheduled_at) then 'scheduled_at'
    when schedule_job.priority not between 0 and 9 then 'priority'
    when length(schedule_job.idempotency_key) not between 1 and 255 then 'idempotency_key'
    when length(schedule_job.unique_key) not between 1 and 255 then 'unique_key'
    when schedule_job.unique_mode is null
      or schedule_job.unique_mode = 'replace' and (schedule_job.unique_key is null or schedule_job.idempotency_key is not null)
      then 'unique_mode'
  end;
begin
  if v_fault is not null then
    perform private.refuse('invalid_argument', jsonb_build_object('argument', v_fault));
  end if;
  return private.schedule_job(
    schedule_job.job_type,
    schedule_job.job_name,
    schedule_job.payload,
    schedule_job.scheduled_at,
    schedule_job.priority,
    schedule_job.idempotency_key,
    schedule_job.unique_key,
    schedule_job.unique_mode
  );
end;
$$;

comment on function public.schedule_job is
  'Has a job done at scheduled_at (now, if it is null or past), by priority (0 first to 9 last; the type''s, if null). '
  'The same idempotency_key of a type again returns the first job, whatever its state, until its retention has passed. '
  'unique_key: no two living jobs of a type have the same. If one has it, it is returned; with unique_mode replace it takes the new name, payload, '
  'priority and time (debounce), or, if it runs already, is not tried again and a new job is made. replace needs a unique_key and excludes an idempotency_key. '
  'Refuses: invalid_argument, idempotency_key_reused.';
grant execute on function public.schedule_job, private.schedule_job to service_role;

commit;
