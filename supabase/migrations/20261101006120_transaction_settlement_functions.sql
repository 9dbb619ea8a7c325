begin;

create function private.provider_payment_legs(transaction public.transactions, settlement_account_id uuid)
returns private.wallet_leg[]
language plpgsql
set search_path = ''
as $$
declare
  v_transaction constant public.transactions := provider_payment_legs.transaction;
  v_legs private.wallet_leg[] := private.wallet_payment_legs(
    case v_transaction.type when 'payment' then 'payment'::public.wallet_transaction_kind else 'deposit' end,
    provider_payment_legs.settlement_account_id, v_transaction.to_account_id, v_transaction.amount, v_transaction.currency
  );
begin
  -- A provider takes in the amount and no more, so a fee that is the sender's in the wallet is the receiver's here.
  if cardinality(v_legs) = 4 then
    v_legs[3].account_id := v_transaction.to_account_id;
  end if;
  return v_legs;
end;
$$;

comment on function private.provider_payment_legs is 'The legs of money that a provider took in for somebody, and of the fee.';

create function private.settle_wallet_transaction(transaction public.transactions)
returns uuid
language plpgsql
set search_path = ''
as $$
declare
  v_transaction constant public.transactions := settle_wallet_transaction.transaction;
  v_original public.transactions;
begin
  if v_transaction.type = 'refund' then
    select * into strict v_original from public.transactions as original where original.id = v_transaction.original_id;
    return (private.refund_wallet_transaction(
      transaction_id => v_original.wallet_transaction_id,
      -- The last of it takes with it what is left of fees.
      amount => case when v_original.refunded_amount < v_original.amount then v_transaction.amount end,
      kind => 'refund',
      source => 'payment',
      reference => v_transaction.id::text,
      request => to_jsonb(v_transaction.amount),
      description => v_transaction.description
    )).transaction_id;
  end if;
  return (private.post_wallet_transaction(
    kind => 'payment',
    legs => private.wallet_payment_legs(
      'payment', v_transaction.from_account_id, v_transaction.to_account_id, v_transaction.amount, v_transaction.currency
    ),
    source => 'payment',
    reference => v_transaction.id::text,
    request => to_jsonb(v_transaction.amount),
    description => v_transaction.description
  )).transaction_id;
end;
$$;

comment on function private.settle_wallet_transaction is 'Books what the wallet does on its own: a payment, or what is given back of one. Refuses: as the ledger does.';

create function private.settle_provider_transaction(transaction public.transactions, money_account_id uuid)
returns uuid
language plpgsql
set search_path = ''
as $$
declare
  v_transaction constant public.transactions := settle_provider_transaction.transaction;
  -- A deposit, as the money is here already: neither a freeze nor a tier's maximum keeps it out.
  v_kind constant public.wallet_transaction_kind := case v_transaction.type when 'payout' then 'withdrawal' when 'refund' then 'refund' else 'deposit' end;
  v_out constant private.wallet_leg := (settle_provider_transaction.money_account_id, v_transaction.amount, null);
begin
  if exists (select from public.wallet_holds as hold where hold.id = v_transaction.hold_id and hold.status = 'held') then
    return (private.capture_wallet_hold(
      hold_id => v_transaction.hold_id,
      credits => array[v_out],
      kind => v_kind,
      source => 'payment',
      reference => v_transaction.id::text,
      request => to_jsonb(v_transaction.amount)
    )).transaction_id;
  end if;
  return (private.post_wallet_transaction(
    kind => v_kind,
    legs => case
      when v_transaction.type in ('payment', 'top_up') then
        private.provider_payment_legs(v_transaction, settle_provider_transaction.money_account_id)
      -- Late: the hold is gone, the money as well.
      else array[v_out, (v_transaction.from_account_id, -v_transaction.amount, null)::private.wallet_leg]
    end,
    source => 'payment',
    reference => v_transaction.id::text,
    request => to_jsonb(v_transaction.amount),
    description => v_transaction.description
  )).transaction_id;
end;
$$;

comment on function private.settle_provider_transaction is
  'Books what a provider has done, against the account where the money is: what it holds for us, or suspense. Refuses: as the ledger does.';

create function private.run_settlement(request jsonb)
returns jsonb
language plpgsql
set search_path = ''
as $$
declare
  v_transaction public.transactions;
  v_money_account_id uuid;
begin
  select * into strict v_transaction from public.transactions as stored
  where stored.id = (run_settlement.request ->> 'transaction_id')::uuid;
  v_money_account_id := private.get_platform_account(run_settlement.request ->> 'account', v_transaction.currency);
  -- Given up before, so its part of the original was free again, and may be gone.
  if v_transaction.type = 'refund' and private.has_freed_funds(v_transaction) then
    update public.transactions as original set refunded_amount = original.refunded_amount + v_transaction.amount
    where original.id = v_transaction.original_id and original.refunded_amount + v_transaction.amount <= original.amount;
    if not found then
      perform private.refuse('wallet_refund_exceeded');
    end if;
  end if;
  v_transaction := private.move_transaction(
    v_transaction,
    'succeeded',
    (run_settlement.request ->> 'evidence')::public.payment_evidence,
    null,
    private.settle_provider_transaction(v_transaction, v_money_account_id),
    run_settlement.request ->> 'reason'
  );
  return to_jsonb(v_transaction.id);
