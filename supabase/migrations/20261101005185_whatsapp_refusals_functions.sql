begin;

create function private.defer_whatsapp_pair(message public.whatsapp_message_queue)
returns timestamptz
language plpgsql
set search_path = ''
as $$
declare
  v_rules record := private.whatsapp_sending_rules();
  v_lane private.whatsapp_lanes;
begin
  update private.whatsapp_lanes as lane set
    pair_refusal_count = lane.pair_refusal_count + 1,
    paced_until = greatest(
      lane.paced_until,
      now() + interval '1 second' * power(4, least(lane.pair_refusal_count, 5)) + v_rules.pair_interval * (v_rules.pair_burst - 1)
    )
  where lane.contact_id = message.contact_id and lane.phone_number_id = message.phone_number_id
  returning * into v_lane;
  return private.whatsapp_pair_free_at(v_lane.paced_until);
end;
$$;

comment on function private.defer_whatsapp_pair is
  'Meta refused for the pair limit: the pair rests for 4^X seconds, X = 0, 1, 2 ... 5, and has no burst left after that (Meta, Cloud API overview).';

create function private.stop_whatsapp_marketing(message public.whatsapp_message_queue, error jsonb)
returns void
language plpgsql
set search_path = ''
as $$
begin
  insert into public.whatsapp_consents (kind, value, scope, decision, source, occurred_at, evidence, words)
  select identity.kind, identity.value, 'marketing', 'stop', 'error_131050', now(),
    concat_ws(' ', 'error_131050', message.phone_number_id, message.id), private.short_text(stop_whatsapp_marketing.error -> 'title', 1000)
  from public.whatsapp_identities as identity
  where identity.contact_id = message.contact_id and identity.valid_to is null
  order by identity.kind = 'wa_id', identity.kind, identity.value
  limit 1
  on conflict on constraint whatsapp_consents_evidence_key do nothing;
end;
$$;

comment on function private.stop_whatsapp_marketing is 'Keeps what an answer of Meta''s told: that the person wants no marketing.';

create function private.retry_whatsapp_send(
  message public.whatsapp_message_queue,
  reason public.whatsapp_wait_reason,
  due_at timestamptz,
  is_charged boolean
)
returns void
language plpgsql
set search_path = ''
as $$
begin
  message.attempt_count := message.attempt_count - (not retry_whatsapp_send.is_charged)::integer;
  -- An earlier attempt of it may have been taken, and failed only then: its statuses no longer count.
  message.former_wamids := message.former_wamids || array_remove(array[message.wamid], null);
  if message.place is null then
    message := private.place_in_whatsapp_lane(message);
  else
    message.state := 'ready';
  end if;
  if message.state = 'ready' and retry_whatsapp_send.due_at > now() then
    message.state := 'waiting';
  end if;
  update public.whatsapp_message_queue as again set
    state = message.state,
    wait_reason = case when message.state = 'waiting' then retry_whatsapp_send.reason end,
    due_at = case when message.state = 'waiting' then retry_whatsapp_send.due_at end,
    attempt_count = message.attempt_count, place = message.place, unknown_at = null,
    last_error = message.last_error, must_use_phone = message.must_use_phone,
    wamid = null, message_id = null, sent_at = null, former_wamids = message.former_wamids
  where again.id = message.id;
end;
$$;

comment on function private.retry_whatsapp_send is
  'Lets a message be claimed again, now or from due_at on, where it stands in its lane; one that stands in none takes the last place. '
  'The caller holds the lane and the row.';

create function private.refuse_whatsapp_send(message public.whatsapp_message_queue, error jsonb)
returns void
language plpgsql
set search_path = ''
as $$
declare
  v_action private.whatsapp_error_actions := private.whatsapp_error_action(refuse_whatsapp_send.error);
  v_told_wait interval := least(
    coalesce(substring(refuse_whatsapp_send.error ->> 'retry_after' from '^\d{1,9}'), '0')::integer * interval '1 second', interval '1 day'
  );
