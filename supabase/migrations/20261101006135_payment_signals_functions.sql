begin;

create type private.payment_signal as (
  kind text,
  status text,
  provider_id text,
  amount bigint,
  currency text,
  failure_code text,
  evidence public.payment_evidence
);
comment on type private.payment_signal is 'What is judged of what a provider says of an attempt, in our words (shared/payments/payment_signal.ts).';

create function private.suspend_signal(
  kind public.payment_review_kind,
  transaction public.transactions,
  attempt public.payment_attempts,
  signal private.payment_signal,
  details jsonb default '{}'
)
returns public.payment_event_outcome
language plpgsql
set search_path = ''
as $$
declare
  v_transaction constant public.transactions := suspend_signal.transaction;
  v_attempt constant public.payment_attempts := suspend_signal.attempt;
  v_amount constant bigint := (suspend_signal.signal).amount * case v_attempt.kind when 'charge' then 1 else -1 end;
  v_provider_id constant text := coalesce((suspend_signal.signal).provider_id, v_attempt.id::text);
begin
  perform private.open_payment_review(
    kind => suspend_signal.kind,
    provider => v_attempt.provider,
    attempt_id => v_attempt.id,
    transaction_id => v_transaction.id,
    provider_id => v_provider_id,
    amount => v_amount,
    currency => (suspend_signal.signal).currency,
    wallet_transaction_id => private.suspend_payment(v_attempt.provider, v_provider_id, v_amount, (suspend_signal.signal).currency),
    details => suspend_signal.details
  );
  -- The same money may lie there under no name: one review is enough for it.
  perform private.close_payment_review(review.id, 'dismiss', 'another review is about this money', v_transaction.id)
  from public.payment_reviews as review
  where review.kind = 'unmatched' and review.provider = v_attempt.provider and review.provider_id = v_provider_id and review.status = 'open';
  if v_transaction.status not in ('succeeded', 'unknown') then
    perform private.move_transaction(v_transaction, 'unknown', (suspend_signal.signal).evidence);
  end if;
  return 'review';
end;
$$;

comment on function private.suspend_signal is 'Money has moved that the transaction cannot take as it is: it goes to suspense, and a person must look.';

create function private.apply_payment_success(
  transaction public.transactions,
  attempt public.payment_attempts,
  signal private.payment_signal
)
returns public.payment_event_outcome
language plpgsql
set search_path = ''
as $$
declare
  v_transaction constant public.transactions := apply_payment_success.transaction;
  v_attempt constant public.payment_attempts := apply_payment_success.attempt;
  v_signal private.payment_signal := apply_payment_success.signal;
  v_mismatch public.payment_review_kind;
  v_unmatched_id uuid;
  v_result private.answer;
begin
  if v_attempt.kind <> 'charge' then
    v_signal.amount := coalesce(v_signal.amount, v_attempt.amount);
    v_signal.currency := coalesce(v_signal.currency, v_attempt.currency);
  end if;
  if v_signal.amount is null or v_signal.currency is null then
    return 'unconfirmed';
  end if;
  v_mismatch := case when v_signal.currency <> v_attempt.currency then 'currency_mismatch'::public.payment_review_kind
    when v_signal.amount <> v_attempt.amount then 'amount_mismatch' end;

  -- Money that was put aside once is not booked again, whatever is said of it later.
  if exists (
    select from public.payment_reviews as review
    where review.transaction_id = v_transaction.id and review.attempt_id = v_attempt.id and review.wallet_transaction_id is not null
      and review.provider_id in (coalesce(v_signal.provider_id, review.provider_id), v_attempt.id::text)
  ) then
    return 'unchanged';
  end if;
  if v_transaction.status = 'succeeded' then
    if v_attempt.kind = 'charge' and v_signal.provider_id <> v_attempt.provider_id then
      return private.suspend_signal('ambiguous', v_transaction, v_attempt, v_signal);
    end if;
    if v_mismatch is null then
      return 'unchanged';
    end if;
    perform private.open_payment_review(
      v_mismatch, v_attempt.provider, null, v_attempt.id, v_transaction.id, v_signal.provider_id, v_signal.amount, v_signal.currency
    );
    return 'review';
  end if;
  if exists (
    select from public.payment_attempts as other
    where other.provider = v_attempt.provider and other.provider_id = v_signal.provider_id and other.id <> v_attempt.id
  ) then
    perform private.open_payment_review(
      'ambiguous', v_attempt.provider, null, v_attempt.id, v_transaction.id, v_signal.provider_id, v_signal.amount, v_signal.currency
    );
    return 'review';
  end if;
  if v_mismatch is not null then
    return private.suspend_signal(v_mismatch, v_transaction, v_attempt, v_signal);
  end if;

  -- It may have come before anybody knew whose it is: then it waits in suspense.
  select review.id into v_unmatched_id from public.payment_reviews as review
  where review.kind = 'unmatched' and review.provider = v_attempt.provider and review.provider_id = v_signal.provider_id
    and review.status = 'open' and review.wallet_transaction_id is not null
    and review.amount = v_signal.amount and review.currency = v_signal.currency
  for no key update;
  v_result := private.run_or_problem('private.run_settlement(jsonb)', jsonb_build_object(
    'transaction_id', v_transaction.id,
    'account', case when v_unmatched_id is null then 'settlement:' || v_attempt.provider else 'suspense' end,
    'evidence', v_signal.evidence
  ));
  if v_result.status = 200 then
    if v_unmatched_id is not null then
      perform private.close_payment_review(v_unmatched_id, 'match', 'the provider has told whose it is', v_transaction.id);
    end if;
    return 'applied';
  end if;
  return private.suspend_signal('stuck', v_transaction, v_attempt, v_signal, jsonb_build_object('code', v_result.body ->> 'code'));
