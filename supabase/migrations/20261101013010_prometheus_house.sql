begin;

create function private.house_samples()
returns setof private.metric_sample
language sql
stable
set search_path = ''
as $$
  select sample.name, sample.labels, sample.value
  from public.service_health_overview as overview
  cross join lateral (values
    ('service_critical', jsonb_build_object('service', overview.service_name), (overview.status = 'critical')::integer),
    ('service_instances', jsonb_build_object('service', overview.service_name, 'status', 'passing'), overview.passing_count),
    ('service_instances', jsonb_build_object('service', overview.service_name, 'status', 'warning'), overview.warning_count),
    ('service_instances', jsonb_build_object('service', overview.service_name, 'status', 'critical'), overview.critical_count)
  ) as sample (name, labels, value)
  union all
  select 'cache_entries', jsonb_build_object('cache_type', entry.cache_type), count(*) from public.cache_entries as entry group by entry.cache_type
  union all
  select sample.name, jsonb_build_object('cache_type', lookup.cache_type), sample.value
  from private.cache_lookups as lookup
  cross join lateral (values ('cache_hits_total', lookup.hit_count), ('cache_misses_total', lookup.miss_count)) as sample (name, value)
  union all
  select 'flag_revision', jsonb_build_object('environment', environment.environment), environment.revision
  from public.flag_environments as environment
  union all
  select 'recent_events', jsonb_build_object('aggregate_type', event.aggregate_type), count(*)
  from public.event_store as event
  where event.id >= private.uuid_v7_floor(now() - interval '5 minutes')
  group by event.aggregate_type
  union all
  select 'whatsapp_recent_deliveries', '{}', count(*)
  from public.whatsapp_deliveries as delivery
  where delivery.id >= private.uuid_v7_floor(now() - interval '5 minutes')
$$;

comment on function private.house_samples is 'How the services are, what the cache saves, which flags are out, and how much comes in.';
grant execute on function private.house_samples to service_role;

create function private.analytics_samples()
returns setof private.metric_sample
language sql
stable
security definer -- claims and marks are for no role to see; only counts leave
set search_path = ''
as $$
  select 'analytics_dirty_days', '{}'::jsonb, count(distinct dirty.day)::double precision from private.analytics_dirty_days as dirty
  union all
  select 'analytics_unjudged_claims', '{}', count(*) from private.analytics_identity_claims
  union all
  select 'analytics_oldest_unmerged_seconds', '{}', coalesce(extract(epoch from now() - min(identity.linked_at)), 0)
  from public.analytics_identities as identity
  where identity.merged_at is null
  union all
  select 'analytics_rejections_last_day', jsonb_build_object('reason', rejection.reason), count(*)
  from public.analytics_rejections as rejection
  where rejection.created_at >= now() - interval '1 day'
  group by rejection.reason
$$;

comment on function private.analytics_samples is 'How far analytics lags, and what it could not take.';
grant execute on function private.analytics_samples to service_role;

create function private.ride_samples()
returns setof private.metric_sample
language sql
stable
security definer -- positions are for no role to see; only counts leave
set search_path = ''
as $$
  select 'drivers_online', jsonb_build_object('vehicle_type', driver.vehicle_type), count(*)::double precision
  from public.drivers as driver
  where driver.is_online
  group by driver.vehicle_type
  union all
  select 'driver_positions', jsonb_build_object('location_type', live.location_type, 'freshness', live.freshness), count(*)
  from (
    select position.location_type, case when position.recorded_at >= now() - interval '2 minutes' then 'live' else 'stale' end as freshness
    from private.driver_positions as position
  ) as live
  group by live.location_type, live.freshness
  union all
  select 'trips_open', jsonb_build_object('status', trip.status, 'vehicle_type', trip.vehicle_type), count(*)
  from public.trips as trip
  where trip.ended_at is null
  group by trip.status, trip.vehicle_type
  union all
  select 'trips_oldest_unanswered_seconds', '{}',
    coalesce(extract(epoch from now() - least(now(), min(greatest(trip.created_at, trip.scheduled_at)))), 0)
  from public.trips as trip
  where trip.ended_at is null and trip.status in ('requested', 'offered')
  union all
  select 'trips_last_hour', jsonb_build_object('status', trip.status, 'vehicle_type', trip.vehicle_type), count(*)
  from public.trips as trip
  where trip.id >= private.uuid_v7_floor(now() - interval '1 hour')
  group by trip.status, trip.vehicle_type
  union all
  select 'trips_stuck', '{}', count(*) from public.stuck_trips
$$;

comment on function private.ride_samples is 'Who is on the road, who waits for a ride, and which rides hang.';
grant execute on function private.ride_samples to service_role;

commit;
