begin;

create view public.whatsapp_queue_stats
with (security_invoker = on)
as
select
  message.phone_number_id,
  message.state,
  message.wait_reason,
  count(*) as message_count,
  min(message.created_at) as oldest_enqueued_at,
  min(message.due_at) as next_due_at,
  max(pause.paused_until) as paused_until
from public.whatsapp_message_queue as message
left join lateral (
  select max(circuit.paused_until) as paused_until from private.whatsapp_circuits_of(message.phone_number_id) as circuit
) as pause on message.state = 'ready'
group by message.phone_number_id, message.state, message.wait_reason;

comment on view public.whatsapp_queue_stats is
  'What is to be sent, per number, state and reason to wait: how many, since when the oldest, when the next is due, and until when the ready '
  'ones are paused. Reads the queue, which holds only what is not through.';
grant select on public.whatsapp_queue_stats to service_role;
grant execute on function private.whatsapp_circuits_of, private.whatsapp_account_of to service_role;

create view public.whatsapp_delivery_rates
with (security_invoker = on)
as
select
  (message.sent_at at time zone 'UTC')::date as day,
  message.phone_number_id,
  message.type,
  message.payload #>> '{template,name}' as template_name,
  count(*) as sent_count,
  count(*) filter (where status.status in ('delivered', 'read', 'played')) as delivered_count,
  count(*) filter (where status.status in ('read', 'played')) as read_count,
  count(*) filter (where status.status = 'failed') as failed_count,
  percentile_cont(0.5) within group (order by extract(epoch from status.delivered_at - message.sent_at)) as median_delivery_seconds
from public.whatsapp_messages as message
left join public.whatsapp_status_keys as key
  on key.phone_number_id = message.phone_number_id and key.wamid = message.wamid and key.participant = ''
left join public.whatsapp_message_statuses as status
  on status.id = key.status_id and status.id >= private.uuid_v7_floor(now() - interval '31 days')
where message.id >= private.uuid_v7_floor(now() - interval '30 days') and message.direction = 'outbound' and message.origin = 'live'
group by 1, 2, 3, 4;

comment on view public.whatsapp_delivery_rates is
  'How far what we sent in the last 30 days got, per day (UTC), number, type and template. Everything that is read was delivered.';
grant select on public.whatsapp_delivery_rates to service_role;

create view public.whatsapp_failure_stats
with (security_invoker = on)
as
select
  (message.finished_at at time zone 'UTC')::date as day,
  message.phone_number_id,
  message.failure_reason,
  message.last_error ->> 'code' as code,
  count(*) as message_count
from public.whatsapp_message_queue_history as message
where message.id >= private.uuid_v7_floor(now() - interval '35 days') and message.state = 'failed'
group by 1, 2, 3, 4;

comment on view public.whatsapp_failure_stats is
  'What was not sent, or failed after it was, per day (UTC), number, reason and Meta''s code, of the messages enqueued in the last 35 days.';
grant select on public.whatsapp_failure_stats to service_role;

commit;
