begin;

create function private.quote_trip(
  pickup_lat double precision,
  pickup_lng double precision,
  dropoff_lat double precision,
  dropoff_lng double precision,
  vehicle_type text
)
returns jsonb
language plpgsql
stable
set search_path = ''
as $$
declare
  v_tariff public.trip_tariffs;
  v_meters numeric;
  v_seconds numeric;
begin
  select * into v_tariff from public.trip_tariffs as tariff where tariff.vehicle_type = quote_trip.vehicle_type;
  if not found or not private.is_coordinate(quote_trip.pickup_lat, quote_trip.pickup_lng)
    or not private.is_coordinate(quote_trip.dropoff_lat, quote_trip.dropoff_lng)
  then
    perform private.refuse('invalid_argument');
  end if;
  v_meters := round(private.distance_meters(
    quote_trip.pickup_lat, quote_trip.pickup_lng, quote_trip.dropoff_lat, quote_trip.dropoff_lng
  )::numeric * v_tariff.detour_percent / 100);
  if v_meters > 500000 then
    perform private.refuse('invalid_argument', '{"argument": "dropoff", "range": "within 500 km by road"}');
  end if;
  v_seconds := round(v_meters * 3.6 / v_tariff.speed_kmh);
  return jsonb_build_object(
    'vehicle_type', v_tariff.vehicle_type,
    'quoted_meters', v_meters,
    'quoted_seconds', v_seconds,
    'currency', v_tariff.currency,
    -- Rounded once, at the end: to the nearest minor unit, half away from zero.
    'fare_amount', greatest(v_tariff.minimum_amount, round(
      v_tariff.base_amount + v_tariff.amount_per_km * v_meters / 1000 + v_tariff.amount_per_minute * v_seconds / 60
    ))
  );
end;
$$;

comment on function private.quote_trip is 'The work of public.quote_trip(). Refuses: invalid_argument.';

create function public.quote_trip(
  pickup_lat double precision,
  pickup_lng double precision,
  dropoff_lat double precision,
  dropoff_lng double precision,
  vehicle_type text
)
returns jsonb
language plpgsql
stable
set search_path = ''
set statement_timeout = '2s'
as $$
begin
  return private.quote_trip(
    quote_trip.pickup_lat, quote_trip.pickup_lng, quote_trip.dropoff_lat, quote_trip.dropoff_lng, quote_trip.vehicle_type
  );
end;
$$;

comment on function public.quote_trip is
  'What a ride would cost if it were requested now: distance and time by the great circle and the tariff''s detour and speed. Refuses: invalid_argument.';
grant execute on function public.quote_trip, private.quote_trip to authenticated, service_role;

create function private.lock_trip(trip_id uuid)
returns public.trips
language plpgsql
set search_path = ''
as $$
declare
  v_trip public.trips;
begin
  select * into v_trip from public.trips as trip where trip.id = lock_trip.trip_id for no key update;
  if not found then
    perform private.refuse('trip_not_found');
  end if;
  perform private.continue_correlation(v_trip.correlation_id);
  return v_trip;
end;
$$;

comment on function private.lock_trip is
  'First line of every move. Locks go in this order: the trip, the driver, wallets, events. Refuses: trip_not_found.';

create function private.trip_actor_of(trip public.trips, named_id uuid)
returns public.trip_actor
language plpgsql
stable
set search_path = ''
as $$
declare
  v_id constant uuid := case when private.is_wallet_user() and private.is_operator() then null
    when private.is_wallet_user() then private.acting_profile(trip_actor_of.named_id) else trip_actor_of.named_id end;
begin
  if private.is_wallet_user() and private.is_operator() then
    perform private.require_registered_operator();
    return 'operator';
  end if;
  return case
    when v_id is null then 'system'::public.trip_actor
    when v_id = (trip_actor_of.trip).rider_id then 'rider'
    when v_id = (trip_actor_of.trip).driver_id then 'driver'
  end;
end;
$$;

comment on function private.trip_actor_of is
  'What the asking person is to a trip; null: nothing. The service that names nobody is the system. Refuses: operator_required, profile_not_found.';

create function private.record_trip_event(trip public.trips, event_name text, facts jsonb default '{}')
returns void
language plpgsql
set search_path = ''
as $$
declare
  v_trip constant public.trips := record_trip_event.trip;
