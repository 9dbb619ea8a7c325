begin;

create function private.flag_regex_item(item text, fold boolean, out first integer, out last integer, out class text)
language plpgsql
immutable
set search_path = ''
as $$
declare
  v_character text := flag_regex_item.item;
begin
  class := case
    when v_character in ('\d', '[:digit:]') then '0-9'
    when v_character in ('\w', '[:word:]') then '0-9A-Z_a-z'
    when v_character = '\s' then '\t\n\f\r '
    when v_character = '[:alpha:]' then 'A-Za-z'
    when v_character = '[:alnum:]' then '0-9A-Za-z'
    when v_character = '[:upper:]' then case when flag_regex_item.fold then 'A-Za-z' else 'A-Z' end
    when v_character = '[:lower:]' then 'a-z'
    when v_character = '[:space:]' then '\t-\r '
    when v_character = '[:punct:]' then '!-/:-@\[-`{-~'
    when v_character = '[:xdigit:]' then '0-9A-Fa-f'
  end;
  if class is not null or length(v_character) > 2 then
    return;
  end if;
  if v_character ~ '^\\[tnrfv]$' then
    v_character := translate(substr(v_character, 2), 'tnrfv', E'\t\n\r\f\v');
  elsif v_character ~ '^\\[!-/:-@[-`{-~]$' then
    v_character := substr(v_character, 2);
  elsif v_character like '\\%' then
    return;
  end if;
  first := ascii(case when flag_regex_item.fold then private.lower_case(v_character) else v_character end);
  last := first;
end;
$$;

comment on function private.flag_regex_item is
  'What one item of a bracket expression stands for: a character''s code point, or the inside of a class; nothing when it is not in the dialect.';

create function private.flag_regex_character(code_point integer)
returns text
language plpgsql
immutable
set search_path = ''
as $$
begin
  return case
    when flag_regex_character.code_point < 128 and chr(flag_regex_character.code_point) ~ '[!-/:-@[-`{-~]'
      then '\' || chr(flag_regex_character.code_point)
    else chr(flag_regex_character.code_point)
  end;
end;
$$;

comment on function private.flag_regex_character is 'A character as Postgres''s regular expressions take it literally, in brackets and outside.';

create function private.flag_regex_set(token text, fold boolean)
returns text
language plpgsql
immutable
set search_path = ''
as $$
declare
  v_is_negated boolean := flag_regex_set.token like '[^%';
  v_items text[] := array(
    select match[1]
    from regexp_matches(substr(flag_regex_set.token, case when v_is_negated then 3 else 2 end, length(flag_regex_set.token) - case when v_is_negated then 3 else 2 end),
      '(\[:\w+:\]|\\.|.)', 'g') as match
  );
  v_at integer := 1;
  v_item record;
  v_end record;
  v_set text := '';
begin
  while v_at <= cardinality(v_items) loop
    v_item := private.flag_regex_item(v_items[v_at], flag_regex_set.fold);
    if v_items[v_at + 1] = '-' and v_at + 2 <= cardinality(v_items) then
      -- The ends of a range are taken as they stand.
      v_item := private.flag_regex_item(v_items[v_at], false);
      v_end := private.flag_regex_item(v_items[v_at + 2], false);
      if (v_item.first <= v_end.first) is not true then
        return null;
      end if;
      v_set := v_set || private.flag_regex_character(v_item.first) || '-' || private.flag_regex_character(v_end.first);
      if flag_regex_set.fold and v_item.first <= 90 and v_end.first >= 65 then
        v_set := v_set || chr(greatest(v_item.first, 65) + 32) || '-' || chr(least(v_end.first, 90) + 32);
      end if;
      v_at := v_at + 3;
    else
      v_set := v_set || coalesce(v_item.class, private.flag_regex_character(v_item.first));
      v_at := v_at + 1;
    end if;
  end loop;
  return case when v_is_negated then '[^' else '[' end || v_set || ']';
end;
$$;

comment on function private.flag_regex_set is 'A bracket expression as Postgres takes it; null when it is not in the dialect.';

create function private.flag_regex_atom(token text, is_multiline boolean, is_dot_all boolean, fold boolean)
returns text
language plpgsql
immutable
set search_path = ''
as $$
declare
  c_word constant text := '[0-9A-Z_a-z]';
  v_item record;
