begin;

create table public.transactions (
  id uuid not null default private.uuid_v7(),
  created_at timestamptz not null generated always as (private.uuid_v7_time(id)) stored,
  type public.transaction_type not null,
  status public.transaction_status not null default 'pending',
  method text not null,
  profile_id uuid,
  from_account_id uuid,
  to_account_id uuid,
  amount public.wallet_amount not null,
  currency char(3) not null,
  refunded_amount bigint not null default 0,
  original_id uuid,
  phone text,
  reference text not null,
  description text,
  metadata jsonb not null default '{}',
  failure_code text,
  evidence public.payment_evidence,
  hold_id uuid,
  wallet_transaction_id uuid,
  next_action jsonb,
  expires_at timestamptz,
  correlation_id text default private.correlation_id(),
  actor text not null default private.caller(),
  updated_at timestamptz not null default now(),
  constraint transactions_pkey primary key (id),
  constraint transactions_profile_id_fkey foreign key (profile_id) references public.profiles (id),
  constraint transactions_from_account_id_fkey foreign key (from_account_id) references public.wallet_accounts (id),
  constraint transactions_to_account_id_fkey foreign key (to_account_id) references public.wallet_accounts (id),
  constraint transactions_refunds_stay_within_the_amount check (refunded_amount between 0 and amount),
  constraint transactions_refunds_have_an_original check ((type = 'refund') = (original_id is not null)),
  constraint transactions_success_is_booked check ((status = 'succeeded') = (wallet_transaction_id is not null)),
  constraint transactions_phone_is_e164 check (phone ~ '^\+[1-9]\d{6,14}$')
) partition by range (id);

comment on table public.transactions is
  'Intents to move money, one row for good. What is wanted never changes; the status moves by private.move_transaction() alone.';
comment on column public.transactions.method is 'A row of payment_channels, which is never deleted.';
comment on column public.transactions.profile_id is 'Whose it is: the payer, or the one who is paid out.';
comment on column public.transactions.refunded_amount is 'What was given back and what is about to be: refunds take it under this row''s lock.';
comment on column public.transactions.phone is 'The payer''s or the payee''s number (E.164). Personal: cleared when its person is erased.';
comment on column public.transactions.reference is 'Ten characters that people can read out and type; once for good (transaction_references).';
comment on column public.transactions.failure_code is 'Why it did not succeed, in our words: insufficient_funds, rejected, payer_not_found ...';
comment on column public.transactions.evidence is 'What its status rests on; null: nobody told us, the clock or a person here did it.';
comment on column public.transactions.hold_id is 'Of a payout, and of a refund through a provider: what is set aside for it.';
comment on column public.transactions.wallet_transaction_id is 'How it stands in the ledger, once it has succeeded.';
comment on column public.transactions.next_action is 'What the payer is to do, as long as it is open.';
comment on column public.transactions.expires_at is 'When we stop waiting for the payer. Payouts and refunds wait for nobody.';
create index transactions_profile_id_id_idx on public.transactions (profile_id, id);
create index transactions_open_idx on public.transactions (expires_at) where status in ('pending', 'processing');
create index transactions_unsettled_idx on public.transactions (status, id) where status in ('pending', 'processing', 'unknown');
create index transactions_original_id_idx on public.transactions (original_id) where original_id is not null;
create index transactions_from_account_id_idx on public.transactions (from_account_id);
create index transactions_to_account_id_idx on public.transactions (to_account_id);
alter table public.transactions enable row level security;
grant select on public.transactions to service_role;
grant select (
  id, created_at, type, status, method, profile_id, from_account_id, to_account_id, amount, currency, refunded_amount, original_id, reference,
  description, metadata, failure_code, expires_at, updated_at
) on public.transactions to authenticated;

create policy "People read their own transactions"
on public.transactions
for select
to authenticated
using (profile_id = (select profile.id from public.profiles as profile where profile.user_id = (select auth.uid())));

create function private.keep_transaction()
returns trigger
language plpgsql
set search_path = ''
as $$
declare
  -- created_at follows from the id, after this.
  v_free constant text[] := '{created_at,status,refunded_amount,phone,description,metadata,failure_code,evidence,hold_id,wallet_transaction_id,next_action,updated_at}';
begin
  if tg_op = 'DELETE' or to_jsonb(new) - v_free is distinct from to_jsonb(old) - v_free
    or new.phone <> old.phone or new.wallet_transaction_id <> old.wallet_transaction_id or new.hold_id <> old.hold_id
  then
    raise exception 'a transaction stays what it was meant to be' using errcode = 'insufficient_privilege';
  end if;
  if new.status <> old.status and not exists (
    select from public.transaction_moves as move
    where move.from_status = old.status and move.to_status = new.status and (new.evidence is not null or not move.evidence_needed)
  ) then
    raise exception 'a transaction cannot move from % to %', old.status, new.status using errcode = 'integrity_constraint_violation';
  end if;
  return new;
end;
$$;

comment on function private.keep_transaction is
  'Keeps what was wanted: amount, currency, parties, times. And the state machine, once more, whoever writes.';

create trigger keep_transaction
before update or delete on public.transactions
for each row execute function private.keep_transaction();
select private.manage_partitions('transactions');

create table public.transaction_references (
  reference text not null,
  transaction_id uuid not null,
  constraint transaction_references_pkey primary key (reference),
  constraint transaction_references_are_crockford_s check (reference ~ '^[0-9A-HJKMNP-TV-Z]{10}$')
);

comment on table public.transaction_references is 'Which transaction people mean by ten characters (Crockford''s base 32: no I, L, O, U), for good.';
alter table public.transaction_references enable row level security;
grant select on public.transaction_references to service_role;
create trigger refuse_change
before update or delete on public.transaction_references
for each row execute function private.refuse_change();

create table public.transaction_keys (
  caller text not null,
  route text not null,
  key text not null,
  fingerprint bytea not null,
  transaction_id uuid not null,
  constraint transaction_keys_pkey primary key (caller, route, key)
);

comment on table public.transaction_keys is
  'Which idempotency keys made which transactions, for good: when the stored answer has expired, the key still makes no second one.';
comment on column public.transaction_keys.fingerprint is 'sha256 of the request: the key with another one is refused.';
alter table public.transaction_keys enable row level security;
grant select on public.transaction_keys to service_role;
create trigger refuse_change
before update or delete on public.transaction_keys
for each row execute function private.refuse_change();

create table public.transaction_events (
  id uuid not null default private.uuid_v7(),
  created_at timestamptz not null generated always as (private.uuid_v7_time(id)) stored,
  transaction_id uuid not null,
  from_status public.transaction_status,
  to_status public.transaction_status not null,
  evidence public.payment_evidence,
  failure_code text,
  reason text,
  actor text not null default private.caller(),
  correlation_id text default private.correlation_id(),
  constraint transaction_events_pkey primary key (id)
) partition by range (id);

comment on table public.transaction_events is 'Every move of every transaction, its beginning included (from_status null). Never changed, kept for good.';
comment on column public.transaction_events.reason is 'Why somebody here did it.';
create index transaction_events_transaction_id_id_idx on public.transaction_events (transaction_id, id);
alter table public.transaction_events enable row level security;
grant select on public.transaction_events to service_role;
create trigger refuse_change
before update or delete on public.transaction_events
for each row execute function private.refuse_change();
select private.manage_partitions('transaction_events');

commit;
