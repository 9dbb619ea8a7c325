begin;

create function private.trip_credits(trip public.trips, amount bigint, commission bigint)
returns private.wallet_leg[]
language plpgsql
set search_path = ''
as $$
declare
  v_trip constant public.trips := trip_credits.trip;
  v_account_id constant uuid := private.trip_wallet(v_trip.driver_id, v_trip.currency);
begin
  return array(
    select leg::private.wallet_leg
    from (
      values
        (v_account_id, trip_credits.amount - trip_credits.commission, null::bigint),
        (private.get_platform_account('commission', v_trip.currency), trip_credits.commission, null)
    ) as leg (account_id, amount, held)
    where leg.amount > 0
  );
end;
$$;

comment on function private.trip_credits is 'What a rider pays, split between the driver and our commission; parts of nothing are left out.';

create function private.trip_wallet(profile_id uuid, currency text)
returns uuid
language plpgsql
stable
set search_path = ''
as $$
declare
  v_id uuid;
begin
  select account.id into v_id from public.wallet_accounts as account
  where account.profile_id = trip_wallet.profile_id and account.code = 'main' and account.currency = trip_wallet.currency;
  if not found then
    perform private.refuse('wallet_account_not_found');
  end if;
  return v_id;
end;
$$;

comment on function private.trip_wallet is 'Somebody''s main wallet. Refuses: wallet_account_not_found.';

create function private.hold_trip_fare(trip public.trips)
returns public.trips
language plpgsql
set search_path = ''
as $$
declare
  v_trip public.trips := hold_trip_fare.trip;
begin
  if v_trip.payment_method = 'wallet' then
    v_trip.hold_id := (private.hold_wallet_funds(
      account_id => private.trip_wallet(v_trip.rider_id, v_trip.currency),
      amount => v_trip.fare_amount,
      source => 'trip',
      reference => v_trip.id::text,
      request => to_jsonb(v_trip.fare_amount),
      metadata => jsonb_build_object('trip_id', v_trip.id)
    )).id;
    v_trip.payment_status := 'held';
  end if;
  return v_trip;
end;
$$;

comment on function private.hold_trip_fare is 'Sets the fare aside if the rider pays from the wallet. Refuses: as private.hold_wallet_funds() does.';

create function private.release_trip_fare(trip public.trips)
returns public.trips
language plpgsql
set search_path = ''
as $$
declare
  v_trip public.trips := release_trip_fare.trip;
begin
  if v_trip.payment_status = 'held' then
    perform private.release_wallet_hold(v_trip.hold_id);
    v_trip.payment_status := 'none';
  end if;
  return v_trip;
end;
$$;

comment on function private.release_trip_fare is 'Gives back what was set aside.';

create function private.run_trip_wallet_payment(request jsonb)
returns jsonb
language plpgsql
set search_path = ''
as $$
declare
  v_trip public.trips;
  v_credits private.wallet_leg[];
  v_reference constant text := (run_trip_wallet_payment.request ->> 'trip_id') || ':fare';
begin
  select * into strict v_trip from public.trips as trip where trip.id = (run_trip_wallet_payment.request ->> 'trip_id')::uuid;
  v_credits := private.trip_credits(v_trip, v_trip.amount_due, private.trip_commission(v_trip, v_trip.amount_due));
  if exists (
    select from public.wallet_holds as hold where hold.id = v_trip.hold_id and hold.status = 'held' and hold.expires_at > now()
  ) then
    return to_jsonb((private.capture_wallet_hold(
      v_trip.hold_id, v_credits, 'payment', 'trip', v_reference, to_jsonb(v_trip.amount_due)
    )).transaction_id);
  end if;
  -- The hold is over, or the rider pays later than was thought: then from what is there now.
  return to_jsonb((private.post_wallet_transaction(
    kind => 'payment',
    legs => v_credits || (private.trip_wallet(v_trip.rider_id, v_trip.currency), -v_trip.amount_due, null)::private.wallet_leg,
    source => 'trip',
    reference => v_reference,
    request => to_jsonb(v_trip.amount_due),
    metadata => jsonb_build_object('trip_id', v_trip.id)
  )).transaction_id);
end;
$$;

comment on function private.run_trip_wallet_payment is 'Pays what is due from the rider''s wallet, once. Refuses: as the ledger does.';

create function private.run_trip_provider_payment(request jsonb)
returns jsonb
language plpgsql
set search_path = ''
as $$
declare
  v_trip public.trips;
