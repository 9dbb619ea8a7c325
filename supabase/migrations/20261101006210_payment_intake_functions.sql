begin;

create function private.keep_payment_verdict(event public.payment_webhook_events, verdict private.payment_verdict)
returns public.payment_webhook_events
language plpgsql
set search_path = ''
as $$
declare
  v_verdict constant private.payment_verdict := keep_payment_verdict.verdict;
  v_event public.payment_webhook_events;
begin
  update public.payment_webhook_events as stored set
    outcome = v_verdict.outcome,
    reason = v_verdict.reason,
    attempt_id = v_verdict.attempt_id,
    transaction_id = v_verdict.transaction_id,
    review_id = v_verdict.review_id,
    profile_id = (select told.profile_id from public.transactions as told where told.id = v_verdict.transaction_id),
    -- Nobody needs the payer's name any more, unless somebody must look.
    signal = case when v_verdict.outcome in ('review', 'unmatched') then stored.signal else private.without_payer(stored.signal) end,
    payload = case when v_verdict.outcome in ('review', 'unmatched') then stored.payload else private.without_payer_in(stored.payload) end
  where stored.id = (keep_payment_verdict.event).id
  returning stored.* into v_event;
  return v_event;
end;
$$;

comment on function private.keep_payment_verdict is 'Writes down what became of an event, and forgets who paid once nobody needs to know.';

create function private.ingest_payment_event(
  provider public.payment_provider,
  event_id text,
  event_type text,
  payload jsonb,
  signal jsonb
)
returns jsonb
language plpgsql
security definer -- the only writer of events: no role may write the table itself
set search_path = ''
as $$
declare
  v_new_id constant uuid := private.uuid_v7();
  v_fingerprint constant bytea := private.payment_signal_fingerprint(ingest_payment_event.signal);
  v_event public.payment_webhook_events;
begin
  perform private.continue_correlation(private.correlation_id());
  -- A concurrent copy waits here until this one has committed.
  insert into public.payment_webhook_events as stored (id, provider, event_id, event_type, fingerprint, payload, signal)
  values (
    v_new_id, ingest_payment_event.provider, ingest_payment_event.event_id, ingest_payment_event.event_type, v_fingerprint,
    ingest_payment_event.payload, ingest_payment_event.signal
  )
  on conflict on constraint payment_webhook_events_provider_event_id_key do update set
    copy_count = stored.copy_count + 1,
    last_received_at = now(),
    contradicted_at = case when stored.fingerprint <> excluded.fingerprint then now() else stored.contradicted_at end
  returning stored.* into v_event;
  if v_event.id = v_new_id then
    v_event := private.keep_payment_verdict(v_event, private.judge_payment_event_safely(v_event));
  end if;
  return jsonb_build_object('received', true, 'duplicate', v_event.id <> v_new_id, 'outcome', v_event.outcome);
end;
$$;

comment on function private.ingest_payment_event is 'The work of public.ingest_payment_event().';

create function public.ingest_payment_event(
  provider public.payment_provider,
  event_id text,
  event_type text,
  payload jsonb,
  signal jsonb
)
returns jsonb
language plpgsql
set search_path = ''
set statement_timeout = '8s'
as $$
declare
  v_signal constant jsonb := ingest_payment_event.signal;
begin
  if (
    ingest_payment_event.provider is not null
    and length(ingest_payment_event.event_id) between 1 and 255 and length(ingest_payment_event.event_type) between 1 and 255
    and jsonb_typeof(ingest_payment_event.payload) = 'object' and jsonb_typeof(v_signal) = 'object'
    and v_signal ->> 'kind' in ('charge', 'refund', 'payout', 'dispute', 'other')
    and v_signal ->> 'status' in ('succeeded', 'failed', 'cancelled', 'expired', 'processing', 'unknown')
    and v_signal ->> 'evidence' in ('api', 'webhook', 'sms')
  ) is not true then
    perform private.refuse('invalid_argument');
  end if;
  return private.ingest_payment_event(
    ingest_payment_event.provider, ingest_payment_event.event_id, ingest_payment_event.event_type, ingest_payment_event.payload, v_signal
  );
end;
$$;

comment on function public.ingest_payment_event is
  'Takes in what a provider has sent, once per provider and event id, for good: keeps it, judges it and does what follows, in one transaction. '
  'Answers {"received": true, "duplicate", "outcome"}; a copy gets the outcome of the first. The caller has checked the signature. '
  'What cannot be booked is kept with a review, never refused. Refuses: invalid_argument.';
grant execute on function public.ingest_payment_event, private.ingest_payment_event to service_role;

commit;
