begin;

create type public.wallet_transaction_kind as enum (
  'transfer', 'payment', 'deposit', 'withdrawal', 'settlement', 'exchange', 'refund', 'reversal', 'adjustment'
);
comment on type public.wallet_transaction_kind is
  'Why money moved. settlement: between us and a provider. The last three are corrections: refund and reversal give back, adjustment is an operator''s.';

create table public.wallet_transactions (
  id uuid not null,
  created_at timestamptz not null,
  effective_at timestamptz not null,
  kind public.wallet_transaction_kind not null,
  source text not null,
  reference text not null,
  original_id uuid,
  hold_id uuid,
  description text,
  metadata jsonb not null,
  correlation_id text default private.correlation_id(),
  actor text not null,
  constraint wallet_transactions_pkey primary key (id)
) partition by range (id);

comment on table public.wallet_transactions is
  'The journal: what moved money, with two or more entries each. Posted by private.post_wallet_transaction() alone, never changed, kept for good.';
comment on column public.wallet_transactions.id is
  'Made when its accounts are locked, so that along an account ids rise with the version.';
comment on column public.wallet_transactions.created_at is 'When it was booked: the time of the id. Not generated from it, which would take longer than the insert.';
comment on column public.wallet_transactions.effective_at is 'When it happened in the world, as far as the poster knows; else when it was booked.';
comment on column public.wallet_transactions.source is 'What posted it. With the reference it is posted once, for good (wallet_transaction_keys).';
comment on column public.wallet_transactions.original_id is 'Of a refund or reversal: what it gives back.';
comment on column public.wallet_transactions.hold_id is 'Of a capture: the hold.';
comment on column public.wallet_transactions.metadata is 'What the poster ties to it: ids and facts, not personal data, as it is kept for good.';
comment on column public.wallet_transactions.actor is 'Who posted it, as private.caller() tells them.';
alter table public.wallet_transactions enable row level security;
grant select on public.wallet_transactions to service_role;
create trigger refuse_change
before update or delete on public.wallet_transactions
for each row execute function private.refuse_change();
select private.manage_partitions('wallet_transactions');

create table public.wallet_entries (
  transaction_id uuid not null,
  account_id uuid not null,
  shard smallint not null,
  leg smallint not null,
  currency char(3) not null,
  amount bigint not null,
  balance bigint not null,
  version bigint not null,
  constraint wallet_entries_pkey primary key (transaction_id, leg)
) partition by range (transaction_id);

comment on table public.wallet_entries is
  'The ledger: what each transaction did to each account. Those of a transaction sum to zero in every currency (require_double_entry). Never changed, kept for good.';
comment on column public.wallet_entries.leg is 'Counts the entries of a transaction, in the order of accounts.';
comment on column public.wallet_entries.amount is 'A credit; below zero a debit.';
comment on column public.wallet_entries.balance is 'The account''s (the shard''s) balance after it: credits less debits.';
comment on column public.wallet_entries.version is 'Counts the account''s (the shard''s) entries from 1, without gaps.';
create index wallet_entries_account_id_shard_transaction_id_leg_idx on public.wallet_entries (account_id, shard, transaction_id, leg);
alter table public.wallet_entries enable row level security;
grant select on public.wallet_entries to service_role;
create trigger refuse_change
before update or delete on public.wallet_entries
for each row execute function private.refuse_change();
select private.manage_partitions('wallet_entries');

create function private.require_double_entry()
returns trigger
language plpgsql
set search_path = ''
as $$
declare
  v_transaction_id uuid;
begin
  select entry.transaction_id into v_transaction_id
  from (
    select
      entry.*,
      -- A look-up for each entry, where a join might read all accounts.
      entry.currency is distinct from (
        select account.currency from public.wallet_accounts as account where account.id = entry.account_id
      ) as is_foreign
    from new_entries as entry
  ) as entry
  group by entry.transaction_id, entry.currency
  having sum(entry.amount) <> 0 or count(*) < 2 or bool_or(entry.amount = 0 or entry.is_foreign)
  limit 1;
  if found then
    raise exception 'the entries of transaction % do not balance, or are not of their account''s currency', v_transaction_id
      using errcode = 'integrity_constraint_violation';
  end if;
  return null;
end;
$$;

comment on function private.require_double_entry is
  'Refuses entries that are not written together with those that balance them, currency by currency.';

create trigger require_double_entry
after insert on public.wallet_entries
referencing new table as new_entries
for each statement execute function private.require_double_entry();

create table public.wallet_transaction_keys (
  id uuid not null,
  fingerprint bigint not null,
  transaction_id uuid not null,
  constraint wallet_transaction_keys_pkey primary key (id)
);

comment on table public.wallet_transaction_keys is
  'Which references were used, for good: each moves money once, however long after it comes again. '
  'Digests and no more, because the whole of it is searched at random.';
comment on column public.wallet_transaction_keys.id is 'Stands for (source, reference): half of their SHA-256.';
comment on column public.wallet_transaction_keys.fingerprint is
  'Tells the request from others of its poster: a reference that comes with another one is refused.';
alter table public.wallet_transaction_keys enable row level security;
grant select on public.wallet_transaction_keys to service_role;
create trigger refuse_change
before update or delete on public.wallet_transaction_keys
for each row execute function private.refuse_change();
create trigger refuse_truncate
before truncate on public.wallet_transaction_keys
execute function private.refuse_truncate();

create table public.wallet_months (
  account_id uuid not null,
  shard smallint not null,
  month timestamptz not null,
  opening_balance bigint not null,
  opening_version bigint not null,
  constraint wallet_months_pkey primary key (account_id, shard, month),
  constraint wallet_months_account_id_shard_fkey foreign key (account_id, shard) references public.wallet_balances (account_id, shard)
);

comment on table public.wallet_months is
  'The months (UTC) in which an account has entries, and what it had before the first of them: who asks for an old balance looks into one month.';
alter table public.wallet_months enable row level security;
grant select on public.wallet_months to service_role;
create trigger refuse_change
before update or delete on public.wallet_months
for each row execute function private.refuse_change();
create trigger refuse_truncate
before truncate on public.wallet_months
execute function private.refuse_truncate();

create table private.wallet_news (
  id bigint not null generated always as identity,
  transaction_id uuid,
  hold_id uuid,
  event_type text not null,
  constraint wallet_news_pkey primary key (id)
);

comment on table private.wallet_news is
  'What has happened and is not in the event store yet: written with the money, moved there by the schedule in batches, where an event costs a fifth.';
alter table private.wallet_news enable row level security;

commit;
