begin;

create function private.rollback_config(service_name text, config_key text, environment text, version bigint, expected_version bigint)
returns public.configurations
language plpgsql
security definer -- no role may write the tables itself
set search_path = ''
as $$
declare
  v_entry public.configurations := private.lock_config(
    rollback_config.service_name, rollback_config.environment, rollback_config.config_key, rollback_config.expected_version
  );
  v_past public.configuration_history;
  v_value jsonb;
begin
  select * into v_past
  from public.configuration_history as past
  where past.config_key = rollback_config.config_key and past.service_name = rollback_config.service_name
    and past.environment = rollback_config.environment and past.version = rollback_config.version;
  v_value := case when v_past.is_secret then to_jsonb(private.config_secret(v_past.secret_id)) else v_past.value end;
  if v_past.config_key is null or v_value is null and not v_past.is_deleted then
    perform private.refuse('configuration_not_found', jsonb_build_object('version', rollback_config.version));
  end if;
  v_entry.value_type := v_past.value_type;
  v_entry.value_schema := v_past.value_schema;
  v_entry.description := v_past.description;
  v_entry.is_public := v_past.is_public;
  v_entry.is_secret := v_past.is_secret;
  v_entry.is_deleted := v_past.is_deleted;
  return private.store_config(v_entry, v_value, 'rolled_back', rollback_config.version);
end;
$$;

comment on function private.rollback_config is 'The work of public.rollback_config().';

create function public.rollback_config(
  service_name text,
  config_key text,
  environment text,
  version bigint,
  expected_version bigint default null
)
returns public.configurations
language plpgsql
set search_path = ''
set statement_timeout = '5s'
as $$
begin
  perform private.require_config_arguments(rollback_config.service_name, rollback_config.config_key, rollback_config.environment);
  return private.rollback_config(
    rollback_config.service_name, rollback_config.config_key, rollback_config.environment, rollback_config.version,
    rollback_config.expected_version
  );
end;
$$;

comment on function public.rollback_config is
  'For registered operators and the service: an earlier version once more, as a new one, checked against today''s schemas. Of a secret only the version '
  'before the current one can be had back, and none once it was deleted. Refuses: configuration_invalid, configuration_not_found, configuration_out_of_scope, '
  'configuration_version_conflict, invalid_argument, operator_required, secrets_unavailable.';
grant execute on function public.rollback_config, private.rollback_config to authenticated, service_role;

create function private.delete_config(service_name text, config_key text, environment text, expected_version bigint)
returns public.configurations
language plpgsql
security definer -- no role may write the tables itself
set search_path = ''
as $$
declare
  v_entry public.configurations := private.lock_config(
    delete_config.service_name, delete_config.environment, delete_config.config_key, delete_config.expected_version
  );
begin
  if v_entry.version is null or v_entry.is_deleted then
    perform private.refuse('configuration_not_found');
  end if;
  v_entry.is_deleted := true;
  return private.store_config(v_entry, null, 'deleted');
end;
$$;

comment on function private.delete_config is 'The work of public.delete_config().';

create function public.delete_config(service_name text, config_key text, environment text, expected_version bigint default null)
returns public.configurations
language plpgsql
set search_path = ''
set statement_timeout = '5s'
as $$
begin
  perform private.require_config_arguments(delete_config.service_name, delete_config.config_key, delete_config.environment);
  return private.delete_config(
    delete_config.service_name, delete_config.config_key, delete_config.environment, delete_config.expected_version
  );
end;
$$;

comment on function public.delete_config is
  'For registered operators and the service: takes a value away, as a new version, so that a less specific one shows again. A secret leaves the '
  'Vault with all its versions: it cannot be revealed or had back any more. Refuses: '
  'configuration_not_found, configuration_out_of_scope, configuration_version_conflict, invalid_argument, operator_required.';
grant execute on function public.delete_config, private.delete_config to authenticated, service_role;

create function private.list_config_history(service_name text, config_key text, environment text, before_version bigint, max_count integer)
returns setof public.configuration_history
language plpgsql
stable
security definer -- operators read the history, which no client may select from
set search_path = ''
as $$
begin
  perform private.require_operator();
  return query
  select past.*
  from public.configuration_history as past
  where past.config_key = list_config_history.config_key and past.service_name = list_config_history.service_name
    and past.environment = list_config_history.environment
    and (list_config_history.before_version is null or past.version < list_config_history.before_version)
  order by past.version desc
  limit list_config_history.max_count;
