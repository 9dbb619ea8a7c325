begin;

create function private.whatsapp_header_problems(parent jsonb, pointer text, kinds text[], is_required boolean)
returns jsonb
language plpgsql
immutable
set search_path = ''
as $$
declare
  v_header jsonb := whatsapp_header_problems.parent -> 'header';
  v_kind text := v_header ->> 'type';
  v_at text := whatsapp_header_problems.pointer || '/header';
  v_is_known boolean := coalesce(v_kind = any(whatsapp_header_problems.kinds), false);
begin
  return private.member_problems(
      whatsapp_header_problems.parent, whatsapp_header_problems.pointer, 'header',
      case when v_is_known then array['type', v_kind] end, whatsapp_header_problems.is_required
    )
    || private.choice_problems(v_header, v_at, 'type', whatsapp_header_problems.kinds)
    || case
      when not v_is_known then '[]'
      when v_kind = 'text' then private.text_problems(v_header, v_at, 'text', 60)
      when v_kind = 'document' then private.whatsapp_media_problems(v_header -> 'document', v_at || '/document', '{filename}')
      else private.whatsapp_media_problems(v_header -> v_kind, concat_ws('/', v_at, v_kind))
    end;
end;
$$;

comment on function private.whatsapp_header_problems is 'What is wrong with the header of an interactive message or card, of one of these kinds.';

create function private.whatsapp_passage_problems(parent jsonb, pointer text, key text, max_length integer, is_required boolean)
returns jsonb
language plpgsql
immutable
set search_path = ''
as $$
begin
  return private.member_problems(
      whatsapp_passage_problems.parent, whatsapp_passage_problems.pointer, whatsapp_passage_problems.key, '{text}',
      whatsapp_passage_problems.is_required
    )
    || private.text_problems(
      whatsapp_passage_problems.parent -> whatsapp_passage_problems.key,
      whatsapp_passage_problems.pointer || '/' || whatsapp_passage_problems.key,
      'text', whatsapp_passage_problems.max_length
    );
end;
$$;

comment on function private.whatsapp_passage_problems is 'What is wrong with a body or footer: an object with a text.';

create function private.whatsapp_frame_problems(
  message jsonb,
  pointer text,
  header_kinds text[] default '{}',
  body_length integer default 1024,
  is_body_required boolean default true,
  has_footer boolean default true,
  is_header_required boolean default false
)
returns jsonb
language plpgsql
immutable
set search_path = ''
as $$
declare
  v_message jsonb := whatsapp_frame_problems.message;
  v_pointer text := whatsapp_frame_problems.pointer;
  v_has_header boolean := whatsapp_frame_problems.header_kinds <> '{}';
  v_members text[] := '{type,body,action}'::text[]
    || case when v_has_header then 'header' end || case when whatsapp_frame_problems.has_footer then 'footer' end;
begin
  return private.object_problems(v_message, v_pointer, v_members)
    || case when v_has_header
      then private.whatsapp_header_problems(v_message, v_pointer, whatsapp_frame_problems.header_kinds, whatsapp_frame_problems.is_header_required)
      else '[]' end
    || private.whatsapp_passage_problems(
      v_message, v_pointer, 'body', whatsapp_frame_problems.body_length, whatsapp_frame_problems.is_body_required
    )
    || private.whatsapp_passage_problems(v_message, v_pointer, 'footer', 60, false);
end;
$$;

comment on function private.whatsapp_frame_problems is
  'What is wrong with what stands around the action of an interactive message: header (of these kinds; none: it has none), body and footer.';

create function private.reply_id_problems(parent jsonb, pointer text, max_length integer)
returns jsonb
language plpgsql
immutable
set search_path = ''
as $$
begin
  if reply_id_problems.parent ->> 'id' ~ '^\s*\S.*\s$|^\s+\S' then
    return private.json_problem(reply_id_problems.pointer || '/id', 'must not begin or end with a space');
  end if;
  return private.text_problems(reply_id_problems.parent, reply_id_problems.pointer, 'id', reply_id_problems.max_length);
