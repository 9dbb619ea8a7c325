begin;

create function private.list_whatsapp_circuits()
returns setof public.whatsapp_circuits
language plpgsql
stable
security definer -- shows operators what no client may read
set search_path = ''
as $$
begin
  perform private.require_operator();
  return query select circuit.* from public.whatsapp_circuits as circuit order by circuit.opened_at desc;
end;
$$;

comment on function private.list_whatsapp_circuits is 'The work of public.list_whatsapp_circuits().';

create function public.list_whatsapp_circuits()
returns setof public.whatsapp_circuits
language plpgsql
stable
set search_path = ''
set statement_timeout = '2s'
as $$
begin
  return query select * from private.list_whatsapp_circuits();
end;
$$;

comment on function public.list_whatsapp_circuits is 'For operators: what sending is paused for, until when and why. Refuses: operator_required.';

create function private.pause_whatsapp_sending(scope public.whatsapp_circuit_scope, subject text, pause interval, reason text)
returns public.whatsapp_circuits
language plpgsql
security definer -- the only writer of circuits
set search_path = ''
as $$
declare
  v_circuit public.whatsapp_circuits;
begin
  perform private.note_whatsapp_operation('whatsapp_sending.paused',
    concat_ws(' ', pause_whatsapp_sending.scope, pause_whatsapp_sending.subject),
    jsonb_build_object('reason', pause_whatsapp_sending.reason, 'pause', pause_whatsapp_sending.pause));
  perform private.open_whatsapp_circuit(
    pause_whatsapp_sending.scope, pause_whatsapp_sending.subject, pause_whatsapp_sending.pause,
    jsonb_build_object('kind', 'operator', 'title', btrim(pause_whatsapp_sending.reason))
  );
  select circuit.* into v_circuit from public.whatsapp_circuits as circuit
  where circuit.scope = pause_whatsapp_sending.scope and circuit.subject = pause_whatsapp_sending.subject;
  return v_circuit;
end;
$$;

comment on function private.pause_whatsapp_sending is 'The work of public.pause_whatsapp_sending().';

create function public.pause_whatsapp_sending(
  scope public.whatsapp_circuit_scope,
  subject text,
  pause interval,
  reason text
)
returns public.whatsapp_circuits
language plpgsql
set search_path = ''
set statement_timeout = '2s'
as $$
declare
  v_fault text := case
    when pause_whatsapp_sending.scope is null then 'scope'
    when length(pause_whatsapp_sending.subject) between 1 and 600 is not true then 'subject'
    when pause_whatsapp_sending.pause between interval '1 second' and interval '1 year' is not true then 'pause'
  end;
begin
  if v_fault is not null then
    perform private.refuse('invalid_argument', jsonb_build_object('argument', v_fault));
  end if;
  return private.pause_whatsapp_sending(
    pause_whatsapp_sending.scope, pause_whatsapp_sending.subject, pause_whatsapp_sending.pause, pause_whatsapp_sending.reason
  );
end;
$$;

comment on function public.pause_whatsapp_sending is
  'For operators: holds back the messages of a number (phone_number_id), an account (its id) or a template (account/name/language), at no cost '
  'of attempts, for 1 second to 1 year or until lift_whatsapp_circuit(). Refuses: operator_required, invalid_argument.';

create function private.lift_whatsapp_circuit(scope public.whatsapp_circuit_scope, subject text, reason text)
returns boolean
language plpgsql
security definer -- the only writer of circuits
set search_path = ''
as $$
declare
  v_circuit public.whatsapp_circuits;
begin
  perform private.note_whatsapp_operation('whatsapp_sending.resumed',
    concat_ws(' ', lift_whatsapp_circuit.scope, lift_whatsapp_circuit.subject), jsonb_build_object('reason', lift_whatsapp_circuit.reason));
  delete from public.whatsapp_circuits as circuit
  where circuit.scope = lift_whatsapp_circuit.scope and circuit.subject = lift_whatsapp_circuit.subject
  returning circuit.* into v_circuit;
  if not found then
    return false;
  end if;
  if lift_whatsapp_circuit.scope = 'template' then
    update public.whatsapp_message_queue as message set due_at = now()
    where message.id in (
      select held.id from public.whatsapp_message_queue as held
      where held.due_at is not null and held.wait_reason = 'template_paused'
        and private.whatsapp_circuit_subject('template', held) = lift_whatsapp_circuit.subject
      for update skip locked
    );
  end if;
  perform private.tell_whatsapp_circuit(v_circuit, 'whatsapp_circuit.closed');
  perform private.kick_worker();
  return true;
end;
$$;

comment on function private.lift_whatsapp_circuit is 'The work of public.lift_whatsapp_circuit().';

create function public.lift_whatsapp_circuit(scope public.whatsapp_circuit_scope, subject text, reason text)
returns boolean
language plpgsql
set search_path = ''
set statement_timeout = '10s'
as $$
begin
  return private.lift_whatsapp_circuit(lift_whatsapp_circuit.scope, lift_whatsapp_circuit.subject, lift_whatsapp_circuit.reason);
end;
$$;

comment on function public.lift_whatsapp_circuit is
  'For operators: lets messages go again at once (a new token is in place, the bill is paid); says whether anything was paused. '
  'Refuses: operator_required, invalid_argument.';
grant execute on function public.list_whatsapp_circuits, private.list_whatsapp_circuits,
  public.pause_whatsapp_sending, private.pause_whatsapp_sending,
  public.lift_whatsapp_circuit, private.lift_whatsapp_circuit
to authenticated;

commit;
