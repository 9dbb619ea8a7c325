begin;

create function private.default_flag_environment()
returns text
language plpgsql
stable
set search_path = ''
as $$
begin
  return (select environment.environment from public.flag_environments as environment where environment.is_default);
end;
$$;

comment on function private.default_flag_environment is 'The environment that is meant when none is named.';

create function private.flag_snapshot(environment text, known_revision bigint)
returns jsonb
language plpgsql
stable
security definer -- reads what only evaluators on the secret key may see
set search_path = ''
as $$
declare
  v_environment text := coalesce(flag_snapshot.environment, private.default_flag_environment());
  v_revision bigint := (select each.revision from public.flag_environments as each where each.environment = v_environment);
begin
  if v_revision is null then
    perform private.refuse('flag_environment_not_found');
  end if;
  if v_revision = flag_snapshot.known_revision then
    return null;
  end if;
  return (
    select jsonb_build_object(
      'environment', v_environment,
      'revision', v_revision,
      'flags', coalesce(jsonb_object_agg(definition.flag_key, definition.definition), '{}'),
      'segments', (
        select coalesce(jsonb_object_agg(segment.segment_key, segment.conditions), '{}')
        from public.flag_segments as segment
        where segment.segment_key = any(array(
          select distinct unnest(used.segments) from private.flag_definitions as used where used.environment = v_environment
        ))
      )
    )
    from private.flag_definitions as definition
    where definition.environment = v_environment
  );
end;
$$;

comment on function private.flag_snapshot is 'The work of public.flag_snapshot().';

create function public.flag_snapshot(environment text default null, known_revision bigint default null)
returns jsonb
language plpgsql
stable
set search_path = ''
set statement_timeout = '5s'
as $$
begin
  return private.flag_snapshot(flag_snapshot.environment, flag_snapshot.known_revision);
end;
$$;

comment on function public.flag_snapshot is
  'Everything that evaluating the flags of an environment takes (shared/flags/snapshot.ts), or null while its revision is the known one: cheap to ask every second. '
  'Refuses: flag_environment_not_found.';
grant execute on function public.flag_snapshot, private.flag_snapshot to service_role;

create function private.compiled_flags(environment text, flag_keys text[])
returns jsonb
language plpgsql
stable
set search_path = ''
as $$
begin
  return (
    with recursive needed (flag_key) as (
      select unnest(compiled_flags.flag_keys)
      union
      select prerequisite.prerequisite_key
      from needed
      join public.feature_flag_prerequisites as prerequisite on prerequisite.flag_key = needed.flag_key
    )
    select coalesce(jsonb_object_agg(definition.flag_key, definition.compiled), '{}')
    from private.flag_definitions as definition
    where definition.environment = compiled_flags.environment
      and definition.flag_key = any(array(select needed.flag_key from needed))
  );
end;
$$;

comment on function private.compiled_flags is 'Flags of an environment with those that they build on, compiled, by key.';

create function private.is_flag_client()
returns boolean
language plpgsql
stable
set search_path = ''
as $$
begin
  -- Inside SECURITY DEFINER the role is still the caller's.
  return current_setting('role') in ('anon', 'authenticated');
end;
$$;

comment on function private.is_flag_client is 'Whether an app or a browser asks: it evaluates client-visible flags only, and is not told why.';

create function private.evaluate_flags(context jsonb, environment text, flag_keys text[])
returns jsonb
language plpgsql
volatile
security definer -- evaluates rules that the caller must not read
set search_path = ''
as $$
declare
  v_environment text := coalesce(evaluate_flags.environment, private.default_flag_environment());
  v_is_client boolean := private.is_flag_client();
  v_at bigint := floor(extract(epoch from now()) * 1000);
  v_revision bigint := (select each.revision from public.flag_environments as each where each.environment = v_environment);
  v_keys text[];
  v_definitions jsonb[];
  v_has_prerequisites boolean;
  v_flags jsonb;
  v_answer jsonb;
  v_answers jsonb[] := '{}';
