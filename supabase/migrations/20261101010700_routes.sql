begin;

create function private.route_point(
  origin_lat double precision,
  origin_lng double precision,
  destination_lat double precision,
  destination_lng double precision,
  travel_mode text
)
returns extensions.cube
language plpgsql
immutable
strict
parallel safe
set search_path = ''
as $$
declare
  v_point extensions.cube := private.earth_point(route_point.origin_lat, route_point.origin_lng, '');
  v_destination constant extensions.cube := private.earth_point(
    route_point.destination_lat, route_point.destination_lng, route_point.travel_mode
  );
begin
  for v_axis in 1..4 loop
    v_point := extensions.cube(
      v_point, extensions.cube_ll_coord(v_destination, v_axis), extensions.cube_ur_coord(v_destination, v_axis)
    );
  end loop;
  return v_point;
end;
$$;

comment on function private.route_point is
  'Both ends of a route as one point, in metres, and the mode of travel as another axis: routes with ends near each other are near.';

create table public.routes (
  id uuid not null default private.uuid_v7(),
  travel_mode text not null,
  origin_lat double precision not null,
  origin_lng double precision not null,
  destination_lat double precision not null,
  destination_lng double precision not null,
  ends extensions.cube not null generated always as (
    private.route_point(origin_lat, origin_lng, destination_lat, destination_lng, travel_mode)
  ) stored,
  provider text not null,
  polyline text,
  distance_meters double precision not null,
  duration_seconds double precision not null,
  created_at timestamptz not null default now(),
  expires_at timestamptz not null,
  constraint routes_pkey primary key (id),
  constraint routes_travel_mode_origin_destination_key
    unique (travel_mode, origin_lat, origin_lng, destination_lat, destination_lng),
  constraint routes_travel_mode_is_a_name check (travel_mode ~ '^[a-z][a-z0-9_]{0,30}$'),
  constraint routes_provider_is_a_name check (provider ~ '^[a-z][a-z0-9_]{0,30}$'),
  constraint routes_are_on_earth check (
    private.is_coordinate(origin_lat, origin_lng) and private.is_coordinate(destination_lat, destination_lng)
  ),
  constraint routes_distance_is_possible check (distance_meters between 0 and 40100000),
  constraint routes_duration_is_possible check (duration_seconds between 0 and 31536000),
  constraint routes_polyline_is_bounded check (length(polyline) <= 200000)
);

comment on table public.routes is
  'What routing providers answered, one route per pair of ends rounded to four decimals (11 m) and mode of travel. No people: whose trip it was '
  'is not kept.';
comment on column public.routes.polyline is 'Google''s encoded polyline, precision 5; null if the provider gave none.';
create index routes_ends_idx on public.routes using gist (ends);
create index routes_expires_at_idx on public.routes (expires_at);
alter table public.routes enable row level security;
grant select on public.routes to service_role;

create view public.route_cache_stats
with (security_invoker = on)
as
select
  route.provider,
  route.travel_mode,
  count(*) as route_count,
  count(*) filter (where route.expires_at <= now()) as expired_count,
  round(avg(route.distance_meters)) as average_distance_meters,
  sum(length(route.polyline)) as polyline_characters,
  (select lookup.hit_count from private.cache_lookups as lookup where lookup.cache_type = 'routes') as hit_count,
  (select lookup.miss_count from private.cache_lookups as lookup where lookup.cache_type = 'routes') as miss_count
from public.routes as route
group by route.provider, route.travel_mode;

comment on view public.route_cache_stats is
  'Per provider and mode: routes kept, those past their time, and how long they are. hit_count and miss_count are of all look-ups together, '
  'estimated from one in 64 (cache_stats).';
grant select on public.route_cache_stats to service_role;

commit;
