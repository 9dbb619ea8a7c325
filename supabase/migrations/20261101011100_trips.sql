begin;

create type public.trip_status as enum (
  'scheduled', 'requested', 'offered', 'accepted', 'arrived', 'started', 'completed', 'cancelled', 'expired'
);
comment on type public.trip_status is
  'Where a trip is: for later, asked for, offered to drivers, a driver on the way, at the pick-up, under way; and how it ended. expired: nobody took it.';
create type public.trip_actor as enum ('rider', 'driver', 'operator', 'system');
comment on type public.trip_actor is 'Who moves a trip.';
create type public.trip_cancel_reason as enum (
  'changed_mind', 'wait_too_long', 'wrong_place', 'driver_asked', 'rider_no_show', 'vehicle_problem', 'unsafe', 'payment_failed',
  'operator_decision', 'other'
);
comment on type public.trip_cancel_reason is 'Why a trip was cancelled.';
create type public.trip_payment_method as enum ('wallet', 'mtn_momo', 'cash');
comment on type public.trip_payment_method is 'How the rider pays.';
create type public.trip_payment_status as enum ('none', 'held', 'due', 'pending', 'paid', 'failed');
comment on type public.trip_payment_status is
  'none: nothing to pay (yet). held: set aside in the rider''s wallet. due: to be collected. pending: a provider was asked. failed: asked again by pay_trip().';
create type public.trip_recurrence as enum ('none', 'weekdays', 'daily');
comment on type public.trip_recurrence is 'When a scheduled trip comes again, by the calendar of Kigali.';
create type public.trip_offer_status as enum ('open', 'accepted', 'declined', 'expired', 'withdrawn', 'returned');
comment on type public.trip_offer_status is 'What became of an offer. withdrawn: another driver was first, or the trip is off. returned: accepted, and given back.';

create table public.trip_moves (
  from_status public.trip_status not null,
  to_status public.trip_status not null,
  actors public.trip_actor[] not null,
  constraint trip_moves_pkey primary key (from_status, to_status)
);

comment on table public.trip_moves is 'The state machine: from where a trip may come whereto, and who may move it so.';
alter table public.trip_moves enable row level security;
grant select on public.trip_moves to service_role;
insert into public.trip_moves (from_status, to_status, actors) values
  ('scheduled', 'requested', '{system}'),
  ('scheduled', 'cancelled', '{rider,operator,system}'),
  ('requested', 'offered', '{operator,system}'),
  ('requested', 'cancelled', '{rider,operator,system}'),
  ('requested', 'expired', '{system}'),
  ('offered', 'accepted', '{driver}'),
  ('offered', 'cancelled', '{rider,operator,system}'),
  ('offered', 'expired', '{system}'),
  ('accepted', 'arrived', '{driver}'),
  ('accepted', 'started', '{driver}'),
  ('accepted', 'requested', '{driver}'),
  ('accepted', 'cancelled', '{rider,driver,operator,system}'),
  ('arrived', 'started', '{driver}'),
  ('arrived', 'requested', '{driver}'),
  ('arrived', 'cancelled', '{rider,driver,operator,system}'),
  ('started', 'completed', '{driver,operator}'),
  ('started', 'cancelled', '{driver,operator,system}');

create table public.trip_waves (
  wave smallint not null,
  radius_meters integer not null,
  driver_count integer not null,
  lasts interval not null,
  constraint trip_waves_pkey primary key (wave),
  constraint trip_waves_reach_somebody check (radius_meters > 0 and driver_count between 1 and 50 and lasts > '0')
);

comment on table public.trip_waves is 'How a trip is offered: to the nearest few first, then to more of them further away. The last wave is repeated.';
alter table public.trip_waves enable row level security;
grant select on public.trip_waves to service_role;
insert into public.trip_waves (wave, radius_meters, driver_count, lasts) values
  (1, 2000, 3, '20 seconds'), (2, 4000, 5, '20 seconds'), (3, 8000, 10, '30 seconds');