begin
  perform private.record_events(array[row(
    'trip', v_trip.id::text, 'trip.' || record_trip_event.event_name,
    jsonb_build_object(
      'trip_id', v_trip.id, 'status', v_trip.status, 'rider_id', v_trip.rider_id, 'driver_id', v_trip.driver_id,
      'vehicle_type', v_trip.vehicle_type, 'payment_method', v_trip.payment_method, 'payment_status', v_trip.payment_status,
      'fare_amount', v_trip.fare_amount, 'amount_due', v_trip.amount_due, 'currency', v_trip.currency,
      'cancelled_by', v_trip.cancelled_by, 'cancel_reason', v_trip.cancel_reason
    ) || record_trip_event.facts,
    null, null, v_trip.correlation_id, null, null
  )::private.new_event]);
end;
$$;

comment on function private.record_trip_event is 'Tells of a trip: ids and facts, neither places nor names. Comes last, as event streams are locked last.';

create function private.move_trip(trip public.trips, to_status public.trip_status, actor public.trip_actor, facts jsonb default '{}')
returns public.trips
language plpgsql
set search_path = ''
as $$
declare
  v_new constant public.trips := move_trip.trip;
  v_trip public.trips;
  v_is_returned constant boolean := v_new.status in ('accepted', 'arrived') and move_trip.to_status = 'requested';
begin
  perform private.require_trip_move(v_new, move_trip.to_status, move_trip.actor);
  update public.trips as stored set
    status = move_trip.to_status,
    driver_id = v_new.driver_id,
    driven_meters = v_new.driven_meters,
    payment_status = v_new.payment_status,
    amount_due = v_new.amount_due,
    hold_id = v_new.hold_id,
    wave = v_new.wave,
    expires_at = v_new.expires_at,
    next_action_at = v_new.next_action_at,
    cancelled_by = v_new.cancelled_by,
    cancel_reason = v_new.cancel_reason,
    accepted_at = case move_trip.to_status when 'accepted' then now() when 'requested' then null else stored.accepted_at end,
    arrived_at = case move_trip.to_status when 'arrived' then now() when 'requested' then null else stored.arrived_at end,
    started_at = case move_trip.to_status when 'started' then now() else stored.started_at end,
    ended_at = case when move_trip.to_status in ('completed', 'cancelled', 'expired') then now() end
  where stored.id = v_new.id
  returning stored.* into v_trip;
  -- What moves is not stuck.
  perform private.forget_trip_failures(array[v_trip.id], 'tend');
  if v_trip.ended_at is not null then
    perform private.withdraw_trip_offers(v_trip.id);
  end if;
  -- It was requested once.
  perform private.record_trip_event(v_trip, case when v_is_returned then 'returned' else v_trip.status::text end, move_trip.facts);
  return v_trip;
end;
$$;

comment on function private.move_trip is
  'The only writer of a trip''s status: takes the locked row with what changes beside it, and tells of it. Refuses: trip_state_conflict.';

create function private.require_trip_move(trip public.trips, to_status public.trip_status, actor public.trip_actor)
returns void
language plpgsql
stable
set search_path = ''
as $$
begin
  if not exists (
    select from public.trip_moves as move
    where move.from_status = (require_trip_move.trip).status and move.to_status = require_trip_move.to_status
      and require_trip_move.actor = any(move.actors)
  ) then
    perform private.refuse('trip_state_conflict', jsonb_build_object(
      'from', (require_trip_move.trip).status, 'to', require_trip_move.to_status, 'actor', require_trip_move.actor
    ));
  end if;
end;
$$;

comment on function private.require_trip_move is 'Whether public.trip_moves has this move for this actor. Refuses: trip_state_conflict.';

create function private.withdraw_trip_offers(trip_id uuid)
returns void
language plpgsql
set search_path = ''
as $$
begin
  update public.trip_offers as offer set
    status = case when offer.expires_at <= now() then 'expired'::public.trip_offer_status else 'withdrawn' end,
    answered_at = now()
  where offer.trip_id = withdraw_trip_offers.trip_id and offer.status = 'open';
end;
$$;

comment on function private.withdraw_trip_offers is 'Ends the open offers of a trip that is locked.';

