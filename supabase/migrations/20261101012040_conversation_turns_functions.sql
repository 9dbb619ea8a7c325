begin;

create function private.conversation_session(contact_id uuid, phone_number_id text)
returns jsonb
language plpgsql
set search_path = ''
as $$
declare
  v_session public.whatsapp_sessions;
  v_is_over boolean;
begin
  select session.* into v_session
  from public.whatsapp_sessions as session
  join public.whatsapp_contacts as contact on coalesce(contact.merged_into, contact.id) = session.contact_id
  where contact.id = conversation_session.contact_id and session.phone_number_id = conversation_session.phone_number_id;
  if not found then
    v_session := private.update_whatsapp_session_activity(
      conversation_session.phone_number_id, conversation_session.contact_id, null, null
    );
  end if;
  v_is_over := coalesce(v_session.expires_at <= now(), false);
  return jsonb_build_object(
    'id', v_session.id, 'contact_id', v_session.contact_id, 'version', v_session.version,
    'state', case when v_is_over then 'idle' else v_session.state end,
    'context', case when v_is_over then '{}' else v_session.context end,
    'locale', coalesce(v_session.locale, (
      select profile.locale from public.profiles as profile
      where profile.id = private.conversation_profile(v_session.contact_id)
    ), 'rw')
  );
end;
$$;

comment on function private.conversation_session is
  'The conversation of a contact as it stands; one whose time is over begins anew, also before the schedule has seen it. '
  'The language: chosen here, or the profile''s, or Kinyarwanda.';

create function private.conversation_input(message public.claimed_message)
returns jsonb
language plpgsql
stable
set search_path = ''
as $$
declare
  v_payload constant jsonb := message.payload;
  v_message jsonb;
begin
  if message.message_type = 'told' then
    return jsonb_build_object('news', v_payload || jsonb_build_object(
      'trip', private.conversation_trip((v_payload ->> 'trip_id')::uuid, (v_payload ->> 'profile_id')::uuid)
    ));
  end if;
  select heard.payload into strict v_message
  from public.whatsapp_messages as heard
  where heard.id = (v_payload ->> 'message_id')::uuid;
  return jsonb_build_object(
    'message', v_message,
    'consent', (
      select jsonb_build_object('scope', word.scope, 'decision', word.decision)
      from public.whatsapp_consent_words as word
      where word.words = private.folded_text(private.whatsapp_consent_text(v_message))
    )
  );
end;
$$;

comment on function private.conversation_input is 'What the dialogue is told: a message with what it decides about our messages, or news of a trip.';

create function private.conversation_turn(message public.claimed_message)
returns jsonb
language plpgsql
set search_path = ''
as $$
declare
  v_session constant jsonb := private.conversation_session(
    (message.payload ->> 'contact_id')::uuid, message.payload ->> 'phone_number_id'
  );
begin
  return jsonb_build_object(
    'id', message.id, 'lease_token', message.lease_token, 'correlation_id', message.correlation_id,
    'message_id', message.payload ->> 'message_id', 'session', v_session,
    'person', private.conversation_person((v_session ->> 'contact_id')::uuid)
  ) || private.conversation_input(message);
end;
$$;

comment on function private.conversation_turn is 'A message of the conversation''s queue with all that the dialogue needs to answer it.';

create function private.claim_conversation_turns(max_count integer, lease_seconds integer)
returns setof jsonb
language plpgsql
security definer -- reads people, their places and sessions
set search_path = ''
as $$
declare
  v_message public.claimed_message;
begin
  for v_message in
    select * from private.claim_messages('conversation', claim_conversation_turns.max_count, claim_conversation_turns.lease_seconds)
  loop
    begin
      return next private.conversation_turn(v_message);
    exception when others then
      -- Caught so that one that cannot be read does not keep the others waiting.
      perform private.fail_messages(array[v_message.id], array[v_message.lease_token], array[concat_ws(' ', sqlstate, sqlerrm)], null, null);
    end;
  end loop;
end;
$$;

comment on function private.claim_conversation_turns is 'The work of public.claim_conversation_turns().';

create function public.claim_conversation_turns(max_count integer default 10, lease_seconds integer default 60)
returns setof jsonb
language plpgsql
set search_path = ''
set statement_timeout = '10s'
as $$
begin
  if (claim_conversation_turns.max_count between 1 and 100 and claim_conversation_turns.lease_seconds between 1 and 600) is not true then
    perform private.refuse('invalid_argument', '{"argument": "max_count, lease_seconds", "range": "1..100, 1..600"}');
  end if;
  return query select * from private.claim_conversation_turns(
    claim_conversation_turns.max_count, claim_conversation_turns.lease_seconds
  );
end;
$$;

comment on function public.claim_conversation_turns is
  'What the bot has to answer, leased: of each contact one message at a time, in the order in which they came. Each with the session, the '
  'person, and the message or the news. Refuses: invalid_argument.';
grant execute on function public.claim_conversation_turns, private.claim_conversation_turns to service_role;

create function private.news_template(phone_number_id text, locale text, reply jsonb)
returns jsonb
language plpgsql
stable
set search_path = ''
as $$
declare
  v_words constant text := coalesce(
    news_template.reply #>> '{payload,text,body}', news_template.reply #>> '{payload,interactive,body,text}'
  );
