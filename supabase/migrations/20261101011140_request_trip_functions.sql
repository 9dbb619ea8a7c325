begin;

create function private.next_trip_time(at timestamptz, recurrence public.trip_recurrence)
returns timestamptz
language plpgsql
immutable
set search_path = ''
as $$
declare
  v_local timestamp := next_trip_time.at at time zone 'Africa/Kigali';
begin
  loop
    v_local := v_local + interval '1 day';
    exit when next_trip_time.recurrence = 'daily' or extract(isodow from v_local) <= 5;
  end loop;
  return v_local at time zone 'Africa/Kigali';
end;
$$;

comment on function private.next_trip_time is 'The next time of a trip that comes again: the same hour in Kigali, of the next day or the next weekday.';

create function private.insert_trip(trip public.trips)
returns public.trips
language plpgsql
set search_path = ''
as $$
declare
  v_trip public.trips := insert_trip.trip;
  v_tariff public.trip_tariffs;
begin
  v_trip := jsonb_populate_record(v_trip, private.quote_trip(
    v_trip.pickup_lat, v_trip.pickup_lng, v_trip.dropoff_lat, v_trip.dropoff_lng, v_trip.vehicle_type
  ));
  select * into strict v_tariff from public.trip_tariffs as tariff where tariff.vehicle_type = v_trip.vehicle_type;
  insert into public.trips as stored (
    rider_id, request_key, status, vehicle_type, pickup_lat, pickup_lng, pickup_label, dropoff_lat, dropoff_lng, dropoff_label,
    quoted_meters, quoted_seconds, currency, fare_amount, commission_basis_points, cancellation_amount, free_cancellation, no_show_wait,
    payment_method, series_id, scheduled_at, next_action_at
  ) values (
    v_trip.rider_id, v_trip.request_key, case when v_trip.scheduled_at is null then 'requested'::public.trip_status else 'scheduled' end,
    v_trip.vehicle_type, v_trip.pickup_lat, v_trip.pickup_lng, v_trip.pickup_label, v_trip.dropoff_lat, v_trip.dropoff_lng,
    v_trip.dropoff_label, v_trip.quoted_meters, v_trip.quoted_seconds, v_trip.currency, v_trip.fare_amount,
    v_tariff.commission_basis_points, least(v_tariff.cancellation_amount, v_trip.fare_amount), v_tariff.free_cancellation,
    v_tariff.no_show_wait, v_trip.payment_method, v_trip.series_id, v_trip.scheduled_at,
    -- Ten minutes before its time a driver is looked for.
    v_trip.scheduled_at - interval '10 minutes'
  )
  on conflict do nothing
  returning stored.* into v_trip;
  return v_trip;
end;
$$;

comment on function private.insert_trip is 'Writes a new trip with its quote and the rules of the tariff; null if there is one of that key, or of that time in its series.';

create function private.require_room_for_trip(rider_id uuid, is_scheduled boolean)
returns void
language plpgsql
set search_path = ''
as $$
declare
  v_most constant integer := case when require_room_for_trip.is_scheduled then 20 else 3 end;
begin
  -- Requests of one rider queue here, so that none slips past the count. Before all other locks.
  perform from public.profiles as profile where profile.id = require_room_for_trip.rider_id for no key update;
  if v_most <= (
    select count(*) from public.trips as trip
    where trip.rider_id = require_room_for_trip.rider_id and trip.ended_at is null
      and (trip.status = 'scheduled') = require_room_for_trip.is_scheduled
  ) then
    perform private.refuse('too_many_trips', jsonb_build_object('most', v_most));
  end if;
end;
$$;

comment on function private.require_room_for_trip is
  'A rider may have several open trips, as a moto takes one of a family only, and each fare by wallet is held: three that are asked for or under way, and twenty for later. '
  'More would keep drivers from others. Refuses: too_many_trips.';

create function private.run_request_trip(request jsonb)
returns jsonb
language plpgsql
set search_path = ''
as $$
declare
  v_request constant jsonb := run_request_trip.request;
  v_trip public.trips;
begin
  select * into v_trip from public.trips as known
  where known.rider_id = (v_request ->> 'rider_id')::uuid and known.request_key = v_request ->> 'request_key';
  if found then
    return private.trip_answer(v_trip, 'rider');
  end if;
  perform private.require_room_for_trip((v_request ->> 'rider_id')::uuid, v_request ->> 'scheduled_at' is not null);
  v_trip := private.insert_trip(jsonb_populate_record(null::public.trips, v_request));
  if v_trip.id is null then
    perform private.refuse('idempotency_key_in_use', '{"retry_after": 1}');
  end if;
  if v_request ->> 'recurrence' <> 'none' then
    with series as (
      insert into public.trip_series (rider_id, first_trip_id, recurrence, next_at)
      values (
        v_trip.rider_id, v_trip.id, (v_request ->> 'recurrence')::public.trip_recurrence,
        private.next_trip_time(v_trip.scheduled_at, (v_request ->> 'recurrence')::public.trip_recurrence)
      )
      returning id
    )
    update public.trips as stored set series_id = series.id from series where stored.id = v_trip.id returning stored.* into v_trip;
  end if;
  if v_trip.status = 'scheduled' then
    perform private.record_trip_event(v_trip, 'scheduled');
    return private.trip_answer(v_trip, 'rider');
  end if;
  v_trip := private.open_trip(v_trip);
  perform private.record_trip_event(v_trip, 'requested');
  return private.trip_answer(private.dispatch_trip(v_trip), 'rider');
