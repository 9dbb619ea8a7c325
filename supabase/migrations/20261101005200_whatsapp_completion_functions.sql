begin;

create type public.whatsapp_send_outcome as (
  message_id uuid,
  state public.whatsapp_queue_state,
  wait_reason public.whatsapp_wait_reason,
  failure_reason public.whatsapp_failure_reason,
  due_at timestamptz
);

comment on type public.whatsapp_send_outcome is 'What became of a message after an answer: how far it is, why it waits and until when, or why it failed.';

create function private.whatsapp_send_outcome(message_id uuid)
returns public.whatsapp_send_outcome
language plpgsql
stable
set search_path = ''
as $$
declare
  v_outcome public.whatsapp_send_outcome;
begin
  select message.id, message.state, message.wait_reason, message.failure_reason, message.due_at into v_outcome
  from public.whatsapp_message_queue as message
  where message.id = whatsapp_send_outcome.message_id;
  if not found then
    select message.id, message.state, message.wait_reason, message.failure_reason, message.due_at into v_outcome
    from public.whatsapp_message_queue_history as message
    where message.id = whatsapp_send_outcome.message_id;
  end if;
  return v_outcome;
end;
$$;

comment on function private.whatsapp_send_outcome is 'How far a message is.';

create function private.hold_whatsapp_lease(message_id uuid, lease_token bigint)
returns public.whatsapp_message_queue
language plpgsql
set search_path = ''
as $$
declare
  v_message public.whatsapp_message_queue := private.lock_whatsapp_send(hold_whatsapp_lease.message_id);
begin
  if v_message.id is null and not exists (
    select from public.whatsapp_message_queue_history as finished
    where finished.id = hold_whatsapp_lease.message_id and finished.lease_token = hold_whatsapp_lease.lease_token
  ) or v_message.lease_token <> hold_whatsapp_lease.lease_token or hold_whatsapp_lease.lease_token is null then
    perform private.refuse('lease_lost');
  end if;
  return v_message;
end;
$$;

comment on function private.hold_whatsapp_lease is
  'Locks a message that is to be answered; null if it is through already. Over the lease''s end the answer is still the answer, as long as '
  'nobody else has claimed the message. Refuses: lease_lost.';

create function private.note_whatsapp_answer(message public.whatsapp_message_queue, sent_at timestamptz)
returns void
language plpgsql
set search_path = ''
as $$
begin
  if message.message_type <> 'reaction' then
    perform private.update_whatsapp_session_activity(message.phone_number_id, message.contact_id, note_whatsapp_answer.sent_at, null);
  end if;
end;
$$;

comment on function private.note_whatsapp_answer is 'Notes in the session that we wrote; a reaction is no message. Locks the contact and the session.';

create function private.learn_whatsapp_recipient(wa_id text, user_id text)
returns void
language plpgsql
set search_path = ''
as $$
declare
  v_sighting private.whatsapp_sighting;
begin
  if num_nulls(learn_whatsapp_recipient.wa_id, learn_whatsapp_recipient.user_id) > 0 then
    return;
  end if;
  v_sighting.seen_at := now();
  v_sighting.wa_id := learn_whatsapp_recipient.wa_id;
  v_sighting.bsuid := learn_whatsapp_recipient.user_id;
  if not (select bool_and(found.is_known) from private.find_whatsapp_contacts(array[v_sighting]) as found) then
    perform private.learn_whatsapp_identities(array[v_sighting]);
  end if;
end;
$$;

comment on function private.learn_whatsapp_recipient is
  'Meta''s answer names a person by phone and by user id: both are theirs. What that moves, private.follow_whatsapp_moves() brings to an end.';

create function private.complete_whatsapp_message(message_id uuid, lease_token bigint, wamid text, wa_id text, user_id text)
returns public.whatsapp_send_outcome
language plpgsql
security definer -- the only writer of the queue and of what was sent
set search_path = ''
as $$
declare
  v_message public.whatsapp_message_queue;
begin
  select message.* into v_message from public.whatsapp_message_queue as message where message.id = complete_whatsapp_message.message_id;
  if found then
    perform private.continue_correlation(v_message.correlation_id);
    -- In the order of a delivery: people, message keys, contacts, sessions, lanes, the queue.
    perform private.learn_whatsapp_recipient(complete_whatsapp_message.wa_id, complete_whatsapp_message.user_id);
    perform private.claim_whatsapp_wamid(v_message.phone_number_id, complete_whatsapp_message.wamid);
    perform private.follow_whatsapp_moves('{}');
    perform private.note_whatsapp_answer(v_message, now());
  end if;
  v_message := private.hold_whatsapp_lease(complete_whatsapp_message.message_id, complete_whatsapp_message.lease_token);
  if v_message.state <> 'sent' and complete_whatsapp_message.wamid <> all (v_message.former_wamids) then
    v_message := private.note_whatsapp_acceptance(v_message, complete_whatsapp_message.wamid, now());
    perform private.settle_sent_whatsapp_message(v_message, false);
  else
    perform private.note_whatsapp_duplicate(complete_whatsapp_message.message_id, complete_whatsapp_message.wamid);
  end if;
  return private.whatsapp_send_outcome(complete_whatsapp_message.message_id);
end;
$$;

comment on function private.complete_whatsapp_message is 'The work of public.complete_whatsapp_message().';

create function public.complete_whatsapp_message(
  message_id uuid,
  lease_token bigint,
  wamid text,
  wa_id text default null,
  user_id text default null
)
returns public.whatsapp_send_outcome
language plpgsql
set search_path = ''
set statement_timeout = '5s'
as $$
begin
  if (length(complete_whatsapp_message.wamid) between 1 and 512) is not true then
    perform private.refuse('invalid_argument', '{"argument": "wamid", "range": "1..512 characters"}');
  end if;
  return private.complete_whatsapp_message(
    complete_whatsapp_message.message_id, complete_whatsapp_message.lease_token, complete_whatsapp_message.wamid,
    substring(complete_whatsapp_message.wa_id from '^\d{1,32}$'),
    substring(complete_whatsapp_message.user_id from '^[A-Z]{2}\.[A-Za-z0-9]{1,128}$')
  );
end;
$$;

comment on function public.complete_whatsapp_message is
  'Meta took the message and gave it that id (messages[0].id); wa_id and user_id are those of contacts[0]. The message is written among the '
  'conversation''s others, its statuses are joined and its lane goes on. Also after the lease''s end, if nobody else has claimed it since. '
  'Repeating it changes nothing. Refuses: invalid_argument, lease_lost.';
grant execute on function public.complete_whatsapp_message, private.complete_whatsapp_message to service_role;

commit;
