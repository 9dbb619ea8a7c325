begin;

create type public.nearby_location as (
  id uuid,
  owner_id uuid,
  location_type text,
  label text,
  lat double precision,
  lng double precision,
  distance_meters double precision,
  heading real,
  updated_at timestamptz
);
comment on type public.nearby_location is
  'A place and how far it is. Of a driver, id and owner_id are both the profile, there is no label, and updated_at is when the position was seen.';

create function private.nearby_drivers(
  lat double precision,
  lng double precision,
  radius_meters double precision,
  location_type text,
  max_count integer,
  since timestamptz
)
returns setof public.nearby_location
language plpgsql
stable
security definer -- positions are readable by functions only
set search_path = ''
-- A bitmap has no order: it would read everybody within the radius.
set enable_bitmapscan = off
set enable_seqscan = off
as $$
declare
  -- A centimetre more than is sure, for what rounding costs.
  c_slack constant double precision := private.anchor_meters() + 0.01;
  v_here constant extensions.cube := private.earth_point(nearby_drivers.lat, nearby_drivers.lng, nearby_drivers.location_type);
  v_reach double precision := private.chord_meters(nearby_drivers.radius_meters);
  v_box extensions.cube := extensions.cube_enlarge(v_here, v_reach + c_slack, 4);
begin
  -- Enough drivers, the nearest by their anchors: as many are not further than the last of them, so the nearest of all are not either.
  select max(candidate.chord) into v_reach
  from (
    select driver.position operator(extensions.<->) v_here as chord
    from private.driver_positions as driver
    where v_box operator(extensions.@>) driver.anchor
      and driver.location_type = nearby_drivers.location_type
      and driver.recorded_at >= nearby_drivers.since
      and driver.position operator(extensions.<->) v_here <= v_reach
    order by driver.anchor operator(extensions.<->) v_here
    limit nearby_drivers.max_count
  ) as candidate
  having count(*) > 0;
  if v_reach is null then
    return;
  end if;

  v_box := extensions.cube_enlarge(v_here, v_reach + c_slack, 4);
  return query
  select
    driver.driver_id, driver.driver_id, driver.location_type, null::text, driver.lat, driver.lng,
    private.distance_meters(nearby_drivers.lat, nearby_drivers.lng, driver.lat, driver.lng), driver.heading, driver.recorded_at
  from (
    select * from private.driver_positions as candidate
    where v_box operator(extensions.@>) candidate.anchor
      and candidate.location_type = nearby_drivers.location_type
      and candidate.recorded_at >= nearby_drivers.since
      and candidate.position operator(extensions.<->) v_here <= v_reach
    order by candidate.position operator(extensions.<->) v_here, candidate.driver_id
    limit nearby_drivers.max_count
  ) as driver
  order by driver.position operator(extensions.<->) v_here, driver.driver_id;
end;
$$;

comment on function private.nearby_drivers is
  'The work of public.find_nearby_locations() for live positions. The index knows where drivers were at most private.anchor_meters() ago: '
  'a first look bounds how far the nearest can be, a second reads all that may be within and orders them by where they are.';

create function private.nearby_places(
  lat double precision,
  lng double precision,
  radius_meters double precision,
  location_type text,
  max_count integer,
  since timestamptz,
  owner_id uuid
)
returns setof public.nearby_location
language plpgsql
stable
security definer -- beside row security the index could not be used; so who asks for whose is checked here
set search_path = ''
set enable_bitmapscan = off
set enable_seqscan = off
as $$
declare
  v_owner_id constant uuid := case
    when nearby_places.location_type <> 'saved' then null
    when private.is_wallet_user() then private.my_profile_id()
    else nearby_places.owner_id
  end;
  v_here constant extensions.cube := private.earth_point(
    nearby_places.lat, nearby_places.lng, coalesce(v_owner_id::text, nearby_places.location_type)
  );
  v_reach constant double precision := private.chord_meters(nearby_places.radius_meters);
  v_box constant extensions.cube := extensions.cube_enlarge(v_here, v_reach + 0.01, 4);
begin
  return query
  select
    place.id, place.owner_id, place.location_type, place.label, place.lat, place.lng,
    private.distance_meters(nearby_places.lat, nearby_places.lng, place.lat, place.lng), null::real, place.updated_at
  from public.locations as place
  where v_box operator(extensions.@>) place.position
    and place.location_type = nearby_places.location_type
    and place.owner_id is not distinct from v_owner_id
    and place.updated_at >= nearby_places.since
    and place.position operator(extensions.<->) v_here <= v_reach
  order by place.position operator(extensions.<->) v_here, place.id
  limit nearby_places.max_count;
end;
$$;

comment on function private.nearby_places is 'The work of public.find_nearby_locations() for places that stay. Refuses: profile_not_found.';

create function public.find_nearby_locations(
  lat double precision,
  lng double precision,
  radius_meters double precision default 5000,
  location_type text default 'driver',
  max_count integer default 10,
  max_age_seconds integer default null,
  owner_id uuid default null
)
returns setof public.nearby_location
language plpgsql
stable
set search_path = ''
set statement_timeout = '2s'
as $$
declare
  v_since constant timestamptz := coalesce(now() - make_interval(secs => find_nearby_locations.max_age_seconds), '-infinity');
begin
  if (
    private.is_coordinate(find_nearby_locations.lat, find_nearby_locations.lng)
    and find_nearby_locations.radius_meters > 0 and find_nearby_locations.radius_meters <= 20100000
    and find_nearby_locations.location_type ~ '^[a-z][a-z0-9_]{0,50}$'
    and find_nearby_locations.max_count between 1 and 100
    and coalesce(find_nearby_locations.max_age_seconds, 1) > 0
  ) is not true then
    perform private.refuse('invalid_argument');
  end if;
  if find_nearby_locations.location_type !~ '^driver(_|$)' then
    return query select * from private.nearby_places(
      find_nearby_locations.lat, find_nearby_locations.lng, find_nearby_locations.radius_meters, find_nearby_locations.location_type,
      find_nearby_locations.max_count, v_since, find_nearby_locations.owner_id
    );
    return;
  end if;
  return query select * from private.nearby_drivers(
    find_nearby_locations.lat, find_nearby_locations.lng, find_nearby_locations.radius_meters, find_nearby_locations.location_type,
    find_nearby_locations.max_count, v_since
  );
end;
$$;

comment on function public.find_nearby_locations is
  'The nearest first, up to 100, within a great-circle radius on a sphere: exact to a millimetre there, and within 0.6 % of the ellipsoid. '
  'Types: driver or driver_<vehicle> (live, for the service only), saved (the caller''s own; for the service those of `owner_id`), or any type of '
  'place that the service keeps. `max_age_seconds` leaves out what was not seen or changed since; positions are kept for an hour. '
  'Refuses: invalid_argument, profile_not_found.';
grant execute on function public.find_nearby_locations, private.nearby_places to authenticated, service_role;
-- Not to clients: where people are is nobody's to ask.
grant execute on function private.nearby_drivers to service_role;

commit;
