begin;

create function private.lock_config(service_name text, environment text, config_key text, expected_version bigint)
returns public.configurations
language plpgsql
set search_path = ''
as $$
declare
  v_entry public.configurations;
begin
  perform private.require_service_or_registered_operator();
  perform private.require_config_scope(lock_config.service_name);
  -- One writer at a time: what is read from here on stays true until the commit.
  update private.configuration_revision as counter set revision = counter.revision + 1;
  select * into v_entry
  from public.configurations as known
  where known.config_key = lock_config.config_key and known.service_name = lock_config.service_name
    and known.environment = lock_config.environment;
  if lock_config.expected_version <> coalesce(v_entry.version, 0) then
    perform private.refuse('configuration_version_conflict', jsonb_build_object('version', coalesce(v_entry.version, 0)));
  end if;
  v_entry.service_name := lock_config.service_name;
  v_entry.environment := lock_config.environment;
  v_entry.config_key := lock_config.config_key;
  return v_entry;
end;
$$;

comment on function private.lock_config is
  'First line of every change: who may, one at a time, and only if the version is the expected one (null = any, 0 = there is none). '
  'Refuses: configuration_out_of_scope, configuration_version_conflict, operator_required.';

create function private.config_problems(entry public.configurations, plain_value jsonb)
returns setof jsonb
language plpgsql
stable
set search_path = ''
as $$
declare
  v_entry constant public.configurations := config_problems.entry;
begin
  return query
  select case
    when above.config_key is not null then problem || jsonb_build_object('schema_of', above.service_name || '/' || above.environment)
    else problem
  end
  from (
    select null::text as service_name, null::text as environment, null::text as config_key, v_entry.value_schema
    union all
    select other.service_name, other.environment, other.config_key, other.value_schema
    from public.configurations as other
    where other.config_key = v_entry.config_key and not other.is_deleted
      and other.service_name in (v_entry.service_name, 'all') and other.environment in (v_entry.environment, 'all')
      and (other.service_name, other.environment) <> (v_entry.service_name, v_entry.environment)
  ) as above
  cross join lateral private.json_value_problems(config_problems.plain_value, above.value_schema) as problem
  where above.value_schema is not null;

  -- And the other way round: what overrides this value keeps its schema, type and secrecy.
  return query
  select jsonb_build_object('pointer', '', 'detail', 'conflicts', 'with', other.service_name || '/' || other.environment)
  from public.configurations as other
  where other.config_key = v_entry.config_key and not other.is_deleted
    and (other.service_name, other.environment) <> (v_entry.service_name, v_entry.environment)
    and (other.service_name = v_entry.service_name or 'all' in (other.service_name, v_entry.service_name))
    and (other.environment = v_entry.environment or 'all' in (other.environment, v_entry.environment))
    and (
      (other.value_type, other.is_secret) <> (v_entry.value_type, v_entry.is_secret)
      or v_entry.service_name in (other.service_name, 'all') and v_entry.environment in (other.environment, 'all')
        and v_entry.value_schema is not null
        and exists (
          select from private.json_value_problems(
            case when other.is_secret then to_jsonb(private.config_secret(other.secret_id)) else other.value end, v_entry.value_schema
          )
        )
    );
end;
$$;

comment on function private.config_problems is
  'What is wrong with a value: where it breaks its own schema or one above it, and which values it may not stand beside, because a key has '
  'one type and secrecy wherever one value can replace another.';

create function private.store_config(
  entry public.configurations,
  plain_value jsonb,
  change public.configuration_change,
  restored_version bigint default null
)
returns public.configurations
language plpgsql
set search_path = ''
as $$
declare
  v_entry public.configurations := store_config.entry;
  v_old public.configurations;
  v_problems jsonb;
begin
  select * into v_old
  from public.configurations as known
  where known.config_key = v_entry.config_key and known.service_name = v_entry.service_name
    and known.environment = v_entry.environment and not known.is_deleted;
  v_problems := case
    when v_entry.is_deleted then null
    -- The history would keep for good what was a secret, or hide what everybody has read.
    when (v_old.is_secret, v_old.value_type) <> (v_entry.is_secret, v_entry.value_type)
      then '[{"pointer": "", "detail": "the type and secrecy of a value stay"}]'
    else (select jsonb_agg(problem) from private.config_problems(v_entry, store_config.plain_value) as problem)
  end;
  if v_problems is not null then
    perform private.refuse('configuration_invalid', jsonb_build_object('problems', v_problems));
  end if;
  v_entry.version := coalesce(v_entry.version, 0) + 1;
  v_entry.revision := (select counter.revision from private.configuration_revision as counter);
  v_entry.public_revision := case
    when v_old.is_public or v_entry.is_public and not v_entry.is_deleted then v_entry.revision else coalesce(v_entry.public_revision, 0)
  end;
  v_entry.updated_at := now();
  v_entry.value := case when not v_entry.is_secret and not v_entry.is_deleted then store_config.plain_value end;
  v_entry.secret_id := case when v_entry.is_secret and not v_entry.is_deleted then private.keep_config_secret(
    format('config:%s/%s/%s@%s', v_entry.service_name, v_entry.environment, v_entry.config_key, v_entry.version),
    store_config.plain_value #>> '{}'
  ) end;
  insert into public.configurations select v_entry.*
  on conflict on constraint configurations_pkey do update set
    value = excluded.value, value_type = excluded.value_type, value_schema = excluded.value_schema, description = excluded.description,
    is_public = excluded.is_public, is_secret = excluded.is_secret, is_deleted = excluded.is_deleted, secret_id = excluded.secret_id,
    version = excluded.version, revision = excluded.revision, public_revision = excluded.public_revision, updated_at = excluded.updated_at;
  insert into public.configuration_history (
    service_name, environment, config_key, version, change, restored_version, value, value_type, value_schema, description,
    is_public, is_secret, is_deleted, secret_id, revision, actor_type, actor_identifier
  )
  select v_entry.service_name, v_entry.environment, v_entry.config_key, v_entry.version, store_config.change,
    store_config.restored_version, v_entry.value, v_entry.value_type, v_entry.value_schema, v_entry.description, v_entry.is_public,
    v_entry.is_secret, v_entry.is_deleted, v_entry.secret_id, v_entry.revision, actor.actor_type, actor.actor_identifier
  from private.current_actor() as actor;
  -- Of a secret the version before stays, to go back to; of one that was deleted nothing does.
  perform private.forget_config_secrets(
    v_entry.service_name, v_entry.environment, v_entry.config_key,
    v_entry.version - case when v_entry.is_deleted then 0 else 1 end
  );
  return v_entry;
