begin;

create function private.settle_trip_commission(trip public.trips)
returns public.trips
language plpgsql
set search_path = ''
as $$
declare
  v_trip public.trips := settle_trip_commission.trip;
  v_is_owed constant boolean := private.trip_commission(v_trip, v_trip.amount_due) > 0 and (private.run_or_problem(
    'private.run_trip_commission(jsonb)', jsonb_build_object('trip_id', v_trip.id)
  )).status >= 400;
begin
  update public.trips as stored set
    is_commission_owed = v_is_owed,
    next_action_at = case when v_is_owed then now() + interval '1 hour' end
  where stored.id = v_trip.id
  returning stored.* into v_trip;
  return v_trip;
end;
$$;

comment on function private.settle_trip_commission is
  'Takes the commission of a ride paid in cash from the driver''s wallet; if that cannot bear it, it is owed and tried again every hour.';

create function private.charge_trip(trip public.trips)
returns public.trips
language plpgsql
set search_path = ''
as $$
declare
  v_trip constant public.trips := charge_trip.trip;
begin
  if v_trip.payment_status <> 'due' then
    return v_trip;
  end if;
  case v_trip.payment_method
    when 'wallet' then return private.collect_trip(v_trip);
    when 'cash' then
      return private.settle_trip_commission(private.mark_trip_paid(v_trip));
    else
      -- Not as the driver, who must not act for the rider: the schedule asks the provider.
      return v_trip;
  end case;
end;
$$;

comment on function private.charge_trip is 'What is done about the money of an ended trip at once: the wallet pays, cash is written down.';

create function private.mark_trip_paid(trip public.trips)
returns public.trips
language plpgsql
set search_path = ''
as $$
declare
  v_trip public.trips;
begin
  update public.trips as stored set payment_status = 'paid', next_action_at = null
  where stored.id = (mark_trip_paid.trip).id
  returning stored.* into v_trip;
  perform private.record_trip_event(v_trip, 'paid');
  return v_trip;
end;
$$;

comment on function private.mark_trip_paid is 'The driver has got the fare in cash.';

create function private.complete_trip(trip_id uuid, distance_meters integer, driver_id uuid)
returns jsonb
language plpgsql
security definer -- no role may write trips
set search_path = ''
as $$
declare
  v_trip public.trips := private.lock_trip(complete_trip.trip_id);
  v_actor public.trip_actor := private.trip_actor_of(v_trip, complete_trip.driver_id);
begin
  if v_actor is null or v_actor in ('rider', 'system') then
    perform private.refuse('trip_not_found');
  end if;
  if v_trip.status = 'completed' then
    return private.trip_answer(v_trip, v_actor);
  end if;
  v_trip.driven_meters := complete_trip.distance_meters;
  v_trip.amount_due := v_trip.fare_amount;
  v_trip.payment_status := 'due';
  v_trip.next_action_at := now();
  return private.trip_answer(private.charge_trip(private.move_trip(v_trip, 'completed', v_actor)), v_actor);
end;
$$;

comment on function private.complete_trip is 'The work of public.complete_trip(). Refuses: profile_not_found, operator_required, trip_not_found, trip_state_conflict.';

create function public.complete_trip(trip_id uuid, distance_meters integer default null, driver_id uuid default null)
returns jsonb
language plpgsql
set search_path = ''
set statement_timeout = '5s'
as $$
begin
  if coalesce(complete_trip.distance_meters, 0) not between 0 and 2000000 then
    perform private.refuse('invalid_argument', '{"argument": "distance_meters", "range": "0..2000000"}');
  end if;
  return private.complete_trip(complete_trip.trip_id, complete_trip.distance_meters, complete_trip.driver_id);
end;
$$;

comment on function public.complete_trip is
  'The ride is over: the quoted fare is due. By wallet it is paid now, by MoMo the provider is asked within seconds, cash is written down and its commission taken from the driver''s wallet. '
  'For its driver and registered operators; the service names the driver. May be repeated. '
  'Refuses: invalid_argument, profile_not_found, operator_required, trip_not_found, trip_state_conflict.';
grant execute on function public.complete_trip, private.complete_trip to authenticated, service_role;

create function private.cancellation_fee(trip public.trips, actor public.trip_actor, reason public.trip_cancel_reason)
returns bigint
language plpgsql
stable
set search_path = ''
as $$
declare
  v_trip constant public.trips := cancellation_fee.trip;
begin
  return case
    -- Nobody could collect it: the rider is not there to pay.
    when v_trip.payment_method = 'cash' or v_trip.driver_id is null then 0
    when cancellation_fee.actor = 'rider' and cancellation_fee.reason <> 'driver_asked'
      and now() >= v_trip.accepted_at + v_trip.free_cancellation then v_trip.cancellation_amount
    when cancellation_fee.actor in ('driver', 'operator') and cancellation_fee.reason = 'rider_no_show'
      and now() >= v_trip.arrived_at + v_trip.no_show_wait then v_trip.cancellation_amount
    else 0
  end;
end;
$$;

comment on function private.cancellation_fee is
  'What a rider owes for a trip that is cancelled: nothing, unless they leave late without the driver having asked for it, or do not come though the driver has waited.';

create function private.cancel_trip_as(trip public.trips, actor public.trip_actor, reason public.trip_cancel_reason)
returns public.trips
language plpgsql
set search_path = ''
as $$
declare
  v_trip public.trips := cancel_trip_as.trip;
