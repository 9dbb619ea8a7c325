begin;

create function private.metric_families()
returns table (name text, type text, help text)
language sql
immutable
set search_path = ''
as $$
  values
    ('analytics_dirty_days', 'gauge', 'Days whose numbers are to be added up anew.'),
    ('analytics_oldest_unmerged_seconds', 'gauge', 'How long the oldest link of two people has waited to be carried out.'),
    ('analytics_rejections_last_day', 'gauge', 'Items of analytics of the last day that could not be taken, by reason.'),
    ('analytics_unjudged_claims', 'gauge', 'What clients said of who is who, and nobody has judged yet.'),
    ('audit_sealed_timestamp_seconds', 'gauge', 'When the audit log was last sealed.'),
    ('cache_entries', 'gauge', 'Entries of the cache by namespace, those past their time included.'),
    ('cache_hits_total', 'counter', 'Look-ups that found a value, estimated from one in 64.'),
    ('cache_misses_total', 'counter', 'Look-ups that found none, estimated from one in 64.'),
    ('driver_positions', 'gauge', 'Drivers whose position is known, by how fresh it is: live within two minutes.'),
    ('drivers_online', 'gauge', 'Drivers who take trips now.'),
    ('event_horizon_seconds', 'gauge', 'Age of the oldest transaction that has written: no event after it is shown.'),
    ('flag_revision', 'gauge', 'The revision of the flags in an environment: rises with each change.'),
    ('jobs', 'gauge', 'Background jobs by type and state; ended ones of the last hour, failed ones of the last year.'),
    ('jobs_oldest_ready_seconds', 'gauge', 'How long the longest waiting ready job has waited.'),
    ('notification_deliveries', 'gauge', 'Deliveries of notifications on their way.'),
    ('notification_oldest_due_seconds', 'gauge', 'How long the longest waiting delivery should have been out.'),
    ('open_payment_work', 'gauge', 'What of payments waits for a person or hangs.'),
    ('partition_default_has_rows', 'gauge', '1 if rows fell into the default partition.'),
    ('partition_months_ahead', 'gauge', 'Months for which a partition stands ready, after this one.'),
    ('payment_attempts', 'gauge', 'Attempts at providers of which the end is not known.'),
    ('payment_attempts_oldest_seconds', 'gauge', 'Age of the oldest attempt of which the end is not known.'),
    ('queue_messages', 'gauge', 'Messages by queue and state.'),
    ('queue_oldest_ready_seconds', 'gauge', 'How long the next message to be claimed has been ready.'),
    ('recent_events', 'gauge', 'Events appended in the last five minutes by kind of aggregate.'),
    ('schedule_failures_total', 'counter', 'Failed runs of a recurring job.'),
    ('schedule_last_duration_seconds', 'gauge', 'How long a recurring job last ran.'),
    ('schedule_late', 'gauge', '1 if a recurring job is more than a minute late.'),
    ('service_critical', 'gauge', '1 if a registered service has no usable instance.'),
    ('service_instances', 'gauge', 'Instances of a registered service by status.'),
    ('stale_flags', 'gauge', 'Feature flags that should be taken out of the code.'),
    ('subscription_oldest_unread_seconds', 'gauge', 'Age of the oldest event that a subscription has not looked at.'),
    ('subscription_parked_events', 'gauge', 'Events that a subscription could not handle.'),
    ('subscription_unread_events', 'gauge', 'Events that a subscription has not looked at, at most.'),
    ('transactions_last_hour', 'gauge', 'Transactions begun in the last hour, by where they stand.'),
    ('trips_last_hour', 'gauge', 'Trips asked for in the last hour, by where they stand.'),
    ('trips_oldest_unanswered_seconds', 'gauge', 'How long the longest waiting rider has waited for a driver.'),
    ('trips_open', 'gauge', 'Trips that have not ended, by where they stand.'),
    ('trips_stuck', 'gauge', 'Trips under way for too long, ended ones that nobody could be made to pay, and those on which the schedule fails.'),
    ('wallet_drift', 'gauge', 'Balances that their entries do not explain. Must be 0.'),
    ('wallet_findings', 'gauge', 'What the last full verification of the ledger found. Must be 0.'),
    ('wallet_oldest_unrecorded_seconds', 'gauge', 'How long the oldest posting has waited to be told as an event.'),
    ('wallet_overdue_holds', 'gauge', 'Holds that should have expired five minutes ago.'),
    ('wallet_unbalanced_currencies', 'gauge', 'Currencies of which debits and credits differ. Must be 0.'),
    ('wallet_verified_timestamp_seconds', 'gauge', 'When the whole ledger was last verified.'),
    ('webhook_deliveries', 'gauge', 'Webhook messages on their way to endpoints.'),
    ('webhook_endpoints', 'gauge', 'Registered webhook endpoints by status.'),
    ('webhook_oldest_delivery_seconds', 'gauge', 'Age of the oldest event that an endpoint has not taken.'),
    ('whatsapp_queue_messages', 'gauge', 'Messages to be sent by number, state and what they wait for.'),
    ('whatsapp_queue_overdue_seconds', 'gauge', 'How long the next message of a number should have been sent.'),
    ('whatsapp_recent_deliveries', 'gauge', 'Deliveries of Meta journaled in the last five minutes; copies are not counted.'),
    ('whatsapp_unsettled_items', 'gauge', 'Items of the last day''s deliveries that could not be stored or belong to no number of ours.'),
    ('worker_last_seen_timestamp_seconds', 'gauge', 'When a worker was last seen at work.')
$$;

comment on function private.metric_families is
  'The metrics that SQL knows, with what they tell: each sample has its family here. Names as Prometheus wants them: seconds, counters end in _total, '
  'moments are timestamps, so that their age goes on rising while nobody can be asked.';

create function private.sql_samples()
returns setof private.metric_sample
language sql
stable
set search_path = ''
as $$
  select * from private.work_samples()
  union all select * from private.message_samples()
  union all select * from private.money_samples()
  union all select * from private.care_samples()
  union all select * from private.house_samples()
  union all select * from private.analytics_samples()
  union all select * from private.ride_samples()
$$;

comment on function private.sql_samples is 'Every sample that SQL can tell by looking.';

create function public.metric_samples()
returns table (name text, type text, help text, samples jsonb)
language plpgsql
stable
set search_path = ''
set statement_timeout = '10s'
as $$
begin
  return query
  select 'easymo_' || family.name, family.type, family.help, jsonb_agg(jsonb_build_object('labels', sample.labels, 'value', sample.value))
  from private.sql_samples() as sample
  join private.metric_families() as family on family.name = sample.name
  group by family.name, family.type, family.help
  union all
  select
    total.metric_name, min(total.metric_type::text), 'As the functions report it.',
    jsonb_agg(jsonb_strip_nulls(jsonb_build_object(
      'labels', jsonb_build_object('function', total.service_name) || total.tags, 'value', total.value, 'buckets', total.buckets
    )))
  from private.metric_totals as total
  group by total.metric_name
  order by 1;
end;
$$;

comment on function public.metric_samples is
  'What a scraper is told, by metric: samples of labels and value; of histograms also buckets (upper bound -> how many lie in that bucket alone), the value being their sum. '
  'Costs what is under way costs to count, not what has been.';
grant select on private.metric_totals to service_role;
grant execute on function public.metric_samples, private.metric_families, private.sql_samples to service_role;

commit;
