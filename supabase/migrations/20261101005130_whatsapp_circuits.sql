begin;

create table public.whatsapp_circuits (
  scope public.whatsapp_circuit_scope not null,
  subject text not null,
  error jsonb not null,
  opened_at timestamptz not null default now(),
  paused_until timestamptz not null,
  opening_count integer not null default 1,
  probe_id uuid,
  opened_by text not null default private.caller(),
  constraint whatsapp_circuits_pkey primary key (scope, subject)
);

comment on table public.whatsapp_circuits is
  'What sending is paused for. Until paused_until nothing goes out and nothing is charged an attempt; then one message tries whether it goes '
  'again, and closes the circuit (the row goes) or opens it for twice as long. Operators lift it with lift_whatsapp_circuit().';
comment on column public.whatsapp_circuits.subject is 'The phone_number_id, the account''s id, or account/template/language.';
comment on column public.whatsapp_circuits.error is 'The error that opened it, or the operator''s reason.';
comment on column public.whatsapp_circuits.opening_count is 'How many times it opened without having closed.';
comment on column public.whatsapp_circuits.probe_id is 'The message that is trying now; meanwhile no other goes.';
alter table public.whatsapp_circuits enable row level security;
grant select on public.whatsapp_circuits to service_role;

create function private.whatsapp_account_of(phone_number_id text)
returns text
language plpgsql
stable
set search_path = ''
as $$
begin
  return (
    select number.waba_id from public.whatsapp_numbers as number
    where number.phone_number_id = whatsapp_account_of.phone_number_id
  );
end;
$$;

comment on function private.whatsapp_account_of is 'The account of a number, if a delivery has told it.';

create function private.whatsapp_circuit_subject(scope public.whatsapp_circuit_scope, message public.whatsapp_message_queue)
returns text
language plpgsql
stable
set search_path = ''
as $$
declare
  v_account text := coalesce(private.whatsapp_account_of(message.phone_number_id), message.phone_number_id);
  v_template jsonb := private.whatsapp_content(message) -> 'template';