begin
  perform private.require_trip_move(v_trip, 'cancelled', cancel_trip_as.actor);
  v_trip.cancelled_by := cancel_trip_as.actor;
  v_trip.cancel_reason := cancel_trip_as.reason;
  v_trip.amount_due := private.cancellation_fee(v_trip, cancel_trip_as.actor, cancel_trip_as.reason);
  v_trip.next_action_at := null;
  if v_trip.amount_due > 0 then
    v_trip.payment_status := 'due';
    v_trip.next_action_at := now();
  else
    v_trip := private.release_trip_fare(v_trip);
  end if;
  return private.charge_trip(private.move_trip(v_trip, 'cancelled', cancel_trip_as.actor));
end;
$$;

comment on function private.cancel_trip_as is 'Cancels a locked trip: what was set aside is given back, less a fee. Refuses: trip_state_conflict.';

create function private.cancel_trip(trip_id uuid, reason public.trip_cancel_reason, actor_id uuid)
returns jsonb
language plpgsql
security definer -- no role may write trips
set search_path = ''
as $$
declare
  v_trip public.trips := private.lock_trip(cancel_trip.trip_id);
  v_actor public.trip_actor := private.trip_actor_of(v_trip, cancel_trip.actor_id);
begin
  if v_actor is null and private.has_returned_trip(v_trip.id, private.acting_profile(cancel_trip.actor_id)) then
    -- Said again. Whoever has it now is nobody's business who gave it back.
    v_trip.status := 'requested';
    v_trip.driver_id := null;
    return private.trip_answer(v_trip, 'driver');
  end if;
  if v_actor is null then
    perform private.refuse('trip_not_found');
  end if;
  if v_trip.status = 'cancelled' and v_trip.cancelled_by = v_actor then
    return private.trip_answer(v_trip, v_actor);
  end if;
  if private.is_returned_by(v_actor, v_trip, cancel_trip.reason) then
    return private.trip_answer(private.return_trip(v_trip, cancel_trip.reason), v_actor);
  end if;
  return private.trip_answer(private.cancel_trip_as(v_trip, v_actor, cancel_trip.reason), v_actor);
end;
$$;

comment on function private.cancel_trip is 'The work of public.cancel_trip(). Refuses: profile_not_found, operator_required, trip_not_found, trip_state_conflict.';

create function public.cancel_trip(trip_id uuid, reason public.trip_cancel_reason, actor_id uuid default null)
returns jsonb
language plpgsql
set search_path = ''
set statement_timeout = '5s'
as $$
begin
  if cancel_trip.reason is null then
    perform private.refuse('invalid_argument', '{"argument": "reason"}');
  end if;
  return private.cancel_trip(cancel_trip.trip_id, cancel_trip.reason, cancel_trip.actor_id);
end;
$$;

comment on function public.cancel_trip is
  'Ends a trip before its end, by its rider, its driver, a registered operator, or the service (which names the person, or nobody: the system). '
  'What was set aside is given back, less the fee of a late cancellation or of a rider who did not come. May be repeated. '
  'A driver who has not started only gives the trip back (reasons rider_no_show and unsafe apart): it is requested again and offered to the others. '
  'Refuses: invalid_argument, profile_not_found, operator_required, trip_not_found, trip_state_conflict.';
grant execute on function public.cancel_trip, private.cancel_trip to authenticated, service_role;

create function private.pay_trip(trip_id uuid, payment_method public.trip_payment_method, rider_id uuid)
returns jsonb
language plpgsql
security definer -- no role may write trips
set search_path = ''
as $$
declare
  v_rider_id constant uuid := private.acting_profile(pay_trip.rider_id);
  v_trip public.trips := private.lock_trip(pay_trip.trip_id);
begin
  if v_trip.rider_id <> v_rider_id then
    perform private.refuse('trip_not_found');
  end if;
  if v_trip.payment_status <> 'failed' then
    perform private.refuse('trip_state_conflict', jsonb_build_object('payment_status', v_trip.payment_status));
  end if;
  update public.trips as stored set
    payment_status = 'due', payment_method = coalesce(pay_trip.payment_method, stored.payment_method), next_action_at = now()
  where stored.id = v_trip.id
  returning stored.* into v_trip;
  return private.trip_answer(private.charge_trip(v_trip), 'rider');
end;
$$;

comment on function private.pay_trip is 'The work of public.pay_trip(). Refuses: profile_not_found, trip_not_found, trip_state_conflict.';

create function public.pay_trip(trip_id uuid, payment_method public.trip_payment_method default null, rider_id uuid default null)
returns jsonb
language plpgsql
set search_path = ''
set statement_timeout = '5s'
as $$
begin
  if pay_trip.payment_method = 'cash' then
    perform private.refuse('invalid_argument', '{"argument": "payment_method", "range": "wallet, mtn_momo"}');
  end if;
  return private.pay_trip(pay_trip.trip_id, pay_trip.payment_method, pay_trip.rider_id);
end;
$$;

comment on function public.pay_trip is
  'Tries again to pay a trip whose payment has failed, in another way if one says so. The service names the rider. '
  'Refuses: invalid_argument, profile_not_found, trip_not_found, trip_state_conflict.';
grant execute on function public.pay_trip, private.pay_trip to authenticated, service_role;

commit;