create table public.trips (
  id uuid not null default private.uuid_v7(),
  rider_id uuid not null,
  request_key text not null,
  status public.trip_status not null,
  vehicle_type text not null,
  driver_id uuid,
  pickup_lat double precision not null,
  pickup_lng double precision not null,
  pickup_label text,
  dropoff_lat double precision not null,
  dropoff_lng double precision not null,
  dropoff_label text,
  quoted_meters integer not null,
  quoted_seconds integer not null,
  driven_meters integer,
  currency char(3) not null,
  fare_amount bigint not null,
  commission_basis_points integer not null,
  cancellation_amount bigint not null,
  free_cancellation interval not null,
  no_show_wait interval not null,
  payment_method public.trip_payment_method not null,
  payment_status public.trip_payment_status not null default 'none',
  amount_due bigint not null default 0,
  hold_id uuid,
  transaction_id uuid,
  payment_count integer not null default 0,
  is_commission_owed boolean not null default false,
  wave smallint not null default 0,
  series_id uuid,
  scheduled_at timestamptz,
  expires_at timestamptz,
  next_action_at timestamptz,
  accepted_at timestamptz,
  arrived_at timestamptz,
  started_at timestamptz,
  ended_at timestamptz,
  cancelled_by public.trip_actor,
  cancel_reason public.trip_cancel_reason,
  correlation_id text default private.correlation_id(),
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  constraint trips_pkey primary key (id),
  constraint trips_rider_id_request_key_key unique (rider_id, request_key),
  constraint trips_series_id_scheduled_at_key unique (series_id, scheduled_at),
  constraint trips_rider_id_fkey foreign key (rider_id) references public.profiles (id),
  constraint trips_driver_id_fkey foreign key (driver_id) references public.drivers (profile_id),
  constraint trips_vehicle_type_fkey foreign key (vehicle_type) references public.trip_tariffs (vehicle_type),
  constraint trips_currency_fkey foreign key (currency) references public.currencies (code),
  constraint trips_hold_id_fkey foreign key (hold_id) references public.wallet_holds (id),
  constraint trips_are_on_earth check (private.is_coordinate(pickup_lat, pickup_lng) and private.is_coordinate(dropoff_lat, dropoff_lng)),
  constraint trips_labels_are_short check (length(pickup_label) <= 200 and length(dropoff_label) <= 200),
  constraint trips_amounts_are_money check (fare_amount > 0 and amount_due between 0 and fare_amount and cancellation_amount between 0 and fare_amount),
  constraint trips_running_ones_have_a_driver check (status not in ('accepted', 'arrived', 'started', 'completed') or driver_id is not null),
  constraint trips_cancelled_ones_say_by_whom_and_why check (
    (status = 'cancelled') = (cancelled_by is not null) and (status = 'cancelled') = (cancel_reason is not null)
  ),
  constraint trips_end_once check ((status in ('completed', 'cancelled', 'expired')) = (ended_at is not null)),
  constraint trips_of_cash_hold_nothing check (payment_method = 'wallet' or payment_status <> 'held')
);

comment on table public.trips is 'Rides, from the wish to the fare. Written by functions only; moves as public.trip_moves allows.';
comment on column public.trips.fare_amount is 'The quote at the request, which is what the ride costs. The tariff''s rules of that moment stand beside it.';
comment on column public.trips.amount_due is 'What the rider is to pay after the end: the fare, or the fee of a cancellation.';
comment on column public.trips.transaction_id is 'The last payment that was begun at a provider; all of them are in public.trip_payments.';
comment on column public.trips.is_commission_owed is 'Paid in cash, and the driver''s wallet could not bear the commission yet.';
comment on column public.trips.next_action_at is 'When the schedule looks at it: to start, to widen, to expire, to report, to collect. Null: never.';
create unique index trips_one_running_per_driver_key on public.trips (driver_id) where status in ('accepted', 'arrived', 'started');
create index trips_driver_id_id_idx on public.trips (driver_id, id);
create index trips_rider_id_id_idx on public.trips (rider_id, id);
create index trips_rider_id_open_idx on public.trips (rider_id) where ended_at is null;
create index trips_next_action_at_idx on public.trips (next_action_at) where next_action_at is not null;
create index trips_transaction_id_idx on public.trips (transaction_id);
create index trips_hold_id_idx on public.trips (hold_id);
create index trips_vehicle_type_idx on public.trips (vehicle_type);
create index trips_open_idx on public.trips (status, vehicle_type) where ended_at is null;
create index trips_currency_idx on public.trips (currency);
alter table public.trips enable row level security;
grant select on public.trips to authenticated, service_role;

