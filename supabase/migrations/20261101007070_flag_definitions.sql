begin;

create table private.flag_definitions (
  environment text not null,
  flag_key text not null,
  is_client_visible boolean not null,
  definition jsonb not null,
  compiled jsonb not null,
  segments text[] not null,
  constraint flag_definitions_pkey primary key (environment, flag_key)
);

comment on table private.flag_definitions is
  'Every flag that is not archived as evaluators read it, per environment: what a snapshot holds, and the same compiled for SQL. Kept by triggers.';
comment on column private.flag_definitions.segments is 'The segments that its rules name.';
alter table private.flag_definitions enable row level security;

create function private.flag_ramp(rollout jsonb)
returns jsonb
language plpgsql
stable
set search_path = ''
as $$
declare
  v_parts numeric := (flag_ramp.rollout -> 'normalizer')::numeric / 100;
begin
  if flag_ramp.rollout ? 'percentage' then
    return jsonb_build_array(jsonb_build_object('at', 0, 'threshold', ((flag_ramp.rollout -> 'percentage')::numeric * v_parts)::bigint));
  end if;
  return (
    select jsonb_agg(
      jsonb_build_object(
        'at', private.flag_instant(point.element ->> 'at'), 'threshold', ((point.element -> 'percentage')::numeric * v_parts)::bigint
      )
      order by point.position
    )
    from jsonb_array_elements(flag_ramp.rollout -> 'ramp') with ordinality as point (element, position)
  );
end;
$$;

comment on function private.flag_ramp is 'A rollout''s percentages as evaluators count them: epoch milliseconds, and how many parts of the normalizer.';

create function private.flag_rule_model(rule public.feature_flag_rules)
returns jsonb
language plpgsql
stable
set search_path = ''
as $$
begin
  return jsonb_build_object('id', (flag_rule_model.rule).rule_id, 'conditions', (flag_rule_model.rule).conditions)
    || jsonb_strip_nulls(jsonb_build_object(
      'active_from', floor(extract(epoch from (flag_rule_model.rule).active_from) * 1000)::bigint,
      'active_until', floor(extract(epoch from (flag_rule_model.rule).active_until) * 1000)::bigint,
      'rollout', (flag_rule_model.rule).rollout - '{percentage,ramp}'::text[]
        || jsonb_build_object('ramp', private.flag_ramp((flag_rule_model.rule).rollout)),
      'variant', (flag_rule_model.rule).variant,
      'split', (flag_rule_model.rule).split
    ));
end;
$$;

comment on function private.flag_rule_model is 'A rule as evaluators read it.';

create function private.flag_model(flag_key text, environment text)
returns jsonb
language plpgsql
stable
set search_path = ''
as $$
begin
  return (
    select jsonb_build_object(
      'is_enabled', state.is_enabled,
      'is_client_visible', flag.is_client_visible,
      'variants', (
        select coalesce(jsonb_object_agg(variant.variant, variant.value), '{}') from public.feature_flag_variants as variant
        where variant.flag_key = flag.flag_key
      ),
      'prerequisites', (
        select coalesce(jsonb_agg(
          jsonb_build_object('flag', prerequisite.prerequisite_key, 'variants', to_jsonb(prerequisite.variants)) order by prerequisite.prerequisite_key
        ), '[]')
        from public.feature_flag_prerequisites as prerequisite
        where prerequisite.flag_key = flag.flag_key
      ),
      'rules', (
        select coalesce(jsonb_agg(private.flag_rule_model(rule) order by rule.position), '[]') from public.feature_flag_rules as rule
        where rule.flag_key = flag.flag_key and rule.environment = state.environment
      )
    ) || jsonb_strip_nulls(jsonb_build_object('default_variant', state.default_variant, 'off_variant', state.off_variant))
    from public.feature_flags as flag
    join public.feature_flag_states as state on state.flag_key = flag.flag_key and state.environment = flag_model.environment
    where flag.flag_key = flag_model.flag_key and flag.archived_at is null
  );
end;
$$;

comment on function private.flag_model is 'A flag in an environment as evaluators read it; null when it is archived or unknown.';

