begin;

create function private.whatsapp_parameter_text_problems(parameter jsonb, pointer text, max_length integer)
returns jsonb
language plpgsql
immutable
set search_path = ''
as $$
begin
  if whatsapp_parameter_text_problems.parameter ->> 'text' ~ '[\n\r\t]| {5}' then
    return private.json_problem(
      whatsapp_parameter_text_problems.pointer || '/text', 'must be without line breaks, tabs and more than 4 spaces in a row'
    );
  end if;
  return private.text_problems(
    whatsapp_parameter_text_problems.parameter, whatsapp_parameter_text_problems.pointer, 'text', whatsapp_parameter_text_problems.max_length
  );
end;
$$;

comment on function private.whatsapp_parameter_text_problems is
  'What is wrong with the text that fills a placeholder; Meta refuses its white space with code 100.';

create function private.whatsapp_currency_problems(currency jsonb, pointer text)
returns jsonb
language plpgsql
immutable
set search_path = ''
as $$
begin
  return private.object_problems(
      whatsapp_currency_problems.currency, whatsapp_currency_problems.pointer, '{fallback_value,code,amount_1000}'
    )
    || private.text_problems(whatsapp_currency_problems.currency, whatsapp_currency_problems.pointer, 'fallback_value', null)
    || private.pattern_problems(
      whatsapp_currency_problems.currency, whatsapp_currency_problems.pointer, 'code', '^[A-Z]{3}$', 'must be an ISO 4217 code'
    )
    || private.integer_problems(
      whatsapp_currency_problems.currency, whatsapp_currency_problems.pointer, 'amount_1000', -9007199254740991, 9007199254740991
    );
end;
$$;

comment on function private.whatsapp_currency_problems is 'What is wrong with an amount, in thousandths of the currency''s major unit.';

create function private.whatsapp_button_action_problems(action jsonb, pointer text, sub_type text)
returns jsonb
language plpgsql
immutable
set search_path = ''
as $$
declare
  v_action jsonb := whatsapp_button_action_problems.action;
  v_pointer text := whatsapp_button_action_problems.pointer;
begin
  return case whatsapp_button_action_problems.sub_type
    when 'flow' then private.object_problems(v_action, v_pointer, '{flow_token,flow_action_data}')
      || private.text_problems(v_action, v_pointer, 'flow_token', null, false)
      || private.member_problems(v_action, v_pointer, 'flow_action_data', is_required => false)
    when 'catalog' then private.object_problems(v_action, v_pointer, '{thumbnail_product_retailer_id}')
      || private.text_problems(v_action, v_pointer, 'thumbnail_product_retailer_id', null)
    else private.object_problems(v_action, v_pointer, '{thumbnail_product_retailer_id,sections}')
      || private.text_problems(v_action, v_pointer, 'thumbnail_product_retailer_id', null)
      || private.whatsapp_sections_problems(v_action, v_pointer, 'product_items', 30, true)
  end;
end;
$$;

comment on function private.whatsapp_button_action_problems is 'What is wrong with the action of a template''s button: flow, catalog or mpm.';

create function private.whatsapp_tap_target_problems(parameter jsonb, pointer text)
returns jsonb
language plpgsql
immutable
set search_path = ''
as $$
declare
  v_targets jsonb := whatsapp_tap_target_problems.parameter -> 'tap_target_configuration';
  v_at text := whatsapp_tap_target_problems.pointer || '/tap_target_configuration/0';
  v_problems jsonb := private.list_problems(
    whatsapp_tap_target_problems.parameter, whatsapp_tap_target_problems.pointer, 'tap_target_configuration', 1, 1
  );
begin
  if v_problems <> '[]' then
    return v_problems;
  end if;
  return private.object_problems(v_targets -> 0, v_at, '{url,title}')
    || private.link_problems(v_targets -> 0, v_at, 'url')
    || private.text_problems(v_targets -> 0, v_at, 'title', null);
end;
$$;

comment on function private.whatsapp_tap_target_problems is 'What is wrong with the link that a template opens where it is tapped.';