create policy "Riders read their trips"
on public.trips
for select
to authenticated
using (rider_id = (select profile.id from public.profiles as profile where profile.user_id = (select auth.uid())));

create trigger touch_updated_at
before update on public.trips
for each row execute function private.touch_updated_at();

create table public.trip_series (
  id uuid not null default private.uuid_v7(),
  rider_id uuid not null,
  first_trip_id uuid not null,
  recurrence public.trip_recurrence not null,
  next_at timestamptz not null,
  ended_at timestamptz,
  constraint trip_series_pkey primary key (id),
  constraint trip_series_rider_id_fkey foreign key (rider_id) references public.profiles (id),
  constraint trip_series_first_trip_id_fkey foreign key (first_trip_id) references public.trips (id),
  constraint trip_series_come_again check (recurrence <> 'none')
);

comment on table public.trip_series is 'Trips that come again. Each is made a day ahead, once (trips_series_id_scheduled_at_key).';
create index trip_series_rider_id_idx on public.trip_series (rider_id);
create index trip_series_first_trip_id_idx on public.trip_series (first_trip_id);
create index trip_series_next_at_idx on public.trip_series (next_at) where ended_at is null;
alter table public.trip_series enable row level security;
grant select on public.trip_series to service_role;
alter table public.trips add constraint trips_series_id_fkey foreign key (series_id) references public.trip_series (id);

create table public.trip_offers (
  trip_id uuid not null,
  driver_id uuid not null,
  wave smallint not null,
  status public.trip_offer_status not null default 'open',
  distance_meters integer,
  created_at timestamptz not null default now(),
  expires_at timestamptz not null,
  answered_at timestamptz,
  constraint trip_offers_pkey primary key (trip_id, driver_id),
  constraint trip_offers_trip_id_fkey foreign key (trip_id) references public.trips (id),
  constraint trip_offers_driver_id_fkey foreign key (driver_id) references public.drivers (profile_id),
  constraint trip_offers_open_ones_are_unanswered check ((status = 'open') = (answered_at is null))
);

comment on table public.trip_offers is 'Which drivers a trip was offered to: each once, and again if it comes back from one who was faster. Changed under the lock of the trip.';
create index trip_offers_driver_id_trip_id_idx on public.trip_offers (driver_id, trip_id);
create unique index trip_offers_one_winner_key on public.trip_offers (trip_id) where status = 'accepted';
alter table public.trip_offers enable row level security;
grant select on public.trip_offers to authenticated, service_role;

create policy "Drivers read what they were offered"
on public.trip_offers
for select
to authenticated
using (driver_id = (select profile.id from public.profiles as profile where profile.user_id = (select auth.uid())));

create table public.trip_payments (
  transaction_id uuid not null,
  trip_id uuid not null,
  created_at timestamptz not null default now(),
  settled_at timestamptz,
  is_returned boolean not null default false,
  constraint trip_payments_pkey primary key (transaction_id),
  constraint trip_payments_trip_id_fkey foreign key (trip_id) references public.trips (id)
);

comment on table public.trip_payments is 'Every payment begun at a provider for a trip. The first that succeeds pays it; a later one is given to the rider''s wallet.';
create index trip_payments_trip_id_idx on public.trip_payments (trip_id);
alter table public.trip_payments enable row level security;
grant select on public.trip_payments to service_role;

create table public.trip_ratings (
  trip_id uuid not null,
  rated_by public.trip_actor not null,
  stars smallint not null,
  comment text,
  created_at timestamptz not null default now(),
  constraint trip_ratings_pkey primary key (trip_id, rated_by),
  constraint trip_ratings_trip_id_fkey foreign key (trip_id) references public.trips (id),
  constraint trip_ratings_are_of_people check (rated_by in ('rider', 'driver')),
  constraint trip_ratings_stars_are_one_to_five check (stars between 1 and 5),
  constraint trip_ratings_comment_is_short check (length(comment) <= 500)
);

comment on table public.trip_ratings is 'What rider and driver thought of each other, once each.';
alter table public.trip_ratings enable row level security;
grant select on public.trip_ratings to service_role;

commit;
