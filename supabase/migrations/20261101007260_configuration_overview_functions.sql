begin;

create function private.list_config_changes(service_name text, environment text, before_revision bigint, max_count integer)
returns jsonb
language plpgsql
stable
set search_path = ''
as $$
begin
  return (
    select coalesce(jsonb_agg(to_jsonb(past) - 'configuration' order by past.revision desc), '[]')
    from (
      -- Each of the four places gives its latest by index, whatever the others have.
      select latest.*
      from (select distinct service.name from unnest(array['all', list_config_changes.service_name]) as service (name)) as service
      cross join (select distinct environment.name from unnest(array['all', list_config_changes.environment]) as environment (name)) as environment
      cross join lateral (
        select past.*
        from public.configuration_history as past
        where past.service_name = service.name and past.environment = environment.name
          and (list_config_changes.before_revision is null or past.revision < list_config_changes.before_revision)
        order by past.revision desc
        limit list_config_changes.max_count
      ) as latest
      order by latest.revision desc
      limit list_config_changes.max_count
    ) as past
  );
end;
$$;

comment on function private.list_config_changes is 'The latest changes of whatever makes up one document, by revision.';

create function private.describe_service_configs(service_name text, environment text, before_revision bigint, max_count integer)
returns jsonb
language plpgsql
stable
security definer -- operators read the configuration, which no client may select from
set search_path = ''
as $$
declare
  v_document jsonb;
begin
  perform private.require_operator();
  v_document := private.config_document(describe_service_configs.service_name, describe_service_configs.environment, false, false);
  return v_document || jsonb_build_object(
    'entries', (
      select coalesce(jsonb_object_agg(entry.config_key, v_document -> 'entries' -> entry.config_key || jsonb_build_object(
        'is_public', entry.is_public, 'description', entry.description, 'value_schema', entry.value_schema, 'updated_at', entry.updated_at
      )), '{}')
      from private.effective_configs(describe_service_configs.service_name, describe_service_configs.environment) as entry
    ),
    'history', private.list_config_changes(
      describe_service_configs.service_name, describe_service_configs.environment,
      describe_service_configs.before_revision, describe_service_configs.max_count
    )
  );
end;
$$;

comment on function private.describe_service_configs is 'The work of public.describe_service_configs().';

create function public.describe_service_configs(
  service_name text,
  environment text,
  before_revision bigint default null,
  max_count integer default 50
)
returns jsonb
language plpgsql
stable
set search_path = ''
set statement_timeout = '5s'
as $$
begin
  perform private.require_config_arguments(describe_service_configs.service_name, 'any', describe_service_configs.environment);
  if (describe_service_configs.max_count between 0 and 200) is not true then
    perform private.refuse('invalid_argument', '{"argument": "max_count", "range": "0..200"}');
  end if;
  return private.describe_service_configs(
    describe_service_configs.service_name, describe_service_configs.environment,
    describe_service_configs.before_revision, describe_service_configs.max_count
  );
end;
$$;

comment on function public.describe_service_configs is
  'For operators: the document that a service is told in an environment, every key with its origin, version, schema and who may read it, and the latest changes '
  'of all that makes it up (history, the latest first; before_revision: the page before). Secrets are masked. Refuses: invalid_argument, operator_required.';
grant execute on function public.describe_service_configs, private.describe_service_configs to authenticated;

commit;