begin
  select * into strict v_trip from public.trips as trip where trip.id = (run_trip_provider_payment.request ->> 'trip_id')::uuid;
  return private.run_create_transaction(jsonb_build_object(
    'type', 'payment',
    'amount', v_trip.amount_due,
    'currency', v_trip.currency,
    'method', v_trip.payment_method,
    'idempotency_key', format('trip:%s:%s', v_trip.id, v_trip.payment_count),
    'to_account_id', private.get_platform_account('trips', v_trip.currency),
    'phone', (select profile.phone from public.profiles as profile where profile.id = v_trip.rider_id),
    'metadata', jsonb_build_object('trip_id', v_trip.id)
  ));
end;
$$;

comment on function private.run_trip_provider_payment is
  'Begins a payment of what is due at the rider''s provider; the trip remembers it in the same transaction, so no other is begun for the same want. '
  'Refuses: as create_transaction().';

create function private.run_trip_commission(request jsonb)
returns jsonb
language plpgsql
set search_path = ''
as $$
declare
  v_trip public.trips;
  v_amount bigint;
begin
  select * into strict v_trip from public.trips as trip where trip.id = (run_trip_commission.request ->> 'trip_id')::uuid;
  v_amount := private.trip_commission(v_trip, v_trip.amount_due);
  return to_jsonb((private.post_wallet_transaction(
    kind => 'payment',
    -- 0: what a driver owes us counts for no limit.
    legs => array[
      (private.trip_wallet(v_trip.driver_id, v_trip.currency), -v_amount, 0)::private.wallet_leg,
      (private.get_platform_account('commission', v_trip.currency), v_amount, null)::private.wallet_leg
    ],
    source => 'trip',
    reference => v_trip.id || ':commission',
    request => to_jsonb(v_amount),
    metadata => jsonb_build_object('trip_id', v_trip.id)
  )).transaction_id);
end;
$$;

comment on function private.run_trip_commission is 'Takes the commission of a ride paid in cash from the driver''s wallet, once. Refuses: as the ledger does.';

create function private.collect_trip(trip public.trips)
returns public.trips
language plpgsql
set search_path = ''
as $$
declare
  v_trip public.trips := collect_trip.trip;
  v_answer private.answer;
  v_work constant regprocedure := case v_trip.payment_method
    when 'wallet' then 'private.run_trip_wallet_payment(jsonb)' else 'private.run_trip_provider_payment(jsonb)' end::regprocedure;
begin
  v_answer := private.run_or_problem(v_work, jsonb_build_object('trip_id', v_trip.id));
  if v_answer.status < 400 and v_trip.payment_method <> 'wallet' then
    insert into public.trip_payments (transaction_id, trip_id) values ((v_answer.body ->> 'id')::uuid, v_trip.id);
  end if;
  update public.trips as stored set
    payment_status = case
      when v_answer.status >= 400 then 'failed'::public.trip_payment_status
      when v_trip.payment_method = 'wallet' then 'paid'
      else 'pending'
    end,
    payment_count = stored.payment_count + 1,
    transaction_id = case when v_answer.status < 400 and v_trip.payment_method <> 'wallet'
      then (v_answer.body ->> 'id')::uuid else stored.transaction_id end,
    -- The settlement's event comes first; the clock is there in case that it is lost.
    next_action_at = case when v_answer.status < 400 and v_trip.payment_method <> 'wallet' then now() + interval '1 minute' end
  where stored.id = v_trip.id
  returning stored.* into v_trip;
  -- What is left of a hold is let go, whatever stood in the way of the capture.
  if v_trip.payment_status = 'failed' and v_trip.hold_id is not null and exists (
    select from public.wallet_holds as hold where hold.id = v_trip.hold_id and hold.status = 'held'
  ) then
    perform private.release_wallet_hold(v_trip.hold_id);
  end if;
  perform private.record_trip_event(
    v_trip, case v_trip.payment_status when 'paid' then 'paid' when 'pending' then 'payment_asked' else 'payment_failed' end,
    jsonb_strip_nulls(jsonb_build_object('code', case when v_answer.status >= 400 then v_answer.body ->> 'code' end))
  );
  return v_trip;
end;
$$;

comment on function private.collect_trip is
  'Collects what is due of an ended trip that is locked: from the wallet at once, through a provider later. A refusal leaves it failed, for pay_trip().';

create function private.run_trip_settlement(request jsonb)
returns jsonb
language plpgsql
set search_path = ''
as $$
declare
  v_transaction public.transactions;
  v_trip public.trips;
  v_clearing_id uuid;
  v_amount bigint;
  v_is_returned constant boolean := (run_trip_settlement.request ->> 'is_returned')::boolean;
