begin;

create function private.run_trip_opening(request jsonb)
returns jsonb
language plpgsql
set search_path = ''
as $$
declare
  v_trip public.trips;
begin
  select * into strict v_trip from public.trips as trip where trip.id = (run_trip_opening.request ->> 'trip_id')::uuid;
  return to_jsonb((private.open_trip(v_trip)).id);
end;
$$;

comment on function private.run_trip_opening is 'Sets the fare of a scheduled trip aside when its time comes. Refuses: as private.hold_wallet_funds() does.';

create function private.begin_scheduled_trip(trip public.trips)
returns void
language plpgsql
set search_path = ''
as $$
declare
  v_trip public.trips := begin_scheduled_trip.trip;
begin
  if v_trip.scheduled_at + interval '5 minutes' <= now() then
    perform private.cancel_trip_as(v_trip, 'system', 'wait_too_long');
    return;
  end if;
  if (private.run_or_problem('private.run_trip_opening(jsonb)', jsonb_build_object('trip_id', v_trip.id))).status >= 400 then
    perform private.cancel_trip_as(v_trip, 'system', 'payment_failed');
    return;
  end if;
  select * into strict v_trip from public.trips as opened where opened.id = v_trip.id;
  perform private.dispatch_trip(private.move_trip(v_trip, 'requested', 'system'));
end;
$$;

comment on function private.begin_scheduled_trip is
  'A scheduled trip is asked for. It is cancelled if the fare cannot be set aside, or if nobody ran the schedule until it was too late.';

create function private.collect_due_trip(trip public.trips)
returns void
language plpgsql
set search_path = ''
as $$
declare
  v_trip public.trips := collect_due_trip.trip;
begin
  if v_trip.payment_count > 0 then
    -- An earlier payment may have succeeded after all: nobody is asked twice for what has come.
    v_trip := private.settle_trip(v_trip);
  end if;
  if v_trip.payment_status = 'due' then
    perform private.collect_trip(v_trip);
  end if;
end;
$$;

comment on function private.collect_due_trip is 'Collects what is due of an ended trip that is locked, unless it has come in late.';

create function private.tend_trip(trip public.trips)
returns void
language plpgsql
set search_path = ''
as $$
declare
  v_trip public.trips := tend_trip.trip;
begin
  perform private.continue_correlation(v_trip.correlation_id);
  if v_trip.status = 'scheduled' then
    perform private.begin_scheduled_trip(v_trip);
  elsif v_trip.status in ('requested', 'offered') and v_trip.expires_at > now() then
    perform private.dispatch_trip(v_trip);
  elsif v_trip.status in ('requested', 'offered') then
    v_trip := private.release_trip_fare(v_trip);
    v_trip.next_action_at := null;
    perform private.move_trip(v_trip, 'expired', 'system');
  elsif v_trip.payment_status = 'due' then
    perform private.collect_due_trip(v_trip);
  elsif v_trip.is_commission_owed then
    perform private.settle_trip_commission(v_trip);
  elsif v_trip.status in ('completed', 'cancelled') then
    perform private.settle_trip(v_trip);
  else
    update public.trips as stored set next_action_at = null where stored.id = v_trip.id;
    perform private.record_trip_event(v_trip, 'stuck');
  end if;
end;
$$;

comment on function private.tend_trip is
  'What is due of a locked trip: begin, offer to the next wave, expire, collect, settle, or report that it has been under way for too long.';

create function private.tend_trip_safely(trip public.trips)
returns boolean
language plpgsql
set search_path = ''
as $$
begin
  perform private.tend_trip(tend_trip_safely.trip);
  return true;
exception when others or query_canceled or assert_failure then
  -- Caught so that one trip neither undoes nor holds up the others; what was done about this one is rolled back.
  update public.trips as stored
  set next_action_at = private.record_trip_failure(stored.id, 'tend', concat_ws(' ', sqlstate, sqlerrm))
  where stored.id = (tend_trip_safely.trip).id;
  return false;
