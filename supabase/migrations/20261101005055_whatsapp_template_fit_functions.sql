begin;

create function private.template_placeholders(value text)
returns text[]
language plpgsql
immutable
set search_path = ''
as $$
begin
  return array(
    select distinct found.match[1]
    from regexp_matches(template_placeholders.value, '\{\{\s*(\w+)\s*\}\}', 'g') as found (match)
    order by 1
  );
end;
$$;

comment on function private.template_placeholders is 'The names or numbers in {{ }} of a template''s text, each once.';

create function private.template_component(components jsonb, kind text)
returns table (component jsonb, index bigint)
language plpgsql
immutable
rows 1
set search_path = ''
as $$
begin
  return query
  select each.element, each.index
  from private.jsonb_elements(template_component.components) as each
  where lower(each.element ->> 'type') = template_component.kind
  order by each.index
  limit 1;
end;
$$;

comment on function private.template_component is 'The component of that kind and where it stands, if there is one.';

create function private.whatsapp_text_fit_problems(definition jsonb, components jsonb, kind text)
returns jsonb
language plpgsql
immutable
set search_path = ''
as $$
declare
  v_kind text := whatsapp_text_fit_problems.kind;
  v_defined jsonb;
  v_expected text[];
  v_given jsonb;
  v_index bigint;
  v_names text[];
begin
  select part.component into v_defined from private.template_component(whatsapp_text_fit_problems.definition, v_kind) as part;
  if v_defined ->> 'text' is null and v_defined is not null then
    return '[]';
  end if;
  v_expected := private.template_placeholders(v_defined ->> 'text');
  select part.component -> 'parameters', part.index into v_given, v_index
  from private.template_component(whatsapp_text_fit_problems.components, v_kind) as part;
  v_names := array(select parameter.element ->> 'parameter_name' from private.jsonb_elements(v_given) as parameter order by 1);
  if cardinality(v_names) = cardinality(v_expected) and (v_names = v_expected or v_expected[1] !~ '\D' or v_expected = '{}') then
    return '[]';
  end if;
  return private.json_problem(
    coalesce('/template/components/' || v_index || '/parameters', '/template/components'),
    format('the template''s %s takes %s', v_kind, coalesce(nullif(array_to_string(v_expected, ', '), ''), 'no parameters'))
  );
end;
$$;

comment on function private.whatsapp_text_fit_problems is
  'Whether a template''s header or body is given what its text has placeholders for: so many, or those of these names (Meta: code 132000).';

create function private.whatsapp_header_fit_problems(definition jsonb, components jsonb)
returns jsonb
language plpgsql
immutable
set search_path = ''
as $$
declare
  v_format text;
  v_given jsonb;
  v_index bigint;
begin
  select lower(part.component ->> 'format') into v_format
  from private.template_component(whatsapp_header_fit_problems.definition, 'header') as part;
  if v_format is null or v_format = 'text' then
    return private.whatsapp_text_fit_problems(whatsapp_header_fit_problems.definition, whatsapp_header_fit_problems.components, 'header');
  end if;
  select part.component -> 'parameters' -> 0, part.index into v_given, v_index
  from private.template_component(whatsapp_header_fit_problems.components, 'header') as part;
  if v_given ->> 'type' = v_format or v_format not in ('image', 'video', 'document', 'location', 'product') then
    return '[]';
  end if;
  return private.json_problem(
    coalesce('/template/components/' || v_index || '/parameters', '/template/components'), 'the template''s header takes ' || v_format
  );
end;
$$;

comment on function private.whatsapp_header_fit_problems is
  'Whether a template''s header is given what it shows (Meta: code 132012); of formats that nobody has described, anything is taken.';

create function private.whatsapp_button_fit_problems(definition jsonb, components jsonb)
returns jsonb
language plpgsql
immutable
set search_path = ''
as $$
begin
  return coalesce((
    select jsonb_agg(jsonb_build_object(
      'pointer', '/template/components', 'detail', format('the template''s button %s takes a parameter', button.index)
    ) order by button.index)
    from private.template_component(whatsapp_button_fit_problems.definition, 'buttons') as part
    cross join lateral private.jsonb_elements(part.component -> 'buttons') as button
    where (
        upper(button.element ->> 'type') = 'URL' and cardinality(private.template_placeholders(button.element ->> 'url')) > 0
        or upper(button.element ->> 'type') = 'COPY_CODE'
      )
      and not exists (
        select from private.jsonb_elements(whatsapp_button_fit_problems.components) as given
        where lower(given.element ->> 'type') = 'button' and given.element ->> 'index' = button.index::text
      )
  ), '[]');
end;
$$;

comment on function private.whatsapp_button_fit_problems is
  'Whether every link with a placeholder and every code to copy is filled in (Meta: code 131008).';

create function private.whatsapp_template_problems(phone_number_id text, payload jsonb)
returns jsonb
language plpgsql
stable
set search_path = ''
as $$
declare
  v_given jsonb := whatsapp_template_problems.payload #> '{template,components}';
  v_template record;
begin
  if whatsapp_template_problems.payload -> 'template' is null then
    return '[]';
  end if;
  select template.is_sendable, template.status, template.components into v_template
  from public.whatsapp_numbers as number
  join public.whatsapp_templates as template on template.waba_id = number.waba_id
  where number.phone_number_id = whatsapp_template_problems.phone_number_id
    and template.name = whatsapp_template_problems.payload #>> '{template,name}'
    and template.language = whatsapp_template_problems.payload #>> '{template,language,code}';
  if not found then
    return '[]';
  end if;
  if not v_template.is_sendable then
    return private.json_problem('/template/name', 'may not be sent: ' || v_template.status);
  end if;
  if v_template.components is null then
    return '[]';
  end if;
  return private.whatsapp_header_fit_problems(v_template.components, v_given)
    || private.whatsapp_text_fit_problems(v_template.components, v_given, 'body')
    || private.whatsapp_button_fit_problems(v_template.components, v_given);
end;
$$;

comment on function private.whatsapp_template_problems is
  'What Meta would refuse of a template message now, by what is known of the template: that it is paused, disabled, rejected or gone, or that '
  'what is filled in does not fit it. A template that nothing is known of may be sent. Cards are not compared. Pointers start at the payload.';

commit;