begin
  select * into strict v_transaction from public.transactions as stored
  where stored.id = (run_trip_settlement.request ->> 'transaction_id')::uuid;
  select * into strict v_trip from public.trips as trip where trip.id = (run_trip_settlement.request ->> 'trip_id')::uuid;
  v_clearing_id := v_transaction.to_account_id;
  -- What came in: the amount, less what the channel's fee took of it.
  select sum(entry.amount) into v_amount from public.wallet_entries as entry
  where entry.transaction_id = v_transaction.wallet_transaction_id and entry.account_id = v_clearing_id;
  if v_amount > 0 then
    perform private.post_wallet_transaction(
      kind => 'deposit',
      legs => array[(v_clearing_id, -v_amount, null)::private.wallet_leg] || case
        when v_is_returned then array[
          ((private.open_wallet_account(v_trip.currency, v_trip.rider_id, 'main', false)).id, v_amount, null)::private.wallet_leg
        ]
        else private.trip_credits(v_trip, v_amount, least(v_amount, private.trip_commission(v_trip, v_trip.amount_due)))
      end,
      source => 'trip',
      reference => format('%s:%s', v_trip.id, v_transaction.id),
      request => to_jsonb(v_amount),
      metadata => jsonb_build_object('trip_id', v_trip.id)
    );
  end if;
  return to_jsonb(v_amount);
end;
$$;

comment on function private.run_trip_settlement is
  'Splits what a provider took in between driver and commission, or gives it to the rider''s wallet if the trip was paid already; once per payment. Refuses: as the ledger does.';

create function private.settle_trip(trip public.trips)
returns public.trips
language plpgsql
set search_path = ''
as $$
declare
  v_trip public.trips := settle_trip.trip;
  v_payment public.trip_payments;
  v_status public.transaction_status;
  v_is_returned boolean;
  v_events text[] := '{}';
  v_is_waiting boolean := false;
  v_answer private.answer;
  v_refusal text;
begin
  for v_payment in
    select * from public.trip_payments as payment where payment.trip_id = v_trip.id and payment.settled_at is null order by payment.transaction_id
  loop
    select stored.status into v_status from public.transactions as stored where stored.id = v_payment.transaction_id;
    v_is_returned := v_trip.payment_status = 'paid';
    if v_status = 'succeeded' then
      v_answer := private.run_or_problem('private.run_trip_settlement(jsonb)', jsonb_build_object(
        'trip_id', v_trip.id, 'transaction_id', v_payment.transaction_id, 'is_returned', v_is_returned
      ));
      if v_answer.status >= 400 then
        v_is_waiting := true;
        v_refusal := v_answer.body ->> 'code';
        continue;
      end if;
      update public.trip_payments as payment set settled_at = now(), is_returned = v_is_returned
      where payment.transaction_id = v_payment.transaction_id;
      v_trip.payment_status := 'paid';
      v_events := v_events || case when v_is_returned then 'payment_returned' else 'paid' end;
    elsif v_status in ('pending', 'processing', 'unknown') then
      v_is_waiting := true;
    elsif v_trip.payment_status = 'pending' and v_payment.transaction_id = v_trip.transaction_id then
      v_trip.payment_status := 'failed';
      v_events := v_events || 'payment_failed'::text;
    end if;
  end loop;
  update public.trips as stored set
    payment_status = v_trip.payment_status,
    next_action_at = case when v_is_waiting then now() + interval '1 minute' end
  where stored.id = v_trip.id
  returning stored.* into v_trip;
  if v_refusal is null then
    perform private.forget_trip_failures(array[v_trip.id], 'settle');
  else
    perform private.record_trip_failure(v_trip.id, 'settle', v_refusal);
  end if;
  perform private.record_trip_event(v_trip, event_name) from unnest(v_events) as event_name;
  return v_trip;
end;
$$;

comment on function private.settle_trip is
  'Looks at the payments of a locked trip that are not settled: a success is split, once; a failure lets the rider try again. A success that comes after a failure still counts. '
  'What cannot be given on (a wallet is closed) waits in the account `trips` and is kept in public.trip_failures.';

create function private.follow_trip_payments(events public.event_store[])
returns void
language plpgsql
set search_path = ''
as $$
begin
  update public.trips as trip set next_action_at = now()
  where trip.id = any(array(
    select locked.id from public.trips as locked
    where locked.id = any(array(
      select payment.trip_id from public.trip_payments as payment
      where payment.settled_at is null and payment.transaction_id = any(array(
        select (event.payload ->> 'transaction_id')::uuid from unnest(follow_trip_payments.events) as event
      ))
    ))
    order by locked.id
    for no key update
  ));
end;
$$;

comment on function private.follow_trip_payments is 'A payment of a trip has ended: the schedule settles it with its next run.';

select private.register_subscription(
  'trip_payments', 'private.follow_trip_payments(public.event_store[])',
  event_types => '{payment.succeeded,payment.failed,payment.cancelled,payment.expired}'
);

commit;