end;
$$;

comment on function private.reply_id_problems is 'What is wrong with the id of a button or row, which comes back when it is tapped.';

create function private.whatsapp_button_problems(button jsonb, pointer text, kind text)
returns jsonb
language plpgsql
immutable
set search_path = ''
as $$
declare
  v_reply jsonb := whatsapp_button_problems.button -> whatsapp_button_problems.kind;
  v_pointer text := whatsapp_button_problems.pointer || '/' || whatsapp_button_problems.kind;
begin
  return private.object_problems(
      whatsapp_button_problems.button, whatsapp_button_problems.pointer, array['type', whatsapp_button_problems.kind]
    )
    || private.choice_problems(
      whatsapp_button_problems.button, whatsapp_button_problems.pointer, 'type', array[whatsapp_button_problems.kind]
    )
    || private.member_problems(
      whatsapp_button_problems.button, whatsapp_button_problems.pointer, whatsapp_button_problems.kind, '{id,title}'
    )
    || private.reply_id_problems(v_reply, v_pointer, 256)
    || private.text_problems(v_reply, v_pointer, 'title', 20);
end;
$$;

comment on function private.whatsapp_button_problems is 'What is wrong with a reply button; kind: reply, or quick_reply on a card.';

create function private.whatsapp_buttons_problems(action jsonb, pointer text, kind text, most integer)
returns jsonb
language plpgsql
immutable
set search_path = ''
as $$
declare
  v_buttons jsonb := whatsapp_buttons_problems.action -> 'buttons';
  v_pointer text := whatsapp_buttons_problems.pointer || '/buttons';
  v_problems jsonb := private.object_problems(whatsapp_buttons_problems.action, whatsapp_buttons_problems.pointer, '{buttons}')
    || private.list_problems(
      whatsapp_buttons_problems.action, whatsapp_buttons_problems.pointer, 'buttons', 1, whatsapp_buttons_problems.most
    );
begin
  for v_index in 0 .. private.list_length(v_buttons, whatsapp_buttons_problems.most) - 1 loop
    v_problems := v_problems
      || private.whatsapp_button_problems(v_buttons -> v_index, v_pointer || '/' || v_index, whatsapp_buttons_problems.kind);
  end loop;
  return v_problems
    || private.duplicate_problems(v_buttons, v_pointer, array[whatsapp_buttons_problems.kind, 'id'])
    || private.duplicate_problems(v_buttons, v_pointer, array[whatsapp_buttons_problems.kind, 'title']);
end;
$$;

comment on function private.whatsapp_buttons_problems is
  'What Meta would refuse of the buttons of a message or card; ids and titles are unique among them (Meta, Interactive reply buttons messages).';

create function private.whatsapp_url_button_problems(action jsonb, pointer text)
returns jsonb
language plpgsql
immutable
set search_path = ''
as $$
declare
  v_parameters jsonb := whatsapp_url_button_problems.action -> 'parameters';
  v_pointer text := whatsapp_url_button_problems.pointer || '/parameters';
begin
  return private.whatsapp_named_action_problems(whatsapp_url_button_problems.action, whatsapp_url_button_problems.pointer, 'cta_url', true)
    || private.member_problems(
      whatsapp_url_button_problems.action, whatsapp_url_button_problems.pointer, 'parameters', '{display_text,url}'
    )
    || private.text_problems(v_parameters, v_pointer, 'display_text', 20)
    || private.link_problems(v_parameters, v_pointer, 'url');
end;
$$;

comment on function private.whatsapp_url_button_problems is
  'What Meta would refuse of a button that opens a link (Meta, Interactive call-to-action URL button messages); ours are https.';

