begin;

create function private.whatsapp_row_problems(entry jsonb, pointer text)
returns jsonb
language plpgsql
immutable
set search_path = ''
as $$
begin
  return private.object_problems(whatsapp_row_problems.entry, whatsapp_row_problems.pointer, '{id,title,description}')
    || private.reply_id_problems(whatsapp_row_problems.entry, whatsapp_row_problems.pointer, 200)
    || private.text_problems(whatsapp_row_problems.entry, whatsapp_row_problems.pointer, 'title', 24)
    || private.text_problems(whatsapp_row_problems.entry, whatsapp_row_problems.pointer, 'description', 72, false);
end;
$$;

comment on function private.whatsapp_row_problems is 'What is wrong with a row of a list.';

create function private.whatsapp_product_item_problems(entry jsonb, pointer text)
returns jsonb
language plpgsql
immutable
set search_path = ''
as $$
begin
  return private.object_problems(
      whatsapp_product_item_problems.entry, whatsapp_product_item_problems.pointer, '{product_retailer_id}'
    )
    || private.text_problems(
      whatsapp_product_item_problems.entry, whatsapp_product_item_problems.pointer, 'product_retailer_id', null
    );
end;
$$;

comment on function private.whatsapp_product_item_problems is 'What is wrong with a product of a section.';

create function private.whatsapp_sections_problems(
  parent jsonb,
  pointer text,
  member text,
  most integer,
  is_title_required boolean default false
)
returns jsonb
language plpgsql
immutable
set search_path = ''
as $$
declare
  v_member text := whatsapp_sections_problems.member;
  v_sections jsonb := whatsapp_sections_problems.parent -> 'sections';
  v_section_count integer := private.list_length(v_sections, 10);
  v_section jsonb;
  v_pointer text;
  v_length integer;
  v_total integer := 0;
  v_problems jsonb := private.list_problems(whatsapp_sections_problems.parent, whatsapp_sections_problems.pointer, 'sections', 1, 10);
begin
  for v_index in 0 .. v_section_count - 1 loop
    v_section := v_sections -> v_index;
    v_pointer := concat(whatsapp_sections_problems.pointer, '/sections/', v_index);
    v_problems := v_problems
      || private.object_problems(v_section, v_pointer, array['title', v_member])
      || private.text_problems(
        v_section, v_pointer, 'title', 24, whatsapp_sections_problems.is_title_required or v_section_count > 1
      )
      || private.list_problems(v_section, v_pointer, v_member, 1, whatsapp_sections_problems.most);
    v_length := private.list_length(v_section -> v_member, whatsapp_sections_problems.most);
    v_total := v_total + v_length;
    for v_entry in 0 .. v_length - 1 loop
      v_problems := v_problems || case v_member
        when 'rows' then private.whatsapp_row_problems(v_section -> v_member -> v_entry, concat_ws('/', v_pointer, v_member, v_entry))
        else private.whatsapp_product_item_problems(v_section -> v_member -> v_entry, concat_ws('/', v_pointer, v_member, v_entry))
      end;
    end loop;
  end loop;
  return v_problems || case when v_total > whatsapp_sections_problems.most
    then private.json_problem(
      whatsapp_sections_problems.pointer || '/sections', format('at most %s %s in all', whatsapp_sections_problems.most, v_member)
    ) else '[]' end;
end;
$$;

comment on function private.whatsapp_sections_problems is
  'What is wrong with the sections of a list (rows) or of products (product_items): up to 10, each with a title if there is more than one, '
  'and so many entries in all.';

create function private.whatsapp_list_problems(action jsonb, pointer text)
returns jsonb
language plpgsql
immutable
set search_path = ''
as $$
begin
  return private.object_problems(whatsapp_list_problems.action, whatsapp_list_problems.pointer, '{button,sections}')
    || private.text_problems(whatsapp_list_problems.action, whatsapp_list_problems.pointer, 'button', 20)
    || private.whatsapp_sections_problems(whatsapp_list_problems.action, whatsapp_list_problems.pointer, 'rows', 10)
    || private.whatsapp_row_id_problems(whatsapp_list_problems.action -> 'sections', whatsapp_list_problems.pointer || '/sections');
end;
$$;

comment on function private.whatsapp_list_problems is 'What Meta would refuse of a list (Meta, Interactive list messages).';

create function private.whatsapp_row_id_problems(sections jsonb, pointer text)
returns jsonb
language plpgsql
immutable
set search_path = ''
as $$
declare
  v_rows jsonb;
  v_seen text[] := '{}';
  v_problems jsonb := '[]';
begin
  for v_section in 0 .. private.list_length(whatsapp_row_id_problems.sections, 10) - 1 loop
    v_rows := whatsapp_row_id_problems.sections -> v_section -> 'rows';
    for v_row in 0 .. private.list_length(v_rows, 10) - 1 loop
      if v_rows -> v_row ->> 'id' = any(v_seen) then
        v_problems := v_problems || private.json_problem(
          format('%s/%s/rows/%s/id', whatsapp_row_id_problems.pointer, v_section, v_row), 'is used more than once'
        );
      end if;
      v_seen := v_seen || (v_rows -> v_row ->> 'id');
    end loop;
  end loop;
  return v_problems;
end;
$$;

comment on function private.whatsapp_row_id_problems is 'Row ids are unique in the whole list, whatever their section.';

