begin;

create function private.anchor_meters()
returns double precision
language sql
immutable
parallel safe
set search_path = ''
return 250::double precision;

comment on function private.anchor_meters is
  'How far a driver may go before the index learns of it. More makes updates cheaper and searches read more neighbours.';

create unlogged table private.driver_positions (
  driver_id uuid not null,
  location_type text not null,
  lat double precision not null,
  lng double precision not null,
  position extensions.cube not null,
  anchor extensions.cube not null,
  heading real,
  accuracy real,
  recorded_at timestamptz not null,
  constraint driver_positions_pkey primary key (driver_id),
  constraint driver_positions_driver_id_fkey foreign key (driver_id) references public.profiles (id) on delete cascade,
  constraint driver_positions_are_on_earth check (private.is_coordinate(lat, lng)),
  constraint driver_positions_stay_near_their_anchor
    check (position operator(extensions.<->) anchor <= 250)
) with (fillfactor = 50, autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_insert_scale_factor = 0.1);

comment on table private.driver_positions is
  'Where drivers are now, one row each, without a past. A crash empties it: drivers report again within seconds. Half of each page is free and '
  'only the anchor is indexed, so that most updates touch no index (HOT).';
comment on column private.driver_positions.location_type is 'driver, or driver_<vehicle>: who is looked for.';
comment on column private.driver_positions.position is 'The place as private.earth_point() tells it.';
comment on column private.driver_positions.anchor is
  'Where the driver was when the index last learned of it; follows as soon as the driver is private.anchor_meters() away.';
comment on column private.driver_positions.heading is 'Degrees clockwise from north.';
comment on column private.driver_positions.accuracy is 'The radius in metres that the device vouches for.';
create index driver_positions_anchor_idx on private.driver_positions using gist (anchor);
alter table private.driver_positions enable row level security;

create function private.update_driver_position(
  driver_id uuid,
  lat double precision,
  lng double precision,
  heading double precision,
  accuracy double precision,
  at timestamptz,
  location_type text
)
returns boolean
language plpgsql
security definer -- the only writer of positions
set search_path = ''
as $$
declare
  v_position extensions.cube := private.earth_point(
    update_driver_position.lat, update_driver_position.lng, update_driver_position.location_type
  );
begin
  insert into private.driver_positions as stored
    (driver_id, location_type, lat, lng, position, anchor, heading, accuracy, recorded_at)
  values (
    update_driver_position.driver_id, update_driver_position.location_type, update_driver_position.lat, update_driver_position.lng,
    v_position, v_position, update_driver_position.heading, update_driver_position.accuracy,
    -- A clock that runs ahead does not keep a driver fresh.
    least(update_driver_position.at, now())
  )
  on conflict on constraint driver_positions_pkey do update set
    location_type = excluded.location_type,
    lat = excluded.lat,
    lng = excluded.lng,
    position = excluded.position,
    anchor = case
      when stored.anchor operator(extensions.<->) excluded.position <= private.anchor_meters() then stored.anchor
      else excluded.position
    end,
    heading = excluded.heading,
    accuracy = excluded.accuracy,
    recorded_at = excluded.recorded_at
  where stored.recorded_at <= excluded.recorded_at;
  return found;
exception
  when foreign_key_violation then
    perform private.refuse('profile_not_found');
end;
$$;

comment on function private.update_driver_position is 'The work of public.update_driver_position(). Refuses: profile_not_found.';

create function public.update_driver_position(
  driver_id uuid,
  lat double precision,
  lng double precision,
  heading double precision default null,
  accuracy double precision default null,
  at timestamptz default null,
  location_type text default 'driver'
)
returns boolean
language plpgsql
set search_path = ''
set statement_timeout = '2s'
as $$
begin
  if (
    update_driver_position.driver_id is not null
    and private.is_coordinate(update_driver_position.lat, update_driver_position.lng)
    and coalesce(update_driver_position.heading, 0) between 0 and 360
    and coalesce(update_driver_position.accuracy, 0) between 0 and 100000
    and update_driver_position.location_type ~ '^driver(_[a-z0-9_]{1,40})?$'
  ) is not true then
    perform private.refuse('invalid_argument');
  end if;
  return private.update_driver_position(
    update_driver_position.driver_id, update_driver_position.lat, update_driver_position.lng, update_driver_position.heading,
    update_driver_position.accuracy, coalesce(update_driver_position.at, now()), update_driver_position.location_type
  );
end;
$$;

comment on function public.update_driver_position is
  'Notes where a driver (a profile) is. `at` is when the device saw it, by default now; says false of what is older than what is known. '
  '`location_type`: driver, or driver_<vehicle>. Refuses: invalid_argument, profile_not_found.';
grant execute on function public.update_driver_position, private.update_driver_position to service_role;

create function private.forget_driver_position(driver_id uuid)
returns boolean
language plpgsql
security definer -- the only writer of positions
set search_path = ''
as $$
begin
  delete from private.driver_positions as stored where stored.driver_id = forget_driver_position.driver_id;
  return found;
end;
$$;

comment on function private.forget_driver_position is 'The work of public.forget_driver_position().';

create function public.forget_driver_position(driver_id uuid)
returns boolean
language plpgsql
set search_path = ''
set statement_timeout = '2s'
as $$
begin
  return private.forget_driver_position(forget_driver_position.driver_id);
end;
$$;

comment on function public.forget_driver_position is 'A driver is off the road: their position is forgotten at once; says whether one was known.';
grant execute on function public.forget_driver_position, private.forget_driver_position to service_role;

create function private.purge_driver_positions()
returns bigint
language plpgsql
set search_path = ''
as $$
declare
  v_count bigint;
begin
  -- Reads the whole table: an index on the time would make every update touch it.
  delete from private.driver_positions as stored where stored.recorded_at < now() - interval '1 hour';
  get diagnostics v_count = row_count;
  return v_count;
end;
$$;

comment on function private.purge_driver_positions is 'Forgets positions of more than an hour ago; says how many. Run by the schedule.';

insert into private.schedule (name, cron, command) values
  ('purge-driver-positions', '*/5 * * * *', 'select private.purge_driver_positions()');

commit;