end;
$$;

comment on function private.apply_payment_success is
  'The provider has moved money. If it is what was asked for, it is booked and the transaction succeeds, however late; else it goes to suspense.';

create function private.apply_payment_signal(
  transaction public.transactions,
  attempt public.payment_attempts,
  signal private.payment_signal
)
returns public.payment_event_outcome
language plpgsql
set search_path = ''
as $$
declare
  v_transaction constant public.transactions := apply_payment_signal.transaction;
  v_attempt constant public.payment_attempts := apply_payment_signal.attempt;
  v_signal constant private.payment_signal := apply_payment_signal.signal;
  v_is_open constant boolean := v_transaction.status in ('pending', 'processing', 'unknown') and not exists (
    select from public.payment_reviews as review
    where review.transaction_id = v_transaction.id and review.status = 'open' and review.wallet_transaction_id is not null
  );
begin
  if v_signal.kind = 'dispute' or v_signal.kind = 'refund' and v_attempt.kind = 'charge' and v_signal.status = 'succeeded'
    and v_transaction.refunded_amount = 0
  then
    perform private.open_payment_review(
      case v_signal.kind when 'dispute' then 'dispute'::public.payment_review_kind else 'unmatched' end, v_attempt.provider, null,
      v_attempt.id, v_transaction.id, v_signal.provider_id, -v_signal.amount, v_signal.currency
    );
    return 'review';
  end if;
  if v_signal.kind <> v_attempt.kind::text then
    return 'ignored';
  end if;
  if not v_is_open and (v_signal.status <> 'succeeded' or v_signal.evidence = 'webhook' and v_transaction.status = 'unknown') then
    return 'unchanged';
  end if;
  if v_signal.evidence = 'webhook' and v_transaction.status <> 'succeeded' and not (
    select channel.webhooks_prove from public.payment_channels as channel where channel.method = v_transaction.method
  ) then
    return 'unconfirmed';
  end if;
  if v_signal.status = 'succeeded' then
    return private.apply_payment_success(v_transaction, v_attempt, v_signal);
  end if;
  if v_signal.status in ('failed', 'cancelled', 'expired') then
    perform private.end_transaction(
      v_transaction, v_signal.status::public.transaction_status, v_signal.evidence, coalesce(v_signal.failure_code, 'provider_error')
    );
    return 'applied';
  end if;
  if v_signal.status = 'processing' and v_transaction.status <> 'processing' or v_signal.status = 'unknown' and v_transaction.status = 'pending' then
    perform private.move_transaction(v_transaction, v_signal.status::public.transaction_status, v_signal.evidence);
    return 'applied';
  end if;
  return 'unchanged';
end;
$$;

comment on function private.apply_payment_signal is
  'Judges what a provider says by what is known already, so that neither doubles nor a wrong order matter: a status only ever goes forward.';

create function private.note_payment_signal(
  attempt public.payment_attempts,
  transaction public.transactions,
  signal jsonb,
  outcome public.payment_event_outcome,
  lease_token bigint
)
returns void
language plpgsql
set search_path = ''
as $$
declare
  v_attempt constant public.payment_attempts := note_payment_signal.attempt;
  v_status constant text := note_payment_signal.signal ->> 'status';
  v_is_answer constant boolean := note_payment_signal.signal ->> 'evidence' = 'api';
  v_provider_id constant text := note_payment_signal.signal ->> 'provider_id';
  v_transaction constant public.transactions := note_payment_signal.transaction;
  -- What was only given up here may still come: it is looked after until its time is over.
  v_is_over constant boolean := note_payment_signal.outcome <> 'unconfirmed' and (
    note_payment_signal.outcome = 'review' or v_attempt.status = 'ended' or v_transaction.status = 'succeeded'
    or v_status in ('failed', 'cancelled', 'expired') and v_transaction.status in ('failed', 'cancelled', 'expired')
  );
