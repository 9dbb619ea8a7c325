begin;

create function private.json_problem(pointer text, detail text)
returns jsonb
language plpgsql
immutable
set search_path = ''
as $$
begin
  return jsonb_build_array(jsonb_build_object('pointer', json_problem.pointer, 'detail', json_problem.detail));
end;
$$;

comment on function private.json_problem is
  'One problem of a JSON document: where it is (RFC 6901) and what the rule is. Functions named *_problems return arrays of these; [] is fine. '
  'They take any JSON and never raise.';

create function private.missing_problems(parent jsonb, pointer text, key text, is_required boolean)
returns jsonb
language plpgsql
immutable
set search_path = ''
as $$
begin
  return case when missing_problems.is_required and jsonb_typeof(missing_problems.parent) = 'object'
    then private.json_problem(missing_problems.pointer || '/' || missing_problems.key, 'is required')
    else '[]'
  end;
end;
$$;

comment on function private.missing_problems is
  'What is wrong when an object has no such member. Of what is no object that alone is said, by private.object_problems().';

create function private.object_problems(value jsonb, pointer text, known_keys text[] default null)
returns jsonb
language plpgsql
immutable
set search_path = ''
as $$
begin
  if object_problems.value is null then
    return private.json_problem(object_problems.pointer, 'is required');
  end if;
  if jsonb_typeof(object_problems.value) <> 'object' then
    return private.json_problem(object_problems.pointer, 'must be an object');
  end if;
  if object_problems.known_keys is null or object_problems.value - object_problems.known_keys = '{}' then
    return '[]';
  end if;
  return (
    select jsonb_agg(jsonb_build_object(
      'pointer', object_problems.pointer || '/' || replace(replace(unknown.key, '~', '~0'), '/', '~1'),
      'detail', 'is not known here'
    ))
    from (select each.key from jsonb_object_keys(object_problems.value - object_problems.known_keys) as each (key) limit 20) as unknown
  );
end;
$$;

comment on function private.object_problems is 'What is wrong with something that must be an object with no other members than these.';

create function private.member_problems(parent jsonb, pointer text, key text, known_keys text[] default null, is_required boolean default true)
returns jsonb
language plpgsql
immutable
set search_path = ''
as $$
declare
  v_value jsonb := member_problems.parent -> member_problems.key;
begin
  if v_value is null then
    return private.missing_problems(member_problems.parent, member_problems.pointer, member_problems.key, member_problems.is_required);
  end if;
  return private.object_problems(v_value, member_problems.pointer || '/' || member_problems.key, member_problems.known_keys);
end;
$$;

comment on function private.member_problems is 'What is wrong with a member that must be an object with no other members than these.';

create function private.text_problems(parent jsonb, pointer text, key text, max_length integer, is_required boolean default true)
returns jsonb
language plpgsql
immutable
set search_path = ''
as $$
declare
  v_value jsonb := text_problems.parent -> text_problems.key;
  v_text text := v_value #>> '{}';
begin
  if v_value is null then
    return private.missing_problems(text_problems.parent, text_problems.pointer, text_problems.key, text_problems.is_required);
  end if;
  if jsonb_typeof(v_value) = 'string' and v_text ~ '[^ \t\r\n]'
    and (length(v_text) <= text_problems.max_length) is not false then
    return '[]';
  end if;
  return private.json_problem(text_problems.pointer || '/' || text_problems.key, case
    when jsonb_typeof(v_value) <> 'string' then 'must be a string'
    when v_text !~ '[^ \t\r\n]' then 'must not be empty'
    else format('at most %s characters', text_problems.max_length)
  end);
end;
$$;

comment on function private.text_problems is
  'What is wrong with a member that must be text, not blank, and not longer than max_length (null: however long). A character is a Unicode code point.';

create function private.pattern_problems(
  parent jsonb,
  pointer text,
  key text,
  pattern text,
  meaning text,
  is_required boolean default true
)
returns jsonb
language plpgsql
immutable
set search_path = ''
as $$
declare
  v_value jsonb := pattern_problems.parent -> pattern_problems.key;
begin
  if v_value is null then
    return private.missing_problems(pattern_problems.parent, pattern_problems.pointer, pattern_problems.key, pattern_problems.is_required);
  end if;
  if jsonb_typeof(v_value) = 'string' and v_value #>> '{}' ~ pattern_problems.pattern then
    return '[]';
  end if;
  return private.json_problem(pattern_problems.pointer || '/' || pattern_problems.key, pattern_problems.meaning);
end;
$$;

comment on function private.pattern_problems is 'What is wrong with a member that must be a string of a certain form; meaning says the form in words.';

create function private.link_problems(parent jsonb, pointer text, key text, is_required boolean default true)
returns jsonb
language plpgsql
immutable
set search_path = ''
as $$
begin
  if length(link_problems.parent ->> link_problems.key) > 2000 then
    return private.json_problem(link_problems.pointer || '/' || link_problems.key, 'at most 2000 characters');
  end if;
  return private.pattern_problems(
    link_problems.parent, link_problems.pointer, link_problems.key,
    '^https://[^[:space:]/?#]+([/?#][^[:space:]]*)?$', 'must be an https URL', link_problems.is_required
  );
end;
$$;

comment on function private.link_problems is 'What is wrong with a member that must be a link.';

create function private.choice_problems(parent jsonb, pointer text, key text, choices text[], is_required boolean default true)
returns jsonb
language plpgsql
immutable
set search_path = ''
as $$
declare
  v_value jsonb := choice_problems.parent -> choice_problems.key;
begin
  if v_value is null then
    return private.missing_problems(choice_problems.parent, choice_problems.pointer, choice_problems.key, choice_problems.is_required);
  end if;
  if jsonb_typeof(v_value) = 'string' and v_value #>> '{}' = any(choice_problems.choices) then
    return '[]';
  end if;
  return private.json_problem(
    choice_problems.pointer || '/' || choice_problems.key, 'must be ' || array_to_string(choice_problems.choices, ' or ')
  );
end;
$$;

comment on function private.choice_problems is 'What is wrong with a member that must be one of these strings.';

create function private.flag_problems(parent jsonb, pointer text, key text)
returns jsonb
language plpgsql
immutable
set search_path = ''
as $$
begin
  if jsonb_typeof(flag_problems.parent -> flag_problems.key) <> 'boolean' then
    return private.json_problem(flag_problems.pointer || '/' || flag_problems.key, 'must be true or false');
  end if;
  return '[]';
end;
$$;

comment on function private.flag_problems is 'What is wrong with a member that may be true, false or absent.';

create function private.integer_problems(
  parent jsonb,
  pointer text,
  key text,
  lowest bigint,
  highest bigint,
  is_required boolean default true
)
returns jsonb
language plpgsql
immutable
set search_path = ''
as $$
declare
  v_value jsonb := integer_problems.parent -> integer_problems.key;
begin
  if v_value is null then
    return private.missing_problems(integer_problems.parent, integer_problems.pointer, integer_problems.key, integer_problems.is_required);
  end if;
  if jsonb_typeof(v_value) = 'number' then
    if v_value::numeric between integer_problems.lowest and integer_problems.highest and v_value::numeric = trunc(v_value::numeric) then
      return '[]';
    end if;
  end if;
  return private.json_problem(
    integer_problems.pointer || '/' || integer_problems.key,
    format('must be a whole number from %s to %s', integer_problems.lowest, integer_problems.highest)
  );
end;
$$;

comment on function private.integer_problems is 'What is wrong with a member that must be a whole number within bounds, themselves included.';

commit;
