begin;

create function private.accept_trip(trip_id uuid, driver_id uuid)
returns jsonb
language plpgsql
security definer -- no role may write trips
set search_path = ''
as $$
declare
  v_driver_id constant uuid := private.acting_profile(accept_trip.driver_id);
  v_trip public.trips := private.lock_trip(accept_trip.trip_id);
  v_driver public.drivers;
begin
  if v_trip.driver_id = v_driver_id and v_trip.status = 'accepted' then
    return private.trip_answer(v_trip, 'driver');
  end if;
  if v_trip.driver_id is not null then
    perform private.refuse('trip_taken');
  end if;
  select * into v_driver from public.drivers as driver where driver.profile_id = v_driver_id for no key update;
  if v_driver.state is distinct from 'approved' then
    perform private.refuse('driver_not_approved');
  end if;
  if exists (
    select from public.trips as other where other.driver_id = v_driver_id and other.status in ('accepted', 'arrived', 'started')
  ) then
    perform private.refuse('driver_busy');
  end if;
  perform private.require_trip_move(v_trip, 'accepted', 'driver');
  update public.trip_offers as offer set status = 'accepted', answered_at = now()
  where offer.trip_id = v_trip.id and offer.driver_id = v_driver_id and offer.status = 'open'
    and offer.expires_at > now() and v_trip.expires_at > now();
  if not found then
    perform private.refuse('trip_offer_over');
  end if;
  perform private.withdraw_trip_offers(v_trip.id);
  v_trip.driver_id := v_driver_id;
  -- When it is reported as stuck.
  v_trip.next_action_at := now() + interval '2 hours';
  return private.trip_answer(private.move_trip(v_trip, 'accepted', 'driver'), 'driver');
end;
$$;

comment on function private.accept_trip is
  'The work of public.accept_trip(). Drivers queue for the trip''s row and the first wins; a driver''s own row keeps two trips from one driver. '
  'Refuses: profile_not_found, trip_not_found, trip_taken, driver_not_approved, driver_busy, trip_state_conflict, trip_offer_over.';

create function public.accept_trip(trip_id uuid, driver_id uuid default null)
returns jsonb
language plpgsql
set search_path = ''
set statement_timeout = '5s'
as $$
begin
  return private.accept_trip(accept_trip.trip_id, accept_trip.driver_id);
end;
$$;

comment on function public.accept_trip is
  'A driver takes a trip that is offered: one of them, who has no other. The winner may repeat it. The service names the driver. '
  'Refuses: profile_not_found, trip_not_found, trip_taken, driver_not_approved, driver_busy, trip_state_conflict, trip_offer_over.';
grant execute on function public.accept_trip, private.accept_trip to authenticated, service_role;

create function private.decline_trip(trip_id uuid, driver_id uuid)
returns boolean
language plpgsql
security definer -- no role may write offers
set search_path = ''
as $$
declare
  v_driver_id constant uuid := private.acting_profile(decline_trip.driver_id);
  v_trip public.trips := private.lock_trip(decline_trip.trip_id);
begin
  update public.trip_offers as offer set status = 'declined', answered_at = now()
  where offer.trip_id = v_trip.id and offer.driver_id = v_driver_id and offer.status = 'open';
  if not found then
    if exists (
      select from public.trip_offers as offer
      where offer.trip_id = v_trip.id and offer.driver_id = v_driver_id and offer.status = 'declined'
    ) then
      return false;
    end if;
    perform private.refuse('trip_offer_over');
  end if;
  if not exists (select from public.trip_offers as offer where offer.trip_id = v_trip.id and offer.status = 'open') then
    update public.trips as stored set next_action_at = now() where stored.id = v_trip.id;
  end if;
  perform private.record_trip_event(v_trip, 'declined', jsonb_build_object('declined_by', v_driver_id));
  return true;
end;
$$;

comment on function private.decline_trip is 'The work of public.decline_trip(). Refuses: profile_not_found, trip_not_found, trip_offer_over.';

create function public.decline_trip(trip_id uuid, driver_id uuid default null)
returns boolean
language plpgsql
set search_path = ''
set statement_timeout = '5s'
as $$
begin
  return private.decline_trip(decline_trip.trip_id, decline_trip.driver_id);
end;
$$;

comment on function public.decline_trip is
  'A driver does not want a trip; when nobody is left to answer, the next wave goes out. False: it was declined before. The service names the driver. '
  'Refuses: profile_not_found, trip_not_found, trip_offer_over.';
grant execute on function public.decline_trip, private.decline_trip to authenticated, service_role;

create function private.drive_trip(trip_id uuid, driver_id uuid, to_status public.trip_status)
returns jsonb
language plpgsql
security definer -- no role may write trips
set search_path = ''
as $$
declare
  v_trip public.trips := private.lock_trip(drive_trip.trip_id);
  v_actor constant public.trip_actor := private.trip_actor_of(v_trip, private.acting_profile(drive_trip.driver_id));
begin
  if v_actor is distinct from 'driver' then
    perform private.refuse('trip_not_found');
  end if;
  if v_trip.status = drive_trip.to_status then
    return private.trip_answer(v_trip, 'driver');
  end if;
  v_trip.next_action_at := now() + case drive_trip.to_status when 'started' then interval '6 hours' else interval '2 hours' end;
  return private.trip_answer(private.move_trip(v_trip, drive_trip.to_status, 'driver'), 'driver');
end;
$$;

comment on function private.drive_trip is
  'The work of arrive_trip() and start_trip(), for the driver whose trip it is. Refuses: profile_not_found, trip_not_found, trip_state_conflict, operator_required.';

create function public.arrive_trip(trip_id uuid, driver_id uuid default null)
returns jsonb
language plpgsql
set search_path = ''
set statement_timeout = '5s'
as $$
begin
  return private.drive_trip(arrive_trip.trip_id, arrive_trip.driver_id, 'arrived');
end;
$$;

comment on function public.arrive_trip is
  'The driver is at the pick-up. May be repeated. The service names the driver. Refuses: profile_not_found, trip_not_found, trip_state_conflict.';

create function public.start_trip(trip_id uuid, driver_id uuid default null)
returns jsonb
language plpgsql
set search_path = ''
set statement_timeout = '5s'
as $$
begin
  return private.drive_trip(start_trip.trip_id, start_trip.driver_id, 'started');
end;
$$;

comment on function public.start_trip is
  'The ride begins. May be repeated. The service names the driver. Refuses: profile_not_found, trip_not_found, trip_state_conflict.';
grant execute on function public.arrive_trip, public.start_trip, private.drive_trip to authenticated, service_role;

commit;
