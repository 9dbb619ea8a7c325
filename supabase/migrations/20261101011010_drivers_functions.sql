begin;

create function private.acting_profile(named_id uuid)
returns uuid
language plpgsql
stable
security definer -- looks people up whoever asks
set search_path = ''
as $$
begin
  if private.is_wallet_user() then
    if acting_profile.named_id <> private.my_profile_id() then
      perform private.refuse('profile_not_found');
    end if;
    return private.my_profile_id();
  end if;
  if not exists (select from public.profiles as profile where profile.id = acting_profile.named_id) then
    perform private.refuse('profile_not_found');
  end if;
  return acting_profile.named_id;
end;
$$;

comment on function private.acting_profile is
  'For whom this is done: somebody who signed in acts as themselves, the service names the person. Refuses: profile_not_found.';

create function private.driver_answer(driver public.drivers)
returns jsonb
language plpgsql
stable
set search_path = ''
as $$
declare
  v_driver constant public.drivers := driver_answer.driver;
begin
  return jsonb_build_object(
    'profile_id', v_driver.profile_id, 'vehicle_type', v_driver.vehicle_type, 'plate', v_driver.plate, 'state', v_driver.state,
    'state_reason', v_driver.state_reason, 'is_online', v_driver.is_online, 'rating_count', v_driver.rating_count,
    'rating', round(v_driver.rating_sum::numeric / nullif(v_driver.rating_count, 0), 2)
  );
end;
$$;

comment on function private.driver_answer is 'A driver as the driver and operators see one.';

create function private.record_driver_event(driver public.drivers, event_type text)
returns void
language plpgsql
set search_path = ''
as $$
begin
  perform private.record_events(array[row(
    'driver', (record_driver_event.driver).profile_id::text, record_driver_event.event_type,
    jsonb_build_object(
      'driver_id', (record_driver_event.driver).profile_id, 'state', (record_driver_event.driver).state,
      'vehicle_type', (record_driver_event.driver).vehicle_type
    ),
    null, null, null, null, null
  )::private.new_event]);
end;
$$;

comment on function private.record_driver_event is 'Tells of a driver''s move: ids and facts, no plate.';

create function private.apply_driver(vehicle_type text, plate text, profile_id uuid)
returns jsonb
language plpgsql
security definer -- no role may write drivers
set search_path = ''
as $$
declare
  v_profile_id constant uuid := private.acting_profile(apply_driver.profile_id);
  v_driver public.drivers;
begin
  if exists (
    select from public.drivers as other where other.plate = apply_driver.plate and other.profile_id <> v_profile_id
  ) then
    perform private.refuse('driver_plate_taken');
  end if;
  -- Earnings go there; nobody but its owner or the service could open it later.
  perform private.open_wallet_account('RWF', v_profile_id, 'main', false);
  insert into public.drivers as stored (profile_id, vehicle_type, plate)
  values (v_profile_id, apply_driver.vehicle_type, apply_driver.plate)
  on conflict on constraint drivers_pkey do update set
    vehicle_type = excluded.vehicle_type, plate = excluded.plate, state = 'applied', state_reason = null
  where stored.state in ('applied', 'rejected')
  returning stored.* into v_driver;
  if not found then
    perform private.refuse('driver_state_conflict');
  end if;
  perform private.record_driver_event(v_driver, 'driver.applied');
  return private.driver_answer(v_driver);
end;
$$;

comment on function private.apply_driver is 'The work of public.apply_driver(). Refuses: profile_not_found, driver_plate_taken, driver_state_conflict.';

create function public.apply_driver(vehicle_type text, plate text, profile_id uuid default null)
returns jsonb
language plpgsql
set search_path = ''
set statement_timeout = '5s'
as $$
declare
  v_plate constant text := upper(regexp_replace(apply_driver.plate, '[\s-]', '', 'g'));
begin
  if (
    v_plate ~ '^[A-Z0-9]{4,10}$'
    and exists (select from public.trip_tariffs as tariff where tariff.vehicle_type = apply_driver.vehicle_type)
  ) is not true then
    perform private.refuse('invalid_argument');
  end if;
  return private.apply_driver(apply_driver.vehicle_type, v_plate, apply_driver.profile_id);
end;
$$;

comment on function public.apply_driver is
  'Asks to drive for us, with a vehicle and its plate; until it is decided the same again corrects it, and the rejected may ask again. The service names the person. '
  'Refuses: invalid_argument, profile_not_found, driver_plate_taken, driver_state_conflict.';
grant execute on function public.apply_driver, private.apply_driver to authenticated, service_role;

create function private.set_driver_state(profile_id uuid, state public.driver_state, reason text)
returns jsonb
language plpgsql
security definer -- no role may write drivers
set search_path = ''
as $$
declare
  v_driver public.drivers;
begin
  perform private.require_service_or_registered_operator();
  select * into v_driver from public.drivers as stored where stored.profile_id = set_driver_state.profile_id for no key update;
  if not found then
    perform private.refuse('driver_not_found');
  end if;
  if v_driver.state = set_driver_state.state then
    return private.driver_answer(v_driver);
  end if;
  if not exists (
    select from public.driver_moves as move where move.from_state = v_driver.state and move.to_state = set_driver_state.state
  ) then
    perform private.refuse('driver_state_conflict', jsonb_build_object('from', v_driver.state, 'to', set_driver_state.state));
  end if;
  update public.drivers as stored set state = set_driver_state.state, state_reason = set_driver_state.reason, is_online = false
  where stored.profile_id = v_driver.profile_id
  returning stored.* into v_driver;
  perform private.forget_driver_position(v_driver.profile_id);
  perform private.record_driver_event(v_driver, 'driver.' || v_driver.state);
  return private.driver_answer(v_driver);