end;
$$;

comment on function private.store_config is 'Makes the next version of a value, after the checks. Refuses: configuration_invalid, secrets_unavailable.';

create function private.set_config(
  service_name text,
  config_key text,
  value jsonb,
  environment text,
  expected_version bigint,
  value_schema jsonb,
  is_public boolean,
  is_secret boolean,
  description text
)
returns public.configurations
language plpgsql
security definer -- the only writer beside rollback and delete: no role may write the tables itself
set search_path = ''
as $$
declare
  v_old constant public.configurations := private.lock_config(
    set_config.service_name, set_config.environment, set_config.config_key, set_config.expected_version
  );
  v_new public.configurations := v_old;
begin
  if v_old.is_deleted then
    v_new.value_schema := null;
    v_new.is_public := null;
    v_new.is_secret := null;
  end if;
  v_new.is_deleted := false;
  v_new.value_type := jsonb_typeof(set_config.value);
  v_new.value_schema := nullif(coalesce(set_config.value_schema, v_new.value_schema), 'true');
  v_new.is_public := coalesce(set_config.is_public, v_new.is_public, false);
  v_new.is_secret := coalesce(set_config.is_secret, v_new.is_secret, false);
  v_new.description := coalesce(set_config.description, v_new.description);
  if v_new.is_secret and (v_new.is_public or v_new.value_type <> 'string') then
    perform private.refuse('configuration_invalid', '{"problems": [{"pointer": "", "detail": "a secret is a string and not public"}]}');
  end if;
  if not v_new.is_secret and not v_old.is_deleted and v_old.value = set_config.value and (v_old.value_schema, v_old.is_public, v_old.description)
    is not distinct from (v_new.value_schema, v_new.is_public, v_new.description) then
    return v_old;
  end if;
  return private.store_config(v_new, set_config.value, 'set');
end;
$$;

comment on function private.set_config is 'The work of public.set_config().';

create function private.require_config_arguments(service_name text, config_key text, environment text)
returns void
language plpgsql
immutable
set search_path = ''
as $$
begin
  if (
    require_config_arguments.service_name ~ '^[a-z][a-z0-9-]*$' and length(require_config_arguments.service_name) <= 63
    and require_config_arguments.environment ~ '^[a-z][a-z0-9_-]*$' and length(require_config_arguments.environment) <= 40
    and require_config_arguments.config_key ~ '^[A-Za-z][A-Za-z0-9_.-]*$' and length(require_config_arguments.config_key) <= 100
  ) is not true then
    perform private.refuse('invalid_argument', '{"arguments": ["service_name", "config_key", "environment"]}');
  end if;
end;
$$;

comment on function private.require_config_arguments is 'The names of a value are usable. Refuses: invalid_argument.';
grant execute on function private.require_config_arguments to anon, authenticated, service_role;

create function public.set_config(
  service_name text,
  config_key text,
  value jsonb,
  environment text default 'all',
  expected_version bigint default null,
  value_schema jsonb default null,
  is_public boolean default null,
  is_secret boolean default null,
  description text default null
)
returns public.configurations
language plpgsql
set search_path = ''
set statement_timeout = '5s'
as $$
declare
  v_problems constant jsonb := (select jsonb_agg(problem) from private.json_schema_problems(set_config.value_schema) as problem);
begin
  perform private.require_config_arguments(set_config.service_name, set_config.config_key, set_config.environment);
  if (
    jsonb_typeof(set_config.value) <> 'null' and length(set_config.value::text) <= 65536
    and coalesce(length(set_config.value_schema::text), 0) <= 16384 and coalesce(length(set_config.description), 0) <= 1000
  ) is not true then
    perform private.refuse('invalid_argument', '{"arguments": ["value", "value_schema", "description"]}');
  end if;
  if v_problems is not null then
    perform private.refuse('configuration_schema_unsupported', jsonb_build_object('problems', v_problems));
  end if;
  return private.set_config(
    set_config.service_name, set_config.config_key, set_config.value, set_config.environment, set_config.expected_version,
    set_config.value_schema, set_config.is_public, set_config.is_secret, set_config.description
  );
end;
$$;

comment on function public.set_config is
  'For registered operators and the service: writes the next version of a value. What is not given stays as it is (value_schema: true = none any more). '
  'expected_version: null = any, 0 = must not exist, n = exactly n. The same plain value again is no change; a secret again is a rotation, its value goes '
  'to the Vault alone. Refuses: configuration_invalid, configuration_out_of_scope, configuration_schema_unsupported, configuration_version_conflict, '
  'invalid_argument, operator_required, secrets_unavailable.';
grant execute on function public.set_config, private.set_config, private.json_schema_problems, private.is_schema_keyword,
  private.pointer_token, private.is_regular_expression to authenticated, service_role;

commit;
