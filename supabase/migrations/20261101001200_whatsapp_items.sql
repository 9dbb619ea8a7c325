begin;

create type private.whatsapp_item as (
  position integer,
  path text,
  kind public.whatsapp_item_kind,
  field text,
  collection text,
  waba_id text,
  phone_number_id text,
  display_phone_number text,
  occurred_at timestamptz,
  is_ageless boolean,
  wamid text,
  participant text,
  direction public.whatsapp_message_direction,
  person jsonb,
  payload jsonb,
  content_key bytea,
  outcome public.whatsapp_item_outcome,
  reason text
);

comment on type private.whatsapp_item is
  'One item of a delivery, on its way into the tables. A null outcome means that it is fit to be stored. '
  'content_key tells an event from every other; is_ageless: nothing says when it happened.';

create function private.jsonb_or_null(bytes bytea)
returns jsonb
language plpgsql
immutable
set search_path = ''
as $$
begin
  return convert_from(jsonb_or_null.bytes, 'UTF8')::jsonb;
exception when data_exception or program_limit_exceeded then
  return null;
end;
$$;

comment on function private.jsonb_or_null is 'The bytes as jsonb, or null when they are no JSON that jsonb can hold.';

create function private.epoch_time(seconds jsonb)
returns timestamptz
language plpgsql
immutable
set search_path = ''
as $$
declare
  v_text text := epoch_time.seconds #>> '{}';
begin
  if v_text ~ '^\d{10}$' and v_text between '1230768000' and '4102444800' then
    return to_timestamp(v_text::double precision);
  end if;
  return null;
end;
$$;

comment on function private.epoch_time is 'Whole seconds since 1970, as number or string, between 2009 and 2100; anything else is null.';

create function private.short_text(value jsonb, max_length integer)
returns text
language plpgsql
immutable
set search_path = ''
as $$
declare
  v_text text := short_text.value #>> '{}';
begin
  if jsonb_typeof(short_text.value) in ('string', 'number') and length(v_text) between 1 and short_text.max_length then
    return v_text;
  end if;
  return null;
end;
$$;

comment on function private.short_text is 'A string or number as text, if it is not empty and not longer than that; anything else is null.';

create function private.jsonb_elements(value jsonb)
returns table (element jsonb, index bigint)
language plpgsql
immutable
rows 5
set search_path = ''
as $$
begin
  if jsonb_typeof(jsonb_elements.value) = 'array' then
    return query select each.value, each.ordinality - 1 from jsonb_array_elements(jsonb_elements.value) with ordinality as each;
  end if;
end;
$$;

comment on function private.jsonb_elements is 'The elements of an array, counted from 0; none of anything else.';

create function private.whatsapp_fields()
returns jsonb
language plpgsql
immutable
set search_path = ''
as $$
begin
  return '{
    "messages": {"messages": "message", "statuses": "status", "errors": "event", "user_actions": "event"},
    "standby": {"messages": "message", "statuses": "status", "errors": "event", "user_actions": "event"},
    "calls": {"calls": "event", "statuses": "event", "errors": "event"},
    "history": {"history": "event", "messages": "history", "message_echoes": "echo"},
    "smb_message_echoes": {"message_echoes": "echo"},
    "message_echoes": {"message_echoes": "echo"},
    "smb_app_state_sync": {"state_sync": "event"},
    "user_preferences": {"user_preferences": "event"},
    "user_id_update": {"user_id_update": "event"},
    "group_lifecycle_update": {"groups": "event"},
    "group_participants_update": {"groups": "event"},
    "group_settings_update": {"groups": "event"},
    "group_status_update": {"groups": "event"},

    "account_alerts": "event", "account_review_update": "event", "account_settings_update": "event",
    "account_update": "event", "automatic_events": "event", "business_capability_update": "event",
    "business_status_update": "event", "business_username_update": "event", "business_username_updates": "event",
    "consumer_profile": "event", "flows": "event", "message_template_components_update": "event",
    "message_template_quality_update": "event", "message_template_status_update": "event",
    "messaging_handovers": "event", "partner_solutions": "event", "payment_configuration_update": "event",
    "phone_number_name_update": "event", "phone_number_quality_update": "event", "security": "event",
    "template_category_update": "event", "template_correct_category_detection": "event", "tracking_events": "event"
  }';
end;
$$;

comment on function private.whatsapp_fields is
  'Every change field that we know (Meta, Webhooks reference): the lists that it carries and what their elements are, '
  'or event where the whole change is one item.';

commit;
