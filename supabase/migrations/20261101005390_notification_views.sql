begin;

create view public.notification_delivery_stats
with (security_invoker = on)
as
select
  delivery.channel,
  delivery.state,
  count(*) as delivery_count,
  count(*) filter (where delivery.state in ('collecting', 'ready') and delivery.scheduled_at <= now()) as due_count,
  min(delivery.scheduled_at) filter (where delivery.state in ('collecting', 'ready') and delivery.scheduled_at <= now()) as oldest_due_at
from public.notification_deliveries as delivery
group by delivery.channel, delivery.state;

comment on view public.notification_delivery_stats is 'What is on its way, by channel and state, and since when the longest waits that should be out.';

create view public.notification_stats
with (security_invoker = on)
as
select
  notification.category,
  outcome.channel,
  outcome.result ->> 'state' as state,
  outcome.result ->> 'reason' as reason,
  count(*) as notification_count,
  count(*) filter (where notification.read_at is not null) as read_count
from public.notifications as notification
cross join lateral jsonb_each(notification.outcomes) as outcome (channel, result)
where notification.id >= private.uuid_v7_floor(now() - interval '7 days')
group by 1, 2, 3, 4;

comment on view public.notification_stats is 'What became of the last seven days'' notifications, by category and each channel that was tried.';
grant select on public.notification_delivery_stats, public.notification_stats to service_role;

commit;