begin
  case
    when flag_regex_atom.token = '^' then return case when flag_regex_atom.is_multiline then '(?<![^\n])' else '^' end;
    when flag_regex_atom.token = '$' then return case when flag_regex_atom.is_multiline then '(?![^\n])' else '$' end;
    when flag_regex_atom.token = '\b' then
      return format('(?:(?<!%1$s)(?=%1$s)|(?<=%1$s)(?!%1$s))', c_word);
    when flag_regex_atom.token = '\B' then
      return format('(?:(?<!%1$s)(?!%1$s)|(?<=%1$s)(?=%1$s))', c_word);
    when flag_regex_atom.token = '.' then return case when flag_regex_atom.is_dot_all then '.' else '[^\n]' end;
    when flag_regex_atom.token ~ '^\\[DWS]$' then
      return '[^' || (private.flag_regex_item(lower(flag_regex_atom.token), false)).class || ']';
    when flag_regex_atom.token like '[_%' then return private.flag_regex_set(flag_regex_atom.token, flag_regex_atom.fold);
    when flag_regex_atom.token ~ '^[*+?[{]' then return null;
    else
      v_item := private.flag_regex_item(flag_regex_atom.token, flag_regex_atom.fold);
      return coalesce('[' || v_item.class || ']', private.flag_regex_character(v_item.first));
  end case;
end;
$$;

comment on function private.flag_regex_atom is 'What matches a character or a place, as Postgres takes it; null when it is not in the dialect.';

create function private.flag_regex(pattern text, is_case_insensitive boolean)
returns text
language plpgsql
immutable
set search_path = ''
as $$
declare
  v_flags text := coalesce((regexp_match(flag_regex.pattern, '^\^?\(\?([ims]+)\)'))[1], '');
  v_fold boolean := flag_regex.is_case_insensitive or v_flags like '%i%';
  v_token text;
  v_atom text;
  v_bounds text[];
  v_result text := '';
  v_sizes bigint[] := '{0}';
  v_last bigint;
begin
  for v_token in
    select match[1]
    from regexp_matches(
      regexp_replace(flag_regex.pattern, '^(\^?)\(\?[ims]+\)', '\1'),
      '(\\.|\[\^?(?:\[:\w+:\]|\\.|[^\]\\])+\]|\(\?:|[()|]|\{[0-9]+(?:,[0-9]*)?\}\??|[*+?]\??|.)', 'g'
    ) as match
  loop
    v_bounds := regexp_match(v_token, '^(?:([*+?])|\{([0-9]+)(,?)([0-9]*)\})\??$');
    if v_token in ('(', '(?:') then
      v_result := v_result || '(?:';
      v_sizes := v_sizes || 0::bigint;
      v_last := null;
    elsif v_token = ')' then
      if cardinality(v_sizes) = 1 then
        return null;
      end if;
      v_last := v_sizes[cardinality(v_sizes)];
      v_sizes := trim_array(v_sizes, 1);
      v_sizes[cardinality(v_sizes)] := v_sizes[cardinality(v_sizes)] + v_last;
      v_result := v_result || ')';
    elsif v_token = '|' then
      v_result := v_result || '|';
      v_sizes[cardinality(v_sizes)] := v_sizes[cardinality(v_sizes)] + 2;
      v_last := null;
    elsif v_bounds is not null then
      if v_last is null or length(v_bounds[2]) > 3 or length(v_bounds[4]) > 3 or v_bounds[2]::integer > 255
        or nullif(v_bounds[4], '')::integer > 255 or nullif(v_bounds[4], '')::integer < v_bounds[2]::integer
      then
        return null;
      end if;
      -- Whether there is a match at all does not depend on greed.
      v_result := v_result || rtrim(left(v_token, 1), '{') || coalesce('{' || v_bounds[2] || v_bounds[3] || v_bounds[4] || '}', '');
      v_sizes[cardinality(v_sizes)] := v_sizes[cardinality(v_sizes)]
        + (v_last + 2) * coalesce(nullif(v_bounds[4], '')::integer, v_bounds[2]::integer + 1, 1);
      v_last := null;
    else
      v_atom := private.flag_regex_atom(v_token, v_flags like '%m%', v_flags like '%s%', v_fold);
      if v_atom is null then
        return null;
      end if;
      v_result := v_result || v_atom;
      v_sizes[cardinality(v_sizes)] := v_sizes[cardinality(v_sizes)] + 1;
      v_last := case when v_token in ('^', '$', '\b', '\B') then null else 1 end;
    end if;
    if v_sizes[cardinality(v_sizes)] > 1000 then
      return null;
    end if;
  end loop;
  return case when cardinality(v_sizes) = 1 then v_result end;
end;
$$;

comment on function private.flag_regex is
  'A pattern of the dialect that every evaluator means alike (RE2 without look-around, references, possessive or Unicode classes; flags i, m, s at '
  'its start) as Postgres takes it, for texts in lower case where case is ignored; null when it is none, or one that grows beyond 1000 steps.';

create function private.ignores_case(pattern text)
returns boolean
language plpgsql
immutable
set search_path = ''
as $$
begin
  return ignores_case.pattern ~ '^\^?\(\?[ms]*i[ims]*\)';
end;
$$;

comment on function private.ignores_case is 'Whether a pattern asks for it by its flags.';

commit;