begin
  return (
    select jsonb_build_object(
      'name', number.news_template,
      'language', jsonb_build_object('code', case news_template.locale when 'rw' then 'rw_RW' else news_template.locale end),
      'components', jsonb_build_array(jsonb_build_object(
        'type', 'body',
        -- Meta refuses line breaks in a parameter.
        'parameters', jsonb_build_array(jsonb_build_object('type', 'text', 'text', left(regexp_replace(v_words, '\s+', ' ', 'g'), 900)))
      ))
    )
    from public.conversation_numbers as number
    where number.phone_number_id = news_template.phone_number_id and number.news_template is not null
  );
end;
$$;

comment on function private.news_template is 'The template that brings the words of a message when the window is closed; null if there is none.';

create function private.send_conversation_replies(session public.whatsapp_sessions, replies jsonb, key text, category text, locale text)
returns void
language plpgsql
set search_path = ''
as $$
declare
  v_reply record;
begin
  for v_reply in
    select element, position from jsonb_array_elements(send_conversation_replies.replies) with ordinality as said (element, position)
    order by position
  loop
    perform public.enqueue_whatsapp_message(
      phone_number_id => session.phone_number_id, contact_id => session.contact_id,
      message_type => v_reply.element ->> 'type', message_payload => v_reply.element -> 'payload',
      idempotency_key => 'conversation ' || send_conversation_replies.key || ' ' || v_reply.position,
      fallback_template => case when send_conversation_replies.category = 'utility' and v_reply.position = 1
        then private.news_template(session.phone_number_id, send_conversation_replies.locale, v_reply.element) end,
      category => send_conversation_replies.category
    );
  end loop;
end;
$$;

comment on function private.send_conversation_replies is
  'Enqueues what the dialogue says, each once: the key is that of the message which it answers. News may go out by a template.';

create function private.finish_conversation_turn(
  message_id bigint, lease_token bigint, session_id uuid, expected_version integer, next jsonb, replies jsonb
)
returns void
language plpgsql
security definer -- the only way in which the dialogue writes
set search_path = ''
as $$
declare
  v_message public.message_queue;
  v_session public.whatsapp_sessions;
  v_next constant jsonb := finish_conversation_turn.next;
begin
  select message.* into v_message
  from public.message_queue as message
  where message.id = finish_conversation_turn.message_id and message.lease_token = finish_conversation_turn.lease_token;
  if cardinality(private.finish_messages(array[finish_conversation_turn.message_id], array[finish_conversation_turn.lease_token])) = 0 then
    perform private.refuse('lease_lost');
  end if;
  select session.* into v_session from public.whatsapp_sessions as session where session.id = finish_conversation_turn.session_id;
  if not found then
    perform private.refuse('session_not_found');
  end if;
  if v_message.message_type = 'heard' then
    if v_session.locale is distinct from v_next ->> 'locale' then
      perform private.update_whatsapp_session_activity(v_session.phone_number_id, v_session.contact_id, null, v_next ->> 'locale');
    end if;
    perform private.transition_whatsapp_session(
      v_session.id, finish_conversation_turn.expected_version, v_next ->> 'state', v_next -> 'context', interval '30 minutes'
    );
  end if;
  perform private.send_conversation_replies(
    v_session, finish_conversation_turn.replies, v_message.idempotency_key,
    case v_message.message_type when 'told' then 'utility' else 'service' end, v_next ->> 'locale'
  );
end;
$$;

comment on function private.finish_conversation_turn is 'The work of public.finish_conversation_turn().';

create function public.finish_conversation_turn(
  message_id bigint, lease_token bigint, session_id uuid, expected_version integer, next jsonb, replies jsonb
)
returns void
language plpgsql
set search_path = ''
set statement_timeout = '10s'
as $$
declare
  v_fault text := case
    when (
      pg_input_is_valid(finish_conversation_turn.next ->> 'state', 'private.whatsapp_session_state')
      and jsonb_typeof(finish_conversation_turn.next -> 'context') = 'object'
      and finish_conversation_turn.next ->> 'locale' in ('en', 'fr', 'rw', 'sw')
    ) is not true then 'next'
    when jsonb_typeof(finish_conversation_turn.replies) is distinct from 'array' then 'replies'
  end;
begin
  if v_fault is not null then
    perform private.refuse('invalid_argument', jsonb_build_object('argument', v_fault));
  end if;
  perform private.finish_conversation_turn(
    finish_conversation_turn.message_id, finish_conversation_turn.lease_token, finish_conversation_turn.session_id,
    finish_conversation_turn.expected_version, finish_conversation_turn.next, finish_conversation_turn.replies
  );
end;
$$;

comment on function public.finish_conversation_turn is
  'Ends a turn in one transaction: the session moves on from the version that the turn began with (news leave it as it is), the replies are '
  'enqueued, the message is done; or none of it. next: {"state", "context", "locale"}; replies: [{"type", "payload"}]. '
  'Refuses: lease_lost, session_not_found, session_version_conflict, invalid_argument, invalid_whatsapp_message.';
grant execute on function public.finish_conversation_turn, private.finish_conversation_turn to service_role;

commit;