begin
  update public.payment_attempts as stored set
    status = case
      when v_is_over then 'ended'::public.payment_attempt_status
      when stored.status = 'ended' then 'asked'
      when stored.status in ('created', 'unknown') and v_status <> 'unknown' and note_payment_signal.outcome <> 'unconfirmed' then 'asked'
      when stored.status = 'created' and v_status = 'unknown' then 'unknown'
      else stored.status
    end,
    provider_id = case when note_payment_signal.outcome in ('applied', 'unchanged') and note_payment_signal.signal ->> 'kind' = stored.kind::text and not exists (
      select from public.payment_attempts as other where other.provider = stored.provider and other.provider_id = v_provider_id and other.id <> stored.id
    ) then coalesce(stored.provider_id, v_provider_id) else stored.provider_id end,
    asked_at = case when v_is_answer then coalesce(stored.asked_at, now()) else stored.asked_at end,
    checked_at = case when v_is_answer then now() else stored.checked_at end,
    answer = case when stored.lease_token = note_payment_signal.lease_token then coalesce(stored.answer, private.transaction_answer(v_transaction)) else stored.answer end,
    last_signal = note_payment_signal.signal - '{payer_name}'::text[],
    leased_until = case when stored.lease_token = note_payment_signal.lease_token then null else stored.leased_until end,
    next_check_at = case
      when v_is_over then null
      when note_payment_signal.outcome = 'unconfirmed' then
        least(stored.next_check_at, greatest(now(), coalesce(stored.checked_at, stored.asked_at, '-infinity') + interval '5 seconds'))
      when v_is_answer then now() + private.next_payment_check(now() - stored.created_at, stored.check_count)
      else stored.next_check_at
    end
  where stored.id = v_attempt.id;
  if note_payment_signal.outcome = 'unconfirmed' then
    perform private.kick_worker();
  end if;
end;
$$;

comment on function private.note_payment_signal is 'Writes down what a provider said, and when it is to be asked again.';

create function private.record_payment_signal(attempt_id uuid, signal jsonb, next_action jsonb, lease_token bigint)
returns jsonb
language plpgsql
security definer -- no role may write transactions
set search_path = ''
as $$
declare
  v_transaction public.transactions;
  v_attempt public.payment_attempts;
  v_outcome public.payment_event_outcome;
begin
  select * into v_attempt from public.payment_attempts as attempt where attempt.id = record_payment_signal.attempt_id;
  if not found then
    return '{"outcome": "unmatched", "transaction": null}';
  end if;
  v_transaction := private.lock_transaction(v_attempt.transaction_id);
  select * into strict v_attempt from public.payment_attempts as attempt where attempt.id = v_attempt.id for no key update;

  v_outcome := private.apply_payment_signal(
    v_transaction, v_attempt, jsonb_populate_record(null::private.payment_signal, record_payment_signal.signal)
  );
  if record_payment_signal.next_action is not null then
    update public.transactions as stored set next_action = record_payment_signal.next_action where stored.id = v_transaction.id;
  end if;
  select * into strict v_transaction from public.transactions as stored where stored.id = v_transaction.id;
  perform private.note_payment_signal(v_attempt, v_transaction, record_payment_signal.signal, v_outcome, record_payment_signal.lease_token);
  return jsonb_build_object('outcome', v_outcome, 'transaction', private.transaction_answer(v_transaction));
end;
$$;

comment on function private.record_payment_signal is 'The work of public.record_payment_signal().';

create function public.record_payment_signal(
  attempt_id uuid,
  signal jsonb,
  next_action jsonb default null,
  lease_token bigint default null
)
returns jsonb
language plpgsql
set search_path = ''
set statement_timeout = '10s'
as $$
declare
  v_signal constant jsonb := record_payment_signal.signal;
begin
  if (
    v_signal ->> 'kind' in ('charge', 'refund', 'payout', 'dispute', 'other')
    and v_signal ->> 'status' in ('succeeded', 'failed', 'cancelled', 'expired', 'processing', 'unknown')
    and v_signal ->> 'evidence' in ('api', 'webhook', 'sms', 'operator')
    and coalesce(v_signal ->> 'amount', '0') ~ '^\d{1,16}$' and coalesce(v_signal ->> 'amount', '0')::numeric <= 9007199254740991
    and coalesce(v_signal ->> 'currency', 'RWF') ~ '^[A-Z]{3}$'
    and coalesce(length(v_signal ->> 'provider_id'), 1) between 1 and 255
    and coalesce(v_signal ->> 'failure_code', 'a') ~ '^[a-z][a-z0-9_]{0,63}$'
    and coalesce(jsonb_typeof(record_payment_signal.next_action), 'object') = 'object'
  ) is not true then
    perform private.refuse('invalid_argument');
  end if;
  return private.record_payment_signal(
    record_payment_signal.attempt_id, v_signal, record_payment_signal.next_action, record_payment_signal.lease_token
  );
end;
$$;

comment on function public.record_payment_signal is
  'The one door by which what a provider says moves a transaction: {"outcome", "transaction"}. The same said twice, or in any order, has one effect; nothing leaves succeeded; '
  'a success after we had given up still counts. Another amount or currency than ours goes to suspense, the transaction is unknown and a review is open. '
  'next_action replaces what the payer is to do; the lease token ends the lease. Refuses: invalid_argument.';
grant execute on function public.record_payment_signal, private.record_payment_signal to service_role;

commit;
