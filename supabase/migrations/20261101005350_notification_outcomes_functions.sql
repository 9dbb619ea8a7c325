begin;

create function private.notification_event(delivery public.notification_deliveries, state public.notification_state, notification_id uuid)
returns private.new_event
language plpgsql
stable
set search_path = ''
as $$
begin
  return row(
    'notification', notification_event.notification_id::text, 'notification.' || notification_event.state,
    jsonb_build_object(
      'notification_id', notification_event.notification_id, 'profile_id', (notification_event.delivery).profile_id,
      'category', (notification_event.delivery).category, 'outcomes', (notification_event.delivery).outcomes
    ),
    null, (notification_event.delivery).id::text, (notification_event.delivery).correlation_id, null, null
  )::private.new_event;
end;
$$;

comment on function private.notification_event is 'notification.sent, .failed or .not_sent: what became of one.';

create function private.outcomes_for_people(outcomes jsonb)
returns jsonb
language plpgsql
immutable
set search_path = ''
as $$
begin
  return (
    select coalesce(jsonb_object_agg(outcome.channel, outcome.result - '{code,detail}'::text[]), '{}')
    from jsonb_each(outcomes_for_people.outcomes) as outcome (channel, result)
  );
end;
$$;

comment on function private.outcomes_for_people is
  'What became of each channel, without what providers say of us and our settings: that stays in the events, which people cannot read.';

create function private.finish_notification_delivery(delivery public.notification_deliveries, state public.notification_state)
returns void
language plpgsql
set search_path = ''
as $$
declare
  v_id uuid;
begin
  delete from public.notification_deliveries as finished where finished.id = (finish_notification_delivery.delivery).id;
  -- One by one, so that each opens one partition.
  foreach v_id in array (finish_notification_delivery.delivery).notification_ids loop
    update public.notifications as notification set
      state = finish_notification_delivery.state,
      outcomes = private.outcomes_for_people((finish_notification_delivery.delivery).outcomes)
    where notification.id = v_id;
  end loop;
  perform private.record_events(array(
    select private.notification_event(finish_notification_delivery.delivery, finish_notification_delivery.state, brought)
    from unnest((finish_notification_delivery.delivery).notification_ids) as brought
  ));
end;
$$;

comment on function private.finish_notification_delivery is 'Writes what became of a delivery into the inbox, appends it as an event and removes it.';

create function private.with_outcome(delivery public.notification_deliveries, state text, reason text, detail jsonb default '{}')
returns public.notification_deliveries
language plpgsql
stable
set search_path = ''
as $$
begin
  delivery.outcomes := delivery.outcomes || jsonb_build_object(delivery.channel, jsonb_strip_nulls(jsonb_build_object(
    'state', with_outcome.state, 'reason', with_outcome.reason, 'at', now(), 'attempts', delivery.attempt_count
  )) || with_outcome.detail);
  return delivery;
end;
$$;

comment on function private.with_outcome is 'A delivery with what became of the channel that was tried.';

create function private.try_next_channel(delivery public.notification_deliveries)
returns void
language plpgsql
set search_path = ''
as $$
begin
  if (try_next_channel.delivery).channels_left = '{}' then
    perform private.finish_notification_delivery(try_next_channel.delivery, 'failed');
    return;
  end if;
  update public.notification_deliveries as waiting set
    state = 'ready', channel = waiting.channels_left[1], channels_left = waiting.channels_left[2:], attempt_count = 0,
    scheduled_at = now(), lease_expires_at = null, whatsapp_message_id = null, outcomes = (try_next_channel.delivery).outcomes
  where waiting.id = (try_next_channel.delivery).id;
  perform private.kick_worker();
end;
$$;

comment on function private.try_next_channel is 'Lets the next channel try at once; without one the delivery has failed.';

create function private.locked_notification_delivery(delivery_id uuid, lease_token bigint)
returns public.notification_deliveries
language plpgsql
set search_path = ''
as $$
declare
  v_delivery public.notification_deliveries;
begin
  select delivery.* into v_delivery
  from public.notification_deliveries as delivery
  where delivery.id = locked_notification_delivery.delivery_id
    and delivery.lease_token = locked_notification_delivery.lease_token and delivery.state = 'sending'
  for update;
  if not found then
    perform private.refuse('lease_lost');
  end if;
  perform private.continue_correlation(v_delivery.correlation_id);
  return v_delivery;
end;
$$;

comment on function private.locked_notification_delivery is 'The delivery of a lease that still holds. Refuses: lease_lost.';

