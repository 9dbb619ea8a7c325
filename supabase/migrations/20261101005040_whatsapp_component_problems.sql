begin;

create function private.whatsapp_template_button_problems(component jsonb, pointer text)
returns jsonb
language plpgsql
immutable
set search_path = ''
as $$
declare
  v_component jsonb := whatsapp_template_button_problems.component;
  v_pointer text := whatsapp_template_button_problems.pointer;
  v_sub_type text := lower(v_component ->> 'sub_type');
begin
  return private.object_problems(v_component, v_pointer, '{type,sub_type,index,parameters}')
    || case
      when v_component -> 'index' is null then private.missing_problems(v_component, v_pointer, 'index', v_sub_type is distinct from 'voice_call')
      when jsonb_typeof(v_component -> 'index') in ('string', 'number') and v_component ->> 'index' ~ '^\d$' then '[]'
      else private.json_problem(v_pointer || '/index', 'must be from 0 to 9')
    end
    || case v_sub_type
      when 'url' then private.whatsapp_parameters_problems(v_component, v_pointer, 1, 1, '{text}', 2000)
      when 'quick_reply' then private.whatsapp_parameters_problems(v_component, v_pointer, 1, 1, '{payload}')
      when 'copy_code' then private.whatsapp_parameters_problems(v_component, v_pointer, 1, 1, '{coupon_code}')
      when 'flow' then private.whatsapp_parameters_problems(v_component, v_pointer, 0, 1, '{action}', sub_type => 'flow')
      when 'catalog' then private.whatsapp_parameters_problems(v_component, v_pointer, 0, 1, '{action}', sub_type => 'catalog')
      when 'mpm' then private.whatsapp_parameters_problems(v_component, v_pointer, 1, 1, '{action}', sub_type => 'mpm')
      when 'voice_call' then private.whatsapp_parameters_problems(v_component, v_pointer, 0, 2, '{ttl_minutes,payload}')
      else private.choice_problems(v_component, v_pointer, 'sub_type', '{url,quick_reply,copy_code,flow,catalog,mpm,voice_call}')
    end;
end;
$$;

comment on function private.whatsapp_template_button_problems is
  'What Meta would refuse of what is filled in for a button of a template. Its examples write the index as a number and as a string.';

create function private.whatsapp_template_cards_problems(component jsonb, pointer text)
returns jsonb
language plpgsql
immutable
set search_path = ''
as $$
declare
  v_cards jsonb := whatsapp_template_cards_problems.component -> 'cards';
  v_pointer text;
  v_problems jsonb := private.object_problems(
      whatsapp_template_cards_problems.component, whatsapp_template_cards_problems.pointer, '{type,cards}'
    )
    || private.list_problems(whatsapp_template_cards_problems.component, whatsapp_template_cards_problems.pointer, 'cards', 1, 10)
    || private.duplicate_problems(v_cards, whatsapp_template_cards_problems.pointer || '/cards', '{card_index}');
begin
  for v_index in 0 .. private.list_length(v_cards, 10) - 1 loop
    v_pointer := concat(whatsapp_template_cards_problems.pointer, '/cards/', v_index);
    v_problems := v_problems
      || private.object_problems(v_cards -> v_index, v_pointer, '{card_index,components}')
      || private.integer_problems(v_cards -> v_index, v_pointer, 'card_index', 0, 9)
      || private.whatsapp_components_problems(v_cards -> v_index, v_pointer, '{header,body,button}', true);
  end loop;
  return v_problems;
end;
$$;

comment on function private.whatsapp_template_cards_problems is 'What Meta would refuse of what is filled in for the cards of a template.';

create function private.whatsapp_component_problems(component jsonb, pointer text, kind text, body_length integer)
returns jsonb
language plpgsql
immutable
set search_path = ''
as $$
declare
  v_component jsonb := whatsapp_component_problems.component;
  v_pointer text := whatsapp_component_problems.pointer;
