begin;

create function private.list_problems(
  parent jsonb,
  pointer text,
  key text,
  fewest integer,
  most integer,
  is_required boolean default true
)
returns jsonb
language plpgsql
immutable
set search_path = ''
as $$
declare
  v_value jsonb := list_problems.parent -> list_problems.key;
begin
  if v_value is null then
    return private.missing_problems(list_problems.parent, list_problems.pointer, list_problems.key, list_problems.is_required);
  end if;
  if jsonb_typeof(v_value) = 'array' then
    if jsonb_array_length(v_value) between list_problems.fewest and list_problems.most then
      return '[]';
    end if;
    return private.json_problem(
      list_problems.pointer || '/' || list_problems.key, format('from %s to %s entries', list_problems.fewest, list_problems.most)
    );
  end if;
  return private.json_problem(list_problems.pointer || '/' || list_problems.key, 'must be an array');
end;
$$;

comment on function private.list_problems is 'What is wrong with a member that must be an array of so many entries.';

create function private.list_length(list jsonb, most integer)
returns integer
language plpgsql
immutable
set search_path = ''
as $$
begin
  -- A CASE would not do: Postgres may not evaluate the length of what is no array.
  if jsonb_typeof(list_length.list) = 'array' then
    return least(jsonb_array_length(list_length.list), list_length.most);
  end if;
  return 0;
end;
$$;

comment on function private.list_length is
  'How many entries of an array to look at: no more than may be there. Of anything else, none: that it is no array is said elsewhere.';

create function private.duplicate_problems(list jsonb, pointer text, path text[])
returns jsonb
language plpgsql
immutable
set search_path = ''
as $$
declare
  v_seen text[] := '{}';
  v_value text;
  v_problems jsonb := '[]';
begin
  for v_index in 0 .. private.list_length(duplicate_problems.list, 100) - 1 loop
    v_value := duplicate_problems.list -> v_index #>> duplicate_problems.path;
    if v_value = any(v_seen) then
      v_problems := v_problems || private.json_problem(
        concat_ws('/', duplicate_problems.pointer, v_index, array_to_string(duplicate_problems.path, '/')), 'is used more than once'
      );
    end if;
    v_seen := v_seen || v_value;
  end loop;
  return v_problems;
end;
$$;

comment on function private.duplicate_problems is 'What is wrong with entries of an array that have the same value at a path as one before them.';

commit;
