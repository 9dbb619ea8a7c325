begin;

create function private.rate_trip(trip_id uuid, stars integer, comment text, actor_id uuid)
returns jsonb
language plpgsql
security definer -- no role may write ratings
set search_path = ''
as $$
declare
  v_trip public.trips := private.lock_trip(rate_trip.trip_id);
  v_actor constant public.trip_actor := private.trip_actor_of(v_trip, private.acting_profile(rate_trip.actor_id));
begin
  if v_actor is null or v_actor not in ('rider', 'driver') then
    perform private.refuse('trip_not_found');
  end if;
  if v_trip.status <> 'completed' then
    perform private.refuse('trip_state_conflict', jsonb_build_object('status', v_trip.status));
  end if;
  insert into public.trip_ratings (trip_id, rated_by, stars, comment)
  values (v_trip.id, v_actor, rate_trip.stars, rate_trip.comment)
  on conflict on constraint trip_ratings_pkey do nothing;
  if not found then
    perform private.refuse('trip_rated');
  end if;
  if v_actor = 'rider' then
    update public.drivers as driver set rating_count = driver.rating_count + 1, rating_sum = driver.rating_sum + rate_trip.stars
    where driver.profile_id = v_trip.driver_id;
  end if;
  perform private.record_trip_event(v_trip, 'rated', jsonb_build_object('rated_by', v_actor, 'stars', rate_trip.stars));
  return private.trip_answer(v_trip, v_actor);
end;
$$;

comment on function private.rate_trip is 'The work of public.rate_trip(). Refuses: profile_not_found, operator_required, trip_not_found, trip_state_conflict, trip_rated.';

create function public.rate_trip(trip_id uuid, stars integer, comment text default null, actor_id uuid default null)
returns jsonb
language plpgsql
set search_path = ''
set statement_timeout = '5s'
as $$
begin
  if (rate_trip.stars between 1 and 5 and length(coalesce(rate_trip.comment, '')) <= 500) is not true then
    perform private.refuse('invalid_argument');
  end if;
  return private.rate_trip(rate_trip.trip_id, rate_trip.stars, rate_trip.comment, rate_trip.actor_id);
end;
$$;

comment on function public.rate_trip is
  'Rider and driver rate a completed trip with one to five stars, once each. The service names the person. '
  'Refuses: invalid_argument, profile_not_found, trip_not_found, trip_state_conflict, trip_rated.';
grant execute on function public.rate_trip, private.rate_trip to authenticated, service_role;

create function private.get_trip(trip_id uuid, actor_id uuid)
returns jsonb
language plpgsql
stable
security definer -- shows drivers of a trip what the table does not
set search_path = ''
as $$
declare
  v_trip public.trips;
  v_actor public.trip_actor;
begin
  select * into v_trip from public.trips as trip where trip.id = get_trip.trip_id;
  if found then
    v_actor := case when private.is_operator() then 'operator' else private.trip_actor_of(v_trip, get_trip.actor_id) end;
  end if;
  if v_actor is null then
    perform private.refuse('trip_not_found');
  end if;
  return private.trip_answer(v_trip, v_actor);
end;
$$;

comment on function private.get_trip is 'The work of public.get_trip(). Refuses: profile_not_found, trip_not_found.';

create function public.get_trip(trip_id uuid, actor_id uuid default null)
returns jsonb
language plpgsql
stable
set search_path = ''
set statement_timeout = '2s'
as $$
begin
  return private.get_trip(get_trip.trip_id, get_trip.actor_id);
end;
$$;

comment on function public.get_trip is
  'A trip as its rider, its driver or an operator may see it; the service names for whom, or sees all. Refuses: profile_not_found, trip_not_found.';
grant execute on function public.get_trip, private.get_trip to authenticated, service_role;

create function private.list_trips(before_id uuid, max_count integer, actor_id uuid)
returns setof jsonb
language plpgsql
stable
security definer -- as private.get_trip()
set search_path = ''
as $$
declare
  v_is_operator constant boolean := private.is_operator();
  v_id constant uuid := case when v_is_operator then list_trips.actor_id else private.acting_profile(list_trips.actor_id) end;
begin
  return query
  select private.trip_answer(trip, case when v_is_operator then 'operator' when trip.rider_id = v_id then 'rider' else 'driver' end::public.trip_actor)
  from (
    (
      select * from public.trips as own
      where own.rider_id = v_id and own.id < list_trips.before_id order by own.id desc limit list_trips.max_count
    )
    union all
    (
      select * from public.trips as driven
      where driven.driver_id = v_id and driven.id < list_trips.before_id order by driven.id desc limit list_trips.max_count
    )
    union all
    (
      select * from public.trips as known
      where v_is_operator and v_id is null and known.id < list_trips.before_id order by known.id desc limit list_trips.max_count
    )
  ) as trip
  order by trip.id desc
  limit list_trips.max_count;
end;
$$;

comment on function private.list_trips is 'The work of public.list_trips(). Refuses: profile_not_found.';

