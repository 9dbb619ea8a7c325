begin;

create function private.return_trip(trip public.trips, reason public.trip_cancel_reason)
returns public.trips
language plpgsql
set search_path = ''
as $$
declare
  v_trip public.trips := return_trip.trip;
begin
  update public.trip_offers as offer set status = 'returned'
  where offer.trip_id = v_trip.id and offer.driver_id = v_trip.driver_id;
  v_trip.driver_id := null;
  v_trip.wave := 0;
  v_trip.expires_at := private.trip_offers_end_at(v_trip.scheduled_at);
  v_trip.next_action_at := now();
  return private.move_trip(v_trip, 'requested', 'driver', jsonb_build_object(
    'returned_by', (return_trip.trip).driver_id, 'return_reason', return_trip.reason
  ));
end;
$$;

comment on function private.return_trip is
  'A driver gives a locked trip back before it has begun: what was set aside stays so, and the schedule offers it to the others, also to those for whom this driver was too fast.';

create function private.has_returned_trip(trip_id uuid, driver_id uuid)
returns boolean
language plpgsql
stable
set search_path = ''
as $$
begin
  return exists (
    select from public.trip_offers as offer
    where offer.trip_id = has_returned_trip.trip_id and offer.driver_id = has_returned_trip.driver_id and offer.status = 'returned'
  );
end;
$$;

comment on function private.has_returned_trip is 'Whether that driver had the trip and gave it back.';

create function private.is_returned_by(actor public.trip_actor, trip public.trips, reason public.trip_cancel_reason)
returns boolean
language plpgsql
immutable
set search_path = ''
as $$
begin
  return is_returned_by.actor = 'driver' and (is_returned_by.trip).status in ('accepted', 'arrived')
    -- These are about the rider: another driver would fare no better.
    and is_returned_by.reason not in ('rider_no_show', 'unsafe');
end;
$$;

comment on function private.is_returned_by is 'Whether a cancellation leaves the rider with a wish for a ride: a driver''s, on the way or at the pick-up, for reasons of their own.';

commit;
