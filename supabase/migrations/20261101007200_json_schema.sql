begin;

create function private.is_regular_expression(pattern text)
returns boolean
language plpgsql
immutable
set search_path = ''
as $$
begin
  perform '' ~ is_regular_expression.pattern;
  return true;
exception when invalid_regular_expression then
  -- Only the attempt tells.
  return false;
end;
$$;

comment on function private.is_regular_expression is 'Whether Postgres takes this pattern.';

create function private.is_schema_keyword(keyword text, argument jsonb)
returns boolean
language plpgsql
immutable
set search_path = ''
as $$
declare
  v_type constant text := jsonb_typeof(is_schema_keyword.argument);
  v_argument constant jsonb := is_schema_keyword.argument;
begin
  return case
    when is_schema_keyword.keyword in ('$schema', '$comment', 'title', 'description') then v_type = 'string'
    when is_schema_keyword.keyword in ('default', 'const') then true
    when is_schema_keyword.keyword in ('enum', 'examples') then v_type = 'array'
    when is_schema_keyword.keyword = 'type' then
      '["null", "boolean", "number", "integer", "string", "array", "object"]' @> v_argument and v_argument <> '[]'
        and v_type in ('string', 'array')
    when is_schema_keyword.keyword in ('minimum', 'maximum', 'exclusiveMinimum', 'exclusiveMaximum') then v_type = 'number'
    when is_schema_keyword.keyword in ('minLength', 'maxLength', 'minItems', 'maxItems', 'minProperties', 'maxProperties') then
      v_type = 'number' and v_argument::text ~ '^\d{1,9}$'
    when is_schema_keyword.keyword = 'multipleOf' then case when v_type = 'number' then v_argument::numeric > 0 else false end
    when is_schema_keyword.keyword = 'pattern' then
      v_type = 'string' and length(v_argument #>> '{}') <= 500 and private.is_regular_expression(v_argument #>> '{}')
    when is_schema_keyword.keyword = 'uniqueItems' then v_type = 'boolean'
    when is_schema_keyword.keyword = 'required' then
      v_type = 'array' and not jsonb_path_exists(v_argument, 'strict $[*] ? (@.type() != "string")')
    when is_schema_keyword.keyword in ('items', 'additionalProperties', 'propertyNames', 'not') then v_type in ('object', 'boolean')
    when is_schema_keyword.keyword = 'properties' then v_type = 'object'
    when is_schema_keyword.keyword in ('allOf', 'anyOf', 'oneOf') then v_type = 'array' and v_argument <> '[]'
    else false
  end;
end;
$$;

comment on function private.is_schema_keyword is
  'Whether the validator knows this keyword of JSON Schema (2020-12) with this argument; whatever it does not know ($ref, format ...) is refused '
  'where a schema is written, so that nobody trusts a check that is never made.';

create function private.json_schema_problems(schema jsonb, path text default '', depth integer default 0)
returns setof jsonb
language plpgsql
immutable
set search_path = ''
as $$
declare
  v_keyword text;
  v_argument jsonb;
  v_path text;
begin
  if jsonb_typeof(json_schema_problems.schema) = 'boolean' then
    return;
  end if;
  if jsonb_typeof(json_schema_problems.schema) <> 'object' or json_schema_problems.depth > 16 then
    return next jsonb_build_object('pointer', json_schema_problems.path, 'detail', 'is no schema, or nested too deeply');
    return;
  end if;
  for v_keyword, v_argument in select * from jsonb_each(json_schema_problems.schema) loop
    v_path := json_schema_problems.path || '/' || private.pointer_token(v_keyword);
    if private.is_schema_keyword(v_keyword, v_argument) is not true then
      return next jsonb_build_object('pointer', v_path, 'detail', 'is not supported');
    elsif v_keyword in ('items', 'additionalProperties', 'propertyNames', 'not') then
      return query select private.json_schema_problems(v_argument, v_path, json_schema_problems.depth + 1);
    elsif v_keyword = 'properties' then
      return query
      select private.json_schema_problems(part.value, v_path || '/' || private.pointer_token(part.key), json_schema_problems.depth + 1)
      from jsonb_each(v_argument) as part;
    elsif v_keyword in ('allOf', 'anyOf', 'oneOf') then
      return query
      select private.json_schema_problems(part.value, v_path || '/' || (part.position - 1), json_schema_problems.depth + 1)
      from jsonb_array_elements(v_argument) with ordinality as part (value, position);
    end if;
  end loop;
end;
$$;

create function private.pointer_token(name text)
returns text
language sql
immutable
set search_path = ''
as $$ select replace(replace(pointer_token.name, '~', '~0'), '/', '~1') $$;

comment on function private.pointer_token is 'A member''s name inside a JSON pointer (RFC 6901).';
comment on function private.json_schema_problems is 'What of a JSON Schema the validator does not support: pointer and detail. None = it can be relied on.';

create function private.keeps_schema_keyword(value jsonb, keyword text, argument jsonb)
returns boolean
language plpgsql
immutable
set search_path = ''
as $$
declare
  v_value constant jsonb := keeps_schema_keyword.value;
  v_argument constant jsonb := keeps_schema_keyword.argument;
  v_type constant text := jsonb_typeof(v_value);
  v_number constant numeric := case when v_type = 'number' then v_value::numeric end;
  v_limit constant numeric := case when jsonb_typeof(v_argument) = 'number' then v_argument::numeric end;
begin
  -- A keyword about another type than the value's holds: its comparison is null.
  return coalesce(case keeps_schema_keyword.keyword
    when 'type' then v_argument @> to_jsonb(v_type) or (v_argument @> '"integer"' and v_number % 1 = 0)
    when 'const' then v_value = v_argument
    when 'enum' then exists (select from jsonb_array_elements(v_argument) as allowed (value) where allowed.value = v_value)
    when 'minimum' then v_number >= v_limit
    when 'maximum' then v_number <= v_limit
    when 'exclusiveMinimum' then v_number > v_limit
    when 'exclusiveMaximum' then v_number < v_limit
    when 'multipleOf' then v_number % v_limit = 0
    when 'minLength' then case when v_type = 'string' then length(v_value #>> '{}') >= v_limit end
    when 'maxLength' then case when v_type = 'string' then length(v_value #>> '{}') <= v_limit end
    when 'pattern' then case when v_type = 'string' then v_value #>> '{}' ~ (v_argument #>> '{}') end
    when 'minItems' then case when v_type = 'array' then jsonb_array_length(v_value) >= v_limit end
    when 'maxItems' then case when v_type = 'array' then jsonb_array_length(v_value) <= v_limit end
    when 'uniqueItems' then case when v_type = 'array' and v_argument = 'true' then
      (select count(*) = count(distinct item.value) from jsonb_array_elements(v_value) as item (value)) end
    when 'required' then case when v_type = 'object' then
      v_value ?& array(select jsonb_array_elements_text(v_argument)) end
    when 'minProperties' then case when v_type = 'object' then (select count(*) >= v_limit from jsonb_object_keys(v_value)) end
    when 'maxProperties' then case when v_type = 'object' then (select count(*) <= v_limit from jsonb_object_keys(v_value)) end
    else true
  end, keeps_schema_keyword.keyword <> 'type');
end;
$$;

comment on function private.keeps_schema_keyword is 'Whether a value keeps one keyword that has no schemas inside; patterns are Postgres''s regular expressions.';

create function private.json_value_problems(value jsonb, schema jsonb, path text default '')
returns setof jsonb
language plpgsql
immutable
set search_path = ''
as $$
declare
  v_value constant jsonb := json_value_problems.value;
  v_schema constant jsonb := json_value_problems.schema;
  v_keyword text;
  v_argument jsonb;
  v_fits bigint;
begin
  if jsonb_typeof(v_schema) = 'boolean' then
    if v_schema = 'false' then
      return next jsonb_build_object('pointer', json_value_problems.path, 'detail', 'is not allowed');
    end if;
    return;
  end if;
  for v_keyword, v_argument in select * from jsonb_each(v_schema) loop
    if v_keyword in ('allOf', 'anyOf', 'oneOf', 'not') then
      select count(*) into v_fits
      from jsonb_array_elements(case when v_keyword = 'not' then jsonb_build_array(v_argument) else v_argument end) as part (schema)
      where not exists (select from private.json_value_problems(v_value, part.schema));
      if not (case v_keyword
        when 'allOf' then v_fits = jsonb_array_length(v_argument)
        when 'anyOf' then v_fits > 0
        when 'oneOf' then v_fits = 1
        else v_fits = 0
      end) then
        return next jsonb_build_object('pointer', json_value_problems.path, 'detail', v_keyword);
      end if;
    elsif not private.keeps_schema_keyword(v_value, v_keyword, v_argument) then
      return next jsonb_build_object('pointer', json_value_problems.path, 'detail', v_keyword);
    end if;
  end loop;

  return query
  select inner_problem
  from private.schema_parts(v_value, v_schema) as part
  cross join lateral private.json_value_problems(
    part.value, part.schema, json_value_problems.path || coalesce('/' || private.pointer_token(part.name), '')
  ) as inner_problem;
end;
$$;

comment on function private.json_value_problems is 'Where a value breaks a schema, and which keyword: pointer and detail. None = it fits.';

create function private.schema_parts(value jsonb, schema jsonb)
returns table (name text, value jsonb, schema jsonb)
language sql
immutable
set search_path = ''
as $$
  select member.key, member.value,
    coalesce(schema_parts.schema -> 'properties' -> member.key, schema_parts.schema -> 'additionalProperties', 'true')
  from jsonb_each(case when jsonb_typeof(schema_parts.value) = 'object' then schema_parts.value else '{}' end) as member
  union all
  select null, to_jsonb(member.key), schema_parts.schema -> 'propertyNames'
  from jsonb_each(case when jsonb_typeof(schema_parts.value) = 'object' then schema_parts.value else '{}' end) as member
  where schema_parts.schema ? 'propertyNames'
  union all
  select (item.position - 1)::text, item.value, schema_parts.schema -> 'items'
  from jsonb_array_elements(case when jsonb_typeof(schema_parts.value) = 'array' then schema_parts.value else '[]' end)
    with ordinality as item (value, position)
  where schema_parts.schema ? 'items'
$$;

comment on function private.schema_parts is 'The parts of a value that schemas inside a schema speak of; a null name = the value''s own place.';

commit;
