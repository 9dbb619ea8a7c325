begin;

create type public.whatsapp_enqueued as (
  message_id uuid,
  state public.whatsapp_queue_state,
  is_duplicate boolean
);

comment on type public.whatsapp_enqueued is
  'A message that is to be sent, and how far it is. is_duplicate: its idempotency key had been used with the same content, so nothing was added.';

create function private.whatsapp_contact_for(kind public.whatsapp_identity_kind, value text)
returns uuid
language plpgsql
set search_path = ''
as $$
declare
  v_contact_id uuid := private.current_whatsapp_contact(whatsapp_contact_for.kind, whatsapp_contact_for.value);
  v_sighting private.whatsapp_sighting;
begin
  if v_contact_id is not null then
    return v_contact_id;
  end if;
  v_sighting.seen_at := now();
  case whatsapp_contact_for.kind
    when 'wa_id' then v_sighting.wa_id := whatsapp_contact_for.value;
    when 'bsuid' then v_sighting.bsuid := whatsapp_contact_for.value;
    when 'parent_bsuid' then v_sighting.parent_bsuid := whatsapp_contact_for.value;
  end case;
  perform private.learn_whatsapp_identities(array[v_sighting]);
  perform private.follow_whatsapp_moves('{}');
  return private.current_whatsapp_contact(whatsapp_contact_for.kind, whatsapp_contact_for.value);
end;
$$;

comment on function private.whatsapp_contact_for is
  'Who has that name now; somebody new, if nobody is known by it: so that consent, windows and lanes hold for them from the first message on.';

create function private.whatsapp_fingerprint(message public.whatsapp_message_queue)
returns bytea
language plpgsql
immutable
set search_path = ''
as $$
begin
  return sha256(convert_to(jsonb_build_array(
    message.phone_number_id, message.contact_id, message.recipient_kind, message.recipient_value, message.message_type,
    message.payload, message.fallback_template, message.category
  )::text, 'UTF8'));
end;
$$;

comment on function private.whatsapp_fingerprint is 'What makes an enqueued message the same again: to whom, from where and what; not when.';

create function private.claim_enqueue_key(key text, fingerprint bytea, message_id uuid)
returns uuid
language plpgsql
set search_path = ''
as $$
declare
  v_stored private.whatsapp_enqueue_keys;
begin
  -- A concurrent use of the same key waits here until the other has committed.
  insert into private.whatsapp_enqueue_keys as stored (key, fingerprint, message_id)
  values (claim_enqueue_key.key, claim_enqueue_key.fingerprint, claim_enqueue_key.message_id)
  on conflict on constraint whatsapp_enqueue_keys_pkey do update
    set fingerprint = excluded.fingerprint, message_id = excluded.message_id, kept_until = excluded.kept_until
    where stored.kept_until <= now();
  if found then
    return null;
  end if;
  select stored.* into strict v_stored from private.whatsapp_enqueue_keys as stored where stored.key = claim_enqueue_key.key;
  if v_stored.fingerprint <> claim_enqueue_key.fingerprint then
    perform private.refuse('idempotency_key_reused');
  end if;
  return v_stored.message_id;
end;
$$;

comment on function private.claim_enqueue_key is
  'Null for a new key, else the message that it was used for. Refuses: idempotency_key_reused.';

create function private.whatsapp_send_state(message_id uuid)
returns public.whatsapp_queue_state
language plpgsql
stable
set search_path = ''
as $$
declare
  v_state public.whatsapp_queue_state;
begin
  select message.state into v_state from public.whatsapp_message_queue as message where message.id = whatsapp_send_state.message_id;
  if not found then
    select message.state into v_state
    from public.whatsapp_message_queue_history as message
    where message.id = whatsapp_send_state.message_id;
  end if;
  return v_state;
end;
$$;

comment on function private.whatsapp_send_state is 'How far a message is; null if nobody knows it (any more).';

create function private.require_whatsapp_content(phone_number_id text, message_type text, payload jsonb)
returns void
language plpgsql
stable
set search_path = ''
as $$
declare
  v_problems jsonb := private.whatsapp_payload_problems(require_whatsapp_content.message_type, require_whatsapp_content.payload);
