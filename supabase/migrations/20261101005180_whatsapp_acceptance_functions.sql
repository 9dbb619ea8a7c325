begin;

create function private.store_sent_whatsapp_message(message public.whatsapp_message_queue, wamid text, sent_at timestamptz)
returns uuid
language plpgsql
set search_path = ''
as $$
declare
  v_key public.whatsapp_message_keys;
  v_request jsonb := private.whatsapp_request(message, coalesce(private.whatsapp_recipient(message), '{}'));
begin
  select key.* into strict v_key
  from public.whatsapp_message_keys as key
  where key.phone_number_id = message.phone_number_id and key.wamid = store_sent_whatsapp_message.wamid
  for no key update;
  -- An echo of it may have come first.
  if v_key.message_id is not null then
    return v_key.message_id;
  end if;
  update public.whatsapp_message_keys as key set message_id = private.uuid_v7(), precedence = 4
  where key.phone_number_id = message.phone_number_id and key.wamid = store_sent_whatsapp_message.wamid
  returning * into v_key;
  insert into public.whatsapp_messages (
    id, phone_number_id, wamid, contact_id, direction, origin, type, sent_at, reply_to_wamid, payload, correlation_id
  )
  values (
    v_key.message_id, message.phone_number_id, v_key.wamid, message.contact_id, 'outbound', 'live', v_request ->> 'type',
    date_trunc('second', store_sent_whatsapp_message.sent_at), v_request #>> '{context,message_id}',
    v_request - '{messaging_product,recipient_type,to,recipient}'::text[]
      || jsonb_strip_nulls(jsonb_build_object('id', v_key.wamid, 'to', ltrim(v_request ->> 'to', '+'), 'to_user_id', v_request -> 'recipient')),
    message.correlation_id
  );
  perform private.adopt_orphan_statuses(array[v_key.message_id]);
  return v_key.message_id;
end;
$$;

comment on function private.store_sent_whatsapp_message is
  'Writes a message that Meta took among the others, so that a conversation reads as one, and joins the statuses that came before. Once per '
  'wamid. The caller has made its key (claim_whatsapp_wamid), before it locked anything of the queue.';

create function private.claim_whatsapp_wamid(phone_number_id text, wamid text)
returns void
language plpgsql
set search_path = ''
as $$
begin
  insert into public.whatsapp_message_keys (phone_number_id, wamid, kept_until)
  values (claim_whatsapp_wamid.phone_number_id, claim_whatsapp_wamid.wamid, private.kept_until(now()))
  on conflict on constraint whatsapp_message_keys_pkey do nothing;
  perform from public.whatsapp_message_keys as key
  where key.phone_number_id = claim_whatsapp_wamid.phone_number_id and key.wamid = claim_whatsapp_wamid.wamid
  for no key update;
end;
$$;

comment on function private.claim_whatsapp_wamid is 'Makes and locks the key row on which a message and its statuses meet.';

create function private.note_whatsapp_acceptance(message public.whatsapp_message_queue, wamid text, sent_at timestamptz)
returns public.whatsapp_message_queue
language plpgsql
set search_path = ''
as $$
begin
  perform private.settle_whatsapp_probe(message.id, true);
  update private.whatsapp_lanes as lane set pair_refusal_count = 0
  where lane.contact_id = message.contact_id and lane.phone_number_id = message.phone_number_id and lane.pair_refusal_count > 0;
  message.message_id := private.store_sent_whatsapp_message(message, note_whatsapp_acceptance.wamid, note_whatsapp_acceptance.sent_at);
  message.wamid := note_whatsapp_acceptance.wamid;
  message.sent_at := note_whatsapp_acceptance.sent_at;
  message.last_error := null;
  perform private.tell_whatsapp_send(message, 'whatsapp_outbound.sent');
  return message;
end;
$$;

comment on function private.note_whatsapp_acceptance is
  'Meta took a message: gives it with its wamid, for the caller to say how it goes on. The caller holds the key of the wamid, the lane and the row.';

create function private.note_whatsapp_duplicate(message_id uuid, wamid text)
returns void
language plpgsql
set search_path = ''
as $$
begin
  update public.whatsapp_message_queue as message set former_wamids = message.former_wamids || note_whatsapp_duplicate.wamid
  where message.id = note_whatsapp_duplicate.message_id
    and note_whatsapp_duplicate.wamid <> all (message.former_wamids || message.wamid);
  update public.whatsapp_message_queue_history as message set former_wamids = message.former_wamids || note_whatsapp_duplicate.wamid
  where message.id = note_whatsapp_duplicate.message_id
    and note_whatsapp_duplicate.wamid <> all (message.former_wamids || message.wamid);
end;
$$;

comment on function private.note_whatsapp_duplicate is 'A message proved to have been taken twice: the other copy''s wamid is kept with it.';

create function private.settle_sent_whatsapp_message(message public.whatsapp_message_queue, has_arrived boolean)
returns void
language plpgsql
set search_path = ''
as $$
begin
  if settle_sent_whatsapp_message.has_arrived or message.ordering <> 'after_delivered' or message.place is null then
    perform private.finish_whatsapp_send(message, 'sent');
    return;
  end if;
  update public.whatsapp_message_queue as sent set
    state = 'sent', wait_reason = null, last_error = null,
    due_at = now() + (private.whatsapp_sending_rules()).delivery_timeout,
    wamid = message.wamid, message_id = message.message_id, sent_at = message.sent_at
  where sent.id = message.id;
end;
$$;

comment on function private.settle_sent_whatsapp_message is
  'A message that Meta took is through; or it stays at the head of its lane until it has arrived (after_delivered). The caller holds the lane and the row.';

commit;
