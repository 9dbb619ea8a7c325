begin;

create table public.trip_tariffs (
  vehicle_type text not null,
  currency char(3) not null default 'RWF',
  base_amount bigint not null,
  amount_per_km bigint not null,
  amount_per_minute bigint not null,
  minimum_amount bigint not null,
  commission_basis_points integer not null,
  cancellation_amount bigint not null,
  free_cancellation interval not null,
  no_show_wait interval not null,
  speed_kmh integer not null,
  detour_percent integer not null,
  constraint trip_tariffs_pkey primary key (vehicle_type),
  constraint trip_tariffs_currency_fkey foreign key (currency) references public.currencies (code),
  constraint trip_tariffs_vehicle_type_is_a_word check (vehicle_type ~ '^[a-z][a-z0-9_]{0,31}$'),
  constraint trip_tariffs_amounts_are_not_negative check (
    least(base_amount, amount_per_km, amount_per_minute, cancellation_amount) >= 0 and minimum_amount > 0
  ),
  constraint trip_tariffs_commission_is_a_share check (commission_basis_points between 0 and 10000),
  constraint trip_tariffs_roads_are_longer_than_lines check (detour_percent between 100 and 300 and speed_kmh between 1 and 200)
);

comment on table public.trip_tariffs is
  'What a ride costs, by kind of vehicle; the kinds that we serve are those that have a row. Amounts are minor units of the currency.';
comment on column public.trip_tariffs.cancellation_amount is 'What a rider owes who cancels late or does not come; never more than the fare.';
comment on column public.trip_tariffs.free_cancellation is 'So long after a driver accepted, cancelling is free.';
comment on column public.trip_tariffs.no_show_wait is 'So long a driver waits at the pick-up before it counts as the rider''s absence.';
comment on column public.trip_tariffs.detour_percent is 'How long roads are, in percent of the great circle.';
create index trip_tariffs_currency_idx on public.trip_tariffs (currency);
alter table public.trip_tariffs enable row level security;
grant select on public.trip_tariffs to authenticated, service_role;

create policy "People who sign in read the tariffs"
on public.trip_tariffs
for select
to authenticated
using (true);

insert into public.trip_tariffs (
  vehicle_type, base_amount, amount_per_km, amount_per_minute, minimum_amount, commission_basis_points,
  cancellation_amount, free_cancellation, no_show_wait, speed_kmh, detour_percent
) values
  ('moto', 300, 120, 10, 500, 1000, 300, '2 minutes', '5 minutes', 30, 130),
  ('car', 1000, 500, 40, 2000, 1500, 1000, '2 minutes', '5 minutes', 30, 130),
  ('tuk_tuk', 500, 250, 20, 1000, 1200, 500, '2 minutes', '5 minutes', 25, 130);

select private.audit_table('public.trip_tariffs');

create type public.driver_state as enum ('applied', 'approved', 'suspended', 'rejected');
comment on type public.driver_state is 'How far somebody is with driving for us. Only the approved are offered trips. Operators move it.';

create table public.driver_moves (
  from_state public.driver_state not null,
  to_state public.driver_state not null,
  constraint driver_moves_pkey primary key (from_state, to_state)
);

comment on table public.driver_moves is 'From which state a driver may come into which.';
alter table public.driver_moves enable row level security;
grant select on public.driver_moves to service_role;
insert into public.driver_moves (from_state, to_state) values
  ('applied', 'approved'), ('applied', 'rejected'), ('approved', 'suspended'), ('suspended', 'approved'),
  ('suspended', 'rejected'), ('rejected', 'applied');

create table public.drivers (
  profile_id uuid not null,
  vehicle_type text not null,
  plate text not null,
  state public.driver_state not null default 'applied',
  state_reason text,
  is_online boolean not null default false,
  rating_count integer not null default 0,
  rating_sum integer not null default 0,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  constraint drivers_pkey primary key (profile_id),
  constraint drivers_plate_key unique (plate),
  constraint drivers_profile_id_fkey foreign key (profile_id) references public.profiles (id),
  constraint drivers_vehicle_type_fkey foreign key (vehicle_type) references public.trip_tariffs (vehicle_type),
  constraint drivers_plate_is_one check (plate ~ '^[A-Z0-9]{4,10}$'),
  constraint drivers_online_ones_are_approved check (state = 'approved' or not is_online),
  constraint drivers_state_reason_is_short check (length(state_reason) <= 300)
);

comment on table public.drivers is 'Who drives, with what, and whether they take trips now. Where they are stands in private.driver_positions.';
comment on column public.drivers.plate is 'Capitals and digits only, as RAB123C.';
comment on column public.drivers.rating_sum is 'Of stars; with rating_count the average.';
create index drivers_vehicle_type_idx on public.drivers (vehicle_type);
create index drivers_online_idx on public.drivers (vehicle_type) where is_online;
alter table public.drivers enable row level security;
grant select on public.drivers to authenticated, service_role;

create policy "Drivers read their own row"
on public.drivers
for select
to authenticated
using (profile_id = (select profile.id from public.profiles as profile where profile.user_id = (select auth.uid())));

create trigger touch_updated_at
before update on public.drivers
for each row execute function private.touch_updated_at();
select private.audit_table('public.drivers');

commit;
