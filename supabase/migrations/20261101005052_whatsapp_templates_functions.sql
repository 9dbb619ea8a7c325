begin;

create function private.whatsapp_listing_problems(templates jsonb)
returns jsonb
language plpgsql
immutable
set search_path = ''
as $$
declare
  v_problems jsonb := private.list_problems(jsonb_build_object('templates', whatsapp_listing_problems.templates), '', 'templates', 0, 1000);
  v_pointer text;
begin
  for v_index in 0 .. private.list_length(whatsapp_listing_problems.templates, 1000) - 1 loop
    v_pointer := '/templates/' || v_index;
    v_problems := v_problems
      || private.object_problems(whatsapp_listing_problems.templates -> v_index, v_pointer)
      || private.text_problems(whatsapp_listing_problems.templates -> v_index, v_pointer, 'name', 512)
      || private.text_problems(whatsapp_listing_problems.templates -> v_index, v_pointer, 'language', 32);
  end loop;
  return v_problems;
end;
$$;

comment on function private.whatsapp_listing_problems is 'What is wrong with templates as the Graph API lists them: each needs a name and a language.';

create function private.upsert_whatsapp_templates(waba_id text, templates jsonb, listed_at timestamptz)
returns integer
language plpgsql
security definer -- adds to what Meta told, which no role may write
set search_path = ''
as $$
declare
  v_problems jsonb := private.whatsapp_listing_problems(upsert_whatsapp_templates.templates);
begin
  if (length(upsert_whatsapp_templates.waba_id) between 1 and 64) is not true then
    perform private.refuse('invalid_argument', '{"argument": "waba_id", "range": "1..64 characters"}');
  end if;
  if (upsert_whatsapp_templates.listed_at <= now() + interval '1 hour') is not true then
    perform private.refuse('invalid_argument', '{"argument": "listed_at", "range": "a time not to come"}');
  end if;
  if v_problems <> '[]' then
    perform private.refuse('invalid_argument', jsonb_build_object('argument', 'templates', 'errors', v_problems));
  end if;
  return private.keep_whatsapp_reports(array(
    select row(
      'template', array[upsert_whatsapp_templates.waba_id, listed.element ->> 'name', listed.element ->> 'language'],
      'listing', listed.element, least(upsert_whatsapp_templates.listed_at, now()), null
    )::public.whatsapp_reports
    from private.jsonb_elements(upsert_whatsapp_templates.templates) as listed
  ));
end;
$$;

comment on function private.upsert_whatsapp_templates is 'The work of public.upsert_whatsapp_templates().';

create function public.upsert_whatsapp_templates(waba_id text, templates jsonb, listed_at timestamptz default now())
returns integer
language plpgsql
set search_path = ''
set statement_timeout = '5s'
as $$
begin
  return private.upsert_whatsapp_templates(
    upsert_whatsapp_templates.waba_id, upsert_whatsapp_templates.templates, upsert_whatsapp_templates.listed_at
  );
end;
$$;

comment on function public.upsert_whatsapp_templates is
  'Registers or refreshes an account''s templates from what the Graph API lists (the elements of data of GET /{waba_id}/message_templates), as of '
  'listed_at, when it answered. Older listings than the one kept change nothing; templates that are not in it stay as they are. '
  'Says how many were news. Refuses: invalid_argument.';
grant execute on function public.upsert_whatsapp_templates, private.upsert_whatsapp_templates to service_role;

create function private.whatsapp_billing_category(phone_number_id text, message_type text, payload jsonb)
returns text
language plpgsql
stable
set search_path = ''
as $$
begin
  if whatsapp_billing_category.message_type is distinct from 'template' then
    return 'service';
  end if;
  return (
    select lower(template.category)
    from public.whatsapp_numbers as number
    join public.whatsapp_templates as template on template.waba_id = number.waba_id
    where number.phone_number_id = whatsapp_billing_category.phone_number_id
      and template.name = whatsapp_billing_category.payload #>> '{template,name}'
      and template.language = whatsapp_billing_category.payload #>> '{template,language,code}'
  );
end;
$$;

comment on function private.whatsapp_billing_category is
  'As what Meta charges a message: service, or its template''s category (marketing, utility, authentication); null where nobody has told it.';

create function private.matching_language(available text[], wanted text)
returns text
language plpgsql
immutable
set search_path = ''
as $$
declare
  v_wanted text := lower(replace(matching_language.wanted, '-', '_'));
begin
  return (
    select language.code
    from unnest(matching_language.available) as language (code)
    cross join lateral (select lower(replace(language.code, '-', '_')) as folded) as spelt
    where language.code is not null
    order by
      (spelt.folded = v_wanted) is true desc,
      (split_part(spelt.folded, '_', 1) = split_part(v_wanted, '_', 1)) is true desc,
      split_part(spelt.folded, '_', 1) = 'en' desc,
      length(language.code), language.code collate "C"
    limit 1
  );
end;
$$;

comment on function private.matching_language is
  'The language to speak to somebody, of those that there are: theirs (rw, for which rw_RW will do), else English, else the first that there is; '
  'null if there is none. Of several variants the plain one, then by the alphabet.';

create function private.whatsapp_template_language(phone_number_id text, name text, locale text)
returns text
language plpgsql
stable
set search_path = ''
as $$
begin
  return private.matching_language(
    array(
      select template.language
      from public.whatsapp_numbers as number
      join public.whatsapp_templates as template on template.waba_id = number.waba_id
      where number.phone_number_id = whatsapp_template_language.phone_number_id
        and template.name = whatsapp_template_language.name
        and template.is_sendable
    ),
    whatsapp_template_language.locale
  );
end;
$$;

comment on function private.whatsapp_template_language is
  'In which of its languages to send a template to somebody of this locale; null if none that may be sent is known.';

commit;
