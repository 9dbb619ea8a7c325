begin;

create function private.compiled_flag(flag jsonb, segments jsonb)
returns jsonb
language plpgsql
stable
set search_path = ''
as $$
begin
  return compiled_flag.flag || jsonb_build_object('rules', coalesce((
    select jsonb_agg(
      rule.element || jsonb_build_object('conditions', private.compiled_flag_conditions(rule.element -> 'conditions', compiled_flag.segments))
      order by rule.position
    )
    from jsonb_array_elements(compiled_flag.flag -> 'rules') with ordinality as rule (element, position)
  ), '[]'));
end;
$$;

comment on function private.compiled_flag is 'A flag of a snapshot with its conditions read, for private.evaluated_flag().';

create function private.flag_answer(flag_key text, flag jsonb, reason text, variant text, metadata jsonb default '{}')
returns jsonb
language plpgsql
immutable
set search_path = ''
as $$
begin
  return flag_answer.metadata || case
    when flag_answer.variant is null then jsonb_build_object('key', flag_answer.flag_key, 'reason', flag_answer.reason)
    else jsonb_build_object(
      'key', flag_answer.flag_key, 'reason', flag_answer.reason,
      'variant', flag_answer.variant, 'value', flag_answer.flag -> 'variants' -> flag_answer.variant
    )
  end;
end;
$$;

comment on function private.flag_answer is 'What a flag says, as JSON; without a variant the caller''s own default holds.';

create function private.flag_rule_outcome(rule jsonb, context jsonb, at bigint, out variant text, out is_key_missing boolean)
language plpgsql
volatile
set search_path = ''
as $$
declare
  v_bucketing jsonb;
  v_id text;
begin
  is_key_missing := false;
  foreach v_bucketing in array array[flag_rule_outcome.rule -> 'rollout', flag_rule_outcome.rule -> 'split'] loop
    continue when v_bucketing is null;
    v_id := private.flag_bucket_id(v_bucketing, flag_rule_outcome.context);
    if v_id is null then
      -- OpenFeature's own key is owed by the caller; another field may well be unknown.
      is_key_missing := v_bucketing -> 'bucket_by' ? 'targetingKey';
      return;
    end if;
    if v_bucketing ? 'ramp' and not private.is_in_rollout(v_bucketing, v_id, flag_rule_outcome.at) then
      return;
    end if;
  end loop;
  variant := coalesce(flag_rule_outcome.rule ->> 'variant', private.flag_split_variant(flag_rule_outcome.rule -> 'split', v_id));
end;
$$;

comment on function private.flag_rule_outcome is
  'What a rule whose conditions hold gives somebody: a variant, nothing (outside of the rollout), or that the targeting key is missing.';

create function private.evaluated_definition(flag_key text, definition jsonb, flags jsonb, context jsonb, at bigint, depth integer default 0)
returns jsonb
language plpgsql
volatile
set search_path = ''
as $$
declare
  v_flag constant jsonb := evaluated_definition.definition;
  c_max_depth constant integer := 10;
  v_wanted jsonb;
  v_rule jsonb;
  v_outcome record;
begin
  if not (v_flag -> 'is_enabled')::boolean then
    return private.flag_answer(evaluated_definition.flag_key, v_flag, 'DISABLED', v_flag ->> 'off_variant');
  end if;
  for v_number in 0 .. jsonb_array_length(v_flag -> 'prerequisites') - 1 loop
    v_wanted := v_flag -> 'prerequisites' -> v_number;
    if evaluated_definition.depth >= c_max_depth or (
      v_wanted -> 'variants' ? (
        private.evaluated_flag(
          evaluated_definition.flags, v_wanted ->> 'flag', evaluated_definition.context, evaluated_definition.at, evaluated_definition.depth + 1
        ) ->> 'variant'
      )
    ) is not true then
      return private.flag_answer(
        evaluated_definition.flag_key, v_flag, 'DISABLED', v_flag ->> 'off_variant', jsonb_build_object('prerequisiteKey', v_wanted ->> 'flag')
      );
    end if;
  end loop;
  for v_number in 0 .. jsonb_array_length(v_flag -> 'rules') - 1 loop
    v_rule := v_flag -> 'rules' -> v_number;
    continue when evaluated_definition.at < (v_rule -> 'active_from')::bigint or evaluated_definition.at >= (v_rule -> 'active_until')::bigint
      or not (
        v_rule -> 'conditions' = '[]'
        or private.flag_conditions_hold(v_rule -> 'conditions', evaluated_definition.context, evaluated_definition.at)
      );
    v_outcome := private.flag_rule_outcome(v_rule, evaluated_definition.context, evaluated_definition.at);
    if v_outcome.is_key_missing then
      return jsonb_build_object('key', evaluated_definition.flag_key, 'errorCode', 'TARGETING_KEY_MISSING');
    end if;
    if v_outcome.variant is not null then
      return private.flag_answer(
        evaluated_definition.flag_key, v_flag, case when v_rule ?| '{rollout,split}' then 'SPLIT' else 'TARGETING_MATCH' end,
        v_outcome.variant, jsonb_build_object('ruleId', v_rule ->> 'id')
      );
    end if;
  end loop;
  return private.flag_answer(
    evaluated_definition.flag_key, v_flag, case when v_flag -> 'rules' = '[]' then 'STATIC' else 'DEFAULT' end, v_flag ->> 'default_variant'
  );
end;
$$;

comment on function private.evaluated_definition is
  'What a compiled flag says, for private.evaluated_flag() and those that have it at hand; flags holds those that it builds on.';

create function private.evaluated_flag(flags jsonb, flag_key text, context jsonb, at bigint, depth integer default 0)
returns jsonb
language plpgsql
volatile
set search_path = ''
as $$
declare
  v_definition jsonb := evaluated_flag.flags -> evaluated_flag.flag_key;
begin
  if v_definition is null then
    return jsonb_build_object('key', evaluated_flag.flag_key, 'errorCode', 'FLAG_NOT_FOUND');
  end if;
  return private.evaluated_definition(
    evaluated_flag.flag_key, v_definition, evaluated_flag.flags, evaluated_flag.context, evaluated_flag.at, evaluated_flag.depth
  );
end;
$$;

comment on function private.evaluated_flag is
  'What a flag says to the one that the context describes, at a time (epoch milliseconds): {key, reason, variant, value, ruleId, prerequisiteKey} or {key, errorCode}. '
  'flags holds the compiled flag and those that it builds on. shared/flags/evaluate_flag.ts says the same.';

commit;
