begin;

create function private.lock_flags()
returns void
language plpgsql
set search_path = ''
as $$
begin
  perform from public.flag_environments as environment order by environment.environment for no key update;
end;
$$;

comment on function private.lock_flags is
  'First line of whatever writes flags: one at a time, so that revisions are seen in order and checks across flags hold.';

create function private.require_flag(flag_key text)
returns public.feature_flags
language plpgsql
set search_path = ''
as $$
declare
  v_flag public.feature_flags;
begin
  select * into v_flag from public.feature_flags as flag where flag.flag_key = require_flag.flag_key;
  if v_flag.flag_key is null then
    perform private.refuse('flag_not_found');
  end if;
  return v_flag;
end;
$$;

comment on function private.require_flag is 'The flag. Refuses: flag_not_found.';

create function private.require_flag_state(flag_key text, environment text)
returns public.feature_flag_states
language plpgsql
set search_path = ''
as $$
declare
  v_state public.feature_flag_states;
begin
  select * into v_state from public.feature_flag_states as state
  where state.flag_key = require_flag_state.flag_key and state.environment = require_flag_state.environment;
  if v_state.flag_key is null then
    perform private.require_flag(require_flag_state.flag_key);
    perform private.refuse('flag_environment_not_found');
  end if;
  return v_state;
end;
$$;

comment on function private.require_flag_state is 'The flag in that environment. Refuses: flag_not_found, flag_environment_not_found.';

create function private.refuse_flag(argument text, problem text)
returns void
language plpgsql
set search_path = ''
as $$
begin
  if refuse_flag.problem is not null then
    perform private.refuse('invalid_argument', jsonb_build_object('argument', refuse_flag.argument, 'problem', refuse_flag.problem));
  end if;
end;
$$;

comment on function private.refuse_flag is 'Refuses an argument that has a problem. Refuses: invalid_argument.';

create function private.flag_lifetime(kind public.flag_kind)
returns integer
language plpgsql
immutable
set search_path = ''
as $$
begin
  return case flag_lifetime.kind when 'release' then 40 when 'experiment' then 40 when 'operational' then 7 end;
end;
$$;

comment on function private.flag_lifetime is 'After how many days a flag of this kind is stale unless it says otherwise (Unleash''s feature types); null for never.';

create function private.create_feature_flag(
  flag_key text,
  value_type public.flag_value_type,
  kind public.flag_kind,
  variants jsonb,
  default_variant text,
  off_variant text,
  description text,
  owner text,
  is_client_visible boolean
)
returns public.feature_flags
language plpgsql
security definer -- operators change flags, which no role may write
set search_path = ''
as $$
declare
  v_is_boolean constant boolean := create_feature_flag.value_type = 'boolean' and create_feature_flag.variants is null;
  v_variants jsonb := case when v_is_boolean then '{"on": true, "off": false}' else create_feature_flag.variants end;
  v_flag public.feature_flags;
begin
  perform private.require_service_or_registered_operator();
  perform private.lock_flags();
  if exists (select from public.feature_flags as flag where flag.flag_key = create_feature_flag.flag_key) then
    perform private.refuse('flag_exists');
  end if;
  if (create_feature_flag.flag_key ~ '^[A-Za-z0-9][A-Za-z0-9_.-]{0,99}$') is not true then
    perform private.refuse_flag('flag_key', 'up to 100 letters, digits, dots, dashes and underscores');
  end if;
  if length(create_feature_flag.description) > 2000 or length(create_feature_flag.owner) > 200 then
    perform private.refuse_flag('description', 'up to 2000 characters; owner up to 200');
  end if;
  insert into public.feature_flags (flag_key, value_type, kind, description, owner, is_client_visible, lifetime_days)
  values (
    create_feature_flag.flag_key, create_feature_flag.value_type, create_feature_flag.kind, coalesce(create_feature_flag.description, ''),
    create_feature_flag.owner, coalesce(create_feature_flag.is_client_visible, false), private.flag_lifetime(create_feature_flag.kind)
  )
  returning * into v_flag;
  perform private.write_flag_variants(v_flag, v_variants);
  perform private.require_flag_variant(v_flag.flag_key, create_feature_flag.default_variant);
  perform private.require_flag_variant(v_flag.flag_key, create_feature_flag.off_variant);
  insert into public.feature_flag_states (flag_key, environment, default_variant, off_variant)
  select
    v_flag.flag_key, environment.environment,
    coalesce(create_feature_flag.default_variant, case when v_is_boolean then 'on' end),
    coalesce(create_feature_flag.off_variant, case when v_is_boolean then 'off' end)
  from public.flag_environments as environment;
  return v_flag;
end;
$$;

comment on function private.create_feature_flag is 'The work of public.create_feature_flag().';

create function public.create_feature_flag(
  flag_key text,
  value_type public.flag_value_type default 'boolean',
  kind public.flag_kind default 'release',
  variants jsonb default null,
  default_variant text default null,
  off_variant text default null,
  description text default '',
  owner text default null,
  is_client_visible boolean default false
)
returns public.feature_flags
language plpgsql
set search_path = ''
set statement_timeout = '5s'
as $$
begin
  return private.create_feature_flag(
    create_feature_flag.flag_key,
    create_feature_flag.value_type,
    create_feature_flag.kind,
    create_feature_flag.variants,
    create_feature_flag.default_variant,
    create_feature_flag.off_variant,
    create_feature_flag.description,
    create_feature_flag.owner,
    create_feature_flag.is_client_visible
  );
