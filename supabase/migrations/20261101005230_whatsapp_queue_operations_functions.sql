begin;

create function private.withdraw_whatsapp_message(message_id uuid)
returns boolean
language plpgsql
set search_path = ''
as $$
declare
  v_message public.whatsapp_message_queue := private.lock_whatsapp_send(withdraw_whatsapp_message.message_id);
begin
  if (v_message.state in ('scheduled', 'blocked', 'ready', 'waiting')) is not true then
    return false;
  end if;
  perform private.finish_whatsapp_send(v_message, 'cancelled');
  return true;
end;
$$;

comment on function private.withdraw_whatsapp_message is
  'Withdraws a message that nobody has claimed yet; says whether it was one. Call it without holding rows of the queue: lanes are locked first.';

create function private.cancel_whatsapp_message(message_id uuid)
returns public.whatsapp_send_outcome
language plpgsql
security definer -- the only writer of the queue
set search_path = ''
as $$
declare
  v_state public.whatsapp_queue_state;
begin
  if not private.withdraw_whatsapp_message(cancel_whatsapp_message.message_id) then
    v_state := private.whatsapp_send_state(cancel_whatsapp_message.message_id);
    if v_state is null then
      perform private.refuse('whatsapp_message_not_found');
    end if;
    if v_state <> 'cancelled' then
      perform private.refuse('whatsapp_message_under_way', jsonb_build_object('state', v_state));
    end if;
  end if;
  return private.whatsapp_send_outcome(cancel_whatsapp_message.message_id);
end;
$$;

comment on function private.cancel_whatsapp_message is 'The work of public.cancel_whatsapp_message().';

create function public.cancel_whatsapp_message(message_id uuid)
returns public.whatsapp_send_outcome
language plpgsql
set search_path = ''
set statement_timeout = '5s'
as $$
begin
  return private.cancel_whatsapp_message(cancel_whatsapp_message.message_id);
end;
$$;

comment on function public.cancel_whatsapp_message is
  'Withdraws a message that nobody has claimed yet; its lane goes on. Again: the same. '
  'Refuses: whatsapp_message_not_found, whatsapp_message_under_way.';
grant execute on function public.cancel_whatsapp_message, private.cancel_whatsapp_message to service_role;

create function private.note_whatsapp_operation(action text, resource_id text, metadata jsonb)
returns void
language plpgsql
set search_path = ''
as $$
begin
  perform private.require_registered_operator();
  if length(btrim(note_whatsapp_operation.metadata ->> 'reason')) between 1 and 1000 is not true then
    perform private.refuse('invalid_argument', '{"argument": "reason", "range": "1..1000 characters"}');
  end if;
  perform private.log_audit_event(
    'operator', (select auth.uid())::text, note_whatsapp_operation.action, 'whatsapp_sending', note_whatsapp_operation.resource_id,
    note_whatsapp_operation.metadata
  );
end;
$$;

comment on function private.note_whatsapp_operation is
  'First line of what operators do to sending: only those on the list, with a reason, and it is kept. Refuses: operator_required, invalid_argument.';

create function private.redrive_whatsapp_message(message_id uuid, reason text)
returns public.whatsapp_send_outcome
language plpgsql
security definer -- the only writer of the queue
set search_path = ''
as $$
declare
  v_message public.whatsapp_message_queue;
begin
  perform private.note_whatsapp_operation(
    'whatsapp_message.redriven', redrive_whatsapp_message.message_id::text, jsonb_build_object('reason', redrive_whatsapp_message.reason)
  );
  if private.whatsapp_send_state(redrive_whatsapp_message.message_id) is null then
    perform private.refuse('whatsapp_message_not_found');
  end if;
  if not exists (
    select from public.whatsapp_message_queue_history as finished
    where finished.id = redrive_whatsapp_message.message_id and finished.state = 'failed'
  ) then
    perform private.refuse('whatsapp_message_under_way',
      jsonb_build_object('state', private.whatsapp_send_state(redrive_whatsapp_message.message_id)));
  end if;
  v_message := private.reopen_whatsapp_send(redrive_whatsapp_message.message_id);
  update public.whatsapp_message_queue as again set
    expires_at = now() + private.whatsapp_lifetime(again.message_type, again.category), attempt_count = 0
  where again.id = v_message.id
  returning again.* into v_message;
  v_message.last_error := null;
  perform private.retry_whatsapp_send(v_message, 'retry', now(), true);
  perform private.kick_worker();
  return private.whatsapp_send_outcome(v_message.id);
end;
$$;

comment on function private.redrive_whatsapp_message is 'The work of public.redrive_whatsapp_message().';

create function public.redrive_whatsapp_message(message_id uuid, reason text)
returns public.whatsapp_send_outcome
language plpgsql
set search_path = ''
set statement_timeout = '5s'
as $$
begin
  return private.redrive_whatsapp_message(redrive_whatsapp_message.message_id, redrive_whatsapp_message.reason);