begin
  message.last_error := refuse_whatsapp_send.error;
  if v_action.pause_scope is not null then
    perform private.open_whatsapp_circuit(
      v_action.pause_scope, private.whatsapp_circuit_subject(v_action.pause_scope, message), greatest(v_action.pause, v_told_wait), message.last_error
    );
  end if;
  perform private.settle_whatsapp_probe(message.id, true);
  if v_action.stops_marketing then
    perform private.stop_whatsapp_marketing(message, message.last_error);
  end if;

  if message.expires_at <= now() then
    perform private.finish_whatsapp_send(message, 'failed', coalesce(v_action.failure_reason, 'expired'));
  elsif v_action.action = 'retry' and message.attempt_count < message.max_attempts then
    perform private.retry_whatsapp_send(message, 'retry',
      now() + greatest(v_told_wait, private.retry_delay(message.attempt_count, v_action.delay, interval '10 minutes')), true);
  elsif v_action.action = 'wait' then
    perform private.retry_whatsapp_send(message, 'retry', now(), false);
  elsif v_action.action = 'pair_wait' then
    perform private.retry_whatsapp_send(message, 'pair_limit', private.defer_whatsapp_pair(message), false);
  elsif v_action.action = 'fallback' and message.fallback_template is not null and not message.is_fallback then
    perform private.retry_whatsapp_send(message, 'retry', now(), false);
  elsif v_action.action = 'use_phone' and not message.must_use_phone then
    message.must_use_phone := true;
    perform private.retry_whatsapp_send(message, 'retry', now(), false);
  else
    perform private.finish_whatsapp_send(message, 'failed', coalesce(v_action.failure_reason, 'attempts_exhausted'));
  end if;
end;
$$;

comment on function private.refuse_whatsapp_send is
  'Meta refused a message, in its answer or in a failed status: does what private.whatsapp_error_action() says. The caller holds the lane and the row.';

create function private.doubt_whatsapp_send(message_id uuid, error jsonb)
returns void
language plpgsql
set search_path = ''
as $$
begin
  update public.whatsapp_message_queue as message set
    state = 'unknown', unknown_at = now(), due_at = now() + (private.whatsapp_sending_rules()).quiet_period,
    last_error = coalesce(doubt_whatsapp_send.error, message.last_error)
  where message.id = doubt_whatsapp_send.message_id;
  perform private.settle_whatsapp_probe(doubt_whatsapp_send.message_id, false);
end;
$$;

comment on function private.doubt_whatsapp_send is
  'Nobody can tell whether a message was sent: it keeps its place, and its lane waits, until a status tells or the quiet period is over.';

create table private.whatsapp_status_horizons (
  phone_number_id text not null,
  reported_at timestamptz not null,
  constraint whatsapp_status_horizons_pkey primary key (phone_number_id)
) with (fillfactor = 50);

comment on table private.whatsapp_status_horizons is
  'Up to when Meta has reported on what we send: the latest of its times on a status that carries an id of ours. Kept to a few seconds.';
alter table private.whatsapp_status_horizons enable row level security;

create function private.decide_whatsapp_send(message public.whatsapp_message_queue)
returns void
language plpgsql
set search_path = ''
as $$
declare
  v_rules record := private.whatsapp_sending_rules();
  v_is_reported boolean := exists (
    select from private.whatsapp_status_horizons as horizon
    where horizon.phone_number_id = message.phone_number_id and horizon.reported_at > message.unknown_at
  );
begin
  if message.expires_at <= now() or not message.may_resend and v_is_reported
    or message.unknown_at <= now() - v_rules.longest_unknown and message.message_type <> 'reaction' and not v_is_reported then
    perform private.finish_whatsapp_send(message, 'failed', 'unresolved');
  elsif not v_is_reported and message.message_type <> 'reaction' then
    update public.whatsapp_message_queue as undecided set due_at = now() + interval '30 seconds' where undecided.id = message.id;
  elsif message.attempt_count >= message.max_attempts then
    perform private.finish_whatsapp_send(message, 'failed', 'attempts_exhausted');
  else
    perform private.retry_whatsapp_send(message, 'retry', now(), true);
  end if;
end;
$$;

comment on function private.decide_whatsapp_send is
  'What becomes of a message that may have been sent, after the quiet period. Meta takes no idempotency key, but reports on whatever it took, '
  'with our id. So once it has reported on what was sent later from the same number, and not on this one, this one did not arrive: it is sent '
  'again (as an attempt; not if may_resend is false). As long as Meta reports nothing, nothing is known: an hour later it fails as unresolved. '
  'A reaction is sent again in any case: twice is the same as once. The caller holds the lane and the row.';

commit;
