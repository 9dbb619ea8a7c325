begin;

create function private.whatsapp_context_problems(payload jsonb, message_type text)
returns jsonb
language plpgsql
immutable
set search_path = ''
as $$
declare
  v_context jsonb := whatsapp_context_problems.payload -> 'context';
begin
  if v_context is null then
    return '[]';
  end if;
  if whatsapp_context_problems.message_type = 'reaction' then
    return private.json_problem('/context', 'must not stand beside a reaction');
  end if;
  return private.object_problems(v_context, '/context', '{message_id}') || private.text_problems(v_context, '/context', 'message_id', 512);
end;
$$;

comment on function private.whatsapp_context_problems is
  'What is wrong with the message that a payload quotes; a reaction quotes none (Meta, Contextual replies).';

create function private.whatsapp_payload_problems(message_type text, payload jsonb)
returns jsonb
language plpgsql
immutable
set search_path = ''
as $$
declare
  v_type text := whatsapp_payload_problems.message_type;
  v_payload jsonb := whatsapp_payload_problems.payload;
  v_content jsonb := v_payload -> v_type;
begin
  if jsonb_typeof(v_payload) is distinct from 'object' then
    return private.object_problems(v_payload, '');
  end if;
  if pg_column_size(v_payload) > 262144 then
    return private.json_problem('', 'at most 262144 bytes');
  end if;
  return private.object_problems(v_payload, '', array[v_type, 'context']) || private.whatsapp_context_problems(v_payload, v_type)
    || case v_type
      when 'text' then private.whatsapp_text_problems(v_content, '/text')
      when 'template' then private.whatsapp_template_content_problems(v_content, '/template')
      when 'interactive' then private.whatsapp_interactive_problems(v_content, '/interactive')
      when 'image' then private.whatsapp_media_problems(v_content, '/image', '{caption}')
      when 'video' then private.whatsapp_media_problems(v_content, '/video', '{caption}')
      when 'audio' then private.whatsapp_media_problems(v_content, '/audio', '{voice}')
      when 'document' then private.whatsapp_media_problems(v_content, '/document', '{caption,filename}')
      when 'sticker' then private.whatsapp_media_problems(v_content, '/sticker')
      when 'location' then private.whatsapp_location_problems(v_content, '/location')
      when 'contacts' then private.whatsapp_contacts_problems(v_payload)
      when 'reaction' then private.whatsapp_reaction_problems(v_content, '/reaction')
      else private.json_problem(
        '', 'message_type must be text, template, interactive, image, video, audio, document, sticker, location, contacts or reaction'
      )
    end;
end;
$$;

comment on function private.whatsapp_payload_problems is
  'What Meta would refuse of a message, judged by its content alone: [{"pointer": "/text/body", "detail": "at most 4096 characters"}], [] if fine. '
  'The payload is the part of a send request that says what is sent: the object under its type''s name, and context if it quotes a message: '
  '{"text": {"body": "Muraho"}, "context": {"message_id": "wamid..."}}. Pointers start at the payload. '
  'Members that Meta does not know are problems, because Meta refuses them too (code 100, "Unexpected key"). Null is not absence.';

create function private.whatsapp_message_needs_window(message_type text)
returns boolean
language plpgsql
immutable
set search_path = ''
as $$
begin
  return whatsapp_message_needs_window.message_type is distinct from 'template';
end;
$$;

comment on function private.whatsapp_message_needs_window is
  'Whether a message may only go out while the customer service window is open: all but templates (Meta, Service messages).';

commit;