create function private.publish_flag(flag_key text, environment text)
returns boolean
language plpgsql
set search_path = ''
as $$
declare
  v_definition jsonb := private.flag_model(publish_flag.flag_key, publish_flag.environment);
  v_segments text[] := array(
    select distinct key #>> '{}'
    from jsonb_path_query(v_definition, '$.rules[*].conditions[*] ? (@.operator == "IN_SEGMENT").values[*]') as key
    order by 1
  );
  v_compiled jsonb := private.compiled_flag(v_definition, (
    select coalesce(jsonb_object_agg(segment.segment_key, segment.conditions), '{}')
    from public.flag_segments as segment where segment.segment_key = any(v_segments)
  ));
begin
  if v_definition is null then
    delete from private.flag_definitions as definition
    where definition.environment = publish_flag.environment and definition.flag_key = publish_flag.flag_key;
    return found;
  end if;
  insert into private.flag_definitions as definition (environment, flag_key, is_client_visible, definition, compiled, segments)
  values (
    publish_flag.environment, publish_flag.flag_key, (v_definition -> 'is_client_visible')::boolean, v_definition, v_compiled, v_segments
  )
  on conflict on constraint flag_definitions_pkey do update set
    is_client_visible = excluded.is_client_visible, definition = excluded.definition, compiled = excluded.compiled, segments = excluded.segments
  where (definition.definition, definition.compiled) is distinct from (excluded.definition, excluded.compiled);
  return found;
end;
$$;

comment on function private.publish_flag is 'Writes a flag anew as evaluators of an environment read it; says whether that changed anything.';

create function private.publish_flags(flag_keys text[])
returns void
language plpgsql
set search_path = ''
as $$
begin
  update public.flag_environments as environment set revision = environment.revision + 1, changed_at = now()
  where environment.environment = any(array(
    select each.environment
    from public.flag_environments as each
    cross join unnest(publish_flags.flag_keys) as key
    group by each.environment
    having bool_or(private.publish_flag(key, each.environment))
  ));
end;
$$;

comment on function private.publish_flags is 'Writes flags anew as evaluators read them; the revision of each environment in which that changes anything rises.';

create function private.publish_changed_flags()
returns trigger
language plpgsql
security definer -- whoever changes a flag, only its triggers write what evaluators read
set search_path = ''
as $$
begin
  perform private.publish_flags(array(select distinct changed.flag_key from changed order by 1));
  return null;
end;
$$;

comment on function private.publish_changed_flags is 'Publishes the flags whose rows a statement has changed.';

create function private.publish_changed_segments()
returns trigger
language plpgsql
security definer -- as private.publish_changed_flags()
set search_path = ''
as $$
begin
  perform private.publish_flags(array(
    select distinct definition.flag_key from private.flag_definitions as definition
    where definition.segments && array(select changed.segment_key from changed)
    order by 1
  ));
  return null;
end;
$$;

comment on function private.publish_changed_segments is 'Publishes the flags that name a segment which a statement has changed.';

create function private.publish_changes_of(table_name regclass, publisher regproc)
returns void
language plpgsql
set search_path = ''
as $$
declare
  v_event text;
begin
  foreach v_event in array array['insert', 'update', 'delete'] loop
    execute format(
      'create trigger publish_%1$s after %1$s on %2$s referencing %3$s table as changed for each statement execute function %4$s()',
      v_event, publish_changes_of.table_name, case when v_event = 'delete' then 'old' else 'new' end, publish_changes_of.publisher
    );
  end loop;
end;
$$;

comment on function private.publish_changes_of is 'Called by the migration that makes a table of flags: whatever changes in it reaches evaluators.';

select private.publish_changes_of('public.feature_flags', 'private.publish_changed_flags');
select private.publish_changes_of('public.feature_flag_variants', 'private.publish_changed_flags');
select private.publish_changes_of('public.feature_flag_prerequisites', 'private.publish_changed_flags');
select private.publish_changes_of('public.feature_flag_states', 'private.publish_changed_flags');
select private.publish_changes_of('public.feature_flag_rules', 'private.publish_changed_flags');
select private.publish_changes_of('public.flag_segments', 'private.publish_changed_segments');

commit;
