begin;

create function private.conversation_trip(trip_id uuid, profile_id uuid)
returns jsonb
language plpgsql
stable
set search_path = ''
as $$
declare
  v_trip public.trips;
  v_is_party boolean;
begin
  select trip.* into v_trip from public.trips as trip where trip.id = conversation_trip.trip_id;
  if not found then
    return null;
  end if;
  v_is_party := conversation_trip.profile_id in (v_trip.rider_id, v_trip.driver_id);
  return jsonb_build_object(
    'id', v_trip.id,
    'role', case when v_trip.rider_id = conversation_trip.profile_id then 'rider' else 'driver' end,
    'state', v_trip.status,
    'vehicle', v_trip.vehicle_type,
    -- Where somebody is picked up is for the driver who goes there.
    'pickup_label', case when v_is_party then v_trip.pickup_label end,
    'dropoff_label', case when v_is_party then v_trip.dropoff_label end,
    'driver_name', (select profile.full_name from public.profiles as profile where profile.id = v_trip.driver_id),
    'plate', (select driver.plate from public.drivers as driver where driver.profile_id = v_trip.driver_id),
    'fare', v_trip.fare_amount::text,
    'currency', v_trip.currency
  );
end;
$$;

comment on function private.conversation_trip is 'A trip as the dialogue tells it to one of its people, or to a driver who is offered it.';

create function private.open_conversation_trip(profile_id uuid)
returns jsonb
language plpgsql
stable
set search_path = ''
as $$
declare
  v_trip_id uuid;
begin
  select trip.id into v_trip_id
  from public.trips as trip
  where open_conversation_trip.profile_id in (trip.rider_id, trip.driver_id)
    and trip.status not in ('completed', 'cancelled', 'expired')
  order by trip.status = 'scheduled', trip.id desc
  limit 1;
  return private.conversation_trip(v_trip_id, open_conversation_trip.profile_id);
end;
$$;

comment on function private.open_conversation_trip is 'The trip that somebody is in now, as rider or driver; a scheduled one if there is no other.';

create function private.look_around_for_conversation(command jsonb)
returns jsonb
language plpgsql
stable
set search_path = ''
as $$
declare
  v_pickup constant jsonb := look_around_for_conversation.command -> 'pickup';
begin
  -- How many and how far: nobody's name, and nobody's place.
  return (
    select jsonb_build_object('count', count(*), 'nearest_meters', round(min((near ->> 'distance_meters')::numeric)))
    from public.find_nearby_drivers(
      (v_pickup ->> 'lat')::double precision, (v_pickup ->> 'lng')::double precision,
      look_around_for_conversation.command ->> 'vehicle'
    ) as near
  );
end;
$$;

comment on function private.look_around_for_conversation is 'How many drivers are near, and how near the nearest is.';

create function private.request_conversation_trip(profile_id uuid, command jsonb, idempotency_key text)
returns jsonb
language plpgsql
set search_path = ''
as $$
declare
  v_pickup constant jsonb := request_conversation_trip.command -> 'pickup';
  v_dropoff constant jsonb := request_conversation_trip.command -> 'dropoff';
  v_trip jsonb;
begin
  v_trip := to_jsonb(public.request_trip(
    pickup_lat => (v_pickup ->> 'lat')::double precision, pickup_lng => (v_pickup ->> 'lng')::double precision,
    dropoff_lat => (v_dropoff ->> 'lat')::double precision, dropoff_lng => (v_dropoff ->> 'lng')::double precision,
    vehicle_type => request_conversation_trip.command ->> 'vehicle',
    payment_method => (request_conversation_trip.command ->> 'payment_method')::public.trip_payment_method,
    pickup_label => v_pickup ->> 'label', dropoff_label => v_dropoff ->> 'label',
    idempotency_key => request_conversation_trip.idempotency_key, rider_id => request_conversation_trip.profile_id
  ));
  return jsonb_build_object('trip', private.conversation_trip((v_trip ->> 'id')::uuid, request_conversation_trip.profile_id));
end;
$$;

comment on function private.request_conversation_trip is 'Orders a trip for a rider who writes to us.';

create function private.quote_for_conversation(command jsonb)
returns jsonb
language plpgsql
stable
set search_path = ''
as $$
declare
  v_pickup constant jsonb := quote_for_conversation.command -> 'pickup';
  v_dropoff constant jsonb := quote_for_conversation.command -> 'dropoff';
  v_quote jsonb;
