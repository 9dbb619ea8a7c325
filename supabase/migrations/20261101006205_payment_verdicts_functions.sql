begin;

create type private.payment_verdict as (
  outcome public.payment_event_outcome,
  reason text,
  attempt_id uuid,
  transaction_id uuid,
  review_id uuid
);
comment on type private.payment_verdict is 'What becomes of an event, why, and what it turned out to be about.';

create function private.uuid_or_null(written text)
returns uuid
language plpgsql
immutable
set search_path = ''
as $$
begin
  return case when uuid_or_null.written ~* '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$' then uuid_or_null.written::uuid end;
end;
$$;

comment on function private.uuid_or_null is 'An id that a stranger wrote, or null if it is none.';

create function private.require_payment_signal(signal jsonb)
returns void
language plpgsql
immutable
set search_path = ''
as $$
declare
  v_signal constant jsonb := require_payment_signal.signal;
begin
  if (
    coalesce(v_signal ->> 'amount', '0') ~ '^\d{1,16}$' and coalesce(v_signal ->> 'amount', '0')::numeric <= 9007199254740991
    and coalesce(v_signal ->> 'currency', 'RWF') ~ '^[A-Z]{3}$'
    and coalesce(length(v_signal ->> 'provider_id'), 1) between 1 and 255
    and coalesce(v_signal ->> 'failure_code', 'a') ~ '^[a-z][a-z0-9_]{0,63}$'
  ) is not true then
    perform private.refuse('invalid_argument', '{"argument": "signal"}');
  end if;
end;
$$;

comment on function private.require_payment_signal is 'Refuses a signal whose values cannot be. Refuses: invalid_argument.';

create function private.find_payment_attempt(event public.payment_webhook_events)
returns public.payment_attempts
language plpgsql
stable
set search_path = ''
as $$
declare
  v_event constant public.payment_webhook_events := find_payment_attempt.event;
  v_attempt_id constant uuid := private.uuid_or_null(v_event.signal ->> 'attempt_id');
  v_attempt public.payment_attempts;
begin
  -- A provider speaks for its own attempts: what another one was asked to do is not for it to confirm.
  select * into v_attempt from public.payment_attempts as attempt
  where attempt.id = v_attempt_id and attempt.provider = v_event.provider;
  if not found and v_attempt_id is null and v_event.provider = 'mtn_momo' then
    -- MTN repeats our callback address, which names the transaction.
    select * into v_attempt from public.payment_attempts as attempt
    where attempt.transaction_id = private.uuid_or_null(v_event.payload ->> 'transaction_id') and attempt.provider = v_event.provider;
  end if;
  if v_attempt.id is null then
    select * into v_attempt from public.payment_attempts as attempt
    where attempt.provider = v_event.provider and attempt.provider_id = v_event.signal ->> 'provider_id';
  end if;
  return v_attempt;
end;
$$;

comment on function private.find_payment_attempt is 'Whose attempt an event tells of, by our reference or the provider''s; nulls if nobody''s.';

create function private.follow_payment_signal(event public.payment_webhook_events, attempt_id uuid)
returns private.payment_verdict
language plpgsql
set search_path = ''
as $$
declare
  v_verdict private.payment_verdict;
  v_answer constant jsonb := private.record_payment_signal(follow_payment_signal.attempt_id, (follow_payment_signal.event).signal, null, null);
begin
  v_verdict.outcome := (v_answer ->> 'outcome')::public.payment_event_outcome;
  v_verdict.attempt_id := follow_payment_signal.attempt_id;
  v_verdict.transaction_id := (v_answer -> 'transaction' ->> 'id')::uuid;
  if v_verdict.outcome = 'review' then
    select review.id, review.kind into v_verdict.review_id, v_verdict.reason
    from public.payment_reviews as review
    where review.transaction_id = v_verdict.transaction_id and review.attempt_id = v_verdict.attempt_id
    order by review.id desc
    limit 1;
  end if;
  return v_verdict;
end;
$$;

comment on function private.follow_payment_signal is 'Lets an event move the transaction that it tells of.';

create index payment_reviews_wallet_transaction_id_idx on public.payment_reviews (wallet_transaction_id);

create function private.set_payment_aside(
  event public.payment_webhook_events,
  kind public.payment_review_kind,
  reason text,
  transaction_id uuid default null
)
returns private.payment_verdict
language plpgsql
set search_path = ''
as $$
declare
  v_event constant public.payment_webhook_events := set_payment_aside.event;
  v_signal constant private.payment_signal := jsonb_populate_record(null::private.payment_signal, v_event.signal);
  v_amount constant bigint := v_signal.amount * case v_signal.kind when 'charge' then 1 else -1 end;
  v_booked_id uuid;
  v_verdict private.payment_verdict;