end;
$$;

comment on function private.tend_trip_safely is 'As private.tend_trip(), in a subtransaction: a failure is kept in public.trip_failures and tried again, later each time.';

create function private.tend_trips(max_count integer default 50)
returns integer
language plpgsql
set search_path = ''
as $$
declare
  v_trips public.trips[];
  v_trip public.trips;
  v_done uuid[] := '{}';
begin
  v_trips := array(
    select trip from public.trips as trip
    where trip.next_action_at <= now()
    order by trip.next_action_at
    limit tend_trips.max_count
    for no key update skip locked
  );
  -- Everybody's wallets at once and in order: trip by trip, two of us and a transfer could wait for each other.
  perform from public.wallet_balances as head
  where head.account_id = any(array(
    select account.id from public.wallet_accounts as account
    where account.code = 'main' and account.profile_id = any(array(
      select unnest(array[trip.rider_id, trip.driver_id]) from unnest(v_trips) as trip
    ))
  ))
  order by head.account_id, head.shard
  for no key update;
  foreach v_trip in array v_trips loop
    if private.tend_trip_safely(v_trip) then
      v_done := v_done || v_trip.id;
    end if;
  end loop;
  perform private.forget_trip_failures(v_done, 'tend');
  perform private.continue_correlation(null);
  return cardinality(v_done);
end;
$$;

comment on function private.tend_trips is 'Run by the schedule: does what is due of trips, each on its own; says of how many. May run beside itself.';

create function private.repeat_trip(series public.trip_series)
returns boolean
language plpgsql
set search_path = ''
as $$
declare
  v_series constant public.trip_series := repeat_trip.series;
  v_trip public.trips;
begin
  update public.trip_series as stored set next_at = private.next_trip_time(v_series.next_at, v_series.recurrence) where stored.id = v_series.id;
  if v_series.next_at <= now() then
    -- What was missed while nothing ran is not made up for.
    return false;
  end if;
  select * into strict v_trip from public.trips as first where first.id = v_series.first_trip_id;
  v_trip.scheduled_at := v_series.next_at;
  v_trip.request_key := format('series:%s:%s', v_series.id, to_char(v_series.next_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"'));
  v_trip := private.insert_trip(v_trip);
  perform private.forget_trip_failures(array[v_series.first_trip_id], 'repeat');
  if v_trip.id is null then
    return false;
  end if;
  perform private.record_trip_event(v_trip, 'scheduled');
  return true;
exception when others or query_canceled or assert_failure then
  -- Caught so that one series does not hold up the others.
  perform private.record_trip_failure(v_series.first_trip_id, 'repeat', concat_ws(' ', sqlstate, sqlerrm));
  return false;
end;
$$;

comment on function private.repeat_trip is
  'Makes the next trip of a locked series, once; says whether it did. A failure is kept in public.trip_failures and tried again until that trip''s time is over.';

create function private.make_recurring_trips(max_count integer default 100)
returns integer
language plpgsql
set search_path = ''
as $$
declare
  v_series public.trip_series;
  v_count integer := 0;
begin
  for v_series in
    select * from public.trip_series as series
    where series.ended_at is null and series.next_at <= now() + interval '1 day'
      and not exists (
        select from public.trip_failures as failure
        where failure.trip_id = series.first_trip_id and failure.work = 'repeat' and failure.retry_at > now()
      )
    order by series.next_at
    limit make_recurring_trips.max_count
    for no key update skip locked
  loop
    v_count := v_count + private.repeat_trip(v_series)::integer;
  end loop;
  return v_count;
end;
$$;

comment on function private.make_recurring_trips is 'Run by the schedule: makes the trips of the next day that come again, each once; says how many.';

insert into private.schedule (name, cron, command) values
  ('tend-trips', '2 seconds', 'select private.tend_trips()'),
  ('make-recurring-trips', '* * * * *', 'select private.make_recurring_trips()');

commit;
