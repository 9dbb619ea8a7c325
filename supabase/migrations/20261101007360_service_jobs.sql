begin;

create table private.service_secrets (
  id uuid not null,
  service_name text not null,
  created_at timestamptz not null default clock_timestamp(),
  expires_at timestamptz,
  constraint service_secrets_pkey primary key (id)
);

comment on table private.service_secrets is
  'Which secrets sign the jobs that are posted to a service. The secrets themselves are in the Vault: a copy of our tables does not hold them.';
comment on column private.service_secrets.id is 'The secret''s id in the Vault.';
comment on column private.service_secrets.expires_at is 'Null: the newest. Set by a rotation: until then it signs beside the new one.';
create unique index service_secrets_newest_key on private.service_secrets (service_name) where expires_at is null;
alter table private.service_secrets enable row level security;

create function private.is_service_path(path text)
returns boolean
language plpgsql
immutable
set search_path = ''
as $$
begin
  return length(is_service_path.path) <= 500 and is_service_path.path ~ '^(/[A-Za-z0-9_.~-]+)+$' and is_service_path.path !~ '(^|/)[.]+(/|$)';
end;
$$;

comment on function private.is_service_path is 'Whether this can be added to an endpoint: segments of unreserved characters, none of them dots alone.';

create table public.service_job_handlers (
  job_type text not null,
  service_name text not null,
  path text not null,
  constraint service_job_handlers_pkey primary key (job_type),
  constraint service_job_handlers_job_type_fkey foreign key (job_type) references public.job_types (job_type) on delete cascade,
  constraint service_job_handlers_service_name_is_short check (service_name ~ '^[a-z][a-z0-9-]{0,62}$'),
  constraint service_job_handlers_path_is_a_path check (private.is_service_path(path))
);

comment on table public.service_job_handlers is 'Kinds of background jobs that a registered service does: the worker posts them to a usable instance''s endpoint.';
comment on column public.service_job_handlers.path is 'What is added to the instance''s endpoint.';
create index service_job_handlers_service_name_idx on public.service_job_handlers (service_name);
alter table public.service_job_handlers enable row level security;
grant select on public.service_job_handlers to service_role;
select private.audit_table('public.service_job_handlers');

create function private.make_service_secret(service_name text)
returns text
language plpgsql
set search_path = ''
as $$
declare
  v_secret constant text := 'whsec_' || encode(extensions.gen_random_bytes(32), 'base64');
begin
  if to_regprocedure('vault.create_secret(text, text, text, uuid)') is null then
    perform private.refuse('secrets_unavailable');
  end if;
  insert into private.service_secrets (id, service_name)
  values (vault.create_secret(v_secret, null, 'Signs jobs for the service ' || make_service_secret.service_name), make_service_secret.service_name);
  return v_secret;
end;
$$;

comment on function private.make_service_secret is
  'A new secret of a service, whose newest it is from now on: 32 random bytes (Standard Webhooks asks for 24 to 64). Refuses: secrets_unavailable.';

create function private.forget_service_secrets(ids uuid[])
returns void
language plpgsql
set search_path = ''
as $$
begin
  delete from private.service_secrets as secret where secret.id = any(forget_service_secrets.ids);
  delete from vault.secrets as kept where kept.id = any(forget_service_secrets.ids);
end;
$$;

comment on function private.forget_service_secrets is 'Removes secrets, from the Vault too.';

create function private.service_secrets_of(service_name text)
returns text[]
language plpgsql
stable
set search_path = ''
as $$
begin
  return array(
    select kept.decrypted_secret
    from private.service_secrets as secret
    join vault.decrypted_secrets as kept on kept.id = secret.id
    where secret.service_name = service_secrets_of.service_name and coalesce(secret.expires_at > now(), true)
    order by secret.created_at desc
  );
end;
$$;

comment on function private.service_secrets_of is 'The secrets that sign a service''s jobs now, the newest first: one, or two for a while after a rotation.';

create function private.rotate_service_secret(service_name text, overlap interval)
returns text
language plpgsql
security definer -- the Vault is for no role
set search_path = ''
as $$
declare
  v_actor record := private.current_actor();
begin
  perform private.require_service_or_registered_operator();
  -- One rotates at a time. Two secrets sign at most: what a former rotation left behind ends now.
  perform pg_advisory_xact_lock(hashtextextended('service secret ' || rotate_service_secret.service_name, 0));
  perform private.forget_service_secrets(array(
    select secret.id from private.service_secrets as secret
    where secret.service_name = rotate_service_secret.service_name and secret.expires_at is not null
  ));
  update private.service_secrets as secret set expires_at = now() + rotate_service_secret.overlap
  where secret.service_name = rotate_service_secret.service_name;
  perform private.log_audit_event(
    v_actor.actor_type, v_actor.actor_identifier, 'service_secret.rotated', 'service', rotate_service_secret.service_name,
    jsonb_build_object('overlap_seconds', extract(epoch from rotate_service_secret.overlap)::integer)
  );
  return private.make_service_secret(rotate_service_secret.service_name);