begin
  if v_revision is null then
    perform private.refuse('flag_environment_not_found');
  end if;
  select
    coalesce(array_agg(definition.flag_key order by definition.flag_key collate "C"), '{}'),
    array_agg(definition.compiled order by definition.flag_key collate "C"),
    bool_or(definition.compiled -> 'prerequisites' <> '[]')
  into v_keys, v_definitions, v_has_prerequisites
  from private.flag_definitions as definition
  where definition.environment = v_environment
    and (definition.is_client_visible or not v_is_client)
    and (evaluate_flags.flag_keys is null or definition.flag_key = any(evaluate_flags.flag_keys));
  -- What flags build on may be hidden from clients, or not asked for.
  if v_has_prerequisites then
    v_flags := private.compiled_flags(v_environment, v_keys);
  end if;
  for v_number in 1 .. cardinality(v_keys) loop
    v_answer := private.evaluated_definition(v_keys[v_number], v_definitions[v_number], v_flags, evaluate_flags.context, v_at);
    v_answers := v_answers || case when v_is_client then v_answer - '{ruleId,prerequisiteKey}'::text[] else v_answer end;
  end loop;
  return jsonb_build_object('environment', v_environment, 'revision', v_revision, 'flags', v_answers);
end;
$$;

comment on function private.evaluate_flags is 'The work of public.evaluate_flags().';

create function public.evaluate_flags(context jsonb default '{}', environment text default null, flag_keys text[] default null)
returns jsonb
language plpgsql
volatile
set search_path = ''
set statement_timeout = '2s'
as $$
begin
  if jsonb_typeof(evaluate_flags.context) is distinct from 'object' or length(evaluate_flags.context::text) > 20000 then
    perform private.refuse('invalid_argument', '{"argument": "context", "range": "an object of up to 20000 characters"}');
  end if;
  return private.evaluate_flags(evaluate_flags.context, evaluate_flags.environment, evaluate_flags.flag_keys);
end;
$$;

comment on function public.evaluate_flags is
  'What flags say to the one that the context describes: {environment, revision, flags: [{key, reason, variant, value} or {key, errorCode}]}, by key; all of them, or those asked for '
  'that there are. reason is STATIC, TARGETING_MATCH, SPLIT, DEFAULT or DISABLED; without a variant the caller''s own default holds. Clients evaluate client-visible flags only. '
  'Without an environment the default one is meant. Refuses: flag_environment_not_found, invalid_argument.';
grant execute on function public.evaluate_flags, private.evaluate_flags to anon, authenticated, service_role;

create function public.evaluate_flag(flag_key text, context jsonb default '{}', environment text default null)
returns jsonb
language plpgsql
volatile
set search_path = ''
set statement_timeout = '2s'
as $$
begin
  return coalesce(
    public.evaluate_flags(evaluate_flag.context, evaluate_flag.environment, array[evaluate_flag.flag_key]) -> 'flags' -> 0,
    jsonb_build_object('key', evaluate_flag.flag_key, 'errorCode', 'FLAG_NOT_FOUND')
  );
end;
$$;

comment on function public.evaluate_flag is
  'What a flag says to the one that the context describes: {key, reason, variant, value}, or {key, errorCode} with FLAG_NOT_FOUND (which a flag that is not client-visible is to clients) '
  'or TARGETING_KEY_MISSING. Refuses: flag_environment_not_found, invalid_argument.';
grant execute on function public.evaluate_flag to anon, authenticated, service_role;

create function public.is_feature_enabled(flag_key text, context jsonb default '{}', environment text default null)
returns boolean
language plpgsql
volatile
set search_path = ''
set statement_timeout = '2s'
as $$
declare
  v_answer jsonb := public.evaluate_flag(is_feature_enabled.flag_key, is_feature_enabled.context, is_feature_enabled.environment);
begin
  if jsonb_typeof(v_answer -> 'value') = 'boolean' then
    return (v_answer -> 'value')::boolean;
  end if;
  return v_answer ? 'variant' and v_answer ->> 'reason' <> 'DISABLED';
end;
$$;

comment on function public.is_feature_enabled is
  'Whether a flag is on for the one that the context describes: a boolean flag''s value; for another type, whether it is enabled and serves a variant. False for a flag that is not there. '
  'Refuses: flag_environment_not_found, invalid_argument.';
grant execute on function public.is_feature_enabled to anon, authenticated, service_role;

commit;
