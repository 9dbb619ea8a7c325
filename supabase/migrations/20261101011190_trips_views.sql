begin;

create view public.trip_stats
with (security_invoker = true)
as
select
  (trip.created_at at time zone 'Africa/Kigali')::date as day,
  trip.vehicle_type,
  trip.payment_method,
  trip.currency,
  count(*) as requested_count,
  count(*) filter (where trip.status = 'completed') as completed_count,
  count(*) filter (where trip.status = 'cancelled') as cancelled_count,
  count(*) filter (where trip.status = 'expired') as expired_count,
  count(*) filter (where trip.ended_at is null) as open_count,
  count(*) filter (where trip.payment_status = 'failed') as unpaid_count,
  coalesce(sum(trip.amount_due) filter (where trip.payment_status = 'paid'), 0) as paid_amount,
  percentile_cont(0.5) within group (order by extract(epoch from trip.accepted_at - trip.created_at))
    filter (where trip.scheduled_at is null) as median_seconds_to_accept
from public.trips as trip
where trip.id >= private.uuid_v7_floor(now() - interval '30 days')
group by 1, 2, 3, 4;

comment on view public.trip_stats is 'Trips of the last 30 days by day (of Kigali), vehicle and way of paying: how they ended, what was paid, how soon a driver was found.';
grant select on public.trip_stats to service_role;

create view public.stuck_trips
with (security_invoker = true)
as
select
  trip.id as trip_id, trip.status, trip.rider_id, trip.driver_id, trip.payment_status, trip.updated_at,
  failure.work as failed_work, failure.error, failure.failure_count, failure.retry_at
from (
  select slow.id from public.trips as slow
  where slow.status in ('accepted', 'arrived', 'started') and slow.next_action_at is null or slow.payment_status = 'failed'
  union
  select failed.trip_id from public.trip_failures as failed
) as stuck
join public.trips as trip on trip.id = stuck.id
left join public.trip_failures as failure on failure.trip_id = stuck.id;

comment on view public.stuck_trips is
  'Trips that have been under way for too long, ended ones that nobody could be made to pay, and those on which the schedule fails: a row for each failed work.';
grant select on public.stuck_trips to service_role;
create index trips_status_idx on public.trips (status) where status in ('accepted', 'arrived', 'started') or payment_status = 'failed';

commit;
