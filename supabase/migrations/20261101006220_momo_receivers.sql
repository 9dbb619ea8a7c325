begin;

create table public.momo_receivers (
  receiving_number text not null,
  sender_names text[] not null default '{M-Money}',
  largest_amount public.wallet_amount not null default 100000,
  day_amount public.wallet_amount not null default 2000000,
  match_window interval not null default interval '2 hours',
  is_chain_required boolean not null default true,
  is_enabled boolean not null default true,
  created_at timestamptz not null default now(),
  constraint momo_receivers_pkey primary key (receiving_number),
  constraint momo_receivers_receiving_number_is_e164 check (receiving_number ~ '^\+[1-9]\d{6,14}$'),
  constraint momo_receivers_trust_somebody check (cardinality(sender_names) between 1 and 10 and array_position(sender_names, null) is null),
  constraint momo_receivers_amounts_rise check (largest_amount <= day_amount),
  constraint momo_receivers_match_within_a_day check (match_window between interval '1 minute' and interval '24 hours')
);

comment on table public.momo_receivers is
  'Our numbers to which people pay by USSD, and how far their receipts by SMS are believed. A receipt of any other number counts for nothing. Set by set_momo_receiver().';
comment on column public.momo_receivers.sender_names is 'Whom MTN''s messages come from, as the phone shows it. Anybody can send the same words from another number.';
comment on column public.momo_receivers.largest_amount is 'In francs: above it, a text message alone settles nothing, and a person looks.';
comment on column public.momo_receivers.day_amount is 'In francs: what text messages alone may settle in a day of Kigali.';
comment on column public.momo_receivers.match_window is 'How long after an intent has expired a payment may still be meant for it, when only its amount and payer tell.';
comment on column public.momo_receivers.is_chain_required is
  'Whether a receipt settles something only if its balance follows from the receipts before it. Without, a gap is shown and no more.';
alter table public.momo_receivers enable row level security;
grant select on public.momo_receivers to service_role;

create trigger refuse_delete
before delete on public.momo_receivers
for each row execute function private.refuse_change();

select private.audit_table('public.momo_receivers');

create function private.set_momo_receiver(receiver public.momo_receivers)
returns public.momo_receivers
language plpgsql
security definer -- no role may write the table
set search_path = ''
as $$
declare
  v_receiver public.momo_receivers;
begin
  perform private.require_service_or_registered_operator();
  insert into public.momo_receivers as stored (
    receiving_number, sender_names, largest_amount, day_amount, match_window, is_chain_required, is_enabled
  )
  values (
    (set_momo_receiver.receiver).receiving_number, (set_momo_receiver.receiver).sender_names, (set_momo_receiver.receiver).largest_amount,
    (set_momo_receiver.receiver).day_amount, (set_momo_receiver.receiver).match_window,
    (set_momo_receiver.receiver).is_chain_required, (set_momo_receiver.receiver).is_enabled
  )
  on conflict on constraint momo_receivers_pkey do update set
    sender_names = excluded.sender_names, largest_amount = excluded.largest_amount, day_amount = excluded.day_amount,
    match_window = excluded.match_window, is_chain_required = excluded.is_chain_required, is_enabled = excluded.is_enabled
  returning stored.* into v_receiver;
  return v_receiver;
exception when check_violation or not_null_violation then
  perform private.refuse('invalid_argument');
end;
$$;

comment on function private.set_momo_receiver is 'The work of public.set_momo_receiver(). Refuses: operator_required, invalid_argument.';

create function public.set_momo_receiver(
  receiving_number text,
  sender_names text[] default '{M-Money}',
  largest_amount bigint default 100000,
  day_amount bigint default 2000000,
  match_window_seconds integer default 7200,
  is_chain_required boolean default true,
  is_enabled boolean default true
)
returns public.momo_receivers
language plpgsql
set search_path = ''
set statement_timeout = '5s'
as $$
begin
  if (
    set_momo_receiver.largest_amount between 1 and 9007199254740991 and set_momo_receiver.day_amount between 1 and 9007199254740991
    and set_momo_receiver.match_window_seconds between 60 and 86400
  ) is not true then
    perform private.refuse('invalid_argument');
  end if;
  return private.set_momo_receiver((
    set_momo_receiver.receiving_number, set_momo_receiver.sender_names, set_momo_receiver.largest_amount, set_momo_receiver.day_amount,
    make_interval(secs => set_momo_receiver.match_window_seconds), set_momo_receiver.is_chain_required, set_momo_receiver.is_enabled, now()
  )::public.momo_receivers);
end;
$$;

comment on function public.set_momo_receiver is
  'For registered operators and the service: makes a number of ours one whose receipts by SMS are believed, or says how far. Refuses: operator_required, invalid_argument.';
grant execute on function public.set_momo_receiver, private.set_momo_receiver to authenticated, service_role;

commit;