end;
$$;

comment on function private.run_request_trip is 'The work of public.request_trip(). Refuses: as private.hold_wallet_funds() does, too_many_trips, idempotency_key_in_use.';

create function private.request_trip(idempotency_key text, rider_id uuid, request jsonb)
returns jsonb
language plpgsql
security definer -- no role may write trips
set search_path = ''
as $$
begin
  return private.idempotent(
    'request_trip',
    request_trip.idempotency_key,
    request_trip.request || jsonb_build_object(
      'rider_id', private.acting_profile(request_trip.rider_id), 'request_key', request_trip.idempotency_key
    ),
    'private.run_request_trip(jsonb)'
  );
end;
$$;

comment on function private.request_trip is 'The work of public.request_trip(). Refuses: profile_not_found, and as private.idempotent().';

create function public.request_trip(
  pickup_lat double precision,
  pickup_lng double precision,
  dropoff_lat double precision,
  dropoff_lng double precision,
  vehicle_type text,
  payment_method public.trip_payment_method,
  idempotency_key text,
  pickup_label text default null,
  dropoff_label text default null,
  scheduled_at timestamptz default null,
  recurrence public.trip_recurrence default 'none',
  rider_id uuid default null
)
returns jsonb
language plpgsql
set search_path = ''
set statement_timeout = '5s'
as $$
begin
  if (
    request_trip.payment_method is not null and request_trip.recurrence is not null
    and length(coalesce(request_trip.pickup_label, '')) <= 200 and length(coalesce(request_trip.dropoff_label, '')) <= 200
    and coalesce(request_trip.scheduled_at between now() and now() + interval '30 days', request_trip.recurrence = 'none')
  ) is not true then
    perform private.refuse('invalid_argument');
  end if;
  perform private.quote_trip(
    request_trip.pickup_lat, request_trip.pickup_lng, request_trip.dropoff_lat, request_trip.dropoff_lng, request_trip.vehicle_type
  );
  return private.request_trip(request_trip.idempotency_key, request_trip.rider_id, jsonb_build_object(
    'pickup_lat', request_trip.pickup_lat, 'pickup_lng', request_trip.pickup_lng, 'pickup_label', request_trip.pickup_label,
    'dropoff_lat', request_trip.dropoff_lat, 'dropoff_lng', request_trip.dropoff_lng, 'dropoff_label', request_trip.dropoff_label,
    'vehicle_type', request_trip.vehicle_type, 'payment_method', request_trip.payment_method,
    'scheduled_at', request_trip.scheduled_at, 'recurrence', request_trip.recurrence
  ));
end;
$$;

comment on function public.request_trip is
  'Asks for a ride, now or up to 30 days ahead, once or again and again. The quote is kept; by wallet it is set aside when drivers are asked, which is at once or ten minutes '
  'before the time. A rider may have three open trips, and twenty for later. The same key again gives the same answer. The service names the rider. '
  'Refuses: invalid_argument, profile_not_found, wallet_account_not_found, wallet_account_closed, wallet_account_frozen, insufficient_funds, wallet_limit_exceeded, too_many_trips, '
  'idempotency_key_missing, idempotency_key_in_use, idempotency_key_reused.';
grant execute on function public.request_trip, private.request_trip to authenticated, service_role;

create function private.end_trip_series(series_id uuid, rider_id uuid)
returns boolean
language plpgsql
security definer -- no role may write series
set search_path = ''
as $$
declare
  v_first_trip_id uuid;
begin
  update public.trip_series as series set ended_at = now()
  where series.id = end_trip_series.series_id and series.rider_id = private.acting_profile(end_trip_series.rider_id) and series.ended_at is null
  returning series.first_trip_id into v_first_trip_id;
  perform private.forget_trip_failures(array[v_first_trip_id], 'repeat');
  return v_first_trip_id is not null;
end;
$$;

comment on function private.end_trip_series is 'The work of public.end_trip_series(). Refuses: profile_not_found.';

create function public.end_trip_series(series_id uuid, rider_id uuid default null)
returns boolean
language plpgsql
set search_path = ''
set statement_timeout = '2s'
as $$
begin
  return private.end_trip_series(end_trip_series.series_id, end_trip_series.rider_id);
end;
$$;

comment on function public.end_trip_series is
  'No more trips of one''s own series are made; says whether there was one. Those that are made already are cancelled one by one. Refuses: profile_not_found.';
grant execute on function public.end_trip_series, private.end_trip_series to authenticated, service_role;

commit;