begin
  v_verdict.outcome := case set_payment_aside.kind when 'unmatched' then 'unmatched' else 'review' end;
  v_verdict.reason := set_payment_aside.reason;
  v_verdict.transaction_id := set_payment_aside.transaction_id;
  if v_signal.status = 'succeeded' and v_signal.kind <> 'dispute' and v_signal.amount is distinct from 0 then
    v_booked_id := private.suspend_payment(
      v_event.provider, coalesce(v_signal.provider_id, v_event.event_id), v_amount, v_signal.currency, jsonb_build_object('event_id', v_event.id)
    );
    -- Two events may tell of the same money.
    select review.id into v_verdict.review_id from public.payment_reviews as review where review.wallet_transaction_id = v_booked_id;
    v_verdict.review_id := coalesce(v_verdict.review_id, private.open_payment_review(
      kind => set_payment_aside.kind,
      provider => v_event.provider,
      event_id => v_event.id,
      transaction_id => set_payment_aside.transaction_id,
      provider_id => v_signal.provider_id,
      amount => v_amount,
      currency => v_signal.currency,
      wallet_transaction_id => v_booked_id,
      details => jsonb_build_object('reason', set_payment_aside.reason)
    ));
  elsif v_signal.kind = 'dispute' then
    v_verdict.review_id := private.open_payment_review(
      kind => 'dispute', provider => v_event.provider, event_id => v_event.id, provider_id => v_signal.provider_id, amount => v_amount,
      currency => v_signal.currency
    );
  end if;
  return v_verdict;
end;
$$;

comment on function private.set_payment_aside is
  'Keeps money that has moved, and that nobody can place, in suspense, and asks a person to look; once for each payment. Where nothing has moved, nothing is done.';

create function private.judge_payment_event(event public.payment_webhook_events)
returns private.payment_verdict
language plpgsql
set search_path = ''
as $$
declare
  v_event constant public.payment_webhook_events := judge_payment_event.event;
  v_attempt public.payment_attempts;
  v_verdict private.payment_verdict;
begin
  perform private.require_payment_signal(v_event.signal);
  if v_event.provider = 'momo_sms' then
    return private.judge_momo_event(v_event);
  end if;
  if v_event.signal ->> 'kind' = 'other' then
    v_verdict.outcome := 'ignored';
    v_verdict.reason := case when v_event.event_type = 'unreadable' then 'unreadable' end;
    return v_verdict;
  end if;
  v_attempt := private.find_payment_attempt(v_event);
  if v_attempt.id is null then
    if not private.proves_payments(v_event.provider) then
      v_verdict.outcome := 'unmatched';
      v_verdict.reason := 'unproven';
      return v_verdict;
    end if;
    return private.set_payment_aside(v_event, 'unmatched', 'unknown_reference');
  end if;
  return private.follow_payment_signal(v_event, v_attempt.id);
end;
$$;

comment on function private.judge_payment_event is 'What an event means for our money, and what is done about it. Refuses: invalid_argument, and as the ledger does.';

create function private.proves_payments(provider public.payment_provider)
returns boolean
language plpgsql
stable
set search_path = ''
as $$
begin
  return exists (
    select from public.payment_channels as channel where channel.provider = proves_payments.provider and channel.webhooks_prove
  );
end;
$$;

comment on function private.proves_payments is 'Whether what a provider sends is signed well enough to be booked, even to suspense; the others are asked.';

create function private.judge_payment_event_safely(event public.payment_webhook_events)
returns private.payment_verdict
language plpgsql
set search_path = ''
as $$
declare
  v_event constant public.payment_webhook_events := judge_payment_event_safely.event;
  v_verdict private.payment_verdict;
  v_problem text;
  v_answer text;
begin
  return private.judge_payment_event(v_event);
exception when others then
  get stacked diagnostics v_problem = message_text, v_answer = pg_exception_detail;
  if private.is_transient(sqlstate) or sqlstate = 'PGRST' and v_answer::jsonb #> '{headers,Retry-After}' is not null then
    raise;
  end if;
  v_verdict.outcome := 'review';
  v_verdict.reason := case when sqlstate = 'PGRST' then v_problem::jsonb ->> 'code' else sqlstate end;
  v_verdict.review_id := private.open_payment_review(
    kind => 'stuck', provider => v_event.provider, event_id => v_event.id, details => jsonb_build_object('code', v_verdict.reason)
  );
  return v_verdict;
end;
$$;

comment on function private.judge_payment_event_safely is
  'As private.judge_payment_event(). It catches, because an event that cannot be booked must still be kept and shown: refused, it would come again for days and be lost. '
  'What may heal by waiting is raised, so that the provider sends it again.';

commit;
