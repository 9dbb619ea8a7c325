begin;

create function private.log_secret_refusal(actor_type text, actor_identifier text, code text, resource_id text)
returns boolean
language plpgsql
set search_path = ''
as $$
begin
  -- Whoever tries in a loop must not fill the log, which is kept for good.
  if not (
    select charged.is_allowed
    from private.charge_rate_limit(
      'secret-refusals:' || log_secret_refusal.actor_type || ':' || log_secret_refusal.actor_identifier, 10, interval '1 minute', 10
    ) as charged
  ) then
    return false;
  end if;
  perform private.log_audit_event(
    log_secret_refusal.actor_type, log_secret_refusal.actor_identifier, 'secret_reveal_refused', 'configurations',
    log_secret_refusal.resource_id, jsonb_build_object('code', log_secret_refusal.code)
  );
  return true;
end;
$$;

comment on function private.log_secret_refusal is
  'Writes to the audit log who asked for a secret in vain: ten a minute of each at most. Says whether it did.';

create function private.refuse_secret(code text, resource_id text)
returns jsonb
language plpgsql
set search_path = ''
as $$
declare
  v_actor record;
  v_problem record;
begin
  select * into v_actor from private.current_actor();
  perform private.log_secret_refusal(v_actor.actor_type, v_actor.actor_identifier, refuse_secret.code, refuse_secret.resource_id);
  select problem.status, problem.title into strict v_problem
  from private.problem_catalog() as problem
  where problem.code = refuse_secret.code;
  perform set_config('response.status', v_problem.status::text, true);
  return jsonb_build_object('code', refuse_secret.code, 'message', v_problem.title, 'details', null, 'hint', null);
end;
$$;

comment on function private.refuse_secret is
  'Refuses as private.refuse() does, but by an ordinary result with its HTTP status, so that the line in the audit log is not rolled back.';

create function private.record_secret_refusal(actor_type text, actor_identifier text, code text, resource_id text)
returns boolean
language plpgsql
security definer -- no role may charge rates or write the log itself
set search_path = ''
as $$
begin
  return private.log_secret_refusal(
    record_secret_refusal.actor_type, record_secret_refusal.actor_identifier, record_secret_refusal.code, record_secret_refusal.resource_id
  );
end;
$$;

comment on function private.record_secret_refusal is 'The work of public.record_secret_refusal().';

create function public.record_secret_refusal(actor_type text, actor_identifier text, code text, resource_id text)
returns boolean
language plpgsql
set search_path = ''
set statement_timeout = '2s'
as $$
begin
  if (
    record_secret_refusal.actor_type ~ '^[a-z][a-z0-9_]{0,49}$'
    and length(record_secret_refusal.actor_identifier) between 1 and 255
    and record_secret_refusal.code ~ '^[a-z][a-z0-9_]{0,62}$'
    and length(record_secret_refusal.resource_id) between 1 and 1000
  ) is not true then
    perform private.refuse('invalid_argument');
  end if;
  return private.record_secret_refusal(
    record_secret_refusal.actor_type, record_secret_refusal.actor_identifier, record_secret_refusal.code, record_secret_refusal.resource_id
  );
end;
$$;

comment on function public.record_secret_refusal is
  'For config-fetch, when it has refused to tell a secret before asking for it: a line in the audit log, ten a minute of each caller at most; says '
  'whether it was written. Refuses: invalid_argument.';
grant execute on function public.record_secret_refusal, private.record_secret_refusal to service_role;

create function private.reveal_secret(service_name text, config_key text, environment text, version bigint)
returns jsonb
language plpgsql
security definer -- reads the Vault, after asking who may
set search_path = ''
as $$
declare
  v_place constant text := concat_ws(',', reveal_secret.config_key, reveal_secret.service_name, reveal_secret.environment);
  v_entry public.configurations;
  v_version bigint;
  v_secret text;
  v_actor record;
begin
  if not private.is_registered_operator() then
    return private.refuse_secret('operator_required', v_place);
  end if;
  select * into v_entry
  from public.configurations as known
  where known.config_key = reveal_secret.config_key and known.service_name = reveal_secret.service_name
    and known.environment = reveal_secret.environment and known.is_secret and not known.is_deleted;
  v_version := coalesce(reveal_secret.version, v_entry.version);
  v_secret := private.config_secret((
    select past.secret_id
    from public.configuration_history as past
    where past.config_key = v_entry.config_key and past.service_name = v_entry.service_name
      and past.environment = v_entry.environment and past.version = v_version
  ));
  if v_secret is null then
    return private.refuse_secret('configuration_not_found', v_place);
  end if;
  select * into v_actor from private.current_actor();
  perform private.log_audit_event(
    v_actor.actor_type, v_actor.actor_identifier, 'secret_revealed', 'configurations', v_place, jsonb_build_object('version', v_version)
  );
  return to_jsonb(v_secret);
end;
$$;

comment on function private.reveal_secret is 'The work of public.reveal_secret().';

create function public.reveal_secret(service_name text, config_key text, environment text, version bigint default null)
returns jsonb
language plpgsql
set search_path = ''
set statement_timeout = '2s'
as $$
begin
  perform private.require_config_arguments(reveal_secret.service_name, reveal_secret.config_key, reveal_secret.environment);
  return private.reveal_secret(reveal_secret.service_name, reveal_secret.config_key, reveal_secret.environment, reveal_secret.version);
end;
$$;

comment on function public.reveal_secret is
  'For registered operators: a secret''s value as a JSON string, of the current version or the one before; every answer is in the audit log, and so is every '
  'refusal: it is returned with its HTTP status instead of raised, to outlive itself. Refuses: configuration_not_found, invalid_argument, '
  'operator_required, secrets_unavailable.';
grant execute on function public.reveal_secret, private.reveal_secret to authenticated;

commit;
