begin;

create function private.wallet_journal(posting private.wallet_posting)
returns jsonb
language plpgsql
stable
set search_path = ''
as $$
begin
  return jsonb_build_object(
    'transaction_id', (wallet_journal.posting).transaction_id,
    'booked_at', (wallet_journal.posting).booked_at,
    'entries', (
      select jsonb_agg(
        jsonb_build_object('account_id', entry.account_id, 'currency', entry.currency, 'amount', entry.amount, 'balance', entry.balance)
        order by entry.leg
      )
      from unnest((wallet_journal.posting).entries) as entry
    )
  );
end;
$$;

comment on function private.wallet_journal is
  'What those are told who may see all of a transaction: its entries, credits above zero, and the balances after them, credits less debits.';

create function private.run_wallet_refund(request jsonb)
returns jsonb
language plpgsql
set search_path = ''
as $$
declare
  v_request constant jsonb := run_wallet_refund.request;
begin
  return private.wallet_journal(private.refund_wallet_transaction(
    transaction_id => (v_request ->> 'transaction_id')::uuid,
    amount => (v_request ->> 'amount')::bigint,
    kind => (v_request ->> 'kind')::public.wallet_transaction_kind,
    source => 'wallet_refund:' || private.caller(),
    reference => v_request ->> 'idempotency_key',
    request => v_request,
    description => v_request ->> 'reason'
  ));
end;
$$;

comment on function private.run_wallet_refund is 'The work of public.wallet_refund() and public.wallet_reverse().';

create function private.wallet_refund(idempotency_key text, request jsonb)
returns jsonb
language plpgsql
security definer -- the ledger is written by its functions alone
set search_path = ''
as $$
begin
  perform private.require_wallet_manager();
  return private.idempotent('wallet_refund', wallet_refund.idempotency_key, wallet_refund.request, 'private.run_wallet_refund(jsonb)');
end;
$$;

comment on function private.wallet_refund is 'The work of public.wallet_refund() and public.wallet_reverse(). Refuses: operator_required.';

create function public.wallet_refund(
  transaction_id uuid,
  idempotency_key text,
  amount bigint default null,
  reason text default null
)
returns jsonb
language plpgsql
set search_path = ''
set statement_timeout = '5s'
as $$
begin
  if (
    wallet_refund.transaction_id is not null and coalesce(wallet_refund.amount, 1) between 1 and 9007199254740991
    and length(coalesce(wallet_refund.reason, '')) <= 200
  ) is not true then
    perform private.refuse('invalid_argument');
  end if;
  return private.wallet_refund(wallet_refund.idempotency_key, jsonb_build_object(
    'transaction_id', wallet_refund.transaction_id,
    'idempotency_key', wallet_refund.idempotency_key,
    'amount', wallet_refund.amount,
    'reason', wallet_refund.reason,
    'kind', 'refund'
  ));
end;
$$;

comment on function public.wallet_refund is
  'For registered operators and the service: gives back a transaction, or an amount of it, in proportion from all that it went to, fees included. '
  'As often as something is left, never more. The same key again gives the same answer, a refusal too. '
  'Refuses: operator_required, invalid_argument, wallet_transaction_not_found, wallet_refund_exceeded (with what remains), insufficient_funds, '
  'wallet_account_closed, wallet_balance_too_high, idempotency_key_missing, idempotency_key_in_use, idempotency_key_reused.';

create function public.wallet_reverse(transaction_id uuid, idempotency_key text, reason text)
returns jsonb
language plpgsql
set search_path = ''
set statement_timeout = '5s'
as $$
begin
  if (wallet_reverse.transaction_id is not null and length(wallet_reverse.reason) between 1 and 200) is not true then
    perform private.refuse('invalid_argument');
  end if;
  return private.wallet_refund(wallet_reverse.idempotency_key, jsonb_build_object(
    'transaction_id', wallet_reverse.transaction_id,
    'idempotency_key', wallet_reverse.idempotency_key,
    'amount', null,
    'reason', wallet_reverse.reason,
    'kind', 'reversal'
  ));
