begin;

create function private.fail_whatsapp_message(message_id uuid, lease_token bigint, error jsonb)
returns public.whatsapp_send_outcome
language plpgsql
security definer -- the only writer of the queue
set search_path = ''
as $$
declare
  v_message public.whatsapp_message_queue := private.hold_whatsapp_lease(
    fail_whatsapp_message.message_id, fail_whatsapp_message.lease_token
  );
  v_kind text := fail_whatsapp_message.error ->> 'kind';
begin
  if (v_message.state in ('sending', 'unknown')) is not true then
    return private.whatsapp_send_outcome(fail_whatsapp_message.message_id);
  end if;
  perform private.continue_correlation(v_message.correlation_id);
  -- A 5xx may stand for a message that was taken, unless Meta says by its code why it was not.
  if v_kind = 'unknown' or v_kind = 'graph_error' and fail_whatsapp_message.error ->> 'http_status' like '5__'
    and (private.whatsapp_error_action(fail_whatsapp_message.error)).action = 'retry' then
    -- Already unknown: what is known of it stays, the quiet period too.
    if v_message.state = 'sending' then
      perform private.doubt_whatsapp_send(v_message.id, fail_whatsapp_message.error);
    end if;
  elsif v_kind = 'not_sent' then
    v_message.last_error := fail_whatsapp_message.error;
    perform private.settle_whatsapp_probe(v_message.id, false);
    perform private.retry_whatsapp_send(v_message, 'not_sent', now() + private.retry_delay(1, interval '10 seconds', interval '10 seconds'), false);
  else
    perform private.refuse_whatsapp_send(v_message, fail_whatsapp_message.error);
  end if;
  return private.whatsapp_send_outcome(fail_whatsapp_message.message_id);
end;
$$;

comment on function private.fail_whatsapp_message is 'The work of public.fail_whatsapp_message().';

create function public.fail_whatsapp_message(message_id uuid, lease_token bigint, error jsonb)
returns public.whatsapp_send_outcome
language plpgsql
set search_path = ''
set statement_timeout = '5s'
as $$
begin
  if (fail_whatsapp_message.error ->> 'kind' in ('graph_error', 'not_sent', 'unknown')) is not true then
    perform private.refuse('invalid_argument', '{"argument": "error", "range": "kind: graph_error, not_sent or unknown"}');
  end if;
  return private.fail_whatsapp_message(
    fail_whatsapp_message.message_id, fail_whatsapp_message.lease_token, fail_whatsapp_message.error
  );
end;
$$;

comment on function public.fail_whatsapp_message is
  'The message was not taken, or nobody knows: error holds the bare facts, {"kind": "graph_error" | "not_sent" | "unknown", "http_status", "code", '
  '"subcode", "title", "details", "fbtrace_id", "is_transient", "retry_after" (seconds)}, and what follows is decided here: private.whatsapp_error_actions for '
  'Meta''s codes; not_sent (never left us) goes again at no cost; unknown, and a 5xx that would be retried, may have been sent. '
  'Repeating it changes nothing. Refuses: invalid_argument, lease_lost.';
grant execute on function public.fail_whatsapp_message, private.fail_whatsapp_message to service_role;

create function private.release_whatsapp_messages(message_ids uuid[], lease_tokens bigint[])
returns uuid[]
language plpgsql
security definer -- the only writer of the queue
set search_path = ''
as $$
declare
  v_claim record;
  v_message public.whatsapp_message_queue;
  v_released uuid[] := '{}';
begin
  for v_claim in
    select held.id, held.token
    from unnest(release_whatsapp_messages.message_ids, release_whatsapp_messages.lease_tokens) as held (id, token)
    join public.whatsapp_message_queue as message on message.id = held.id
    order by message.contact_id, message.phone_number_id
  loop
    v_message := private.lock_whatsapp_send(v_claim.id);
    if v_message.state in ('sending', 'unknown') and v_message.lease_token = v_claim.token then
      perform private.settle_whatsapp_probe(v_message.id, false);
      perform private.retry_whatsapp_send(v_message, 'not_sent', now(), false);
      v_released := v_released || v_message.id;
    end if;
  end loop;
  return v_released;
end;
$$;

comment on function private.release_whatsapp_messages is 'The work of public.release_whatsapp_messages().';

create function public.release_whatsapp_messages(message_ids uuid[], lease_tokens bigint[])
returns uuid[]
language plpgsql
set search_path = ''
set statement_timeout = '5s'
as $$
begin
  if cardinality(release_whatsapp_messages.message_ids) = cardinality(release_whatsapp_messages.lease_tokens) is not true then
    perform private.refuse('invalid_argument', '{"argument": "lease_tokens"}');
  end if;
  return private.release_whatsapp_messages(release_whatsapp_messages.message_ids, release_whatsapp_messages.lease_tokens);
end;
$$;

comment on function public.release_whatsapp_messages is
  'Gives back messages that were claimed and certainly not posted, at no cost; says which. Those of a lost lease are left out. Refuses: invalid_argument.';
grant execute on function public.release_whatsapp_messages, private.release_whatsapp_messages to service_role;

commit;