begin
  v_quote := public.quote_trip(
    (v_pickup ->> 'lat')::double precision, (v_pickup ->> 'lng')::double precision,
    (v_dropoff ->> 'lat')::double precision, (v_dropoff ->> 'lng')::double precision,
    quote_for_conversation.command ->> 'vehicle'
  );
  return jsonb_build_object(
    'amount', v_quote ->> 'fare_amount', 'currency', v_quote ->> 'currency',
    'distance_meters', (v_quote ->> 'quoted_meters')::numeric
  );
end;
$$;

comment on function private.quote_for_conversation is 'What a ride would cost, and how far it is.';

create function private.move_conversation_trip(profile_id uuid, command jsonb)
returns jsonb
language plpgsql
set search_path = ''
as $$
declare
  v_trip_id constant uuid := (move_conversation_trip.command ->> 'trip_id')::uuid;
begin
  case move_conversation_trip.command ->> 'move'
    when 'accept' then perform public.accept_trip(v_trip_id, driver_id => move_conversation_trip.profile_id);
    when 'arrive' then perform public.arrive_trip(v_trip_id, driver_id => move_conversation_trip.profile_id);
    when 'start' then perform public.start_trip(v_trip_id, driver_id => move_conversation_trip.profile_id);
    when 'complete' then perform public.complete_trip(v_trip_id, driver_id => move_conversation_trip.profile_id);
    when 'decline' then
      perform public.decline_trip(v_trip_id, driver_id => move_conversation_trip.profile_id);
      return '{"trip": null}';
  end case;
  return jsonb_build_object('trip', private.conversation_trip(v_trip_id, move_conversation_trip.profile_id));
end;
$$;

comment on function private.move_conversation_trip is 'What a driver does about a trip.';

create function private.cancel_conversation_trip(profile_id uuid, command jsonb)
returns jsonb
language plpgsql
set search_path = ''
as $$
declare
  v_trip_id constant uuid := (cancel_conversation_trip.command ->> 'trip_id')::uuid;
  v_trip constant jsonb := public.cancel_trip(
    v_trip_id, (cancel_conversation_trip.command ->> 'reason')::public.trip_cancel_reason, actor_id => cancel_conversation_trip.profile_id
  );
begin
  return jsonb_build_object('trip', case when v_trip ->> 'status' = 'cancelled' then
    private.conversation_trip(v_trip_id, cancel_conversation_trip.profile_id)
  end);
end;
$$;

comment on function private.cancel_conversation_trip is 'Cancels a trip; null for a driver who gave it back, as it is another''s then.';

create function private.pay_conversation_trip(profile_id uuid, command jsonb)
returns jsonb
language plpgsql
set search_path = ''
as $$
declare
  v_trip_id constant uuid := (pay_conversation_trip.command ->> 'trip_id')::uuid;
begin
  perform public.pay_trip(
    v_trip_id, (pay_conversation_trip.command ->> 'payment_method')::public.trip_payment_method, rider_id => pay_conversation_trip.profile_id
  );
  return jsonb_build_object('trip', private.conversation_trip(v_trip_id, pay_conversation_trip.profile_id));
end;
$$;

comment on function private.pay_conversation_trip is 'Tries again to pay an ended trip.';

create function private.wallet_for_conversation(profile_id uuid)
returns jsonb
language plpgsql
stable
set search_path = ''
as $$
declare
  v_account public.wallet_accounts;
begin
  select account.* into v_account
  from public.wallet_accounts as account
  where account.profile_id = wallet_for_conversation.profile_id and account.code = 'main' and account.currency = 'RWF';
  if not found then
    return '{"balance": "0", "currency": "RWF", "lines": []}';
  end if;
  return jsonb_build_object(
    'balance', (public.wallet_balance(v_account.id)).available::text,
    'currency', v_account.currency,
    'lines', (
      select coalesce(jsonb_agg(jsonb_build_object(
        'amount', line.amount::text, 'kind', line.kind, 'booked_at', line.booked_at
      )), '[]')
      from public.wallet_statement(v_account.id, max_count => 5, is_newest_first => true) as line
    )
  );
end;
$$;

comment on function private.wallet_for_conversation is 'What is available in somebody''s main account, and its last five movements of thirty days.';

create function private.share_conversation_phone(contact_id uuid, command jsonb)
returns jsonb
language plpgsql
set search_path = ''
as $$
declare
  v_sighting private.whatsapp_sighting;
begin
  select identity.value into v_sighting.bsuid
  from public.whatsapp_identities as identity
  where identity.contact_id = share_conversation_phone.contact_id and identity.kind = 'bsuid' and identity.valid_to is null
  order by identity.value
  limit 1;
  v_sighting.wa_id := substr(share_conversation_phone.command ->> 'phone', 2);
  v_sighting.seen_at := now();
  perform private.learn_whatsapp_identities(array[v_sighting]);
  perform private.follow_whatsapp_moves('{}');
  return '{}';
