begin;

create function private.effective_configs(service_name text, environment text)
returns setof public.configurations
language sql
stable
set search_path = ''
as $$
  select distinct on (entry.config_key) entry.*
  from public.configurations as entry
  where entry.service_name in (effective_configs.service_name, 'all') and entry.environment in (effective_configs.environment, 'all')
    and not entry.is_deleted
  order by entry.config_key, entry.service_name = 'all', entry.environment = 'all'
$$;

comment on function private.effective_configs is 'The most specific value of each key for one service and environment.';

create function private.config_document(service_name text, environment text, is_for_clients boolean, has_secrets boolean)
returns jsonb
language plpgsql
stable
set search_path = ''
as $$
begin
  return jsonb_build_object(
    'service', config_document.service_name,
    'environment', config_document.environment,
    'version', (
      select coalesce(max(case when config_document.is_for_clients then entry.public_revision else entry.revision end), 0)
      from public.configurations as entry
      where entry.service_name in (config_document.service_name, 'all') and entry.environment in (config_document.environment, 'all')
    ),
    'entries', (
      select coalesce(jsonb_object_agg(entry.config_key, jsonb_build_object(
        'value', case when entry.is_secret and config_document.has_secrets
          then to_jsonb(private.config_secret(entry.secret_id)) else entry.value end,
        'type', entry.value_type, 'is_secret', entry.is_secret, 'version', entry.version,
        'origin', jsonb_build_object('service', entry.service_name, 'environment', entry.environment)
      )), '{}')
      from private.effective_configs(config_document.service_name, config_document.environment) as entry
      where entry.is_public or not config_document.is_for_clients
    )
  );
end;
$$;

comment on function private.config_document is
  'One document of values with their origins; a secret''s value is null unless asked for. Clients get what is public where it is most specific.';

create function private.get_service_configs(service_name text, environment text, include_secrets boolean)
returns jsonb
language plpgsql
security definer -- reads the Vault, after asking who may
set search_path = ''
as $$
declare
  v_has_secrets constant boolean := get_service_configs.include_secrets is true;
  v_actor record;
  v_document jsonb;
begin
  if v_has_secrets and not private.is_in_config_scope(get_service_configs.service_name) then
    return private.refuse_secret('configuration_out_of_scope', get_service_configs.service_name || ',' || get_service_configs.environment);
  end if;
  perform private.require_config_scope(get_service_configs.service_name);
  v_document := private.config_document(get_service_configs.service_name, get_service_configs.environment, false, v_has_secrets);
  if v_has_secrets and jsonb_path_exists(v_document, '$.entries.* ? (@.is_secret == true)') then
    select * into v_actor from private.current_actor();
    perform private.log_audit_event(
      v_actor.actor_type, v_actor.actor_identifier, 'secrets_revealed', 'configurations',
      get_service_configs.service_name || ',' || get_service_configs.environment,
      (
        select jsonb_object_agg(entry.key, entry.value - 'value')
        from jsonb_each(v_document -> 'entries') as entry where entry.value -> 'is_secret' = 'true'
      )
    );
  end if;
  return v_document;
end;
$$;

comment on function private.get_service_configs is 'The work of public.get_service_configs().';

create function public.get_service_configs(service_name text, environment text, include_secrets boolean default false)
returns jsonb
language plpgsql
set search_path = ''
set statement_timeout = '5s'
as $$
begin
  perform private.require_config_arguments(get_service_configs.service_name, 'any', get_service_configs.environment);
  return private.get_service_configs(
    get_service_configs.service_name, get_service_configs.environment, get_service_configs.include_secrets
  );
end;
$$;

comment on function public.get_service_configs is
  'For services: everything that a service is told in an environment, each value with its type, version and origin; version = that of the document. '
  'Secrets are masked unless asked for; each such answer is in the audit log, and so is its refusal, which is returned instead of raised to outlive '
  'itself. Refuses: configuration_out_of_scope, invalid_argument, secrets_unavailable.';
grant execute on function public.get_service_configs, private.get_service_configs to service_role;

create function private.get_public_configs(service_name text, environment text)
returns jsonb
language plpgsql
stable
security definer -- clients read what is public of a table that they may not see
set search_path = ''
as $$
begin
  return private.config_document(get_public_configs.service_name, get_public_configs.environment, true, false);
end;
$$;

comment on function private.get_public_configs is 'The work of public.get_public_configs().';

create function public.get_public_configs(service_name text, environment text)
returns jsonb
language plpgsql
stable
set search_path = ''
set statement_timeout = '2s'
as $$
begin
  perform private.require_config_arguments(get_public_configs.service_name, 'any', get_public_configs.environment);
  return private.get_public_configs(get_public_configs.service_name, get_public_configs.environment);
end;
$$;

comment on function public.get_public_configs is
  'For everybody: what clients may know of a service''s configuration. Refuses: invalid_argument.';

create function public.get_config(service_name text, config_key text, environment text default 'all')
returns jsonb
language plpgsql
stable
set search_path = ''
set statement_timeout = '2s'
as $$
declare
  v_entry jsonb;
begin
  perform private.require_config_arguments(get_config.service_name, get_config.config_key, get_config.environment);
  v_entry := private.get_public_configs(get_config.service_name, get_config.environment) -> 'entries' -> get_config.config_key;
  if v_entry is null then
    perform private.refuse('configuration_not_found');
  end if;
  return v_entry -> 'value';
end;
$$;

comment on function public.get_config is
  'For everybody: one public value, the most specific of service and environment. What is private is not found. '
  'Refuses: configuration_not_found, invalid_argument.';
grant execute on function public.get_config, public.get_public_configs, private.get_public_configs to anon, authenticated, service_role;

create view public.configuration_summary
with (security_invoker = true)
as
select
  entry.service_name,
  entry.environment,
  count(*) filter (where not entry.is_deleted) as key_count,
  count(*) filter (where not entry.is_deleted and entry.is_secret) as secret_count,
  count(*) filter (where not entry.is_deleted and entry.is_public) as public_count,
  max(entry.revision) as revision,
  max(entry.updated_at) as updated_at
from public.configurations as entry
group by entry.service_name, entry.environment;

comment on view public.configuration_summary is 'How much configuration there is for each service and environment, and when it last changed.';
grant select on public.configuration_summary to service_role;

commit;
