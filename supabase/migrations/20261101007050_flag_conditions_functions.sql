begin;

create function private.compiled_flag_value(operator text, value text, is_case_insensitive boolean)
returns jsonb
language plpgsql
stable
set search_path = ''
as $$
begin
  return case
    when compiled_flag_value.operator like 'NUM\_%' then to_jsonb(private.flag_decimal(compiled_flag_value.value))
    when compiled_flag_value.operator like 'DATE\_%' then to_jsonb(private.flag_instant(compiled_flag_value.value))
    when compiled_flag_value.operator like 'SEMVER\_%' then to_jsonb(private.flag_semver(compiled_flag_value.value))
    when compiled_flag_value.operator = 'IN_CIDR' then to_jsonb(private.flag_address(compiled_flag_value.value))
    when compiled_flag_value.operator = 'REGEX' then to_jsonb(
      case when private.ignores_case(compiled_flag_value.value) and not compiled_flag_value.is_case_insensitive then '(?i)' else '' end
      || private.flag_regex(compiled_flag_value.value, compiled_flag_value.is_case_insensitive)
    )
    when compiled_flag_value.is_case_insensitive then to_jsonb(private.lower_case(compiled_flag_value.value))
    else to_jsonb(compiled_flag_value.value)
  end;
end;
$$;

comment on function private.compiled_flag_value is
  'A value of a condition, read once: a number, epoch milliseconds, a version that sorts, an address range, Postgres''s own form of a pattern '
  '(marked (?i) where it alone ignores case), a text in lower case where case is ignored; null when it cannot be read.';

create function private.is_flag_operator(operator text)
returns boolean
language plpgsql
immutable
set search_path = ''
as $$
begin
  return is_flag_operator.operator
    ~ '^(IN|NOT_IN|STR_(CONTAINS|STARTS_WITH|ENDS_WITH)|(NUM|SEMVER)_(EQ|GTE?|LTE?)|DATE_(AFTER|BEFORE)|REGEX|IN_CIDR|IN_SEGMENT)$';
end;
$$;

comment on function private.is_flag_operator is 'Whether conditions may compare so: Unleash''s operators, and IN_SEGMENT.';

create function private.compiled_flag_conditions(conditions jsonb, segments jsonb)
returns jsonb
language plpgsql
stable
set search_path = ''
as $$
begin
  return coalesce((
    select jsonb_agg(
      condition.element
      || jsonb_build_object(
        'is_inverted', coalesce((condition.element -> 'is_inverted')::boolean, false) <> (condition.element ->> 'operator' = 'NOT_IN'),
        'values', case
          -- One that is newer than this evaluator.
          when not private.is_flag_operator(condition.element ->> 'operator') then null
          when condition.element ->> 'operator' = 'IN_SEGMENT' then (
            select case
              -- Whether somebody belongs to a segment that is not known is not known either.
              when bool_and(compiled_flag_conditions.segments ? key) then jsonb_agg(
                private.compiled_flag_conditions(compiled_flag_conditions.segments -> key, '{}')
              )
            end
            from jsonb_array_elements_text(condition.element -> 'values') as key
          )
          else (
            select coalesce(jsonb_agg(compiled.value) filter (where compiled.value is not null), '[]')
            from jsonb_array_elements_text(condition.element -> 'values') as written (value)
            cross join lateral (
              select private.compiled_flag_value(
                condition.element ->> 'operator', written.value, coalesce((condition.element -> 'is_case_insensitive')::boolean, false)
              )
            ) as compiled (value)
          )
        end
      )
      order by condition.position
    )
    from jsonb_array_elements(compiled_flag_conditions.conditions) with ordinality as condition (element, position)
  ), '[]');
end;
$$;

comment on function private.compiled_flag_conditions is
  'Conditions with their values read and the segments they name put in, for private.flag_condition_holds(); one without values never holds.';

create function private.flag_order_meets(operator text, sign integer)
returns boolean
language plpgsql
immutable
set search_path = ''
as $$
begin
  return case split_part(flag_order_meets.operator, '_', 2)
    when 'EQ' then flag_order_meets.sign = 0
    when 'GT' then flag_order_meets.sign > 0
    when 'AFTER' then flag_order_meets.sign > 0
    when 'GTE' then flag_order_meets.sign >= 0
    when 'LT' then flag_order_meets.sign < 0
    when 'BEFORE' then flag_order_meets.sign < 0
    when 'LTE' then flag_order_meets.sign <= 0
  end;
end;
$$;

comment on function private.flag_order_meets is 'Whether the sign of a comparison is what an operator asks for.';

create function private.flag_text_matches(operator text, actual text, wanted text)
returns boolean
language plpgsql
stable
set search_path = ''
as $$
declare
  v_version text;
  v_address inet;
