begin;

create function private.earth_radius_meters()
returns double precision
language sql
immutable
parallel safe
set search_path = ''
return 6371008.8::double precision;

comment on function private.earth_radius_meters is
  'The mean radius of the Earth (IUGG). On a sphere of it distances are within 0.6 % of those on the ellipsoid (WGS 84).';

create function private.is_coordinate(lat double precision, lng double precision)
returns boolean
language sql
immutable
parallel safe
set search_path = ''
return coalesce(is_coordinate.lat between -90 and 90 and is_coordinate.lng between -180 and 180, false);

comment on function private.is_coordinate is 'Whether these are a latitude and a longitude, in degrees.';

create function private.rounded_degrees(degrees double precision)
returns double precision
language sql
immutable
strict
parallel safe
set search_path = ''
return round(rounded_degrees.degrees * 1e11) / 1e11;

comment on function private.rounded_degrees is
  'Degrees to a micrometre on the ground: the square of a smaller number than that may be none that a float can hold, which is an error.';

create function private.distance_meters(
  from_lat double precision,
  from_lng double precision,
  to_lat double precision,
  to_lng double precision
)
returns double precision
language plpgsql
immutable
strict
parallel safe
set search_path = ''
as $$
declare
  v_half_lat double precision := private.rounded_degrees(distance_meters.to_lat - distance_meters.from_lat) / 2;
  v_half_lng double precision := private.rounded_degrees(distance_meters.to_lng - distance_meters.from_lng) / 2;
  v_share double precision := sind(v_half_lat) ^ 2
    + cosd(distance_meters.from_lat) * cosd(distance_meters.to_lat) * sind(v_half_lng) ^ 2;
begin
  return 2 * private.earth_radius_meters() * asin(sqrt(least(v_share, 1)));
end;
$$;

comment on function private.distance_meters is
  'The great-circle distance (haversine). Right to a millimetre up to 19,000 km; near the opposite point of the Earth, to 0.2 m.';

create function private.chord_meters(distance_meters double precision)
returns double precision
language sql
immutable
strict
parallel safe
set search_path = ''
return 2 * private.earth_radius_meters()
  * sin(least(chord_meters.distance_meters / (2 * private.earth_radius_meters()), pi() / 2));

comment on function private.chord_meters is 'How long the straight line through the Earth is between two points of that great-circle distance.';

create function private.earth_point(lat double precision, lng double precision, kind text)
returns extensions.cube
language plpgsql
immutable
strict
parallel safe
set search_path = ''
as $$
declare
  v_radius constant double precision := private.earth_radius_meters();
  v_lat constant double precision := private.rounded_degrees(earth_point.lat);
  v_lng constant double precision := private.rounded_degrees(earth_point.lng);
begin
  return extensions.cube(array[
    v_radius * cosd(v_lat) * cosd(v_lng),
    v_radius * cosd(v_lat) * sind(v_lng),
    v_radius * sind(v_lat),
    -- Two kinds are further apart than any two points of the Earth, so that an index never walks through another kind.
    4 * v_radius * ('x' || left(md5(earth_point.kind), 4))::bit(16)::integer
  ]);
end;
$$;

comment on function private.earth_point is
  'A place as a point in space, in metres, and its kind as a fourth axis. Straight lines order places as great circles do, without special '
  'cases at the poles and the antimeridian. Two kinds may share a place on the axis: compare the kind too.';
grant execute on function private.distance_meters, private.earth_radius_meters, private.is_coordinate, private.rounded_degrees to authenticated, service_role;

commit;
