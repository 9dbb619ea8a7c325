begin;

create type private.webhook_attempt as (
  delivery_id uuid,
  lease_token bigint,
  status integer,
  error text,
  answer text,
  duration_ms integer,
  retry_after integer
);

comment on type private.webhook_attempt is
  'One POST and what came of it: the answer''s status and how its body begins, or why there is none; how long it took; seconds that it asks us to wait.';

create function private.webhook_retry_delay(attempt_count integer)
returns interval
language plpgsql
volatile
set search_path = ''
as $$
begin
  return (
    array['5 s', '5 min', '30 min', '2 h', '5 h', '10 h', '14 h', '20 h', '24 h']::interval[]
  )[webhook_retry_delay.attempt_count] * (1 + random() / 10);
end;
$$;

comment on function private.webhook_retry_delay is
  'How long to wait after that many attempts, by Standard Webhooks'' schedule and up to a tenth more, so that what failed together does not return together; '
  'null after the tenth, about 76 hours after the first.';

create function private.webhook_endpoint_event(endpoint public.webhook_endpoints, event_type text, details jsonb)
returns private.new_event
language plpgsql
stable
set search_path = ''
as $$
begin
  return row(
    'webhook_endpoint', (webhook_endpoint_event.endpoint).id::text, webhook_endpoint_event.event_type,
    jsonb_strip_nulls(jsonb_build_object(
      'endpoint_id', (webhook_endpoint_event.endpoint).id, 'profile_id', (webhook_endpoint_event.endpoint).profile_id,
      'failing_from', (webhook_endpoint_event.endpoint).failing_from
    ) || webhook_endpoint_event.details),
    null, null, null, null, null
  )::private.new_event;
end;
$$;

comment on function private.webhook_endpoint_event is
  'webhook_endpoint.failing: an event did not get through in all its attempts (told once a day); webhook_endpoint.disabled, .enabled. For whoever owns it to be told.';

create function private.disable_webhook_endpoint(endpoint public.webhook_endpoints, reason public.webhook_disabled_reason)
returns private.new_event
language plpgsql
set search_path = ''
as $$
begin
  update public.webhook_endpoints as ended set
    status = 'disabled', disabled_reason = disable_webhook_endpoint.reason, disabled_at = now()
  where ended.id = (disable_webhook_endpoint.endpoint).id;
  return private.webhook_endpoint_event(
    disable_webhook_endpoint.endpoint, 'webhook_endpoint.disabled', jsonb_build_object('reason', disable_webhook_endpoint.reason)
  );
end;
$$;

comment on function private.disable_webhook_endpoint is 'Sends an enabled endpoint nothing any more; what waits is cancelled within a minute. Gives the event to tell.';

create function private.note_webhook_success(endpoint_id uuid, duration_ms integer)
returns void
language plpgsql
set search_path = ''
as $$
declare
  c_slow_ms constant integer := 5000;
begin
  -- An endpoint that is well is not written.
  update public.webhook_endpoints as endpoint set
    failing_from = null,
    concurrency = case when note_webhook_success.duration_ms > c_slow_ms then 1 else least(endpoint.concurrency + 1, 8) end
  where endpoint.id = note_webhook_success.endpoint_id
    and (endpoint.failing_from is not null or endpoint.concurrency < 8 or note_webhook_success.duration_ms > c_slow_ms);
end;
$$;

comment on function private.note_webhook_success is 'An event got through: the endpoint is not failing, and may be sent more at once unless it was slow.';

create function private.note_webhook_failure(attempt private.webhook_attempt, endpoint_id uuid)
returns public.webhook_endpoints
language plpgsql
set search_path = ''
as $$
declare
  v_attempt constant private.webhook_attempt := note_webhook_failure.attempt;
  v_endpoint public.webhook_endpoints;
begin
  update public.webhook_endpoints as endpoint set
    failing_from = coalesce(endpoint.failing_from, now()),
    concurrency = 1,
    paused_until = case when v_attempt.status in (429, 503) and v_attempt.retry_after > 0
      then greatest(endpoint.paused_until, now() + make_interval(secs => least(v_attempt.retry_after, 86400)))
      else endpoint.paused_until end
  where endpoint.id = note_webhook_failure.endpoint_id
  returning endpoint.* into v_endpoint;
  return v_endpoint;
end;
$$;

comment on function private.note_webhook_failure is
  'An attempt failed: the endpoint is tried with one delivery at a time, and with none for as long as it asks for (a day at most).';

create function private.bury_webhook_delivery(delivery public.webhook_deliveries, endpoint public.webhook_endpoints)
returns private.new_event[]
language plpgsql
set search_path = ''
as $$
declare
  v_delivery constant public.webhook_deliveries := bury_webhook_delivery.delivery;
begin
  perform private.finish_webhook_delivery(v_delivery.id, 'dead');
  update public.webhook_endpoints as told set failure_told_at = now()
  where told.id = v_delivery.endpoint_id and coalesce(told.failure_told_at < now() - interval '1 day', true);
  if not found then
    return '{}';
  end if;
  return array[private.webhook_endpoint_event(bury_webhook_delivery.endpoint, 'webhook_endpoint.failing', jsonb_build_object(
    'delivery_id', v_delivery.id, 'event_id', v_delivery.event_id, 'event_type', v_delivery.event_type,
    'attempt_count', v_delivery.attempt_count, 'status', v_delivery.last_status, 'error', v_delivery.last_error
  ))];
