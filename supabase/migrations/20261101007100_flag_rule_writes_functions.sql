begin;

create function private.flag_rules_problem(rules jsonb, variants text[])
returns text
language plpgsql
stable
set search_path = ''
as $$
begin
  if jsonb_typeof(flag_rules_problem.rules) is distinct from 'array' or jsonb_array_length(flag_rules_problem.rules) > 100 then
    return 'a list of up to 100';
  end if;
  return coalesce(
    (
      select rule.position - 1 || ': ' || found.problem
      from jsonb_array_elements(flag_rules_problem.rules) with ordinality as rule (element, position)
      cross join lateral (select private.flag_rule_problem(rule.element, flag_rules_problem.variants)) as found (problem)
      where found.problem is not null
      order by rule.position
      limit 1
    ),
    (
      select format('the id %s stands there twice', rule ->> 'id') from jsonb_array_elements(flag_rules_problem.rules) as rule
      group by rule ->> 'id' having count(*) > 1
      limit 1
    )
  );
end;
$$;

comment on function private.flag_rules_problem is 'What is wrong with the rules of a flag with these variants; null if nothing is.';

create function private.completed_flag_rule(rule jsonb, number bigint, flag_key text)
returns jsonb
language plpgsql
immutable
set search_path = ''
as $$
declare
  v_defaults constant jsonb := jsonb_build_object('bucket_by', '["targetingKey"]'::jsonb, 'seed', completed_flag_rule.flag_key);
begin
  if jsonb_typeof(completed_flag_rule.rule) is distinct from 'object' then
    return completed_flag_rule.rule;
  end if;
  return jsonb_build_object('id', 'rule-' || completed_flag_rule.number)
    || completed_flag_rule.rule
    || case when jsonb_typeof(completed_flag_rule.rule -> 'rollout') = 'object'
      then jsonb_build_object('rollout', v_defaults || '{"normalizer": 10000}' || (completed_flag_rule.rule -> 'rollout')) else '{}' end
    || case when jsonb_typeof(completed_flag_rule.rule -> 'split') = 'object'
      then jsonb_build_object('split', v_defaults || (completed_flag_rule.rule -> 'split')) else '{}' end;
end;
$$;

comment on function private.completed_flag_rule is
  'A rule with what it leaves unsaid: people are told apart by their targeting key, the seed is the flag''s key, steps are of 0.01 %.';

create function private.write_flag_rules(state public.feature_flag_states, rules jsonb)
returns void
language plpgsql
set search_path = ''
as $$
begin
  delete from public.feature_flag_rules as rule
  where rule.flag_key = (write_flag_rules.state).flag_key and rule.environment = (write_flag_rules.state).environment;
  insert into public.feature_flag_rules (
    flag_key, environment, rule_id, position, description, conditions, active_from, active_until, rollout, variant, split
  )
  select
    (write_flag_rules.state).flag_key, (write_flag_rules.state).environment, rule.element ->> 'id', rule.position,
    coalesce(rule.element ->> 'description', ''), coalesce(rule.element -> 'conditions', '[]'),
    to_timestamp(private.flag_instant(rule.element ->> 'active_from') / 1000.0),
    to_timestamp(private.flag_instant(rule.element ->> 'active_until') / 1000.0),
    rule.element -> 'rollout', rule.element ->> 'variant', rule.element -> 'split'
  from jsonb_array_elements(write_flag_rules.rules) with ordinality as rule (element, position);
end;
$$;

comment on function private.write_flag_rules is 'Puts checked rules in the place of those that a flag has in an environment.';

create function private.set_feature_flag_rules(
  flag_key text,
  environment text,
  rules jsonb,
  default_variant text,
  off_variant text,
  expected_revision bigint
)
returns bigint
language plpgsql
security definer -- operators change flags, which no role may write
set search_path = ''
as $$
declare
  v_state public.feature_flag_states;
  v_revision bigint;
  v_rules jsonb := set_feature_flag_rules.rules;
begin
  perform private.require_service_or_registered_operator();
  perform private.lock_flags();
  v_state := private.require_flag_state(set_feature_flag_rules.flag_key, set_feature_flag_rules.environment);
  select environment.revision into v_revision from public.flag_environments as environment where environment.environment = v_state.environment;
  if set_feature_flag_rules.expected_revision <> v_revision then
    perform private.refuse('flag_revision_conflict', jsonb_build_object('revision', v_revision));
  end if;
  if jsonb_typeof(v_rules) = 'array' then
    select coalesce(jsonb_agg(private.completed_flag_rule(rule.element, rule.position, v_state.flag_key) order by rule.position), '[]') into v_rules
    from jsonb_array_elements(v_rules) with ordinality as rule (element, position);
  end if;
  perform private.refuse_flag('rules', private.flag_rules_problem(v_rules, array(
    select variant.variant from public.feature_flag_variants as variant where variant.flag_key = v_state.flag_key
  )));
  perform private.require_flag_variant(v_state.flag_key, set_feature_flag_rules.default_variant);
  perform private.require_flag_variant(v_state.flag_key, set_feature_flag_rules.off_variant);
  perform private.write_flag_rules(v_state, v_rules);
  update public.feature_flag_states as state set
    default_variant = set_feature_flag_rules.default_variant, off_variant = set_feature_flag_rules.off_variant, changed_at = now()
  where state.flag_key = v_state.flag_key and state.environment = v_state.environment;
  return (select environment.revision from public.flag_environments as environment where environment.environment = v_state.environment);
end;
$$;

comment on function private.set_feature_flag_rules is 'The work of public.set_feature_flag_rules().';

create function public.set_feature_flag_rules(
  flag_key text,
  environment text,
  rules jsonb,
  default_variant text default null,
  off_variant text default null,
  expected_revision bigint default null
)
returns bigint
language plpgsql
set search_path = ''
set statement_timeout = '5s'
as $$
begin
  return private.set_feature_flag_rules(
    set_feature_flag_rules.flag_key,
    set_feature_flag_rules.environment,
    set_feature_flag_rules.rules,
    set_feature_flag_rules.default_variant,
    set_feature_flag_rules.off_variant,
    set_feature_flag_rules.expected_revision
  );
end;
$$;

comment on function public.set_feature_flag_rules is
  'For operators: makes these a flag''s rules in an environment, in order; the first that matches decides, else default_variant is served, and off_variant while the '
  'flag is off (null: the code that asks decides). A rule: id, description, conditions [{attribute, operator, values, is_inverted, is_case_insensitive}], active_from, active_until, '
  'rollout {percentage or ramp [{at, percentage}], bucket_by, seed, normalizer}, and variant or split {weights [{variant, weight}], bucket_by, seed}. '
  'Says the environment''s new revision. expected_revision is the one that the rules were read at. '
  'Refuses: operator_required, flag_not_found, flag_environment_not_found, flag_revision_conflict, invalid_argument.';
grant execute on function public.set_feature_flag_rules, private.set_feature_flag_rules to authenticated, service_role;

commit;