begin
  if whatsapp_component_problems.kind = 'button' then
    return private.whatsapp_template_button_problems(v_component, v_pointer);
  end if;
  if whatsapp_component_problems.kind = 'carousel' then
    return private.whatsapp_template_cards_problems(v_component, v_pointer);
  end if;
  return private.object_problems(v_component, v_pointer, '{type,parameters}') || case whatsapp_component_problems.kind
    when 'header' then private.whatsapp_parameters_problems(
      v_component, v_pointer, 1, 1, '{text,currency,date_time,image,video,document,location,product}', 60
    )
    when 'body' then private.whatsapp_parameters_problems(
      v_component, v_pointer, 0, 100, '{text,currency,date_time}', whatsapp_component_problems.body_length
    )
    else private.whatsapp_parameters_problems(v_component, v_pointer, 1, 1, array[whatsapp_component_problems.kind])
  end;
end;
$$;

comment on function private.whatsapp_component_problems is 'What Meta would refuse of what is filled in for one component of a template.';

create function private.whatsapp_components_problems(parent jsonb, pointer text, kinds text[], is_required boolean)
returns jsonb
language plpgsql
immutable
set search_path = ''
as $$
declare
  v_list jsonb := whatsapp_components_problems.parent -> 'components';
  v_length integer := private.list_length(v_list, 20);
  v_body_length integer := case when v_length > 1 then 1024 else 32768 end;
  v_pointer text;
  v_kind text;
  v_part text;
  v_seen text[] := '{}';
  v_problems jsonb := private.list_problems(
    whatsapp_components_problems.parent, whatsapp_components_problems.pointer, 'components', 0, 20, whatsapp_components_problems.is_required
  );
begin
  for v_index in 0 .. v_length - 1 loop
    v_pointer := concat(whatsapp_components_problems.pointer, '/components/', v_index);
    v_kind := lower(v_list -> v_index ->> 'type');
    v_part := concat_ws(' ', v_kind, v_list -> v_index ->> 'index');
    v_problems := v_problems || case
      when (v_kind = any(whatsapp_components_problems.kinds)) is not true
        then private.object_problems(v_list -> v_index, v_pointer)
          || private.choice_problems(v_list -> v_index, v_pointer, 'type', whatsapp_components_problems.kinds)
      when v_part = any(v_seen) then private.json_problem(v_pointer, 'stands twice')
      else private.whatsapp_component_problems(v_list -> v_index, v_pointer, v_kind, v_body_length)
    end;
    v_seen := v_seen || v_part;
  end loop;
  return v_problems;
end;
$$;

comment on function private.whatsapp_components_problems is
  'What Meta would refuse of the components of a template or card: each once, buttons once by index. Text in a body may be 1024 characters '
  'long, or 32768 where nothing but the body is filled in.';

create function private.whatsapp_template_content_problems(content jsonb, pointer text)
returns jsonb
language plpgsql
immutable
set search_path = ''
as $$
declare
  v_language jsonb := whatsapp_template_content_problems.content -> 'language';
  v_pointer text := whatsapp_template_content_problems.pointer || '/language';
begin
  return private.object_problems(
      whatsapp_template_content_problems.content, whatsapp_template_content_problems.pointer, '{name,language,components}'
    )
    || case when length(whatsapp_template_content_problems.content ->> 'name') > 512
      then private.json_problem(whatsapp_template_content_problems.pointer || '/name', 'at most 512 characters')
      else private.pattern_problems(
        whatsapp_template_content_problems.content, whatsapp_template_content_problems.pointer, 'name',
        '^[a-z0-9_]+$', 'must be of lower-case letters, digits and underscores'
      ) end
    || private.member_problems(
      whatsapp_template_content_problems.content, whatsapp_template_content_problems.pointer, 'language', '{code,policy}'
    )
    || private.pattern_problems(
      v_language, v_pointer, 'code', '^[a-z]{2,3}(_([A-Z]{2,3}|\d{3}))?$', 'must be a language code like rw_RW or en'
    )
    || private.choice_problems(v_language, v_pointer, 'policy', '{deterministic}', false)
    || private.whatsapp_components_problems(
      whatsapp_template_content_problems.content, whatsapp_template_content_problems.pointer,
      '{header,body,button,carousel,limited_time_offer,tap_target_configuration}', false
    );
end;
$$;

comment on function private.whatsapp_template_content_problems is
  'What Meta would refuse of a template message whatever the template is (Meta, Template messages). Whether it fits the template, and may be '
  'sent, private.whatsapp_template_problems() tells.';

commit;