end;
$$;

comment on function private.list_config_history is 'The work of public.list_config_history().';

create function public.list_config_history(
  service_name text,
  config_key text,
  environment text,
  before_version bigint default null,
  max_count integer default 50
)
returns setof public.configuration_history
language plpgsql
stable
set search_path = ''
set statement_timeout = '5s'
as $$
begin
  if (list_config_history.max_count between 1 and 200) is not true then
    perform private.refuse('invalid_argument', '{"argument": "max_count", "range": "1..200"}');
  end if;
  return query select * from private.list_config_history(
    list_config_history.service_name, list_config_history.config_key, list_config_history.environment,
    list_config_history.before_version, list_config_history.max_count
  );
end;
$$;

comment on function public.list_config_history is
  'For operators: the versions of a value and who made them, the latest first; secrets have no value here. Refuses: invalid_argument, operator_required.';
grant execute on function public.list_config_history, private.list_config_history to authenticated;

create function private.json_leaves(value jsonb)
returns table (pointer text, leaf jsonb)
language sql
immutable
set search_path = ''
as $$
  with recursive node (pointer, value) as (
    select '', json_leaves.value where json_leaves.value is not null
    union all
    select node.pointer || '/' || child.name, child.value
    from node
    cross join lateral (
      select private.pointer_token(member.key), member.value
      from jsonb_each(case when jsonb_typeof(node.value) = 'object' then node.value else '{}' end) as member
      union all
      select (item.position - 1)::text, item.value
      from jsonb_array_elements(case when jsonb_typeof(node.value) = 'array' then node.value else '[]' end)
        with ordinality as item (value, position)
    ) as child (name, value)
  )
  select node.pointer, node.value from node
  where jsonb_typeof(node.value) not in ('object', 'array') or node.value in ('{}', '[]')
$$;

comment on function private.json_leaves is 'The leaves of a JSON value by their pointers; empty objects and arrays are leaves too.';

create function public.diff_config(service_name text, config_key text, environment text, from_version bigint, to_version bigint)
returns table (pointer text, old_value jsonb, new_value jsonb)
language plpgsql
stable
set search_path = ''
set statement_timeout = '5s'
as $$
begin
  return query
  select coalesce(old_leaf.pointer, new_leaf.pointer), old_leaf.leaf, new_leaf.leaf
  from private.json_leaves(private.config_version(
    diff_config.service_name, diff_config.config_key, diff_config.environment, diff_config.from_version
  )) as old_leaf
  full join private.json_leaves(private.config_version(
    diff_config.service_name, diff_config.config_key, diff_config.environment, diff_config.to_version
  )) as new_leaf on new_leaf.pointer = old_leaf.pointer
  where old_leaf.leaf is distinct from new_leaf.leaf
  order by 1;
end;
$$;

create function private.config_version(service_name text, config_key text, environment text, version bigint)
returns jsonb
language plpgsql
stable
security definer -- operators read the history, which no client may select from
set search_path = ''
as $$
declare
  v_past public.configuration_history;
begin
  perform private.require_operator();
  select * into v_past
  from public.configuration_history as past
  where past.config_key = config_version.config_key and past.service_name = config_version.service_name
    and past.environment = config_version.environment and past.version = config_version.version;
  if not found then
    perform private.refuse('configuration_not_found', jsonb_build_object('version', config_version.version));
  end if;
  return jsonb_strip_nulls(jsonb_build_object(
    'value', v_past.value, 'value_schema', v_past.value_schema, 'description', v_past.description, 'is_public', v_past.is_public,
    'is_secret', v_past.is_secret, 'is_deleted', v_past.is_deleted, 'secret_id', v_past.secret_id
  ));
end;
$$;

comment on function private.config_version is 'One version as a document to compare. Refuses: configuration_not_found, operator_required.';
comment on function public.diff_config is
  'For operators: what differs between two versions of a value, leaf by leaf; that a secret was rotated shows as another secret_id. '
  'Refuses: configuration_not_found, operator_required.';
grant execute on function public.diff_config, private.config_version, private.json_leaves, private.pointer_token to authenticated;

commit;