end;
$$;

comment on function private.share_conversation_phone is
  'Learns the number of somebody who was known by a user id only, and gave it by WhatsApp''s own button.';

create function private.do_conversation_command(contact_id uuid, command jsonb, idempotency_key text)
returns jsonb
language plpgsql
set search_path = ''
as $$
declare
  v_name constant text := do_conversation_command.command ->> 'name';
  v_command constant jsonb := do_conversation_command.command;
  v_place constant jsonb := do_conversation_command.command -> 'place';
  v_profile_id uuid;
begin
  case v_name
    when 'look_around' then return private.look_around_for_conversation(v_command);
    when 'quote' then return private.quote_for_conversation(v_command);
    when 'share_phone' then return private.share_conversation_phone(do_conversation_command.contact_id, v_command);
    else v_profile_id := private.require_conversation_profile(do_conversation_command.contact_id);
  end case;
  case v_name
    when 'request_trip' then
      return private.request_conversation_trip(v_profile_id, v_command, do_conversation_command.idempotency_key);
    when 'current_trip' then return jsonb_build_object('trip', private.open_conversation_trip(v_profile_id));
    when 'move_trip' then return private.move_conversation_trip(v_profile_id, v_command);
    when 'wallet' then return private.wallet_for_conversation(v_profile_id);
    when 'pay_trip' then return private.pay_conversation_trip(v_profile_id, v_command);
    when 'cancel_trip' then
      return private.cancel_conversation_trip(v_profile_id, v_command);
    when 'rate_trip' then
      perform public.rate_trip((v_command ->> 'trip_id')::uuid, (v_command ->> 'stars')::integer, actor_id => v_profile_id);
    when 'set_online' then
      perform public.set_driver_online((v_command ->> 'is_online')::boolean, driver_id => v_profile_id);
    when 'update_position' then
      perform public.report_driver_position(
        (v_place ->> 'lat')::double precision, (v_place ->> 'lng')::double precision, driver_id => v_profile_id
      );
  end case;
  return '{}';
end;
$$;

comment on function private.do_conversation_command is 'Does what the dialogue wants, or refuses as whatever it calls does.';

create function private.run_conversation_command(message_id uuid, contact_id uuid, command jsonb)
returns jsonb
language plpgsql
security definer -- acts for people who have no account with us
set search_path = ''
as $$
declare
  v_fingerprint constant bytea := sha256(convert_to(run_conversation_command.command::text, 'UTF8'));
  v_key constant text := 'conversation ' || run_conversation_command.message_id || ' ' || left(encode(v_fingerprint, 'hex'), 16);
  v_outcome jsonb;
begin
  -- A worker that lost its lease may still be at it.
  perform pg_advisory_xact_lock(hashtextextended(v_key, 0));
  select done.outcome into v_outcome
  from private.conversation_commands as done
  where done.message_id = run_conversation_command.message_id and done.fingerprint = v_fingerprint;
  if found then
    return v_outcome;
  end if;
  begin
    v_outcome := private.do_conversation_command(
      run_conversation_command.contact_id, run_conversation_command.command, v_key
    );
  exception
    when sqlstate 'PGRST' then
      v_outcome := jsonb_build_object('refused', sqlerrm::jsonb ->> 'code');
  end;
  insert into private.conversation_commands (message_id, fingerprint, outcome)
  values (run_conversation_command.message_id, v_fingerprint, v_outcome);
  return v_outcome;
end;
$$;

comment on function private.run_conversation_command is 'The work of public.run_conversation_command().';

create function public.run_conversation_command(message_id uuid, contact_id uuid, command jsonb)
returns jsonb
language plpgsql
set search_path = ''
set statement_timeout = '10s'
as $$
begin
  if (
    run_conversation_command.message_id is not null and run_conversation_command.contact_id is not null
    and jsonb_typeof(run_conversation_command.command) = 'object' and run_conversation_command.command ? 'name'
  ) is not true then
    perform private.refuse('invalid_argument');
  end if;
  return private.run_conversation_command(
    run_conversation_command.message_id, run_conversation_command.contact_id, run_conversation_command.command
  );
end;
$$;

comment on function public.run_conversation_command is
  'Does what the dialogue wants on an inbound message, once: the same command of the same message again gives the first outcome. '
  'A refusal is an outcome too: {"refused": code}. Refuses: invalid_argument.';
grant execute on function public.run_conversation_command, private.run_conversation_command to service_role;

commit;