end;
$$;

comment on function private.set_driver_state is 'The work of public.set_driver_state(). Refuses: operator_required, driver_not_found, driver_state_conflict.';

create function public.set_driver_state(profile_id uuid, state public.driver_state, reason text default null)
returns jsonb
language plpgsql
set search_path = ''
set statement_timeout = '5s'
as $$
begin
  if (set_driver_state.state is not null and length(coalesce(set_driver_state.reason, '')) <= 300) is not true then
    perform private.refuse('invalid_argument');
  end if;
  return private.set_driver_state(set_driver_state.profile_id, set_driver_state.state, set_driver_state.reason);
end;
$$;

comment on function public.set_driver_state is
  'For registered operators and the service: approves, suspends or rejects a driver. Who is suspended goes offline; a trip that runs is driven to its end. '
  'Refuses: invalid_argument, operator_required, driver_not_found, driver_state_conflict.';
grant execute on function public.set_driver_state, private.set_driver_state to authenticated, service_role;

create function private.set_driver_online(is_online boolean, driver_id uuid)
returns jsonb
language plpgsql
security definer -- no role may write drivers
set search_path = ''
as $$
declare
  v_driver public.drivers;
begin
  select * into v_driver from public.drivers as stored
  where stored.profile_id = private.acting_profile(set_driver_online.driver_id) for no key update;
  if not found then
    perform private.refuse('driver_not_found');
  end if;
  if v_driver.state <> 'approved' then
    perform private.refuse('driver_not_approved', jsonb_build_object('state', v_driver.state));
  end if;
  update public.drivers as stored set is_online = set_driver_online.is_online
  where stored.profile_id = v_driver.profile_id and stored.is_online <> set_driver_online.is_online
  returning stored.* into v_driver;
  if not found then
    select * into v_driver from public.drivers as stored where stored.profile_id = private.acting_profile(set_driver_online.driver_id);
    return private.driver_answer(v_driver);
  end if;
  if not v_driver.is_online then
    perform private.forget_driver_position(v_driver.profile_id);
  end if;
  perform private.record_driver_event(v_driver, case when v_driver.is_online then 'driver.came_online' else 'driver.went_offline' end);
  return private.driver_answer(v_driver);
end;
$$;

comment on function private.set_driver_online is 'The work of public.set_driver_online(). Refuses: profile_not_found, driver_not_found, driver_not_approved.';

create function public.set_driver_online(is_online boolean, driver_id uuid default null)
returns jsonb
language plpgsql
set search_path = ''
set statement_timeout = '5s'
as $$
begin
  if set_driver_online.is_online is null then
    perform private.refuse('invalid_argument');
  end if;
  return private.set_driver_online(set_driver_online.is_online, set_driver_online.driver_id);
end;
$$;

comment on function public.set_driver_online is
  'A driver takes trips from now on, or no more; offline, the position is forgotten. The service names the driver. '
  'Refuses: invalid_argument, profile_not_found, driver_not_found, driver_not_approved.';
grant execute on function public.set_driver_online, private.set_driver_online to authenticated, service_role;

create function private.report_driver_position(
  lat double precision,
  lng double precision,
  heading double precision,
  accuracy double precision,
  driver_id uuid
)
returns boolean
language plpgsql
security definer -- positions are written by functions only
set search_path = ''
as $$
declare
  v_driver public.drivers;
begin
  select * into v_driver from public.drivers as stored
  where stored.profile_id = private.acting_profile(report_driver_position.driver_id);
  if not found then
    perform private.refuse('driver_not_found');
  end if;
  if v_driver.state <> 'approved' then
    perform private.refuse('driver_not_approved', jsonb_build_object('state', v_driver.state));
  end if;
  return private.update_driver_position(
    v_driver.profile_id, report_driver_position.lat, report_driver_position.lng, report_driver_position.heading,
    report_driver_position.accuracy, now(), 'driver_' || v_driver.vehicle_type
  );
end;
$$;

comment on function private.report_driver_position is
  'The work of public.report_driver_position(). Refuses: profile_not_found, driver_not_found, driver_not_approved.';

create function public.report_driver_position(
  lat double precision,
  lng double precision,
  heading double precision default null,
  accuracy double precision default null,
  driver_id uuid default null
)
returns boolean
language plpgsql
set search_path = ''
set statement_timeout = '2s'
as $$
begin
  if (
    private.is_coordinate(report_driver_position.lat, report_driver_position.lng)
    and coalesce(report_driver_position.heading, 0) between 0 and 360
    and coalesce(report_driver_position.accuracy, 0) between 0 and 100000
  ) is not true then
    perform private.refuse('invalid_argument');
  end if;
  return private.report_driver_position(
    report_driver_position.lat, report_driver_position.lng, report_driver_position.heading, report_driver_position.accuracy,
    report_driver_position.driver_id
  );
end;
$$;

comment on function public.report_driver_position is
  'A driver''s phone tells where it is, every few seconds. The service names the driver. '
  'Refuses: invalid_argument, profile_not_found, driver_not_found, driver_not_approved.';
grant execute on function public.report_driver_position, private.report_driver_position to authenticated, service_role;

commit;
