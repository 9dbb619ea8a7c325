begin;

create function private.run_create_refund(request jsonb)
returns jsonb
language plpgsql
set search_path = ''
as $$
declare
  v_request constant jsonb := run_create_refund.request;
  v_refund public.transactions := private.find_keyed_transaction('create_refund', v_request ->> 'idempotency_key', v_request);
  v_original public.transactions;
  v_channel public.payment_channels;
begin
  if v_refund.id is not null then
    return private.transaction_answer(v_refund);
  end if;
  -- Refunds of one payment wait for each other here: together they never exceed it.
  v_original := private.lock_transaction((v_request ->> 'transaction_id')::uuid);
  if v_original.type not in ('payment', 'top_up') or v_original.status <> 'succeeded' then
    perform private.refuse('transaction_state_conflict', jsonb_build_object('type', v_original.type, 'status', v_original.status));
  end if;
  v_refund.type := 'refund';
  v_refund.method := v_original.method;
  v_refund.profile_id := v_original.profile_id;
  v_refund.from_account_id := v_original.to_account_id;
  v_refund.to_account_id := v_original.from_account_id;
  v_refund.amount := coalesce((v_request ->> 'amount')::bigint, nullif(v_original.amount - v_original.refunded_amount, 0));
  v_refund.currency := v_original.currency;
  v_refund.original_id := v_original.id;
  v_refund.phone := v_original.phone;
  v_refund.description := v_request ->> 'reason';
  if (v_refund.amount <= v_original.amount - v_original.refunded_amount) is not true then
    perform private.refuse('wallet_refund_exceeded', jsonb_build_object('remaining', v_original.amount - v_original.refunded_amount));
  end if;
  v_channel := private.require_payment_channel(v_refund.method, 'refund', v_refund.amount, v_refund.currency);

  update public.transactions as original set refunded_amount = original.refunded_amount + v_refund.amount, updated_at = now()
  where original.id = v_original.id;
  v_refund := private.insert_transaction(v_refund, 'create_refund', v_request ->> 'idempotency_key', v_request);
  perform private.log_audit_event(
    actor.actor_type, actor.actor_identifier, 'create_refund', 'transactions', v_refund.id::text,
    jsonb_build_object('original_id', v_original.id, 'amount', v_refund.amount, 'currency', v_refund.currency)
  )
  from private.current_actor() as actor;
  return private.transaction_answer(private.start_payment(v_refund, v_channel));
end;
$$;

comment on function private.run_create_refund is 'The work of public.create_refund(), once it is known to be new or its stored answer has expired.';

create function private.create_refund(idempotency_key text, request jsonb)
returns jsonb
language plpgsql
security definer -- no role may write transactions
set search_path = ''
as $$
begin
  perform private.require_wallet_manager();
  return private.idempotent('create_refund', create_refund.idempotency_key, create_refund.request, 'private.run_create_refund(jsonb)');
end;
$$;

comment on function private.create_refund is 'The work of public.create_refund(). Refuses: operator_required.';

create function public.create_refund(
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
    create_refund.transaction_id is not null and coalesce(create_refund.amount, 1) between 1 and 9007199254740991
    and length(coalesce(create_refund.reason, '')) <= 200
  ) is not true then
    perform private.refuse('invalid_argument');
  end if;
  return private.create_refund(create_refund.idempotency_key, jsonb_build_object(
    'transaction_id', create_refund.transaction_id,
    'idempotency_key', create_refund.idempotency_key,
    'amount', create_refund.amount,
    'reason', create_refund.reason
  ));
end;
$$;

comment on function public.create_refund is
  'For registered operators and the service: gives back a payment or top_up that has succeeded, all that is left of it or an amount, as often as something is left. '
  'By wallet at once, fees in proportion; else through the provider, whose refund is set aside on the account that was paid until it is done. '
  'What is pending counts; what fails may be asked for again. A refused refund moves nothing. The same key again gives the same answer, a refusal too. '
  'Refuses: operator_required, invalid_argument, transaction_not_found, transaction_state_conflict (there is nothing to give back), payment_method_unavailable, '
  'wallet_refund_exceeded (with what remains), insufficient_funds, wallet_account_closed, wallet_account_frozen, wallet_limit_exceeded, wallet_balance_too_high, '
  'idempotency_key_missing, idempotency_key_in_use, idempotency_key_reused.';
grant execute on function public.create_refund, private.create_refund to authenticated, service_role;

commit;