begin
  return case whatsapp_circuit_subject.scope
    when 'number' then message.phone_number_id
    when 'account' then v_account
    when 'template' then concat_ws('/', v_account, v_template ->> 'name', v_template #>> '{language,code}')
  end;
end;
$$;

comment on function private.whatsapp_circuit_subject is
  'What of a message a circuit of that scope stops. A number whose account nobody has told is an account of its own.';

create function private.tell_whatsapp_circuit(circuit public.whatsapp_circuits, event_type text)
returns void
language plpgsql
set search_path = ''
as $$
declare
  v_news private.new_event;
begin
  v_news.aggregate_type := 'whatsapp_circuit';
  v_news.aggregate_id := left(concat_ws('/', circuit.scope, circuit.subject), 200);
  v_news.event_type := tell_whatsapp_circuit.event_type;
  v_news.payload := jsonb_build_object(
    'scope', circuit.scope, 'subject', circuit.subject, 'code', circuit.error -> 'code',
    'paused_until', circuit.paused_until, 'opening_count', circuit.opening_count
  );
  perform private.record_events(array[v_news]);
end;
$$;

comment on function private.tell_whatsapp_circuit is
  'Tells the event store that sending is paused (whatsapp_circuit.opened, also when a try failed) or goes on (whatsapp_circuit.closed): somebody '
  'has to pay a bill or renew a token.';

create function private.open_whatsapp_circuit(
  scope public.whatsapp_circuit_scope,
  subject text,
  pause interval,
  error jsonb
)
returns void
language plpgsql
set search_path = ''
as $$
declare
  v_was_open boolean := exists (
    select from public.whatsapp_circuits as circuit
    where circuit.scope = open_whatsapp_circuit.scope and circuit.subject = open_whatsapp_circuit.subject
      and circuit.paused_until > now()
  );
  v_circuit public.whatsapp_circuits;
begin
  insert into public.whatsapp_circuits as circuit (scope, subject, error, paused_until)
  values (
    open_whatsapp_circuit.scope, open_whatsapp_circuit.subject, open_whatsapp_circuit.error, now() + open_whatsapp_circuit.pause
  )
  on conflict on constraint whatsapp_circuits_pkey do update set
    error = excluded.error,
    probe_id = null,
    opened_by = excluded.opened_by,
    -- What failed together opens it once.
    opening_count = circuit.opening_count + (circuit.paused_until <= now())::integer,
    paused_until = case when circuit.paused_until > now() then greatest(circuit.paused_until, excluded.paused_until)
      else now() + greatest(
        open_whatsapp_circuit.pause,
        least(open_whatsapp_circuit.pause * power(2, least(circuit.opening_count, 20)), interval '1 day')
      ) end
  returning * into v_circuit;
  if not v_was_open then
    perform private.tell_whatsapp_circuit(v_circuit, 'whatsapp_circuit.opened');
  end if;
end;
$$;

comment on function private.open_whatsapp_circuit is
  'Pauses sending for that long; twice as long, up to a day, if the try after an earlier pause brought this.';

create function private.whatsapp_circuits_of(phone_number_id text)
returns setof public.whatsapp_circuits
language plpgsql
stable
rows 1
set search_path = ''
as $$
begin
  return query
  select circuit.* from public.whatsapp_circuits as circuit
  where (circuit.scope = 'number' and circuit.subject = whatsapp_circuits_of.phone_number_id)
    or (
      circuit.scope = 'account' and circuit.subject in (
        whatsapp_circuits_of.phone_number_id, private.whatsapp_account_of(whatsapp_circuits_of.phone_number_id)
      )
    );
end;
$$;

comment on function private.whatsapp_circuits_of is 'The circuits that stop all messages of a number.';

create function private.whatsapp_circuit_allowance(phone_number_id text)
returns integer
language plpgsql
stable
set search_path = ''
as $$
begin
  return (
    select case when bool_or(circuit.paused_until > now() or circuit.probe_id is not null) then 0 else 1 end
    from private.whatsapp_circuits_of(whatsapp_circuit_allowance.phone_number_id) as circuit
    having count(*) > 0
  );
end;
$$;

comment on function private.whatsapp_circuit_allowance is
  'How many messages of a number may be claimed: none while a circuit is open or tried, one to try, null for any number.';

create function private.try_whatsapp_circuits(phone_number_id text, message_id uuid)
returns void
language plpgsql
set search_path = ''
as $$
begin
  update public.whatsapp_circuits as tried set probe_id = try_whatsapp_circuits.message_id
  from private.whatsapp_circuits_of(try_whatsapp_circuits.phone_number_id) as circuit
  where tried.scope = circuit.scope and tried.subject = circuit.subject;
end;
$$;

comment on function private.try_whatsapp_circuits is 'Makes a message the try of the circuits of its number and account.';

create function private.settle_whatsapp_probe(message_id uuid, has_reached boolean)
returns void
language plpgsql
set search_path = ''
as $$
declare
  v_circuit public.whatsapp_circuits;
begin
  if settle_whatsapp_probe.has_reached then
    for v_circuit in
      delete from public.whatsapp_circuits as circuit where circuit.probe_id = settle_whatsapp_probe.message_id returning circuit.*
    loop
      perform private.tell_whatsapp_circuit(v_circuit, 'whatsapp_circuit.closed');
    end loop;
  else
    update public.whatsapp_circuits as circuit set probe_id = null, paused_until = now() + interval '30 seconds'
    where circuit.probe_id = settle_whatsapp_probe.message_id;
  end if;
end;
$$;

comment on function private.settle_whatsapp_probe is
  'Ends a try. Meta''s answer closes the circuit, unless it is an error that opens it (then it has been opened already, without a try); '
  'without an answer the next try comes half a minute later.';

commit;
