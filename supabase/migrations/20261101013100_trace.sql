begin;

create function private.trace_correlation(correlation_id text, since timestamptz)
returns table (at timestamptz, source text, id uuid, what text)
language plpgsql
stable
security definer -- reads what operators may not read row by row, and shows no content of it
set search_path = ''
as $$
declare
  v_id constant text := trace_correlation.correlation_id;
  v_since constant timestamptz := trace_correlation.since;
  v_floor constant uuid := private.uuid_v7_floor(v_since);
begin
  perform private.require_service_or_operator();
  return query
  select found.at, found.source, found.id, found.what
  from (
    select delivery.created_at, 'whatsapp_deliveries', delivery.id, 'delivery'
    from public.whatsapp_deliveries as delivery where delivery.id >= v_floor and delivery.correlation_id = v_id
    union all
    select message.created_at, 'whatsapp_messages', message.id, message.type
    from public.whatsapp_messages as message where message.id >= v_floor and message.correlation_id = v_id
    union all
    select moved.created_at, 'whatsapp_session_transitions', moved.id, moved.to_state::text
    from public.whatsapp_session_transitions as moved where moved.id >= v_floor and moved.correlation_id = v_id
    union all
    select event.occurred_at, 'event_store', event.id, event.event_type
    from public.event_store as event where event.id >= v_floor and event.correlation_id = v_id
    union all
    select waiting.created_at, 'message_queue', null, concat_ws(' ', waiting.queue_name, waiting.message_type, waiting.state)
    from public.message_queue as waiting where waiting.created_at >= v_since and waiting.correlation_id = v_id
    union all
    select done.finished_at, 'message_queue_history', done.id, concat_ws(' ', done.queue_name, done.message_type)
    from public.message_queue_history as done where done.id >= v_floor and done.correlation_id = v_id
    union all
    select job.created_at, 'background_jobs', job.id, concat_ws(' ', job.job_type, job.state)
    from public.background_jobs as job where job.id >= v_floor and job.correlation_id = v_id
    union all
    select trip.created_at, 'trips', trip.id, concat_ws(' ', trip.status, trip.payment_status)
    from public.trips as trip where trip.id >= v_floor and trip.correlation_id = v_id
    union all
    select payment.created_at, 'transactions', payment.id, concat_ws(' ', payment.type, payment.status)
    from public.transactions as payment where payment.id >= v_floor and payment.correlation_id = v_id
    union all
    select attempt.created_at, 'payment_attempts', attempt.id, concat_ws(' ', attempt.kind, attempt.status)
    from public.payment_attempts as attempt where attempt.created_at >= v_since and attempt.correlation_id = v_id
    union all
    select webhook.received_at, 'payment_webhook_events', webhook.id, webhook.event_type
    from public.payment_webhook_events as webhook where webhook.id >= v_floor and webhook.correlation_id = v_id
    union all
    select posted.created_at, 'wallet_transactions', posted.id, posted.kind::text
    from public.wallet_transactions as posted where posted.id >= v_floor and posted.correlation_id = v_id
    union all
    select hold.created_at, 'wallet_holds', hold.id, hold.status::text
    from public.wallet_holds as hold where hold.id >= v_floor and hold.correlation_id = v_id
    union all
    select queued.created_at, 'whatsapp_message_queue', queued.id, concat_ws(' ', queued.message_type, queued.state)
    from public.whatsapp_message_queue as queued where queued.id >= v_floor and queued.correlation_id = v_id
    union all
    select sent.created_at, 'whatsapp_message_queue_history', sent.id, concat_ws(' ', sent.message_type, sent.state)
    from public.whatsapp_message_queue_history as sent where sent.id >= v_floor and sent.correlation_id = v_id
    union all
    select notice.created_at, 'notifications', notice.id, notice.category
    from public.notifications as notice where notice.id >= v_floor and notice.correlation_id = v_id
    union all
    select told.created_at, 'notification_deliveries', told.id, concat_ws(' ', told.channel, told.state)
    from public.notification_deliveries as told where told.id >= v_floor and told.correlation_id = v_id
    union all
    select counted.occurred_at, 'analytics_events', counted.id, counted.event_name
    from public.analytics_events as counted
    where counted.day >= (v_since at time zone 'Africa/Kigali')::date and counted.correlation_id = v_id
    union all
    select entry.created_at, 'system_audit_logs', entry.id, concat_ws(' ', entry.action, entry.resource_type)
    from public.system_audit_logs as entry where entry.id >= v_floor and entry.correlation_id = v_id
  ) as found (at, source, id, what)
  order by found.at, found.source, found.id
  limit 10000;
end;
$$;

comment on function private.trace_correlation is 'The work of public.trace_correlation(). Refuses: operator_required.';

create function public.trace_correlation(correlation_id text, since timestamptz default now() - interval '7 days')
returns table (at timestamptz, source text, id uuid, what text)
language plpgsql
stable
set search_path = ''
set statement_timeout = '15s'
as $$
begin
  if (
    length(trace_correlation.correlation_id) between 1 and 64
    and trace_correlation.since >= now() - interval '31 days'
  ) is not true then
    perform private.refuse('invalid_argument');
  end if;
  return query select * from private.trace_correlation(trace_correlation.correlation_id, trace_correlation.since);
end;
$$;

comment on function public.trace_correlation is
  'For operators and the service: every row, event and entry that carries a correlation id, oldest first, of the last 7 days or since another moment of the last 31. '
  'Names and states, no content; up to 10,000. Reads that span of the tables, for nothing is indexed by it: for questions, not for requests. '
  'Refuses: invalid_argument, operator_required.';
grant execute on function public.trace_correlation, private.trace_correlation to authenticated, service_role;

commit;