begin
  -- A paused template may be sent again when it is this message's turn.
  if v_problems = '[]' and (
    private.known_whatsapp_template(require_whatsapp_content.phone_number_id, require_whatsapp_content.payload)
  ).status is distinct from 'PAUSED' then
    v_problems := private.whatsapp_template_problems(require_whatsapp_content.phone_number_id, require_whatsapp_content.payload);
  end if;
  if v_problems <> '[]' then
    perform private.refuse('invalid_whatsapp_message', jsonb_build_object('errors', v_problems));
  end if;
end;
$$;

comment on function private.require_whatsapp_content is
  'Refuses content that Meta would refuse, with every place that is wrong, and a template that Meta no longer takes or that is filled in wrongly. '
  'Refuses: invalid_whatsapp_message.';

create function private.enqueue_whatsapp_message(message public.whatsapp_message_queue, idempotency_key text)
returns public.whatsapp_enqueued
language plpgsql
security definer -- the only writer of the queue and its lanes; may also make a contact
set search_path = ''
as $$
declare
  v_duplicate_of uuid;
begin
  message.id := private.uuid_v7();
  if enqueue_whatsapp_message.idempotency_key is not null then
    v_duplicate_of := private.claim_enqueue_key(
      enqueue_whatsapp_message.idempotency_key, private.whatsapp_fingerprint(message), message.id
    );
    if v_duplicate_of is not null then
      return row(v_duplicate_of, private.whatsapp_send_state(v_duplicate_of), true);
    end if;
  end if;

  perform private.require_whatsapp_content(message.phone_number_id, message.message_type, message.payload);
  if message.fallback_template is not null then
    perform private.require_whatsapp_content(
      message.phone_number_id, 'template', jsonb_build_object('template', message.fallback_template)
    );
  end if;
  if message.recipient_kind is not null then
    message.contact_id := private.whatsapp_contact_for(message.recipient_kind, message.recipient_value);
  end if;
  message.contact_id := private.lock_whatsapp_contacts(jsonb_build_object('contact', message.contact_id)) ->> 'contact';
  if not exists (select from public.whatsapp_contacts as contact where contact.id = message.contact_id) then
    perform private.refuse('contact_not_found');
  end if;
  insert into private.whatsapp_senders (phone_number_id)
  select message.phone_number_id
  where not exists (select from private.whatsapp_senders as sender where sender.phone_number_id = message.phone_number_id)
  on conflict on constraint whatsapp_senders_pkey do nothing;

  perform private.lock_whatsapp_lane(message.contact_id, message.phone_number_id);
  if message.due_at is null then
    message := private.place_in_whatsapp_lane(message);
    perform private.rejudge_whatsapp_lane(message.contact_id, message.phone_number_id);
  end if;
  insert into public.whatsapp_message_queue (
    id, phone_number_id, contact_id, recipient_kind, recipient_value, message_type, payload, fallback_template, category,
    ordering, may_resend, priority, state, place, due_at, expires_at, max_attempts
  )
  values (
    message.id, message.phone_number_id, message.contact_id, message.recipient_kind, message.recipient_value, message.message_type,
    message.payload, message.fallback_template, message.category, message.ordering, message.may_resend,
    message.priority, message.state, message.place, message.due_at, message.expires_at, message.max_attempts
  );
  if message.state = 'ready' then
    perform private.kick_worker();
  end if;
  return row(message.id, message.state, false);
end;
$$;

comment on function private.enqueue_whatsapp_message is 'The work of public.enqueue_whatsapp_message().';

create function private.rejudge_whatsapp_lane(contact_id uuid, phone_number_id text)
returns void
language plpgsql
set search_path = ''
as $$
begin
  update public.whatsapp_message_queue as message set due_at = now()
  where message.contact_id = rejudge_whatsapp_lane.contact_id and message.phone_number_id = rejudge_whatsapp_lane.phone_number_id
    and message.place is not null and message.state = 'waiting' and message.wait_reason = 'messaging_limit';
end;
$$;

comment on function private.rejudge_whatsapp_lane is
  'Looks again whether the first of a lane may go, if it waits for the messaging limit: an answer that comes behind it says that the person has '
  'written, so that the limit does not matter any more. The caller holds the lane.';

commit;