create function private.whatsapp_flow_problems(action jsonb, pointer text)
returns jsonb
language plpgsql
immutable
set search_path = ''
as $$
declare
  v_parameters jsonb := whatsapp_flow_problems.action -> 'parameters';
  v_pointer text := whatsapp_flow_problems.pointer || '/parameters';
begin
  return private.whatsapp_named_action_problems(whatsapp_flow_problems.action, whatsapp_flow_problems.pointer, 'flow', true)
    || private.member_problems(
      whatsapp_flow_problems.action, whatsapp_flow_problems.pointer, 'parameters',
      '{flow_message_version,flow_id,flow_name,flow_cta,flow_token,flow_action,flow_action_payload,mode}'
    )
    || private.choice_problems(v_parameters, v_pointer, 'flow_message_version', '{3}')
    || case when (v_parameters -> 'flow_id' is null) = (v_parameters -> 'flow_name' is null) and jsonb_typeof(v_parameters) = 'object'
      then private.json_problem(v_pointer, 'exactly one of flow_id and flow_name') else '[]' end
    || private.text_problems(v_parameters, v_pointer, 'flow_id', null, false)
    || private.text_problems(v_parameters, v_pointer, 'flow_name', null, false)
    || case when v_parameters ->> 'flow_cta' ~ format('[%s]', private.emoji_characters())
      then private.json_problem(v_pointer || '/flow_cta', 'must be without emoji')
      else private.text_problems(v_parameters, v_pointer, 'flow_cta', 20) end
    || private.text_problems(v_parameters, v_pointer, 'flow_token', null, false)
    || private.choice_problems(v_parameters, v_pointer, 'mode', '{draft,published}', false)
    || private.choice_problems(v_parameters, v_pointer, 'flow_action', '{navigate,data_exchange}', false)
    || private.whatsapp_flow_payload_problems(v_parameters, v_pointer);
end;
$$;

comment on function private.whatsapp_flow_problems is
  'What Meta would refuse of a Flow''s parameters (Meta, Flows: Sending a Flow).';

create function private.whatsapp_flow_payload_problems(parameters jsonb, pointer text)
returns jsonb
language plpgsql
immutable
set search_path = ''
as $$
declare
  v_payload jsonb := whatsapp_flow_payload_problems.parameters -> 'flow_action_payload';
  v_pointer text := whatsapp_flow_payload_problems.pointer || '/flow_action_payload';
begin
  if v_payload is null then
    return '[]';
  end if;
  if whatsapp_flow_payload_problems.parameters ->> 'flow_action' = 'data_exchange' then
    return private.json_problem(v_pointer, 'only with flow_action navigate');
  end if;
  return private.object_problems(v_payload, v_pointer, '{screen,data}')
    || private.text_problems(v_payload, v_pointer, 'screen', null)
    || case when v_payload -> 'data' is null or jsonb_typeof(v_payload -> 'data') in ('object', 'string') and v_payload -> 'data' not in ('{}', '""')
      then '[]' else private.json_problem(v_pointer || '/data', 'must be an object that is not empty') end;
end;
$$;

comment on function private.whatsapp_flow_payload_problems is
  'What is wrong with the first screen of a Flow and its data, an object or, as in Meta''s example, an object in a string.';

create function private.whatsapp_voice_call_problems(action jsonb, pointer text)
returns jsonb
language plpgsql
immutable
set search_path = ''
as $$
declare
  v_parameters jsonb := whatsapp_voice_call_problems.action -> 'parameters';
  v_pointer text := whatsapp_voice_call_problems.pointer || '/parameters';
begin
  return private.whatsapp_named_action_problems(whatsapp_voice_call_problems.action, whatsapp_voice_call_problems.pointer, 'voice_call', true)
    || private.member_problems(
      whatsapp_voice_call_problems.action, whatsapp_voice_call_problems.pointer, 'parameters', '{display_text,ttl_minutes,payload}', false
    )
    || private.text_problems(v_parameters, v_pointer, 'display_text', 20, false)
    || private.integer_problems(v_parameters, v_pointer, 'ttl_minutes', 1, 43200, false)
    || private.text_problems(v_parameters, v_pointer, 'payload', 512, false);
end;
$$;

comment on function private.whatsapp_voice_call_problems is 'What Meta would refuse of a call button (Meta, Calling: Call button messages).';

create function private.whatsapp_address_request_problems(action jsonb, pointer text)
returns jsonb
language plpgsql
immutable
set search_path = ''
as $$
declare
  v_parameters jsonb := whatsapp_address_request_problems.action -> 'parameters';
  v_pointer text := whatsapp_address_request_problems.pointer || '/parameters';
begin
  return private.whatsapp_named_action_problems(
      whatsapp_address_request_problems.action, whatsapp_address_request_problems.pointer, 'address_message', true
    )
    || private.member_problems(
      whatsapp_address_request_problems.action, whatsapp_address_request_problems.pointer, 'parameters',
      '{country,values,saved_addresses,validation_errors}'
    )
    || private.pattern_problems(v_parameters, v_pointer, 'country', '^[A-Z]{2}$', 'must be a country code of two capital letters')
    || private.member_problems(v_parameters, v_pointer, 'values', is_required => false)
    || private.member_problems(v_parameters, v_pointer, 'validation_errors', is_required => false)
    || private.list_problems(v_parameters, v_pointer, 'saved_addresses', 0, 100, false);
end;
$$;

comment on function private.whatsapp_address_request_problems is 'What Meta would refuse of a request for an address (Meta, Address messages).';

commit;
