begin;

create function private.flag_condition_problem(condition jsonb, may_name_segments boolean)
returns text
language plpgsql
stable
set search_path = ''
as $$
declare
  v_operator text := flag_condition_problem.condition ->> 'operator';
  v_values jsonb := flag_condition_problem.condition -> 'values';
begin
  if jsonb_typeof(flag_condition_problem.condition) is distinct from 'object'
    or flag_condition_problem.condition - '{attribute,operator,values,is_inverted,is_case_insensitive}'::text[] <> '{}'
  then
    return 'a condition has attribute, operator, values, is_inverted and is_case_insensitive';
  end if;
  if (
    private.is_flag_operator(v_operator) and (v_operator <> 'IN_SEGMENT' or flag_condition_problem.may_name_segments)
  ) is not true then
    return 'operator is not known here';
  end if;
  if (v_operator = 'IN_SEGMENT') = (flag_condition_problem.condition ? 'attribute')
    or flag_condition_problem.condition ->> 'attribute' !~ '^[A-Za-z_][A-Za-z0-9_-]*(\.[A-Za-z_][A-Za-z0-9_-]*){0,9}$'
  then
    return 'attribute is a name, or a path of names; IN_SEGMENT has none';
  end if;
  if coalesce(jsonb_typeof(flag_condition_problem.condition -> 'is_inverted'), 'boolean') <> 'boolean'
    or coalesce(jsonb_typeof(flag_condition_problem.condition -> 'is_case_insensitive'), 'boolean') <> 'boolean'
    or (flag_condition_problem.condition -> 'is_case_insensitive')::boolean and v_operator !~ '^(IN|NOT_IN|STR_.*|REGEX)$'
  then
    return 'is_inverted and is_case_insensitive are true or false, and only texts have a case';
  end if;
  if jsonb_typeof(v_values) is distinct from 'array' or jsonb_array_length(v_values) not between 1 and 10000 then
    return 'values is a list of 1 to 10000 texts';
  end if;
  return (
    select 'values/' || written.position - 1 || case v_operator
      when 'REGEX' then ' is no regular expression of the dialect, or too large a one'
      when 'IN_CIDR' then ' is no address or range'
      when 'IN_SEGMENT' then ' is no segment'
      else ' is not what the operator compares with'
    end
    from jsonb_array_elements(v_values) with ordinality as written (element, position)
    where jsonb_typeof(written.element) <> 'string'
      or length(written.element #>> '{}') not between 1 and 1000
      or private.compiled_flag_value(
        v_operator, written.element #>> '{}', coalesce((flag_condition_problem.condition -> 'is_case_insensitive')::boolean, false)
      ) is null
      or v_operator = 'IN_SEGMENT' and not exists (select from public.flag_segments as segment where segment.segment_key = written.element #>> '{}')
    order by written.position
    limit 1
  );
end;
$$;

comment on function private.flag_condition_problem is 'What is wrong with a condition; null if nothing is.';

create function private.flag_conditions_problem(conditions jsonb, may_name_segments boolean)
returns text
language plpgsql
stable
set search_path = ''
as $$
begin
  if jsonb_typeof(flag_conditions_problem.conditions) is distinct from 'array' or jsonb_array_length(flag_conditions_problem.conditions) > 50 then
    return 'conditions: a list of up to 50';
  end if;
  return (
    select 'conditions/' || condition.position - 1 || ': ' || found.problem
    from jsonb_array_elements(flag_conditions_problem.conditions) with ordinality as condition (element, position)
    cross join lateral (
      select private.flag_condition_problem(condition.element, flag_conditions_problem.may_name_segments)
    ) as found (problem)
    where found.problem is not null
    order by condition.position
    limit 1
  );
end;
$$;

comment on function private.flag_conditions_problem is 'What is wrong with a list of conditions; null if nothing is.';

create function private.is_whole_number(value jsonb, min_value bigint, max_value bigint)
returns boolean
language plpgsql
immutable
set search_path = ''
as $$
begin
  return jsonb_typeof(is_whole_number.value) = 'number'
    and is_whole_number.value::numeric = trunc(is_whole_number.value::numeric)
    and is_whole_number.value::numeric between is_whole_number.min_value and is_whole_number.max_value;
end;
$$;

comment on function private.is_whole_number is 'Whether a JSON value is a whole number within these ends.';

create function private.flag_bucketing_problem(bucketing jsonb, own_fields text[])
returns text
language plpgsql
immutable
set search_path = ''
as $$
begin
  if jsonb_typeof(flag_bucketing_problem.bucketing) is distinct from 'object'
    or flag_bucketing_problem.bucketing - (flag_bucketing_problem.own_fields || '{bucket_by,seed}') <> '{}'
  then
    return format('has only %s', array_to_string(flag_bucketing_problem.own_fields || '{bucket_by,seed}', ', '));
  end if;
  if jsonb_typeof(flag_bucketing_problem.bucketing -> 'seed') is distinct from 'string'
    or length(flag_bucketing_problem.bucketing ->> 'seed') > 200
  then
    return 'seed is a text of up to 200 characters';
  end if;
  if jsonb_typeof(flag_bucketing_problem.bucketing -> 'bucket_by') is distinct from 'array'
    or jsonb_array_length(flag_bucketing_problem.bucketing -> 'bucket_by') not between 1 and 5
    or exists (
      select from jsonb_array_elements(flag_bucketing_problem.bucketing -> 'bucket_by') as name
      where jsonb_typeof(name) <> 'string' or name #>> '{}' !~ '^(\$random|[A-Za-z_][A-Za-z0-9_-]*(\.[A-Za-z_][A-Za-z0-9_-]*){0,9})$'
    )
  then
    return 'bucket_by is a list of 1 to 5 attributes';
  end if;
  return null;
end;
$$;

comment on function private.flag_bucketing_problem is 'What is wrong with how a rollout or split tells people apart; null if nothing is.';

create function private.flag_rollout_problem(rollout jsonb)
returns text
language plpgsql
stable
set search_path = ''
as $$
declare
  v_problem text := private.flag_bucketing_problem(flag_rollout_problem.rollout, '{percentage,ramp,normalizer}');
  v_points jsonb := coalesce(flag_rollout_problem.rollout -> 'ramp', jsonb_build_array(flag_rollout_problem.rollout));
begin
  if v_problem is not null then
    return v_problem;
  end if;
  if private.is_whole_number(flag_rollout_problem.rollout -> 'normalizer', 100, 1000000) is not true then
    return 'normalizer is a whole number from 100 to 1000000';
  end if;
  if flag_rollout_problem.rollout ? 'ramp' = flag_rollout_problem.rollout ? 'percentage'
    or jsonb_typeof(v_points) <> 'array' or jsonb_array_length(v_points) not between 1 and 20
  then
    return 'either a percentage or a ramp of 1 to 20 points';
  end if;
  if exists (
    select from jsonb_array_elements(v_points) as point
    where (
      jsonb_typeof(point -> 'percentage') = 'number' and (point -> 'percentage')::numeric between 0 and 100
      and (point -> 'percentage')::numeric * (flag_rollout_problem.rollout -> 'normalizer')::numeric % 100 = 0
    ) is not true
  ) then
    return 'a percentage is a number from 0 to 100, in steps that the normalizer allows';
  end if;
  if flag_rollout_problem.rollout ? 'ramp' and exists (
    select from (
      select private.flag_instant(point.element ->> 'at') as at, lag(private.flag_instant(point.element ->> 'at'), 1, '-1') over (order by point.position) as before
      from jsonb_array_elements(v_points) with ordinality as point (element, position)
    ) as walked
    where (walked.at > walked.before) is not true
  ) then
    return 'a ramp''s points have a time each, one after the other';
  end if;
  return null;
end;
$$;

comment on function private.flag_rollout_problem is 'What is wrong with a rollout; null if nothing is.';

create function private.flag_split_problem(split jsonb, variants text[])
returns text
language plpgsql
stable
set search_path = ''
as $$
declare
  v_problem text := private.flag_bucketing_problem(flag_split_problem.split, '{weights}');
  v_weights jsonb := flag_split_problem.split -> 'weights';
begin
  if v_problem is not null then
    return v_problem;
  end if;
  if jsonb_typeof(v_weights) is distinct from 'array' or jsonb_array_length(v_weights) not between 1 and 100 then
    return 'weights is a list of 1 to 100';
  end if;
  if exists (
    select from jsonb_array_elements(v_weights) as share
    where (share ->> 'variant' = any(flag_split_problem.variants) and private.is_whole_number(share -> 'weight', 0, 1000000)) is not true
  ) then
    return 'a weight has a variant of the flag and a whole number from 0 to 1000000';
  end if;
  if (select sum((share -> 'weight')::bigint) from jsonb_array_elements(v_weights) as share) = 0 then
    return 'some weight is above zero';
  end if;
  return null;
end;
$$;

comment on function private.flag_split_problem is 'What is wrong with a split among a flag''s variants; null if nothing is.';

create function private.flag_rule_problem(rule jsonb, variants text[])
returns text
language plpgsql
stable
set search_path = ''
as $$
begin
  if jsonb_typeof(flag_rule_problem.rule) is distinct from 'object'
    or flag_rule_problem.rule - '{id,description,conditions,active_from,active_until,rollout,variant,split}'::text[] <> '{}'
  then
    return 'a rule has id, description, conditions, active_from, active_until, rollout, and variant or split';
  end if;
  if (flag_rule_problem.rule ->> 'id' ~ '^[A-Za-z0-9][A-Za-z0-9_.-]{0,99}$') is not true then
    return 'id is a name';
  end if;
  if length(flag_rule_problem.rule ->> 'description') > 2000 then
    return 'description is up to 2000 characters';
  end if;
  if flag_rule_problem.rule ? 'active_from' and private.flag_instant(flag_rule_problem.rule ->> 'active_from') is null
    or flag_rule_problem.rule ? 'active_until' and private.flag_instant(flag_rule_problem.rule ->> 'active_until') is null
    or private.flag_instant(flag_rule_problem.rule ->> 'active_until') <= private.flag_instant(flag_rule_problem.rule ->> 'active_from')
  then
    return 'active_from and active_until are times in ISO 8601, the second after the first';
  end if;
  if flag_rule_problem.rule ? 'variant' = flag_rule_problem.rule ? 'split'
    or flag_rule_problem.rule ? 'variant' and (flag_rule_problem.rule ->> 'variant' = any(flag_rule_problem.variants)) is not true
  then
    return 'either a variant of the flag or a split';
  end if;
  return coalesce(
    private.flag_conditions_problem(coalesce(flag_rule_problem.rule -> 'conditions', '[]'), true),
    'rollout: ' || case when flag_rule_problem.rule ? 'rollout' then private.flag_rollout_problem(flag_rule_problem.rule -> 'rollout') end,
    'split: ' || case when flag_rule_problem.rule ? 'split' then private.flag_split_problem(flag_rule_problem.rule -> 'split', flag_rule_problem.variants) end
  );
end;
$$;

comment on function private.flag_rule_problem is 'What is wrong with a rule of a flag with these variants; null if nothing is.';

commit;
