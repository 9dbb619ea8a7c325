begin;

create table public.idempotency_keys (
  caller text not null,
  route text not null,
  key text not null,
  fingerprint bytea not null,
  status integer not null,
  body jsonb not null,
  correlation_id text default private.correlation_id(),
  created_at timestamptz not null default now(),
  expires_at timestamptz not null default now() + interval '24 hours',
  constraint idempotency_keys_pkey primary key (caller, route, key),
  constraint idempotency_keys_key_is_short check (length(key) between 1 and 255)
);

comment on table public.idempotency_keys is
  'The stored answer of each request that carried an Idempotency-Key, refusals included; an expired one may be used again.';
comment on column public.idempotency_keys.caller is 'Who asked: role and subject, so that keys of two callers never meet.';
comment on column public.idempotency_keys.fingerprint is 'sha256 of the validated request: the same key with another request is refused.';
create index idempotency_keys_expires_at_idx on public.idempotency_keys (expires_at);
alter table public.idempotency_keys enable row level security;

create function private.caller()
returns text
language plpgsql
stable
set search_path = ''
as $$
declare
  v_claims jsonb := nullif(current_setting('request.jwt.claims', true), '')::jsonb;
  -- Not current_user, which is the owner inside SECURITY DEFINER.
  v_role text := coalesce(v_claims ->> 'role', nullif(current_setting('role'), 'none'), session_user);
begin
  -- x-actor names the secret key's bearer; only the service's own role is believed.
  if v_role = 'service_role' then
    return concat_ws(':', v_role, private.request_header('x-actor'));
  end if;
  return concat_ws(':', v_role, v_claims ->> 'sub');
end;
$$;

comment on function private.caller is 'Who is asking, as `role:subject`; for the secret key `service_role:<x-actor>`.';
grant execute on function private.caller to authenticated, service_role;

create function private.fingerprint(request jsonb)
returns bytea
language plpgsql
immutable
set search_path = ''
as $$
begin
  return sha256(convert_to(fingerprint.request::text, 'UTF8'));
end;
$$;

comment on function private.fingerprint is 'What tells a request from another one under the same key.';

create function private.tell_replay()
returns void
language plpgsql
set search_path = ''
as $$
begin
  perform set_config('response.headers', '[{"Idempotent-Replayed": "true"}]', true);
end;
$$;

comment on function private.tell_replay is 'Adds the header that tells a client that it is given an earlier answer again.';

create function private.replay_answer(stored public.idempotency_keys, fingerprint bytea)
returns jsonb
language plpgsql
set search_path = ''
as $$
begin
  if (replay_answer.stored).fingerprint <> replay_answer.fingerprint then
    perform private.refuse('idempotency_key_reused');
  end if;
  perform set_config('response.status', (replay_answer.stored).status::text, true);
  perform private.tell_replay();
  return (replay_answer.stored).body;
end;
$$;

comment on function private.replay_answer is 'Gives a stored answer again, if the request is the same. Refuses: idempotency_key_reused.';

create type private.answer as (status integer, body jsonb);
comment on type private.answer is 'What a request is answered: the HTTP status, and the result or the problem.';

create function private.run_or_problem(work regprocedure, request jsonb)
returns private.answer
language plpgsql
set search_path = ''
as $$
declare
  v_body jsonb;
  v_status integer;
  v_problem text;
  v_detail text;
begin
  perform set_config('response.status', '', true);
  execute format('select %s($1)', run_or_problem.work::oid::regproc) into v_body using run_or_problem.request;
  return (coalesce(nullif(current_setting('response.status', true), '')::integer, 200), v_body)::private.answer;
exception when sqlstate 'PGRST' then
  get stacked diagnostics v_problem = message_text, v_detail = pg_exception_detail;
  v_status := (v_detail::jsonb ->> 'status')::integer;
  -- What may heal by waiting is no answer to keep, nor that the work knows the key, for another request: that one has the answer.
  if v_status = 429 or v_status >= 500 or v_detail::jsonb #> '{headers,Retry-After}' is not null
    or v_problem::jsonb ->> 'code' = 'idempotency_key_reused'
  then
    raise;
  end if;
  return (v_status, v_problem::jsonb)::private.answer;
end;
$$;

comment on function private.run_or_problem is
  'Runs work(request jsonb) returns jsonb in a subtransaction; a refusal becomes an answer with its status and problem.';

create function private.idempotent(route text, key text, request jsonb, work regprocedure, keeps_results boolean default true)
returns jsonb
language plpgsql
security definer -- the only writer of stored answers
set search_path = ''
as $$
declare
  v_caller text := private.caller();
  v_stored public.idempotency_keys;
  v_answer private.answer;
begin
  if coalesce(idempotent.key, '') = '' then
    perform private.refuse('idempotency_key_missing');
  end if;
  if length(idempotent.key) > 255 then
    perform private.refuse('invalid_argument', jsonb_build_object('argument', 'idempotency_key', 'range', '1..255 characters'));
  end if;
  if not pg_try_advisory_xact_lock(hashtextextended(concat_ws(e'\n', v_caller, idempotent.route, idempotent.key), 0)) then
    perform private.refuse('idempotency_key_in_use', '{"retry_after": 1}');
  end if;

  select * into v_stored
  from public.idempotency_keys as stored
  where stored.caller = v_caller and stored.route = idempotent.route and stored.key = idempotent.key
    and stored.expires_at > now();
  if found then
    return private.replay_answer(v_stored, private.fingerprint(idempotent.request));
  end if;

  v_answer := private.run_or_problem(idempotent.work, idempotent.request);
  if idempotent.keeps_results or v_answer.status >= 400 then
    insert into public.idempotency_keys (caller, route, key, fingerprint, status, body)
    values (v_caller, idempotent.route, idempotent.key, private.fingerprint(idempotent.request), v_answer.status, v_answer.body)
    on conflict on constraint idempotency_keys_pkey do update set
      fingerprint = excluded.fingerprint, status = excluded.status, body = excluded.body,
      correlation_id = excluded.correlation_id, created_at = excluded.created_at, expires_at = excluded.expires_at;
  end if;
  perform set_config('response.status', v_answer.status::text, true);
  return v_answer.body;
end;
$$;

comment on function private.idempotent is
  'Runs work(request jsonb) returns jsonb once per (caller, route, key): the same request again gets the stored answer and the header '
  'Idempotent-Replayed. Work and answer commit together; a refusal is kept as an answer, except 429, 5xx and what says Retry-After. '
  'Without keeps_results only refusals are stored: the work itself finds what it has done under the key, for good, and calls private.tell_replay(). '
  'Refuses: idempotency_key_missing, invalid_argument, idempotency_key_in_use, idempotency_key_reused.';

create function private.purge_idempotency_keys()
returns bigint
language plpgsql
set search_path = ''
as $$
declare
  v_count bigint;
begin
  delete from public.idempotency_keys as stored where stored.expires_at < now();
  get diagnostics v_count = row_count;
  return v_count;
end;
$$;

comment on function private.purge_idempotency_keys is 'Deletes expired answers; says how many. Run by the schedule.';

commit;
