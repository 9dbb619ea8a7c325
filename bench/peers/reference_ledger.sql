-- The reference: the least that moves money in double entry. One transaction, two entries, two balances, and nothing
-- else: no key, no guard, no hold, no limit, no currency, no month. It is kind to itself: plain numbers for ids, the
-- entries in one statement, the accounts locked in order, room on the pages for balances that change in place.

create schema reference_ledger;

create table reference_ledger.accounts (
  id bigint generated always as identity primary key,
  balance bigint not null default 0,
  version bigint not null default 0
) with (fillfactor = 50);

create table reference_ledger.transactions (
  id bigint generated always as identity primary key,
  created_at timestamptz not null default now()
);

create table reference_ledger.entries (
  id bigint generated always as identity primary key,
  transaction_id bigint not null references reference_ledger.transactions (id),
  account_id bigint not null references reference_ledger.accounts (id),
  amount bigint not null,
  balance bigint not null,
  version bigint not null
);
create index on reference_ledger.entries (account_id, id);

create function reference_ledger.transfer(from_account_id bigint, to_account_id bigint, amount bigint)
returns bigint
language plpgsql
set search_path = ''
as $$
declare
  v_first constant bigint := least(transfer.from_account_id, transfer.to_account_id);
  v_second constant bigint := greatest(transfer.from_account_id, transfer.to_account_id);
  v_first_amount constant bigint := case v_first when transfer.from_account_id then -transfer.amount else transfer.amount end;
  v_transaction_id bigint;
  v_first_balance bigint;
  v_first_version bigint;
  v_second_balance bigint;
  v_second_version bigint;
begin
  update reference_ledger.accounts as account set balance = account.balance + v_first_amount, version = account.version + 1
  where account.id = v_first
  returning account.balance, account.version into v_first_balance, v_first_version;
  update reference_ledger.accounts as account set balance = account.balance - v_first_amount, version = account.version + 1
  where account.id = v_second
  returning account.balance, account.version into v_second_balance, v_second_version;
  insert into reference_ledger.transactions default values returning id into v_transaction_id;
  insert into reference_ledger.entries (transaction_id, account_id, amount, balance, version) values
    (v_transaction_id, v_first, v_first_amount, v_first_balance, v_first_version),
    (v_transaction_id, v_second, -v_first_amount, v_second_balance, v_second_version);
  return v_transaction_id;
end;
$$;