end;
$$;

comment on function private.bury_webhook_delivery is 'No attempt is left: the delivery is dead, and its endpoint''s owner is told, once a day. Gives the events to tell.';

create function private.fail_webhook_attempt(attempt private.webhook_attempt, delivery public.webhook_deliveries)
returns private.new_event[]
language plpgsql
set search_path = ''
as $$
declare
  v_delivery constant public.webhook_deliveries := fail_webhook_attempt.delivery;
  v_delay constant interval := private.webhook_retry_delay(v_delivery.attempt_count);
  v_endpoint public.webhook_endpoints;
  v_reason public.webhook_disabled_reason;
begin
  if v_delivery.event_type = 'webhook.test' then
    perform private.finish_webhook_delivery(v_delivery.id, 'dead');
    return '{}';
  end if;
  v_endpoint := private.note_webhook_failure(fail_webhook_attempt.attempt, v_delivery.endpoint_id);
  v_reason := case
    when v_endpoint.status = 'disabled' then null
    when (fail_webhook_attempt.attempt).status = 410 then 'gone'::public.webhook_disabled_reason
    when v_endpoint.failing_from < now() - interval '5 days' then 'failing'
  end;
  if v_reason is not null then
    return private.bury_webhook_delivery(v_delivery, v_endpoint) || private.disable_webhook_endpoint(v_endpoint, v_reason);
  end if;
  if v_delay is null then
    return private.bury_webhook_delivery(v_delivery, v_endpoint);
  end if;
  update public.webhook_deliveries as waiting set due_at = greatest(now() + v_delay, v_endpoint.paused_until)
  where waiting.id = v_delivery.id;
  return '{}';
end;
$$;

comment on function private.fail_webhook_attempt is
  'What follows a failed attempt: the next one, or none; an endpoint that is gone (410), or that nothing got through to for five days, is disabled. Gives the events to tell.';

create function private.settle_webhook_attempt(attempt private.webhook_attempt)
returns private.new_event[]
language plpgsql
set search_path = ''
as $$
declare
  v_attempt constant private.webhook_attempt := settle_webhook_attempt.attempt;
  v_delivery public.webhook_deliveries;
begin
  -- Over the lease's end the answer is still the answer, as long as nobody else has claimed it.
  update public.webhook_deliveries as delivery set
    leased_until = null, last_attempt_at = now(), last_status = v_attempt.status, last_error = left(v_attempt.error, 100),
    last_answer = left(v_attempt.answer, 1000)
  where delivery.id = v_attempt.delivery_id and delivery.lease_token = v_attempt.lease_token and delivery.leased_until is not null
  returning delivery.* into v_delivery;
  if not found then
    return null;
  end if;
  if v_attempt.status between 200 and 299 then
    perform private.note_webhook_success(v_delivery.endpoint_id, v_attempt.duration_ms);
    perform private.finish_webhook_delivery(v_delivery.id, 'delivered');
    return '{}';
  end if;
  return private.fail_webhook_attempt(v_attempt, v_delivery);
end;
$$;

comment on function private.settle_webhook_attempt is 'Writes down what came of an attempt. Gives the events to tell; null if the lease was lost.';

create function private.report_webhook_attempts(attempts jsonb)
returns uuid[]
language plpgsql
security definer -- the only writer of deliveries and endpoints
set search_path = ''
as $$
declare
  v_attempt private.webhook_attempt;
  v_told private.new_event[];
  v_events private.new_event[] := '{}';
  v_reported uuid[] := '{}';
begin
  -- Endpoints before deliveries, in the order of their ids, as everybody locks them.
  perform from public.webhook_endpoints as endpoint
  where endpoint.id = any(array(
    select delivery.endpoint_id
    from jsonb_to_recordset(report_webhook_attempts.attempts) as attempt (delivery_id uuid)
    join public.webhook_deliveries as delivery on delivery.id = attempt.delivery_id
  ))
  order by endpoint.id
  for no key update;
  for v_attempt in
    select attempt.*
    from jsonb_populate_recordset(null::private.webhook_attempt, report_webhook_attempts.attempts) as attempt
    order by attempt.delivery_id
  loop
    v_told := private.settle_webhook_attempt(v_attempt);
    if v_told is not null then
      v_reported := v_reported || v_attempt.delivery_id;
      v_events := v_events || v_told;
    end if;
  end loop;
  perform private.record_events(v_events);
  return v_reported;
end;
$$;

comment on function private.report_webhook_attempts is 'The work of public.report_webhook_attempts().';

create function public.report_webhook_attempts(attempts jsonb)
returns uuid[]
language plpgsql
set search_path = ''
set statement_timeout = '10s'
as $$
begin
  if jsonb_typeof(report_webhook_attempts.attempts) is distinct from 'array' then
    perform private.refuse('invalid_argument', '{"argument": "attempts"}');
  end if;
  return private.report_webhook_attempts(report_webhook_attempts.attempts);
end;
$$;

comment on function public.report_webhook_attempts is
  'What came of claimed deliveries: [{"delivery_id", "lease_token", "status" or null, "error", "answer", "duration_ms", "retry_after"}]; what follows is decided here. '
  'Gives the ids that it has written down; those of a lost lease are left out. Refuses: invalid_argument.';
grant execute on function public.report_webhook_attempts, private.report_webhook_attempts to service_role;

commit;
