begin;

create function private.settle_momo_receipt(event public.payment_webhook_events, receiver public.momo_receivers)
returns private.payment_verdict
language plpgsql
set search_path = ''
as $$
declare
  v_event constant public.payment_webhook_events := settle_momo_receipt.event;
  v_weakness constant text := private.momo_weakness(v_event, settle_momo_receipt.receiver);
  v_choice private.payment_verdict := private.choose_momo_candidate(
    array(select candidate from private.momo_candidates(v_event, (settle_momo_receipt.receiver).match_window) as candidate)
  );
begin
  if (v_event.signal ->> 'occurred_at')::timestamptz < (settle_momo_receipt.receiver).created_at - interval '1 day' then
    -- A phone that is set up anew sends on all that it ever got.
    v_choice := null;
    v_choice.outcome := 'ignored';
    v_choice.reason := 'before_our_time';
    return v_choice;
  end if;
  if v_weakness is not null then
    -- Not even to suspense: it may be a forgery, and then no money has come.
    v_choice.outcome := 'review';
    v_choice.reason := v_weakness;
    v_choice.review_id := private.open_payment_review(
      kind => 'evidence_too_weak', provider => 'momo_sms', event_id => v_event.id, attempt_id => v_choice.attempt_id,
      transaction_id => v_choice.transaction_id, provider_id => v_event.signal ->> 'provider_id',
      amount => (v_event.signal ->> 'amount')::bigint, currency => v_event.signal ->> 'currency',
      details => jsonb_build_object('reason', v_weakness)
    );
    return v_choice;
  end if;
  if v_choice.attempt_id is not null then
    return private.follow_payment_signal(v_event, v_choice.attempt_id);
  end if;
  return private.set_payment_aside(
    v_event,
    case when v_choice.reason = 'no_candidate' then 'unmatched'::public.payment_review_kind else 'ambiguous' end,
    v_choice.reason,
    v_choice.transaction_id
  );
end;
$$;

comment on function private.settle_momo_receipt is
  'What money that came in by MoMo is for: the one payment that it can only mean, or a person must look.';

create function private.judge_momo_event(event public.payment_webhook_events)
returns private.payment_verdict
language plpgsql
set search_path = ''
as $$
declare
  v_event constant public.payment_webhook_events := judge_momo_event.event;
  v_receiver public.momo_receivers;
  v_healed_id uuid;
  v_healed_ids uuid[];
  v_verdict private.payment_verdict;
begin
  -- One receipt of a number at a time: two of them must not both be for the same payment, nor miss each other in the chain.
  select * into v_receiver from public.momo_receivers as receiver
  where receiver.receiving_number = v_event.payload ->> 'receiving_number' and receiver.is_enabled
  for no key update;
  if not found then
    v_verdict.outcome := 'unmatched';
    v_verdict.reason := 'receiver_not_known';
    return v_verdict;
  end if;
  if (v_event.payload ->> 'sender' = any(v_receiver.sender_names)) is not true or v_event.payload -> 'receipt' is null then
    v_verdict.outcome := case when v_event.payload ? 'receipt' then 'ignored' else 'unmatched' end;
    v_verdict.reason := case when v_event.payload ? 'receipt' then 'sender_not_trusted' else 'unreadable' end;
    return v_verdict;
  end if;

  v_healed_ids := array_remove(private.keep_momo_receipt(v_event), v_event.id);
  if v_event.signal ->> 'kind' = 'charge' then
    v_verdict := private.settle_momo_receipt(v_event, v_receiver);
  else
    v_verdict.outcome := 'ignored';
  end if;
  foreach v_healed_id in array v_healed_ids loop
    perform private.judge_payment_event_again(v_healed_id);
  end loop;
  return v_verdict;
end;
$$;

comment on function private.judge_momo_event is
  'What a text message means for our money: it must be to a number of ours, from MTN, and readable. One that mends the chain lets others be judged that waited for it.';

commit;