begin
  case
    when flag_text_matches.operator = 'STR_CONTAINS' then return strpos(flag_text_matches.actual, flag_text_matches.wanted) > 0;
    when flag_text_matches.operator = 'STR_STARTS_WITH' then return starts_with(flag_text_matches.actual, flag_text_matches.wanted);
    when flag_text_matches.operator = 'STR_ENDS_WITH' then
      return right(flag_text_matches.actual, length(flag_text_matches.wanted)) = flag_text_matches.wanted;
    when flag_text_matches.operator like 'NUM\_%' then
      return private.flag_order_meets(
        flag_text_matches.operator, sign(private.flag_decimal(flag_text_matches.actual) - flag_text_matches.wanted::double precision)::integer
      );
    when flag_text_matches.operator like 'DATE\_%' then
      return private.flag_order_meets(
        flag_text_matches.operator, sign(private.flag_instant(flag_text_matches.actual) - flag_text_matches.wanted::bigint)::integer
      );
    when flag_text_matches.operator like 'SEMVER\_%' then
      v_version := private.flag_semver(flag_text_matches.actual) collate "C";
      return private.flag_order_meets(flag_text_matches.operator, case
        when v_version < flag_text_matches.wanted collate "C" then -1
        when v_version > flag_text_matches.wanted collate "C" then 1
        when v_version is not null then 0
      end);
    when flag_text_matches.operator = 'REGEX' then
      return case
        when flag_text_matches.wanted like '(?i)%' then private.lower_case(flag_text_matches.actual) ~ substr(flag_text_matches.wanted, 5) collate "C"
        else flag_text_matches.actual ~ flag_text_matches.wanted collate "C"
      end;
    when flag_text_matches.operator = 'IN_CIDR' then
      v_address := case when strpos(flag_text_matches.actual, '/') = 0 then private.flag_address(flag_text_matches.actual) end;
      return v_address <<= flag_text_matches.wanted::inet;
  end case;
end;
$$;

comment on function private.flag_text_matches is 'Whether a text is what an operator asks for with one compiled value; null when the text cannot be read.';

create function private.flag_condition_holds(condition jsonb, context jsonb, at bigint)
returns boolean
language plpgsql
stable
set search_path = ''
as $$
declare
  v_operator text := flag_condition_holds.condition ->> 'operator';
  v_values jsonb := flag_condition_holds.condition -> 'values';
  v_text text;
  v_holds boolean := false;
begin
  if v_values = 'null' then
    return false;
  end if;
  if v_operator = 'IN_SEGMENT' then
    for v_number in 0 .. jsonb_array_length(v_values) - 1 loop
      v_holds := private.flag_conditions_hold(v_values -> v_number, flag_condition_holds.context, flag_condition_holds.at);
      exit when v_holds;
    end loop;
    return v_holds <> (flag_condition_holds.condition -> 'is_inverted')::boolean;
  end if;
  v_text := private.flag_attribute(flag_condition_holds.context, flag_condition_holds.condition ->> 'attribute');
  if v_text is null and flag_condition_holds.condition ->> 'attribute' = 'currentTime' and v_operator like 'DATE\_%' then
    v_text := to_char(to_timestamp(flag_condition_holds.at / 1000.0) at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"');
  end if;
  if v_text is not null then
    if (flag_condition_holds.condition -> 'is_case_insensitive')::boolean then
      v_text := private.lower_case(v_text);
    end if;
    if v_operator in ('IN', 'NOT_IN') then
      v_holds := v_values ? v_text;
    else
      for v_number in 0 .. jsonb_array_length(v_values) - 1 loop
        v_holds := coalesce(private.flag_text_matches(v_operator, v_text, v_values ->> v_number), false);
        exit when v_holds;
      end loop;
    end if;
  end if;
  return v_holds <> (flag_condition_holds.condition -> 'is_inverted')::boolean;
end;
$$;

comment on function private.flag_condition_holds is
  'Whether a compiled condition holds for a context at a time (epoch milliseconds). What cannot be read is never matched.';

create function private.flag_conditions_hold(conditions jsonb, context jsonb, at bigint)
returns boolean
language plpgsql
stable
set search_path = ''
as $$
begin
  for v_number in 0 .. jsonb_array_length(flag_conditions_hold.conditions) - 1 loop
    if not private.flag_condition_holds(flag_conditions_hold.conditions -> v_number, flag_conditions_hold.context, flag_conditions_hold.at) then
      return false;
    end if;
  end loop;
  return true;
end;
$$;

comment on function private.flag_conditions_hold is 'Whether all of these compiled conditions hold for a context at a time (epoch milliseconds).';

commit;
