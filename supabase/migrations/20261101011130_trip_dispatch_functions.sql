begin;

create function private.offer_trip(trip public.trips, driver_ids uuid[], lasts interval)
returns uuid[]
language plpgsql
set search_path = ''
as $$
declare
  v_trip constant public.trips := offer_trip.trip;
  v_ids uuid[];
begin
  with offered as (
    insert into public.trip_offers as stored (trip_id, driver_id, wave, distance_meters, expires_at)
    select
      v_trip.id, driver.profile_id, v_trip.wave,
      round(private.distance_meters(v_trip.pickup_lat, v_trip.pickup_lng, position.lat, position.lng)),
      now() + offer_trip.lasts
    from public.drivers as driver
    left join private.driver_positions as position on position.driver_id = driver.profile_id
    where driver.profile_id = any(offer_trip.driver_ids) and driver.state = 'approved' and driver.is_online
      and driver.vehicle_type = v_trip.vehicle_type and driver.profile_id <> v_trip.rider_id
      and not exists (
        select from public.trips as other where other.driver_id = driver.profile_id and other.status in ('accepted', 'arrived', 'started')
      )
    on conflict on constraint trip_offers_pkey do update set
      wave = excluded.wave, status = 'open', distance_meters = excluded.distance_meters, expires_at = excluded.expires_at, answered_at = null
    where stored.status = 'withdrawn'
    returning stored.driver_id
  )
  select array_agg(offered.driver_id) into v_ids from offered;
  return coalesce(v_ids, '{}');
end;
$$;

comment on function private.offer_trip is
  'Offers a locked trip to those of the drivers who are approved, online, without a trip, of the right vehicle, and have not answered or let pass an offer of it; gives who.';

create function private.dispatch_trip(trip public.trips)
returns public.trips
language plpgsql
set search_path = ''
as $$
declare
  v_trip public.trips := dispatch_trip.trip;
  v_wave public.trip_waves;
  v_ids uuid[];
begin
  update public.trip_offers as offer set status = 'expired', answered_at = now()
  where offer.trip_id = v_trip.id and offer.status = 'open' and offer.expires_at <= now();
  select * into v_wave from public.trip_waves as wave where wave.wave <= v_trip.wave + 1 order by wave.wave desc limit 1;
  v_trip.wave := v_wave.wave;
  v_ids := private.offer_trip(v_trip, array(
    select near.id
    -- More than are needed: those who were asked before, or have a trip, fall out.
    from private.nearby_drivers(
      v_trip.pickup_lat, v_trip.pickup_lng, v_wave.radius_meters, 'driver_' || v_trip.vehicle_type, 100, now() - interval '2 minutes'
    ) as near
    join public.drivers as driver on driver.profile_id = near.id and driver.is_online and driver.profile_id <> v_trip.rider_id
    where not exists (
      select from public.trip_offers as offer
      where offer.trip_id = v_trip.id and offer.driver_id = near.id and offer.status <> 'withdrawn'
    )
      and not exists (
        select from public.trips as other where other.driver_id = near.id and other.status in ('accepted', 'arrived', 'started')
      )
    order by near.distance_meters
    limit v_wave.driver_count
  ), v_wave.lasts);
  -- Nobody there: no use in waiting a whole wave before looking further.
  v_trip.next_action_at := least(v_trip.expires_at, now() + case when v_ids = '{}' then interval '5 seconds' else v_wave.lasts end);
  if v_trip.status = 'requested' and v_ids <> '{}' then
    return private.move_trip(v_trip, 'offered', 'system', jsonb_build_object('driver_ids', v_ids, 'wave', v_wave.wave));
  end if;
  update public.trips as stored set wave = v_trip.wave, next_action_at = v_trip.next_action_at
  where stored.id = v_trip.id
  returning stored.* into v_trip;
  if v_ids <> '{}' then
    perform private.record_trip_event(v_trip, 'offered', jsonb_build_object('driver_ids', v_ids, 'wave', v_wave.wave));
  end if;
  return v_trip;
end;
$$;

comment on function private.dispatch_trip is
  'Offers a locked trip to the next wave of drivers (public.trip_waves), and says when to look again. Unanswered offers of the last wave are over.';

create function private.offer_trip_by_hand(trip_id uuid, driver_ids uuid[])
returns integer
language plpgsql
security definer -- no role may write offers
set search_path = ''
as $$
declare
  v_trip public.trips;
  v_ids uuid[];
  v_actor public.trip_actor := case when private.is_wallet_user() then 'operator' else 'system' end;
begin
  perform private.require_service_or_registered_operator();
  v_trip := private.lock_trip(offer_trip_by_hand.trip_id);
  if v_trip.status <> 'offered' then
    perform private.require_trip_move(v_trip, 'offered', v_actor);
  end if;
  v_ids := private.offer_trip(v_trip, offer_trip_by_hand.driver_ids, interval '1 minute');
  if v_ids = '{}' then
    return 0;
  end if;
  v_trip.next_action_at := least(v_trip.expires_at, now() + interval '1 minute');
  if v_trip.status = 'offered' then
    perform private.record_trip_event(v_trip, 'offered', jsonb_build_object('driver_ids', v_ids));
  else
    perform private.move_trip(v_trip, 'offered', v_actor, jsonb_build_object('driver_ids', v_ids));
  end if;
  return cardinality(v_ids);
end;
$$;

comment on function private.offer_trip_by_hand is 'The work of public.offer_trip(). Refuses: operator_required, trip_not_found, trip_state_conflict.';

create function public.offer_trip(trip_id uuid, driver_ids uuid[])
returns integer
language plpgsql
set search_path = ''
set statement_timeout = '5s'
as $$
begin
  if (cardinality(offer_trip.driver_ids) between 1 and 50) is not true then
    perform private.refuse('invalid_argument');
  end if;
  return private.offer_trip_by_hand(offer_trip.trip_id, offer_trip.driver_ids);
end;
$$;

comment on function public.offer_trip is
  'For registered operators and the service: offers a trip to these drivers for a minute, beside the waves that the schedule sends; says to how many. '
  'Refuses: invalid_argument, operator_required, trip_not_found, trip_state_conflict.';
grant execute on function public.offer_trip, private.offer_trip_by_hand to authenticated, service_role;

create function private.trip_offers_end_at(scheduled_at timestamptz)
returns timestamptz
language plpgsql
stable
set search_path = ''
as $$
begin
  return greatest(now(), trip_offers_end_at.scheduled_at) + interval '5 minutes';
end;
$$;

comment on function private.trip_offers_end_at is 'How long a driver is looked for from now on: five minutes, for a scheduled trip until five minutes after its time.';

create function private.open_trip(trip public.trips)
returns public.trips
language plpgsql
set search_path = ''
as $$
declare
  v_trip public.trips := private.hold_trip_fare(open_trip.trip);
begin
  v_trip.expires_at := private.trip_offers_end_at(v_trip.scheduled_at);
  update public.trips as stored set
    hold_id = v_trip.hold_id, payment_status = v_trip.payment_status, expires_at = v_trip.expires_at
  where stored.id = v_trip.id
  returning stored.* into v_trip;
  return v_trip;
end;
$$;

comment on function private.open_trip is 'Sets the fare of a trip aside and lets it be offered.';

commit;
