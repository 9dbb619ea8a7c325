begin;

create function private.whatsapp_contact_name_problems(name jsonb, pointer text)
returns jsonb
language plpgsql
immutable
set search_path = ''
as $$
declare
  c_parts constant text[] := '{first_name,last_name,middle_name,prefix,suffix}';
  v_problems jsonb := private.object_problems(
    whatsapp_contact_name_problems.name, whatsapp_contact_name_problems.pointer, 'formatted_name'::text || c_parts
  );
begin
  if jsonb_typeof(whatsapp_contact_name_problems.name) is distinct from 'object' then
    return v_problems;
  end if;
  v_problems := v_problems
    || private.text_problems(whatsapp_contact_name_problems.name, whatsapp_contact_name_problems.pointer, 'formatted_name', null);
  for v_index in 1 .. cardinality(c_parts) loop
    v_problems := v_problems
      || private.text_problems(whatsapp_contact_name_problems.name, whatsapp_contact_name_problems.pointer, c_parts[v_index], null, false);
  end loop;
  return v_problems || case when whatsapp_contact_name_problems.name ?| c_parts then '[]'
    else private.json_problem(whatsapp_contact_name_problems.pointer, 'needs one of ' || array_to_string(c_parts, ', ')) end;
end;
$$;

comment on function private.whatsapp_contact_name_problems is
  'What Meta would refuse of a contact''s name: formatted_name and at least one part of it.';

create function private.whatsapp_contact_detail_problems(contact jsonb, pointer text, key text, needed text, labels text[])
returns jsonb
language plpgsql
immutable
set search_path = ''
as $$
declare
  v_list jsonb := whatsapp_contact_detail_problems.contact -> whatsapp_contact_detail_problems.key;
  v_problems jsonb := private.list_problems(
    whatsapp_contact_detail_problems.contact, whatsapp_contact_detail_problems.pointer, whatsapp_contact_detail_problems.key, 0, 100, false
  );
  v_pointer text;
begin
  for v_index in 0 .. private.list_length(v_list, 100) - 1 loop
    v_pointer := concat_ws('/', whatsapp_contact_detail_problems.pointer, whatsapp_contact_detail_problems.key, v_index);
    v_problems := v_problems || private.whatsapp_label_problems(
      v_list -> v_index, v_pointer, array_remove(whatsapp_contact_detail_problems.needed || whatsapp_contact_detail_problems.labels, null)
    );
    if whatsapp_contact_detail_problems.needed is not null
      and v_list -> v_index -> whatsapp_contact_detail_problems.needed is null then
      v_problems := v_problems || private.missing_problems(v_list -> v_index, v_pointer, whatsapp_contact_detail_problems.needed, true);
    end if;
  end loop;
  return v_problems;
end;
$$;

comment on function private.whatsapp_contact_detail_problems is
  'What is wrong with a contact''s phones, emails, urls or addresses: an array of objects of strings, of which one may be needed.';

create function private.whatsapp_label_problems(labels jsonb, pointer text, known_keys text[])
returns jsonb
language plpgsql
immutable
set search_path = ''
as $$
declare
  v_problems jsonb := private.object_problems(
    whatsapp_label_problems.labels, whatsapp_label_problems.pointer, whatsapp_label_problems.known_keys
  );
begin
  for v_index in 1 .. cardinality(whatsapp_label_problems.known_keys) loop
    v_problems := v_problems || private.text_problems(
      whatsapp_label_problems.labels, whatsapp_label_problems.pointer, whatsapp_label_problems.known_keys[v_index], null, false
    );
  end loop;
  return v_problems;
end;
$$;

comment on function private.whatsapp_label_problems is 'What is wrong with something that must be an object of strings, none of them needed.';

create function private.whatsapp_birthday_problems(contact jsonb, pointer text)
returns jsonb
language plpgsql
immutable
set search_path = ''
as $$
declare
  v_birthday text := whatsapp_birthday_problems.contact ->> 'birthday';
begin
  if v_birthday ~ '^\d{4}-\d\d-\d\d$' and not pg_input_is_valid(v_birthday, 'date') then
    return private.json_problem(whatsapp_birthday_problems.pointer || '/birthday', 'is no day of the calendar');
  end if;
  return private.pattern_problems(
    whatsapp_birthday_problems.contact, whatsapp_birthday_problems.pointer, 'birthday', '^\d{4}-\d\d-\d\d$', 'must be YYYY-MM-DD', false
  );
end;
$$;

comment on function private.whatsapp_birthday_problems is 'What is wrong with a contact''s birthday.';

create function private.whatsapp_contact_problems(contact jsonb, pointer text)
returns jsonb
language plpgsql
immutable
set search_path = ''
as $$
declare
  v_contact jsonb := whatsapp_contact_problems.contact;
  v_pointer text := whatsapp_contact_problems.pointer;
  v_problems jsonb := private.object_problems(v_contact, v_pointer, '{name,birthday,phones,emails,urls,addresses,org}');
begin
  if jsonb_typeof(v_contact) is distinct from 'object' then
    return v_problems;
  end if;
  return v_problems
    || private.whatsapp_contact_name_problems(v_contact -> 'name', v_pointer || '/name')
    || private.whatsapp_birthday_problems(v_contact, v_pointer)
    || private.whatsapp_contact_detail_problems(v_contact, v_pointer, 'phones', 'phone', '{type,wa_id}')
    || private.whatsapp_contact_detail_problems(v_contact, v_pointer, 'emails', 'email', '{type}')
    || private.whatsapp_contact_detail_problems(v_contact, v_pointer, 'urls', 'url', '{type}')
    || private.whatsapp_contact_detail_problems(
      v_contact, v_pointer, 'addresses', null, '{street,city,state,zip,country,country_code,type}'
    )
    || case when v_contact ? 'org'
      then private.whatsapp_label_problems(v_contact -> 'org', v_pointer || '/org', '{company,department,title}') else '[]' end;
end;
$$;

comment on function private.whatsapp_contact_problems is 'What Meta would refuse of one card of a contacts message.';

create function private.whatsapp_contacts_problems(payload jsonb)
returns jsonb
language plpgsql
immutable
set search_path = ''
as $$
declare
  c_most constant integer := 257;
  v_problems jsonb := private.list_problems(whatsapp_contacts_problems.payload, '', 'contacts', 1, c_most);
begin
  for v_index in 0 .. private.list_length(whatsapp_contacts_problems.payload -> 'contacts', c_most) - 1 loop
    v_problems := v_problems || private.whatsapp_contact_problems(
      whatsapp_contacts_problems.payload -> 'contacts' -> v_index, '/contacts/' || v_index
    );
  end loop;
  return v_problems;
end;
$$;

comment on function private.whatsapp_contacts_problems is 'What Meta would refuse of contact cards (Meta, Contacts messages).';

commit;