end;
$$;

comment on function public.create_feature_flag is
  'For operators: makes a flag, off in every environment. variants is an object of values by name; a boolean flag has on and off unless told otherwise. '
  'default_variant is served when no rule matches, off_variant when the flag is off; without, the code that asks decides. '
  'Refuses: operator_required, flag_exists, invalid_argument.';
grant execute on function public.create_feature_flag, private.create_feature_flag to authenticated, service_role;

create function private.update_feature_flag(flag_key text, changes jsonb)
returns public.feature_flags
language plpgsql
security definer -- operators change flags, which no role may write
set search_path = ''
as $$
declare
  v_flag public.feature_flags;
  v_changes constant jsonb := update_feature_flag.changes;
begin
  perform private.require_service_or_registered_operator();
  perform private.lock_flags();
  v_flag := private.require_flag(update_feature_flag.flag_key);
  if jsonb_typeof(v_changes) is distinct from 'object' or v_changes - '{kind,description,owner,tags,is_client_visible,lifetime_days}'::text[] <> '{}' then
    perform private.refuse_flag('changes', 'kind, description, owner, tags, is_client_visible, lifetime_days');
  end if;
  if (
    coalesce(v_changes ->> 'kind' = any(enum_range(null::public.flag_kind)::text[]), not v_changes ? 'kind')
    and coalesce(length(v_changes ->> 'description') <= 2000, not v_changes ? 'description')
    and coalesce(length(v_changes ->> 'owner'), 0) <= 200
    and coalesce(jsonb_typeof(v_changes -> 'is_client_visible'), 'boolean') = 'boolean'
    and (coalesce(v_changes -> 'lifetime_days', 'null') = 'null' or private.is_whole_number(v_changes -> 'lifetime_days', 1, 3650))
    and coalesce(jsonb_typeof(v_changes -> 'tags'), 'array') = 'array'
  ) is not true then
    perform private.refuse_flag('changes', 'a value is not of its kind');
  end if;
  update public.feature_flags as flag set
    kind = coalesce((v_changes ->> 'kind')::public.flag_kind, flag.kind),
    description = coalesce(v_changes ->> 'description', flag.description),
    owner = case when v_changes ? 'owner' then v_changes ->> 'owner' else flag.owner end,
    tags = case when v_changes ? 'tags' then array(select left(tag, 50) from jsonb_array_elements_text(v_changes -> 'tags') as tag limit 20) else flag.tags end,
    is_client_visible = coalesce((v_changes -> 'is_client_visible')::boolean, flag.is_client_visible),
    lifetime_days = case
      when v_changes ? 'lifetime_days' then (v_changes ->> 'lifetime_days')::integer
      when v_changes ? 'kind' then private.flag_lifetime((v_changes ->> 'kind')::public.flag_kind)
      else flag.lifetime_days
    end
  where flag.flag_key = v_flag.flag_key
  returning * into v_flag;
  return v_flag;
end;
$$;

comment on function private.update_feature_flag is 'The work of public.update_feature_flag().';

create function public.update_feature_flag(flag_key text, changes jsonb)
returns public.feature_flags
language plpgsql
set search_path = ''
set statement_timeout = '5s'
as $$
begin
  return private.update_feature_flag(update_feature_flag.flag_key, update_feature_flag.changes);
end;
$$;

comment on function public.update_feature_flag is
  'For operators: changes what is given of kind, description, owner, tags, is_client_visible and lifetime_days (null: never stale). '
  'Refuses: operator_required, flag_not_found, invalid_argument.';
grant execute on function public.update_feature_flag, private.update_feature_flag to authenticated, service_role;

create function private.set_feature_flag_enabled(
  flag_key text,
  environment text,
  is_enabled boolean
)
returns bigint
language plpgsql
security definer -- operators change flags, which no role may write
set search_path = ''
as $$
begin
  perform private.require_service_or_registered_operator();
  perform private.lock_flags();
  perform private.require_flag_state(set_feature_flag_enabled.flag_key, set_feature_flag_enabled.environment);
  if set_feature_flag_enabled.is_enabled is null then
    perform private.refuse_flag('is_enabled', 'true or false');
  end if;
  update public.feature_flag_states as state set is_enabled = set_feature_flag_enabled.is_enabled, changed_at = now()
  where state.flag_key = set_feature_flag_enabled.flag_key and state.environment = set_feature_flag_enabled.environment
    and state.is_enabled <> set_feature_flag_enabled.is_enabled;
  return (
    select environment.revision from public.flag_environments as environment
    where environment.environment = set_feature_flag_enabled.environment
  );
end;
$$;

comment on function private.set_feature_flag_enabled is 'The work of public.set_feature_flag_enabled().';

create function public.set_feature_flag_enabled(
  flag_key text,
  environment text,
  is_enabled boolean
)
returns bigint
language plpgsql
set search_path = ''
set statement_timeout = '5s'
as $$
begin
  return private.set_feature_flag_enabled(
    set_feature_flag_enabled.flag_key,
    set_feature_flag_enabled.environment,
    set_feature_flag_enabled.is_enabled
  );
end;
$$;

comment on function public.set_feature_flag_enabled is
  'For operators: the kill switch. Turns a flag on or off in an environment and says the environment''s revision; again, it changes nothing. '
  'Refuses: operator_required, flag_not_found, flag_environment_not_found, invalid_argument.';
grant execute on function public.set_feature_flag_enabled, private.set_feature_flag_enabled to authenticated, service_role;

commit;