create function private.whatsapp_parameter_problems(parameter jsonb, pointer text, kinds text[], text_length integer, sub_type text)
returns jsonb
language plpgsql
immutable
set search_path = ''
as $$
declare
  v_parameter jsonb := whatsapp_parameter_problems.parameter;
  v_pointer text := whatsapp_parameter_problems.pointer;
  v_kind text := v_parameter ->> 'type';
  v_value jsonb := v_parameter -> v_kind;
  v_at text := v_pointer || '/' || v_kind;
begin
  if (v_kind = any(whatsapp_parameter_problems.kinds)) is not true then
    return private.object_problems(v_parameter, v_pointer)
      || private.choice_problems(v_parameter, v_pointer, 'type', whatsapp_parameter_problems.kinds);
  end if;
  return private.object_problems(v_parameter, v_pointer, array['type', 'parameter_name', v_kind])
    || private.pattern_problems(
      v_parameter, v_pointer, 'parameter_name', '^[a-z][a-z0-9_]*$', 'must be of lower-case letters, digits and underscores', false
    )
    || case v_kind
      when 'text' then private.whatsapp_parameter_text_problems(v_parameter, v_pointer, whatsapp_parameter_problems.text_length)
      when 'currency' then private.whatsapp_currency_problems(v_value, v_at)
      when 'date_time' then private.object_problems(v_value, v_at) || private.text_problems(v_value, v_at, 'fallback_value', null)
      when 'image' then private.whatsapp_media_problems(v_value, v_at)
      when 'video' then private.whatsapp_media_problems(v_value, v_at)
      when 'document' then private.whatsapp_media_problems(v_value, v_at, '{filename}')
      when 'location' then private.whatsapp_location_problems(v_value, v_at)
      when 'product' then private.whatsapp_product_problems(v_value, v_at)
      when 'payload' then private.text_problems(v_parameter, v_pointer, 'payload', 512)
      when 'coupon_code' then private.text_problems(v_parameter, v_pointer, 'coupon_code', 20)
      when 'ttl_minutes' then private.integer_problems(v_parameter, v_pointer, 'ttl_minutes', 1, 43200)
      when 'action' then private.whatsapp_button_action_problems(v_value, v_at, whatsapp_parameter_problems.sub_type)
      when 'limited_time_offer' then private.object_problems(v_value, v_at, '{expiration_time_ms}')
        || private.integer_problems(v_value, v_at, 'expiration_time_ms', 0, 9007199254740991)
      when 'tap_target_configuration' then private.whatsapp_tap_target_problems(v_parameter, v_pointer)
    end;
end;
$$;

comment on function private.whatsapp_parameter_problems is
  'What Meta would refuse of a parameter of one of these kinds: the type, the value under the type''s name, and the placeholder''s name if it has one.';

create function private.whatsapp_parameters_problems(
  component jsonb,
  pointer text,
  fewest integer,
  most integer,
  kinds text[],
  text_length integer default null,
  sub_type text default null
)
returns jsonb
language plpgsql
immutable
set search_path = ''
as $$
declare
  v_list jsonb := whatsapp_parameters_problems.component -> 'parameters';
  v_pointer text := whatsapp_parameters_problems.pointer || '/parameters';
  v_name_count integer := 0;
  v_length integer := private.list_length(v_list, whatsapp_parameters_problems.most);
  v_problems jsonb := private.list_problems(
      whatsapp_parameters_problems.component, whatsapp_parameters_problems.pointer, 'parameters',
      whatsapp_parameters_problems.fewest, whatsapp_parameters_problems.most, whatsapp_parameters_problems.fewest > 0
    )
    || private.duplicate_problems(v_list, v_pointer, '{parameter_name}');
begin
  for v_index in 0 .. v_length - 1 loop
    v_problems := v_problems || private.whatsapp_parameter_problems(
      v_list -> v_index, v_pointer || '/' || v_index, whatsapp_parameters_problems.kinds,
      whatsapp_parameters_problems.text_length, whatsapp_parameters_problems.sub_type
    );
    v_name_count := v_name_count + (v_list -> v_index -> 'parameter_name' is not null)::integer;
  end loop;
  return v_problems || case when v_name_count between 1 and v_length - 1
    then private.json_problem(v_pointer, 'must all have a parameter_name, or none') else '[]' end;
end;
$$;

comment on function private.whatsapp_parameters_problems is 'What Meta would refuse of the parameters of a component: so many, each of one of these kinds.';

commit;