create function private.complete_notification(delivery_id uuid, lease_token bigint, provider text, provider_message_id text)
returns void
language plpgsql
security definer -- the only writer of inboxes and deliveries
set search_path = ''
as $$
declare
  v_delivery public.notification_deliveries := private.locked_notification_delivery(
    complete_notification.delivery_id, complete_notification.lease_token
  );
begin
  v_delivery := private.with_outcome(v_delivery, 'sent', null, jsonb_strip_nulls(jsonb_build_object(
    'provider', left(complete_notification.provider, 64), 'provider_message_id', left(complete_notification.provider_message_id, 256)
  )));
  perform private.finish_notification_delivery(v_delivery, 'sent');
end;
$$;

comment on function private.complete_notification is 'The work of public.complete_notification().';

create function public.complete_notification(
  delivery_id uuid,
  lease_token bigint,
  provider text default null,
  provider_message_id text default null
)
returns void
language plpgsql
set search_path = ''
set statement_timeout = '5s'
as $$
begin
  perform private.complete_notification(
    complete_notification.delivery_id, complete_notification.lease_token, complete_notification.provider, complete_notification.provider_message_id
  );
end;
$$;

comment on function public.complete_notification is
  'Says that a provider has taken a claimed delivery, with the provider''s own id of it. Refuses: lease_lost.';
grant execute on function public.complete_notification, private.complete_notification to service_role;

create function private.fail_notification(delivery_id uuid, lease_token bigint, error jsonb)
returns void
language plpgsql
security definer -- the only writer of inboxes and deliveries
set search_path = ''
as $$
declare
  c_attempts constant integer := 5;
  c_claims constant integer := 30;
  v_delivery public.notification_deliveries := private.locked_notification_delivery(
    fail_notification.delivery_id, fail_notification.lease_token
  );
  v_kind constant text := fail_notification.error ->> 'kind';
  v_retry_after constant integer := case when jsonb_typeof(fail_notification.error -> 'retry_after') = 'number'
    then least(greatest((fail_notification.error ->> 'retry_after')::numeric, 1), 3600)::integer end;
begin
  if v_kind not in ('temporary', 'rejected', 'unknown', 'not_configured', 'no_address') or v_kind is null then
    perform private.refuse('invalid_argument', '{"argument": "error", "range": "kind: temporary, rejected, unknown, not_configured, no_address"}');
  end if;
  -- Being asked to wait is no failed attempt, until it was claimed so often. A quarter more at random, so that they do not all return together.
  if v_kind = 'temporary' and v_retry_after is not null and v_delivery.lease_token < c_claims then
    update public.notification_deliveries as delivery set
      state = 'ready', lease_expires_at = null, attempt_count = delivery.attempt_count - 1,
      scheduled_at = now() + make_interval(secs => v_retry_after * (1 + random() / 4))
    where delivery.id = v_delivery.id;
    return;
  end if;
  if v_kind = 'temporary' and v_delivery.attempt_count < c_attempts then
    update public.notification_deliveries as delivery set
      state = 'ready', lease_expires_at = null,
      scheduled_at = now() + greatest(
        make_interval(secs => v_retry_after), private.retry_delay(delivery.attempt_count, interval '5 seconds', interval '10 minutes')
      )
    where delivery.id = v_delivery.id;
    return;
  end if;
  perform private.try_next_channel(private.with_outcome(v_delivery, 'failed', v_kind, jsonb_strip_nulls(jsonb_build_object(
    'provider', left(fail_notification.error ->> 'provider', 64), 'code', left(fail_notification.error ->> 'code', 64),
    'detail', left(fail_notification.error ->> 'detail', 500)
  ))));
end;
$$;

comment on function private.fail_notification is 'The work of public.fail_notification().';

create function public.fail_notification(delivery_id uuid, lease_token bigint, error jsonb)
returns void
language plpgsql
set search_path = ''
set statement_timeout = '5s'
as $$
begin
  perform private.fail_notification(fail_notification.delivery_id, fail_notification.lease_token, fail_notification.error);
end;
$$;

comment on function public.fail_notification is
  'Says why a claimed delivery was not taken: {"kind", "provider"?, "code"?, "detail"?, "retry_after"? (seconds)}. '
  'temporary: tried again on this channel, five times in all; with retry_after when that has passed, which counts as no attempt. rejected, not_configured, no_address: the next channel is tried at once. '
  'unknown: it may have gone out, so not again on this channel, but on the next. Refuses: invalid_argument, lease_lost.';
grant execute on function public.fail_notification, private.fail_notification to service_role;

commit;
