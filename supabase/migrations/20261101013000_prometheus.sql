begin;

create type private.metric_sample as (name text, labels jsonb, value double precision);
comment on type private.metric_sample is 'One value of a metric, with the labels that set it apart from others of its name.';

create function private.work_samples()
returns setof private.metric_sample
language sql
stable
set search_path = ''
as $$
  select 'queue_messages', jsonb_build_object('queue', stats.queue_name, 'state', state.name), state.count
  from public.message_queue_stats as stats
  cross join lateral (values
    ('ready', stats.ready_count), ('scheduled', stats.scheduled_count), ('leased', stats.leased_count),
    ('blocked', stats.blocked_count), ('dead', stats.dead_count)
  ) as state (name, count)
  union all
  select 'queue_oldest_ready_seconds', jsonb_build_object('queue', stats.queue_name), coalesce(extract(epoch from stats.oldest_ready_age), 0)
  from public.message_queue_stats as stats
  union all
  select 'jobs', jsonb_build_object('job_type', stats.job_type, 'state', stats.state), stats.job_count from public.background_job_stats as stats
  union all
  select 'jobs_oldest_ready_seconds', jsonb_build_object('job_type', stats.job_type), extract(epoch from stats.oldest_ready_age)
  from public.background_job_stats as stats
  where stats.state = 'ready'
  union all
  select sample.name, jsonb_build_object('subscription', stats.name), sample.value
  from public.event_subscription_stats as stats
  cross join lateral (values
    ('subscription_unread_events', stats.unread_count),
    ('subscription_oldest_unread_seconds', coalesce(extract(epoch from now() - stats.oldest_unread_at), 0)),
    ('subscription_parked_events', stats.parked_count)
  ) as sample (name, value)
  union all
  select 'event_horizon_seconds', '{}', coalesce(extract(epoch from now() - horizon.started_at), 0) from public.event_horizon as horizon
  union all
  select sample.name, jsonb_build_object('job', health.name), sample.value
  from public.schedule_health as health
  cross join lateral (values
    ('schedule_late', (health.is_late)::integer),
    ('schedule_failures_total', health.failure_count),
    ('schedule_last_duration_seconds', extract(epoch from health.last_duration))
  ) as sample (name, value)
  where sample.value is not null
  union all
  select 'worker_last_seen_timestamp_seconds', '{}', extract(epoch from max(coalesce(health.ended_at, health.extended_at)))
  from public.worker_health as health
  having max(coalesce(health.ended_at, health.extended_at)) is not null
$$;

comment on function private.work_samples is 'How much work waits, how long, and whether somebody does it.';

create function private.message_samples()
returns setof private.metric_sample
language sql
stable
set search_path = ''
as $$
  select
    'whatsapp_queue_messages',
    jsonb_build_object('phone_number_id', stats.phone_number_id, 'state', stats.state, 'reason', coalesce(stats.wait_reason::text, '')),
    stats.message_count
  from public.whatsapp_queue_stats as stats
  union all
  select 'whatsapp_queue_overdue_seconds', jsonb_build_object('phone_number_id', stats.phone_number_id),
    greatest(0, extract(epoch from now() - min(stats.next_due_at)))
  from public.whatsapp_queue_stats as stats
  where stats.state = 'ready'
  group by stats.phone_number_id
  union all
  select 'whatsapp_unsettled_items', jsonb_build_object('outcome', item.outcome), count(*)
  from public.whatsapp_delivery_items as item
  where item.outcome in ('dead_letter', 'unroutable') and item.id >= private.uuid_v7_floor(now() - interval '24 hours')
  group by item.outcome
  union all
  select sample.name, jsonb_build_object('channel', stats.channel, 'state', stats.state), sample.value
  from public.notification_delivery_stats as stats
  cross join lateral (values
    ('notification_deliveries', stats.delivery_count),
    ('notification_oldest_due_seconds', extract(epoch from now() - stats.oldest_due_at))
  ) as sample (name, value)
  where sample.value is not null
$$;

comment on function private.message_samples is 'What people wrote and could not be stored, and what is on its way to them.';

create function private.money_samples()
returns setof private.metric_sample
language sql
stable
set search_path = ''
as $$
  select 'transactions_last_hour', jsonb_build_object('type', stored.type, 'method', stored.method, 'status', stored.status), count(*)
  from public.transactions as stored
  where stored.id >= private.uuid_v7_floor(now() - interval '1 hour')
  group by stored.type, stored.method, stored.status
  union all
  select sample.name, jsonb_build_object('provider', stats.provider, 'kind', stats.kind, 'status', stats.status), sample.value
  from public.payment_attempt_stats as stats
  cross join lateral (values
    ('payment_attempts', stats.attempt_count),
    ('payment_attempts_oldest_seconds', extract(epoch from now() - stats.oldest_created_at))
  ) as sample (name, value)
  union all
  select 'open_payment_work', jsonb_build_object('work', open.work, 'kind', open.kind), open.item_count from public.open_payment_work as open
  union all
  select sample.name, '{}', sample.value
  from public.wallet_health as health
  cross join lateral (values
    ('wallet_drift', health.drift_count),
    ('wallet_unbalanced_currencies', health.unbalanced_currency_count),
    ('wallet_findings', health.finding_count),
    ('wallet_overdue_holds', health.overdue_hold_count),
    ('wallet_verified_timestamp_seconds', extract(epoch from health.verified_at)),
    ('wallet_oldest_unrecorded_seconds', coalesce(extract(epoch from now() - health.oldest_unrecorded_at), 0))
  ) as sample (name, value)
  where sample.value is not null
  union all
  select 'webhook_endpoints', jsonb_build_object('status', stats.status), count(*) from public.webhook_endpoint_stats as stats group by stats.status
  union all
  select sample.name, '{}', sample.value
  from (
    select sum(stats.waiting_count) as waiting, extract(epoch from now() - min(stats.oldest_occurred_at)) as age from public.webhook_endpoint_stats as stats
  ) as total
  cross join lateral (values
    ('webhook_deliveries', total.waiting), ('webhook_oldest_delivery_seconds', coalesce(total.age, 0))
  ) as sample (name, value)
  where sample.value is not null
$$;

comment on function private.money_samples is 'Payments by state, what waits for a person, and whether the books are right.';

create function private.care_samples()
returns setof private.metric_sample
language sql
stable
set search_path = ''
as $$
  select sample.name, jsonb_build_object('table', health.table_name), sample.value
  from public.partition_health as health
  cross join lateral (values
    ('partition_months_ahead', health.months_ahead), ('partition_default_has_rows', health.default_has_rows::integer)
  ) as sample (name, value)
  union all
  select 'audit_sealed_timestamp_seconds', '{}', extract(epoch from head.sealed_at) from public.audit_head as head where head.sealed_at is not null
  union all
  select 'stale_flags', '{}', count(*) from public.stale_feature_flags
$$;

comment on function private.care_samples is 'Whether there is room for next month, whether the audit log is sealed, and which flags nobody needs.';
grant execute on function private.work_samples, private.message_samples, private.money_samples, private.care_samples to service_role;

commit;