end;
$$;

comment on function private.rotate_service_secret is 'The work of public.rotate_service_secret().';

create function public.rotate_service_secret(service_name text, overlap_seconds integer default 86400)
returns text
language plpgsql
set search_path = ''
set statement_timeout = '5s'
as $$
begin
  if (rotate_service_secret.service_name ~ '^[a-z][a-z0-9-]{0,62}$') is not true then
    perform private.refuse('invalid_argument', '{"argument": "service_name"}');
  end if;
  if (rotate_service_secret.overlap_seconds between 0 and 604800) is not true then
    perform private.refuse('invalid_argument', '{"argument": "overlap_seconds", "range": "0..604800"}');
  end if;
  perform private.require_service_scope(rotate_service_secret.service_name);
  return private.rotate_service_secret(rotate_service_secret.service_name, make_interval(secs => rotate_service_secret.overlap_seconds));
end;
$$;

comment on function public.rotate_service_secret is
  'Gives a service a new secret to verify its jobs by (whsec_..., shown here and never again); the former one signs beside it for a day, unless said otherwise. The audit log hears of it. '
  'For services and registered operators. Refuses: invalid_argument, operator_required, service_out_of_scope, secrets_unavailable.';
grant execute on function public.rotate_service_secret, private.rotate_service_secret to authenticated, service_role;

create function private.handle_jobs_by_service(
  job_type text,
  service_name text,
  path text,
  description text,
  timeout_seconds integer,
  max_attempts integer
)
returns void
language plpgsql
security definer -- kinds of jobs are written by no role but through functions
set search_path = ''
as $$
begin
  perform private.require_service_or_registered_operator();
  insert into public.job_types as type (job_type, description, timeout, max_attempts)
  values (
    handle_jobs_by_service.job_type, handle_jobs_by_service.description,
    make_interval(secs => handle_jobs_by_service.timeout_seconds), handle_jobs_by_service.max_attempts
  )
  on conflict on constraint job_types_pkey do update set
    description = excluded.description, timeout = excluded.timeout, max_attempts = excluded.max_attempts
  -- What a function of ours does, or another service, stays theirs.
  where type.handler is null and (
    select handler.service_name from public.service_job_handlers as handler where handler.job_type = type.job_type
  ) = handle_jobs_by_service.service_name;
  if not found then
    perform private.refuse('job_type_taken');
  end if;
  insert into public.service_job_handlers as handler (job_type, service_name, path)
  values (handle_jobs_by_service.job_type, handle_jobs_by_service.service_name, handle_jobs_by_service.path)
  on conflict on constraint service_job_handlers_pkey do update set path = excluded.path;
end;
$$;

comment on function private.handle_jobs_by_service is 'The work of public.handle_jobs_by_service().';

create function public.handle_jobs_by_service(
  job_type text,
  service_name text,
  path text,
  description text,
  timeout_seconds integer default 60,
  max_attempts integer default 10
)
returns void
language plpgsql
set search_path = ''
set statement_timeout = '5s'
as $$
declare
  v_fault text := case
    when (handle_jobs_by_service.job_type ~ '^[a-z][a-z0-9_.-]{0,62}$') is not true then 'job_type'
    when (handle_jobs_by_service.service_name ~ '^[a-z][a-z0-9-]{0,62}$') is not true then 'service_name'
    when private.is_service_path(handle_jobs_by_service.path) is not true then 'path'
    when (length(handle_jobs_by_service.description) between 1 and 500) is not true then 'description'
    when (handle_jobs_by_service.timeout_seconds between 10 and 86400) is not true then 'timeout_seconds'
    when (handle_jobs_by_service.max_attempts between 1 and 100) is not true then 'max_attempts'
  end;
begin
  if v_fault is not null then
    perform private.refuse('invalid_argument', jsonb_build_object('argument', v_fault));
  end if;
  perform private.require_service_scope(handle_jobs_by_service.service_name);
  perform private.handle_jobs_by_service(
    handle_jobs_by_service.job_type, handle_jobs_by_service.service_name, handle_jobs_by_service.path,
    handle_jobs_by_service.description, handle_jobs_by_service.timeout_seconds, handle_jobs_by_service.max_attempts
  );
end;
$$;

comment on function public.handle_jobs_by_service is
  'Has background jobs of a type done by a service: schedule_job() as always, and the worker posts each to <endpoint><path> of a usable instance, signed with the service''s secret '
  '(rotate_service_secret() makes the first). Again, it changes the path and the rest. For services and registered operators. '
  'Refuses: invalid_argument, operator_required, service_out_of_scope, job_type_taken.';
grant execute on function public.handle_jobs_by_service, private.handle_jobs_by_service, private.is_service_path to authenticated, service_role;

commit;