end;
$$;

comment on function public.redrive_whatsapp_message is
  'For operators: sends a failed message after all, as a new one of its lane with all its attempts; one that was unresolved may arrive twice. '
  'Refuses: operator_required, invalid_argument, whatsapp_message_not_found, whatsapp_message_under_way.';

create function private.resolve_whatsapp_message(message_id uuid, was_sent boolean, reason text)
returns public.whatsapp_send_outcome
language plpgsql
security definer -- the only writer of the queue
set search_path = ''
as $$
declare
  v_message public.whatsapp_message_queue;
begin
  perform private.note_whatsapp_operation('whatsapp_message.resolved', resolve_whatsapp_message.message_id::text,
    jsonb_build_object('reason', resolve_whatsapp_message.reason, 'was_sent', resolve_whatsapp_message.was_sent));
  v_message := private.lock_whatsapp_send(resolve_whatsapp_message.message_id);
  if v_message.id is null and private.whatsapp_send_state(resolve_whatsapp_message.message_id) is null then
    perform private.refuse('whatsapp_message_not_found');
  end if;
  if resolve_whatsapp_message.was_sent is null then
    perform private.refuse('invalid_argument', '{"argument": "was_sent"}');
  end if;
  if v_message.state is distinct from 'unknown' then
    perform private.refuse('whatsapp_message_under_way', jsonb_build_object('state', v_message.state));
  end if;
  if resolve_whatsapp_message.was_sent then
    perform private.finish_whatsapp_send(v_message, 'sent');
  else
    perform private.retry_whatsapp_send(v_message, 'retry', now(), true);
    perform private.kick_worker();
  end if;
  return private.whatsapp_send_outcome(v_message.id);
end;
$$;

comment on function private.resolve_whatsapp_message is 'The work of public.resolve_whatsapp_message().';

create function public.resolve_whatsapp_message(message_id uuid, was_sent boolean, reason text)
returns public.whatsapp_send_outcome
language plpgsql
set search_path = ''
set statement_timeout = '5s'
as $$
begin
  return private.resolve_whatsapp_message(
    resolve_whatsapp_message.message_id, resolve_whatsapp_message.was_sent, resolve_whatsapp_message.reason
  );
end;
$$;

comment on function public.resolve_whatsapp_message is
  'For operators: says of a message whose fate is unknown whether it was sent, before the queue decides; if not, it is sent. '
  'Refuses: operator_required, invalid_argument, whatsapp_message_not_found, whatsapp_message_under_way.';
grant execute on function public.redrive_whatsapp_message, private.redrive_whatsapp_message,
  public.resolve_whatsapp_message, private.resolve_whatsapp_message
to authenticated;

create function private.list_whatsapp_sends(state public.whatsapp_queue_state, failure_reason public.whatsapp_failure_reason, max_count integer)
returns setof public.whatsapp_message_queue_history
language plpgsql
stable
security definer -- shows operators what no client may read
set search_path = ''
as $$
declare
  -- A variable, so that partitions are ruled out when the query is planned.
  v_floor uuid := private.uuid_v7_floor(now() - interval '35 days');
begin
  perform private.require_operator();
  return query
  (
    select message.*, null::timestamptz from public.whatsapp_message_queue as message
    where message.state = list_whatsapp_sends.state and list_whatsapp_sends.failure_reason is null
    order by message.id desc
    limit list_whatsapp_sends.max_count
  )
  union all
  (
    select message.* from public.whatsapp_message_queue_history as message
    where message.id >= v_floor and message.state = list_whatsapp_sends.state
      and message.failure_reason = coalesce(list_whatsapp_sends.failure_reason, message.failure_reason)
      and list_whatsapp_sends.state = 'failed'
    order by message.id desc
    limit list_whatsapp_sends.max_count
  );
end;
$$;

comment on function private.list_whatsapp_sends is 'The work of public.list_whatsapp_sends().';

create function public.list_whatsapp_sends(
  state public.whatsapp_queue_state,
  failure_reason public.whatsapp_failure_reason default null,
  max_count integer default 100
)
returns setof public.whatsapp_message_queue_history
language plpgsql
stable
set search_path = ''
set statement_timeout = '5s'
as $$
begin
  if (list_whatsapp_sends.max_count between 1 and 1000) is not true then
    perform private.refuse('invalid_argument', '{"argument": "max_count", "range": "1..1000"}');
  end if;
  return query select * from private.list_whatsapp_sends(
    list_whatsapp_sends.state, list_whatsapp_sends.failure_reason, list_whatsapp_sends.max_count
  );
end;
$$;

comment on function public.list_whatsapp_sends is
  'For operators: the messages of a state, newest first; of the failed ones those enqueued in the last 35 days. Refuses: operator_required, invalid_argument.';
grant execute on function public.list_whatsapp_sends, private.list_whatsapp_sends to authenticated;

commit;
