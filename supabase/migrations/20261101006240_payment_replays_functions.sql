begin;

create function private.judge_payment_event_again(id uuid)
returns public.payment_webhook_events
language plpgsql
set search_path = ''
as $$
declare
  v_event public.payment_webhook_events;
  v_review public.payment_reviews;
  v_verdict private.payment_verdict;
begin
  -- A number before its events, as when they come in.
  select * into v_event from public.payment_webhook_events as event where event.id = judge_payment_event_again.id;
  perform from public.momo_receivers as receiver where receiver.receiving_number = v_event.payload ->> 'receiving_number' for no key update;
  select * into v_event from public.payment_webhook_events as event where event.id = judge_payment_event_again.id for no key update;
  if not found then
    perform private.refuse('payment_event_not_found');
  end if;
  select * into v_review from public.payment_reviews as review where review.id = v_event.review_id;
  if v_event.payload is null or v_event.outcome in ('applied', 'unchanged') or v_review.status = 'resolved' then
    return v_event;
  end if;

  update public.payment_webhook_events as event set replayed_at = now() where event.id = v_event.id;
  perform private.continue_correlation(v_event.correlation_id);
  if v_review.wallet_transaction_id is not null then
    return private.place_suspended_event(v_event, v_review);
  end if;
  v_verdict := private.judge_payment_event_safely(v_event);
  if v_review.id is not null and v_verdict.review_id is distinct from v_review.id then
    perform private.close_payment_review(v_review.id, 'dismiss', 'judged again', v_verdict.transaction_id);
  end if;
  return private.keep_payment_verdict(v_event, v_verdict);
end;
$$;

comment on function private.judge_payment_event_again is
  'Judges an event by what is known now. What it has done already is not done again, what a person has decided stays. Refuses: payment_event_not_found.';

create function private.place_suspended_event(event public.payment_webhook_events, review public.payment_reviews)
returns public.payment_webhook_events
language plpgsql
set search_path = ''
as $$
declare
  v_event constant public.payment_webhook_events := place_suspended_event.event;
  v_receiver public.momo_receivers;
  v_verdict private.payment_verdict;
begin
  if v_event.provider = 'momo_sms' then
    select * into v_receiver from public.momo_receivers as receiver where receiver.receiving_number = v_event.payload ->> 'receiving_number';
    v_verdict := private.choose_momo_candidate(
      array(select candidate from private.momo_candidates(v_event, v_receiver.match_window) as candidate)
    );
  else
    select attempt.id, attempt.transaction_id into v_verdict.attempt_id, v_verdict.transaction_id
    from private.find_payment_attempt(v_event) as attempt;
  end if;
  -- Another amount is for a person to resolve.
  if not exists (
    select from public.payment_attempts as attempt
    where attempt.id = v_verdict.attempt_id
      and attempt.amount = abs((place_suspended_event.review).amount) and attempt.currency = (place_suspended_event.review).currency
  ) then
    return v_event;
  end if;
  perform private.resolve_payment_review((place_suspended_event.review).id, 'match', v_verdict.transaction_id, 'judged again');
  v_verdict.outcome := 'applied';
  v_verdict.review_id := v_event.review_id;
  return private.keep_payment_verdict(v_event, v_verdict);
end;
$$;

comment on function private.place_suspended_event is
  'Takes an event''s money out of suspense if it is known by now whose it is. Refuses: as private.resolve_payment_review().';

create function private.replay_payment_event(id uuid)
returns jsonb
language plpgsql
security definer -- no role may write events
set search_path = ''
as $$
declare
  v_event public.payment_webhook_events;
begin
  perform private.require_service_or_registered_operator();
  v_event := private.judge_payment_event_again(replay_payment_event.id);
  return jsonb_build_object(
    'id', v_event.id, 'outcome', v_event.outcome, 'reason', v_event.reason, 'transaction_id', v_event.transaction_id, 'review_id', v_event.review_id
  );
end;
$$;

comment on function private.replay_payment_event is 'The work of public.replay_payment_event(). Refuses: operator_required.';

create function public.replay_payment_event(id uuid)
returns jsonb
language plpgsql
set search_path = ''
set statement_timeout = '8s'
as $$
begin
  return private.replay_payment_event(replay_payment_event.id);
end;
$$;

comment on function public.replay_payment_event is
  'For registered operators and the service: judges an event by what is known now, a number or a payment that came later, a receipt that was missing; '
  'says what has become of it. What was applied stays as it is, so repeating it changes nothing. Refuses: operator_required, payment_event_not_found.';
grant execute on function public.replay_payment_event, private.replay_payment_event to authenticated, service_role;

create function private.accept_momo_receipt(event_id uuid, reason text)
returns jsonb
language plpgsql
security definer -- no role may write receipts
set search_path = ''
as $$
declare
  v_receipt public.momo_receipts;
  v_event_id uuid;
begin
  perform private.require_service_or_registered_operator();
  select * into v_receipt from public.momo_receipts as receipt where receipt.event_id = accept_momo_receipt.event_id;
  if not found then
    perform private.refuse('payment_event_not_found');
  end if;
  perform from public.momo_receivers as receiver where receiver.receiving_number = v_receipt.receiving_number for no key update;
  update public.momo_receipts as receipt set chain = 'accepted'
  where receipt.event_id = v_receipt.event_id and receipt.chain = 'broken';
  if found then
    perform private.log_audit_event(
      actor.actor_type, actor.actor_identifier, 'accept_momo_receipt', 'momo_receipts', v_receipt.event_id::text,
      jsonb_build_object('reason', accept_momo_receipt.reason)
    )
    from private.current_actor() as actor;
    foreach v_event_id in array v_receipt.event_id || private.heal_momo_chain(v_receipt.receiving_number, v_receipt.occurred_at) loop
      perform private.judge_payment_event_again(v_event_id);
    end loop;
  end if;
  return private.replay_payment_event(v_receipt.event_id);
end;
$$;

comment on function private.accept_momo_receipt is 'The work of public.accept_momo_receipt(). Refuses: operator_required, payment_event_not_found.';

create function public.accept_momo_receipt(event_id uuid, reason text)
returns jsonb
language plpgsql
set search_path = ''
set statement_timeout = '30s'
as $$
begin
  if (length(accept_momo_receipt.reason) between 1 and 500) is not true then
    perform private.refuse('invalid_argument', '{"argument": "reason", "range": "1..500 characters"}');
  end if;
  return private.accept_momo_receipt(accept_momo_receipt.event_id, accept_momo_receipt.reason);
end;
$$;

comment on function public.accept_momo_receipt is
  'For registered operators and the service: a person has looked at the account and the receipt''s balance is right, whatever was missed before it. It is judged anew, '
  'with those that follow from it, and the audit log has why. Repeating it changes nothing. Refuses: operator_required, invalid_argument, payment_event_not_found.';
grant execute on function public.accept_momo_receipt, private.accept_momo_receipt to authenticated, service_role;

commit;