end;
$$;

comment on function public.wallet_reverse is
  'For registered operators and the service: undoes a transaction that should not have been, of whatever kind and currencies, once and as a whole, by one that mirrors it. '
  'Refuses: operator_required, invalid_argument (a reason of 1 to 200 characters is needed), wallet_transaction_not_found, wallet_refund_exceeded (something was given back before), '
  'insufficient_funds, wallet_account_closed, wallet_balance_too_high, idempotency_key_missing, idempotency_key_in_use, idempotency_key_reused.';
grant execute on function public.wallet_refund, public.wallet_reverse, private.wallet_refund to authenticated, service_role;

create function private.run_wallet_adjustment(request jsonb)
returns jsonb
language plpgsql
set search_path = ''
as $$
declare
  v_request constant jsonb := run_wallet_adjustment.request;
begin
  return private.wallet_journal(private.post_wallet_transaction(
    kind => 'adjustment',
    legs => array(
      select (leg.account_id, leg.amount, null)::private.wallet_leg
      from jsonb_to_recordset(v_request -> 'legs') as leg (account_id uuid, amount bigint)
    ),
    source => 'wallet_adjust:' || private.caller(),
    reference => v_request ->> 'idempotency_key',
    request => v_request,
    effective_at => (v_request ->> 'effective_at')::timestamptz,
    description => v_request ->> 'reason'
  ));
end;
$$;

comment on function private.run_wallet_adjustment is 'The work of public.wallet_adjust().';

create function private.wallet_adjust(idempotency_key text, request jsonb)
returns jsonb
language plpgsql
security definer -- the ledger is written by its functions alone
set search_path = ''
as $$
begin
  perform private.require_wallet_manager();
  return private.idempotent('wallet_adjust', wallet_adjust.idempotency_key, wallet_adjust.request, 'private.run_wallet_adjustment(jsonb)');
end;
$$;

comment on function private.wallet_adjust is 'The work of public.wallet_adjust(). Refuses: operator_required.';

create function public.wallet_adjust(legs jsonb, reason text, idempotency_key text, effective_at timestamptz default null)
returns jsonb
language plpgsql
set search_path = ''
set statement_timeout = '5s'
as $$
begin
  if (
    jsonb_typeof(wallet_adjust.legs) = 'array' and jsonb_array_length(wallet_adjust.legs) between 2 and 100
    and not jsonb_path_exists(wallet_adjust.legs, '$[*] ? (@.amount.type() != "number" || @.amount == 0 || @.amount.abs() > 9007199254740991 || @.amount.floor() != @.amount)')
    and not jsonb_path_exists(wallet_adjust.legs, '$[*] ? (!(exists (@.amount)) || @.account_id.type() != "string" || !(exists (@.account_id)))')
    and length(wallet_adjust.reason) between 1 and 200
    and isfinite(coalesce(wallet_adjust.effective_at, now()))
  ) is not true then
    perform private.refuse('invalid_argument');
  end if;
  return private.wallet_adjust(wallet_adjust.idempotency_key, jsonb_build_object(
    'legs', wallet_adjust.legs,
    'reason', wallet_adjust.reason,
    'idempotency_key', wallet_adjust.idempotency_key,
    'effective_at', wallet_adjust.effective_at
  ));
end;
$$;

comment on function public.wallet_adjust is
  'For registered operators and the service: a journal entry by hand. legs is an array of {"account_id", "amount"}, an amount above zero credits, below zero debits, '
  'and they sum to zero in every currency. Guards hold for it, limits do not, and frozen accounts take part. effective_at: when it happened, if that was earlier. '
  'Refuses: operator_required, invalid_argument (2 to 100 legs of whole amounts, a reason of 1 to 200 characters), currency_mismatch, wallet_legs_unbalanced, '
  'wallet_account_not_found, wallet_account_closed, insufficient_funds, wallet_balance_too_high, '
  'idempotency_key_missing, idempotency_key_in_use, idempotency_key_reused.';
grant execute on function public.wallet_adjust, private.wallet_adjust to authenticated, service_role;

commit;
