begin;

create function private.keep_config_secret(name text, secret text)
returns uuid
language plpgsql
set search_path = ''
as $$
declare
  v_id uuid;
begin
  if to_regprocedure('vault.create_secret(text, text, text, uuid)') is null then
    perform private.refuse('secrets_unavailable');
  end if;
  -- Dynamic, because the Vault may be absent; bound, so that no statement log shows the value.
  execute 'select vault.create_secret($1, $2)' into v_id using keep_config_secret.secret, keep_config_secret.name;
  return v_id;
end;
$$;

comment on function private.keep_config_secret is 'Puts a secret into the Vault. Refuses: secrets_unavailable.';

create function private.config_secret(secret_id uuid)
returns text
language plpgsql
stable
set search_path = ''
as $$
declare
  v_secret text;
begin
  if to_regclass('vault.decrypted_secrets') is null then
    perform private.refuse('secrets_unavailable');
  end if;
  execute 'select kept.decrypted_secret from vault.decrypted_secrets as kept where kept.id = $1'
  into v_secret using config_secret.secret_id;
  return v_secret;
end;
$$;

comment on function private.config_secret is 'A secret from the Vault; null when it is no longer there. Refuses: secrets_unavailable.';

create function private.forget_config_secrets(service_name text, environment text, config_key text, before_version bigint)
returns void
language plpgsql
set search_path = ''
as $$
declare
  v_ids constant uuid[] := array(
    select past.secret_id
    from public.configuration_history as past
    where past.config_key = forget_config_secrets.config_key and past.service_name = forget_config_secrets.service_name
      and past.environment = forget_config_secrets.environment and past.version < forget_config_secrets.before_version
      and past.secret_id is not null
  );
begin
  if v_ids <> '{}' then
    execute 'delete from vault.secrets as kept where kept.id = any ($1)' using v_ids;
  end if;
end;
$$;

comment on function private.forget_config_secrets is
  'Takes the versions of a secret before this one out of the Vault, for good.';

create function private.is_in_config_scope(service_name text)
returns boolean
language plpgsql
stable
set search_path = ''
as $$
declare
  v_actor constant text := private.caller();
begin
  return v_actor not like 'service\_role:svc\_%'
    or v_actor = 'service_role:svc_' || replace(is_in_config_scope.service_name, '-', '_');
end;
$$;

comment on function private.is_in_config_scope is
  'Whether the secret key may have that service''s configuration: one named svc_<service> (hyphens as underscores) has its own alone. '
  'The name is x-actor, which the edge sets to that of the key it has verified.';

create function private.require_config_scope(service_name text)
returns void
language plpgsql
stable
set search_path = ''
as $$
begin
  if not private.is_in_config_scope(require_config_scope.service_name) then
    perform private.refuse('configuration_out_of_scope');
  end if;
end;
$$;

comment on function private.require_config_scope is 'The secret key is not that of another service. Refuses: configuration_out_of_scope.';

commit;