create function private.trip_person(profile_id uuid, is_reachable boolean)
returns jsonb
language plpgsql
stable
set search_path = ''
as $$
begin
  return (
    select jsonb_build_object(
      'id', profile.id,
      'first_name', split_part(profile.full_name, ' ', 1),
      'phone', case when trip_person.is_reachable then profile.phone end
    )
    from public.profiles as profile
    where profile.id = trip_person.profile_id
  );
end;
$$;

comment on function private.trip_person is 'Somebody as the other side of a trip sees them: a first name, and while they must find each other a number.';

create function private.trip_answer(trip public.trips, actor public.trip_actor)
returns jsonb
language plpgsql
stable
security definer -- shows of the other side what the trip needs, and no more
set search_path = ''
as $$
declare
  v_trip constant public.trips := trip_answer.trip;
  v_is_running constant boolean := v_trip.status in ('accepted', 'arrived', 'started');
  -- A driver keeps no exact addresses of riders once the ride is over.
  v_digits constant integer := case when trip_answer.actor = 'driver' and not v_is_running then 2 else 7 end;
begin
  return jsonb_build_object(
    'id', v_trip.id, 'status', v_trip.status, 'vehicle_type', v_trip.vehicle_type,
    'pickup', jsonb_build_object(
      'lat', round(v_trip.pickup_lat::numeric, v_digits), 'lng', round(v_trip.pickup_lng::numeric, v_digits),
      'label', case when v_digits > 2 then v_trip.pickup_label end
    ),
    'dropoff', jsonb_build_object(
      'lat', round(v_trip.dropoff_lat::numeric, v_digits), 'lng', round(v_trip.dropoff_lng::numeric, v_digits),
      'label', case when v_digits > 2 then v_trip.dropoff_label end
    ),
    'quoted_meters', v_trip.quoted_meters, 'quoted_seconds', v_trip.quoted_seconds, 'driven_meters', v_trip.driven_meters,
    'currency', v_trip.currency, 'fare_amount', v_trip.fare_amount, 'amount_due', v_trip.amount_due,
    'payment_method', v_trip.payment_method, 'payment_status', v_trip.payment_status,
    'transaction_id', case when trip_answer.actor <> 'driver' then v_trip.transaction_id end,
    'commission_amount', case when trip_answer.actor <> 'rider' then private.trip_commission(v_trip, v_trip.fare_amount) end,
    'series_id', v_trip.series_id, 'scheduled_at', v_trip.scheduled_at, 'expires_at', v_trip.expires_at,
    'created_at', v_trip.created_at, 'accepted_at', v_trip.accepted_at, 'arrived_at', v_trip.arrived_at,
    'started_at', v_trip.started_at, 'ended_at', v_trip.ended_at,
    'cancelled_by', v_trip.cancelled_by, 'cancel_reason', v_trip.cancel_reason
  ) || jsonb_build_object(
    'rider', case when trip_answer.actor <> 'rider' then private.trip_person(v_trip.rider_id, v_is_running) end,
    'driver', case when trip_answer.actor <> 'driver' then private.trip_person(v_trip.driver_id, v_is_running) || (
      select jsonb_build_object(
        'vehicle_type', driver.vehicle_type, 'plate', driver.plate,
        'rating', round(driver.rating_sum::numeric / nullif(driver.rating_count, 0), 2)
      )
      from public.drivers as driver where driver.profile_id = v_trip.driver_id
    ) end,
    'driver_position', case when v_is_running and trip_answer.actor <> 'driver' then (
      select jsonb_build_object('lat', position.lat, 'lng', position.lng, 'heading', position.heading, 'recorded_at', position.recorded_at)
      from private.driver_positions as position where position.driver_id = v_trip.driver_id
    ) end
  );
end;
$$;

comment on function private.trip_answer is 'A trip as one side may see it: numbers and the driver''s place only while it runs.';

create function private.trip_commission(trip public.trips, amount bigint)
returns bigint
language plpgsql
immutable
set search_path = ''
as $$
begin
  return round(trip_commission.amount::numeric * (trip_commission.trip).commission_basis_points / 10000);
end;
$$;

comment on function private.trip_commission is 'Our share of what a rider pays: to the nearest minor unit, half away from zero.';

commit;