end;
$$;

comment on function private.run_settlement is
  'Books a success and moves the transaction, or refuses both: the caller then keeps the money in suspense. Refuses: as the ledger does, wallet_refund_exceeded.';

create function private.suspend_payment(
  provider public.payment_provider,
  reference text,
  amount bigint,
  currency text,
  metadata jsonb default '{}'
)
returns uuid
language plpgsql
security definer -- as private.post_wallet_transaction()
set search_path = ''
as $$
declare
  v_request constant jsonb := jsonb_build_array(suspend_payment.amount, suspend_payment.currency);
  v_reference text := suspend_payment.provider || ':' || suspend_payment.reference;
begin
  if not exists (select from public.currencies as known where known.code = suspend_payment.currency)
    or (abs(suspend_payment.amount) between 1 and 9007199254740991) is not true
  then
    return null;
  end if;
  -- Told with another amount before: that is other money, as far as anybody can tell.
  if exists (
    select from public.wallet_transaction_keys as key
    where key.id = private.wallet_key('payment_suspense', v_reference) and key.fingerprint <> hashtextextended(v_request::text, 0)
  ) then
    v_reference := concat_ws(':', v_reference, suspend_payment.amount, suspend_payment.currency);
  end if;
  return (private.post_wallet_transaction(
    kind => 'settlement',
    legs => array[
      (private.get_platform_account('settlement:' || suspend_payment.provider, suspend_payment.currency), -suspend_payment.amount, null)::private.wallet_leg,
      (private.get_platform_account('suspense', suspend_payment.currency), suspend_payment.amount, null)::private.wallet_leg
    ],
    source => 'payment_suspense',
    reference => v_reference,
    request => v_request,
    metadata => suspend_payment.metadata
  )).transaction_id;
end;
$$;

comment on function private.suspend_payment is
  'Books money whose place is not known: from what the provider holds for us to suspense, or, below zero, the other way; once per provider, reference and amount. '
  'Null, and nothing, for a currency or amount that the books do not know.';

create function private.close_payment_review(
  review_id uuid,
  resolution public.payment_review_resolution,
  note text,
  transaction_id uuid default null
)
returns void
language plpgsql
security definer -- no role may write reviews
set search_path = ''
as $$
begin
  update public.payment_reviews as review set
    status = 'resolved',
    resolution = close_payment_review.resolution,
    note = close_payment_review.note,
    transaction_id = coalesce(close_payment_review.transaction_id, review.transaction_id),
    resolved_by = private.caller(),
    resolved_at = now()
  where review.id = close_payment_review.review_id and review.status = 'open';
  if not found then
    perform private.refuse('review_decided');
  end if;
end;
$$;

comment on function private.close_payment_review is 'Ends a review. Refuses: review_decided.';

create function private.open_payment_review(
  kind public.payment_review_kind,
  provider public.payment_provider,
  event_id uuid default null,
  attempt_id uuid default null,
  transaction_id uuid default null,
  provider_id text default null,
  amount bigint default null,
  currency text default null,
  wallet_transaction_id uuid default null,
  details jsonb default '{}'
)
returns uuid
language plpgsql
security definer -- no role may write reviews
set search_path = ''
as $$
declare
  v_id uuid;
begin
  insert into public.payment_reviews as review (
    kind, provider, event_id, attempt_id, transaction_id, provider_id, amount, currency, wallet_transaction_id, details
  ) values (
    open_payment_review.kind, open_payment_review.provider, open_payment_review.event_id, open_payment_review.attempt_id,
    open_payment_review.transaction_id, open_payment_review.provider_id, open_payment_review.amount, open_payment_review.currency,
    open_payment_review.wallet_transaction_id, open_payment_review.details
  )
  on conflict on constraint payment_reviews_subject_key do nothing
  returning review.id into v_id;
  if v_id is null then
    select review.id into strict v_id from public.payment_reviews as review
    where review.kind = open_payment_review.kind and review.provider = open_payment_review.provider
      and review.event_id is not distinct from open_payment_review.event_id
      and review.attempt_id is not distinct from open_payment_review.attempt_id
      and review.provider_id is not distinct from open_payment_review.provider_id;
  end if;
  return v_id;
end;
$$;

comment on function private.open_payment_review is
  'Asks a person to look; gives the review''s id. The same once more (kind, provider, event, attempt, the provider''s id) gives the one that there is.';

commit;
