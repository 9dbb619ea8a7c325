begin;

create function private.wallet_answer(posting private.wallet_posting, account_id uuid)
returns jsonb
language plpgsql
stable
set search_path = ''
as $$
declare
  v_posting constant private.wallet_posting := wallet_answer.posting;
  v_entry public.wallet_entries;
  v_amount bigint := 0;
  v_balance bigint;
begin
  foreach v_entry in array v_posting.entries loop
    if v_entry.account_id = wallet_answer.account_id then
      v_amount := v_amount + v_entry.amount;
      v_balance := v_entry.balance;
    end if;
  end loop;
  return jsonb_build_object(
    'transaction_id', v_posting.transaction_id,
    'booked_at', v_posting.booked_at,
    'account_id', wallet_answer.account_id,
    'currency', v_entry.currency,
    'amount', v_amount,
    'balance', v_balance
  );
end;
$$;

comment on function private.wallet_answer is
  'What the poster is told: the transaction, and what it did to one account, the poster''s: by how much it went up or down, fees included, and what it has now.';

create function private.run_wallet_transfer(request jsonb)
returns jsonb
language plpgsql
set search_path = ''
as $$
declare
  v_request constant jsonb := run_wallet_transfer.request;
  v_from_account_id constant uuid := v_request ->> 'from_account_id';
  v_to_account_id constant uuid := v_request ->> 'to_account_id';
  v_caller constant text := private.caller();
  v_is_user constant boolean := private.is_wallet_user(v_caller);
  v_currency text;
  v_posting private.wallet_posting;
begin
  if v_is_user then
    perform private.require_wallet_owner(v_from_account_id);
  end if;
  select account.currency into v_currency from public.wallet_accounts as account
  where account.id = v_to_account_id and (account.profile_id is not null or not v_is_user);
  if not found then
    perform private.refuse('wallet_account_not_found', jsonb_build_object('account_id', v_to_account_id));
  end if;
  v_posting := private.post_wallet_transaction(
    kind => 'transfer',
    legs => private.wallet_payment_legs('transfer', v_from_account_id, v_to_account_id, (v_request ->> 'amount')::bigint, v_currency),
    source => 'wallet_transfer:' || v_caller,
    reference => v_request ->> 'idempotency_key',
    request => v_request,
    description => v_request ->> 'description',
    metadata => v_request -> 'metadata',
    actor => v_caller
  );
  if v_posting.is_replay then
    perform private.tell_replay();
  end if;
  return private.wallet_answer(v_posting, v_from_account_id);
end;
$$;

comment on function private.run_wallet_transfer is
  'The work of public.wallet_transfer(), unless it was refused before: the ledger knows for good what it has posted under a key, and answers it again.';

create function private.wallet_transfer(idempotency_key text, request jsonb)
returns jsonb
language plpgsql
security definer -- the ledger is written by its functions alone; run_wallet_transfer() checks who asks
set search_path = ''
as $$
begin
  return private.idempotent(
    'wallet_transfer', wallet_transfer.idempotency_key, wallet_transfer.request, 'private.run_wallet_transfer(jsonb)', keeps_results => false
  );
end;
$$;

comment on function private.wallet_transfer is 'The work of public.wallet_transfer().';

create function public.wallet_transfer(
  from_account_id uuid,
  to_account_id uuid,
  amount bigint,
  idempotency_key text,
  description text default null,
  metadata jsonb default '{}'
)
returns jsonb
language plpgsql
set search_path = ''
set statement_timeout = '5s'
as $$
begin
  if (
    wallet_transfer.amount between 1 and 9007199254740991
    and wallet_transfer.from_account_id <> wallet_transfer.to_account_id
    and length(coalesce(wallet_transfer.description, '')) <= 200
    and jsonb_typeof(wallet_transfer.metadata) = 'object' and pg_column_size(wallet_transfer.metadata) <= 4096
  ) is not true then
    perform private.refuse('invalid_argument');
  end if;
  return private.wallet_transfer(wallet_transfer.idempotency_key, jsonb_build_object(
    'from_account_id', wallet_transfer.from_account_id,
    'to_account_id', wallet_transfer.to_account_id,
    'amount', wallet_transfer.amount,
    'idempotency_key', wallet_transfer.idempotency_key,
    'description', wallet_transfer.description,
    'metadata', wallet_transfer.metadata
  ));
end;
$$;

comment on function public.wallet_transfer is
  'Moves money from one account to another of the same currency, and the fee, if there is one: from one''s own account to a person''s; for the service between any. '
  'The account that is paid from is debited, the other credited. The same key again gives the same answer, a refusal too; after a day it still moves nothing twice. '
  'Refuses: invalid_argument (an amount of 1 to 9007199254740991 minor units, two accounts, a description of up to 200 characters, metadata of up to 4 KiB), '
  'wallet_account_not_found, wallet_account_closed, wallet_account_frozen, insufficient_funds, wallet_balance_too_high, wallet_limit_exceeded, currency_mismatch, '
  'idempotency_key_missing, idempotency_key_in_use, idempotency_key_reused.';
grant execute on function public.wallet_transfer, private.wallet_transfer to authenticated, service_role;

commit;
