begin;

create view public.cloud_events
with (security_invoker = on)
as
select
  '1.0' as specversion,
  event.event_id::text as id,
  '/easymo/' || event.aggregate_type as source,
  event.event_type as type,
  event.aggregate_id as subject,
  event.occurred_at as time,
  'application/json' as datacontenttype,
  format('urn:easymo:event:%s:%s', event.event_type, event.schema_version) as dataschema,
  event.payload as data,
  lpad(event.version::text, 19, '0') as sequence,
  event.correlation_id as correlationid,
  event.causation_id as causationid,
  event.metadata ->> 'traceparent' as traceparent,
  event.actor,
  event.id as stored_id,
  event.transaction_id,
  event.position
from public.event_store as event;

comment on view public.cloud_events is
  'The event store as CloudEvents 1.0, one column per attribute, with the extensions sequence, correlationid, causationid, traceparent and actor; payloads as they are stored. '
  'stored_id, transaction_id and position are no attributes: always ask for a range of stored_id, by which months are told apart.';
grant select on public.cloud_events to service_role;

create view public.event_store_stats
with (security_invoker = on)
as
select
  stream.aggregate_type,
  count(*) as stream_count,
  sum(stream.version)::bigint as event_count,
  max(stream.last_event_at) as last_event_at,
  coalesce(max(recent.event_count), 0) as event_count_last_5_minutes
from public.event_streams as stream
left join (
  select event.aggregate_type, count(*) as event_count
  from public.event_store as event
  where event.id >= private.uuid_v7_floor(now() - interval '5 minutes')
  group by event.aggregate_type
) as recent using (aggregate_type)
group by stream.aggregate_type;

comment on view public.event_store_stats is
  'Streams and events per kind of aggregate, and how many came lately. Reads every stream''s head, no event of long ago.';
grant select on public.event_store_stats to service_role;

create function private.event_horizon_holder()
returns table (
  transaction_id bigint,
  pid integer,
  started_at timestamptz,
  database_name text,
  role_name text,
  application_name text
)
language plpgsql
security definer -- other roles' sessions are the monitor's to see
set search_path = ''
as $$
begin
  return query
  select
    private.event_horizon(),
    holder.pid,
    coalesce(activity.xact_start, prepared.prepared),
    coalesce(activity.datname, prepared.database)::text,
    coalesce(activity.usename, prepared.owner)::text,
    activity.application_name
  from (select null) as always
  left join (
    select lock.pid, lock.transactionid
    from pg_catalog.pg_locks as lock
    where lock.locktype = 'transactionid' and lock.mode = 'ExclusiveLock' and lock.granted
      and lock.pid is distinct from pg_backend_pid()
    order by age(lock.transactionid) desc
    limit 1
  ) as holder on true
  left join pg_catalog.pg_stat_activity as activity on activity.pid = holder.pid
  left join pg_catalog.pg_prepared_xacts as prepared on holder.pid is null and prepared.transaction = holder.transactionid;
end;
$$;

comment on function private.event_horizon_holder is 'The row of public.event_horizon.';
grant execute on function private.event_horizon_holder to service_role;

create view public.event_horizon
with (security_invoker = on)
as
select * from private.event_horizon_holder();

comment on view public.event_horizon is
  'Up to which transaction_id (not included) events show to readers, and which transaction of the cluster, in whatever database, holds that back: the oldest that has written. '
  'Nobody (null) if none runs. When started_at is minutes ago, every subscription waits for it.';
grant select on public.event_horizon to service_role;

create function private.last_event_position()
returns bigint
language plpgsql
set search_path = ''
as $$
declare
  v_horizon bigint := private.event_horizon();
  v_from uuid := (select private.uuid_v7_floor(max(tick.ticked_at) - interval '7 days') from private.event_ticks as tick);
begin
  return (
    select event.position from public.event_store as event
    where event.transaction_id < v_horizon and event.id >= v_from
    order by event.transaction_id desc, event.position desc
    limit 1
  );
end;
$$;

comment on function private.last_event_position is 'The position of the last event that can be read, unless that is of long ago.';

create function private.subscription_lag(
  subscription public.event_subscriptions,
  out unread_count bigint,
  out oldest_unread_at timestamptz
)
language plpgsql
security definer -- reads the ticks, which no role may see
set search_path = ''
as $$
declare
  v_first public.event_store;
begin
  select event.* into v_first
  from private.read_events((subscription_lag.subscription).after_transaction_id, (subscription_lag.subscription).after_position, 1) as event;
  oldest_unread_at := v_first.created_at;
  unread_count := case
    when v_first.id is null then 0
    else greatest(private.last_event_position() - v_first.position + 1, 1)
  end;
end;
$$;

comment on function private.subscription_lag is 'How far a subscription is behind what can be read, by two look-ups.';
grant execute on function private.subscription_lag to service_role;

create view public.event_subscription_stats
with (security_invoker = on)
as
select
  subscription.name,
  subscription.status,
  subscription.handler is not null as is_served_by_sql,
  lag.unread_count,
  lag.oldest_unread_at,
  coalesce(parked.event_count, 0) as parked_count,
  coalesce(parked.replay_count, 0) as replay_count,
  parked.oldest_parked_at,
  subscription.attempt_count,
  subscription.retry_at,
  subscription.leased_until,
  subscription.last_run_at,
  subscription.last_failed_at,
  subscription.last_error,
  horizon.started_at as horizon_held_since
from public.event_subscriptions as subscription
cross join lateral private.subscription_lag(subscription) as lag
left join (
  select
    parked.subscription_name,
    count(*) as event_count,
    count(parked.replay_from) as replay_count,
    min(parked.parked_at) as oldest_parked_at
  from public.event_parked as parked
  group by parked.subscription_name
) as parked on parked.subscription_name = subscription.name
cross join public.event_horizon as horizon;

comment on view public.event_subscription_stats is
  'Per subscription: how many events it has not looked at (at most, and of all kinds) and since when, what is parked, and its last failure. '
  'horizon_held_since: when the oldest transaction that has written began (public.event_horizon): what was appended after it waits for its end.';
grant select on public.event_subscription_stats to service_role;

commit;