create function public.list_trips(before_id uuid default null, max_count integer default 20, actor_id uuid default null)
returns setof jsonb
language plpgsql
stable
set search_path = ''
set statement_timeout = '2s'
as $$
begin
  if (list_trips.max_count between 1 and 100) is not true then
    perform private.refuse('invalid_argument', '{"argument": "max_count", "range": "1..100"}');
  end if;
  return query select * from private.list_trips(
    coalesce(list_trips.before_id, 'ffffffff-ffff-ffff-ffff-ffffffffffff'), list_trips.max_count, list_trips.actor_id
  );
end;
$$;

comment on function public.list_trips is
  'One''s own trips, ridden and driven, the newest first; for operators everybody''s, or one person''s. The service names the person. Refuses: invalid_argument, profile_not_found.';
grant execute on function public.list_trips, private.list_trips to authenticated, service_role;

create function private.list_trip_offers(driver_id uuid)
returns setof jsonb
language plpgsql
stable
security definer -- shows of trips what a driver needs to decide
set search_path = ''
as $$
declare
  v_driver_id constant uuid := private.acting_profile(list_trip_offers.driver_id);
begin
  return query
  select jsonb_build_object(
    'trip_id', trip.id, 'distance_meters', offer.distance_meters, 'expires_at', offer.expires_at,
    'fare_amount', trip.fare_amount, 'commission_amount', private.trip_commission(trip, trip.fare_amount), 'currency', trip.currency,
    'payment_method', trip.payment_method, 'quoted_meters', trip.quoted_meters, 'scheduled_at', trip.scheduled_at,
    -- To about a kilometre: whose door it is shows when the trip is taken.
    'pickup', jsonb_build_object('lat', round(trip.pickup_lat::numeric, 2), 'lng', round(trip.pickup_lng::numeric, 2)),
    'dropoff', jsonb_build_object('lat', round(trip.dropoff_lat::numeric, 2), 'lng', round(trip.dropoff_lng::numeric, 2))
  )
  from public.trip_offers as offer
  join public.trips as trip on trip.id = offer.trip_id
  where offer.driver_id = v_driver_id and offer.status = 'open' and offer.expires_at > now() and trip.status = 'offered'
    -- No offer is older than a trip can be on offer; a trip scheduled long ago has an old id.
    and offer.trip_id >= private.uuid_v7_floor(now() - interval '31 days')
  order by offer.distance_meters nulls last, trip.id
  limit 20;
end;
$$;

comment on function private.list_trip_offers is 'The work of public.list_trip_offers(). Refuses: profile_not_found.';

create function public.list_trip_offers(driver_id uuid default null)
returns setof jsonb
language plpgsql
stable
set search_path = ''
set statement_timeout = '2s'
as $$
begin
  return query select * from private.list_trip_offers(list_trip_offers.driver_id);
end;
$$;

comment on function public.list_trip_offers is
  'What a driver may accept now, the nearest first: how far, how much, and about where. The service names the driver. Refuses: profile_not_found.';
grant execute on function public.list_trip_offers, private.list_trip_offers to authenticated, service_role;

create function private.find_nearby_drivers(
  lat double precision, lng double precision, vehicle_type text, radius_meters double precision, max_count integer
)
returns setof jsonb
language plpgsql
stable
security definer -- positions are readable by functions only; here without names and rounded
set search_path = ''
as $$
begin
  return query
  select jsonb_build_object(
    'vehicle_type', driver.vehicle_type, 'distance_meters', round(near.distance_meters / 100) * 100,
    'lat', round(near.lat::numeric, 3), 'lng', round(near.lng::numeric, 3)
  )
  from private.nearby_drivers(
    find_nearby_drivers.lat, find_nearby_drivers.lng, find_nearby_drivers.radius_meters, 'driver_' || find_nearby_drivers.vehicle_type,
    find_nearby_drivers.max_count, now() - interval '2 minutes'
  ) as near
  join public.drivers as driver on driver.profile_id = near.id and driver.is_online
  where not exists (
    select from public.trips as other where other.driver_id = near.id and other.status in ('accepted', 'arrived', 'started')
  )
  order by near.distance_meters;
end;
$$;

comment on function private.find_nearby_drivers is 'The work of public.find_nearby_drivers().';

create function public.find_nearby_drivers(
  lat double precision,
  lng double precision,
  vehicle_type text,
  radius_meters double precision default 3000,
  max_count integer default 10
)
returns setof jsonb
language plpgsql
stable
set search_path = ''
set statement_timeout = '2s'
as $$
begin
  if (
    private.is_coordinate(find_nearby_drivers.lat, find_nearby_drivers.lng) and find_nearby_drivers.vehicle_type is not null
    and find_nearby_drivers.radius_meters between 1 and 20000 and find_nearby_drivers.max_count between 1 and 50
  ) is not true then
    perform private.refuse('invalid_argument');
  end if;
  return query select * from private.find_nearby_drivers(
    find_nearby_drivers.lat, find_nearby_drivers.lng, find_nearby_drivers.vehicle_type, find_nearby_drivers.radius_meters,
    find_nearby_drivers.max_count
  );
end;
$$;

comment on function public.find_nearby_drivers is
  'Free drivers around a place, the nearest first: about where and how far, not who. Refuses: invalid_argument.';
grant execute on function public.find_nearby_drivers, private.find_nearby_drivers to authenticated, service_role;

commit;