create function private.whatsapp_named_action_problems(action jsonb, pointer text, name text, has_parameters boolean default false)
returns jsonb
language plpgsql
immutable
set search_path = ''
as $$
begin
  return private.object_problems(
      whatsapp_named_action_problems.action, whatsapp_named_action_problems.pointer,
      '{name}'::text[] || case when whatsapp_named_action_problems.has_parameters then 'parameters' end
    )
    || private.choice_problems(
      whatsapp_named_action_problems.action, whatsapp_named_action_problems.pointer, 'name', array[whatsapp_named_action_problems.name]
    );
end;
$$;

comment on function private.whatsapp_named_action_problems is 'What is wrong with an action that says its name, and perhaps parameters, which are judged elsewhere.';

create function private.whatsapp_interactive_problems(content jsonb, pointer text)
returns jsonb
language plpgsql
immutable
set search_path = ''
as $$
declare
  c_any_header constant text[] := '{text,image,video,document}';
  v_message jsonb := whatsapp_interactive_problems.content;
  v_pointer text := whatsapp_interactive_problems.pointer;
  v_action jsonb := v_message -> 'action';
  v_at text := v_pointer || '/action';
begin
  return case v_message ->> 'type'
    when 'button' then private.whatsapp_frame_problems(v_message, v_pointer, c_any_header)
      || private.whatsapp_buttons_problems(v_action, v_at, 'reply', 3)
    when 'list' then private.whatsapp_frame_problems(v_message, v_pointer, '{text}', 4096)
      || private.whatsapp_list_problems(v_action, v_at)
    when 'cta_url' then private.whatsapp_frame_problems(v_message, v_pointer, c_any_header)
      || private.whatsapp_url_button_problems(v_action, v_at)
    when 'flow' then private.whatsapp_frame_problems(v_message, v_pointer, c_any_header)
      || private.whatsapp_flow_problems(v_action, v_at)
    when 'location_request_message' then private.whatsapp_frame_problems(v_message, v_pointer, has_footer => false)
      || private.whatsapp_named_action_problems(v_action, v_at, 'send_location')
    when 'address_message' then private.whatsapp_frame_problems(v_message, v_pointer, c_any_header)
      || private.whatsapp_address_request_problems(v_action, v_at)
    when 'contact_request' then private.whatsapp_frame_problems(v_message, v_pointer, has_footer => false)
      || private.whatsapp_named_action_problems(v_action, v_at, 'request_contact_info')
    when 'request_contact_info' then private.whatsapp_frame_problems(v_message, v_pointer, has_footer => false)
      || private.whatsapp_named_action_problems(v_action, v_at, 'request_contact_info')
    when 'call_permission_request' then
      private.whatsapp_frame_problems(v_message, v_pointer, is_body_required => false, has_footer => false)
      || private.whatsapp_named_action_problems(v_action, v_at, 'call_permission_request')
    when 'voice_call' then private.whatsapp_frame_problems(v_message, v_pointer, has_footer => false)
      || private.whatsapp_voice_call_problems(v_action, v_at)
    when 'product' then private.whatsapp_frame_problems(v_message, v_pointer, is_body_required => false)
      || private.whatsapp_product_problems(v_action, v_at)
    when 'product_list' then private.whatsapp_frame_problems(v_message, v_pointer, '{text}', is_header_required => true)
      || private.whatsapp_product_list_problems(v_action, v_at)
    when 'catalog_message' then private.whatsapp_frame_problems(v_message, v_pointer)
      || private.whatsapp_catalog_problems(v_action, v_at)
    when 'carousel' then private.whatsapp_frame_problems(v_message, v_pointer, has_footer => false)
      || private.whatsapp_carousel_problems(v_action, v_at)
    else private.object_problems(v_message, v_pointer) || private.choice_problems(
      v_message, v_pointer, 'type',
      '{button,list,cta_url,flow,location_request_message,address_message,contact_request,request_contact_info,'
      'call_permission_request,voice_call,product,product_list,catalog_message,carousel}'
    )
  end;
end;
$$;

comment on function private.whatsapp_interactive_problems is
  'What Meta would refuse of an interactive message, of any type but those for payments in India, Brazil and Singapore.';

commit;
