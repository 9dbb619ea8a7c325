begin;

create type public.cached_route as (
  id uuid,
  provider text,
  polyline text,
  distance_meters double precision,
  duration_seconds double precision,
  origin_offset_meters double precision,
  destination_offset_meters double precision,
  expires_at timestamptz
);
comment on type public.cached_route is 'A route that was found before, and how far its ends are from those that were asked for.';

create function public.get_cached_route(
  origin_lat double precision,
  origin_lng double precision,
  destination_lat double precision,
  destination_lng double precision,
  travel_mode text default 'driving',
  tolerance_meters double precision default 50
)
returns setof public.cached_route
language plpgsql
set search_path = ''
set statement_timeout = '2s'
set enable_seqscan = off
set enable_bitmapscan = off
as $$
begin
  if (
    private.is_coordinate(get_cached_route.origin_lat, get_cached_route.origin_lng)
    and private.is_coordinate(get_cached_route.destination_lat, get_cached_route.destination_lng)
    and get_cached_route.travel_mode is not null
    and get_cached_route.tolerance_meters between 0 and 5000
  ) is not true then
    perform private.refuse('invalid_argument');
  end if;
  return query select * from private.nearest_route(
    get_cached_route.origin_lat, get_cached_route.origin_lng, get_cached_route.destination_lat, get_cached_route.destination_lng,
    get_cached_route.travel_mode, get_cached_route.tolerance_meters
  );
  if random() < 0.015625 then
    perform private.sample_cache('', 'routes', found);
  end if;
end;
$$;

comment on function public.get_cached_route is
  'The route of that mode whose ends are nearest, each within `tolerance_meters` (up to 5000), and whose time is not over; or no row. Ends are '
  'kept rounded to 11 m, so a tolerance below 8 m may miss what was saved for the very same ends. Refuses: invalid_argument.';

create function private.nearest_route(
  origin_lat double precision,
  origin_lng double precision,
  destination_lat double precision,
  destination_lng double precision,
  travel_mode text,
  tolerance_meters double precision
)
returns setof public.cached_route
language plpgsql
stable
set search_path = ''
as $$
declare
  v_ends constant extensions.cube := private.route_point(
    nearest_route.origin_lat, nearest_route.origin_lng, nearest_route.destination_lat, nearest_route.destination_lng,
    nearest_route.travel_mode
  );
  v_box constant extensions.cube := extensions.cube_enlarge(v_ends, nearest_route.tolerance_meters + 0.01, 8);
begin
  return query
  select
    route.id, route.provider, route.polyline, route.distance_meters, route.duration_seconds,
    near.origin_offset, near.destination_offset, route.expires_at
  from public.routes as route
  cross join lateral (
    select
      private.distance_meters(nearest_route.origin_lat, nearest_route.origin_lng, route.origin_lat, route.origin_lng) as origin_offset,
      private.distance_meters(
        nearest_route.destination_lat, nearest_route.destination_lng, route.destination_lat, route.destination_lng
      ) as destination_offset
  ) as near
  where v_box operator(extensions.@>) route.ends
    and route.travel_mode = nearest_route.travel_mode
    and route.expires_at > now()
    and greatest(near.origin_offset, near.destination_offset) <= nearest_route.tolerance_meters
  order by route.ends operator(extensions.<->) v_ends
  limit 1;
end;
$$;

comment on function private.nearest_route is 'The look-up of public.get_cached_route().';
grant execute on function
  public.get_cached_route, private.nearest_route, private.route_point, private.earth_point
to service_role;

create function private.save_route(
  origin_lat double precision,
  origin_lng double precision,
  destination_lat double precision,
  destination_lng double precision,
  travel_mode text,
  provider text,
  polyline text,
  distance_meters double precision,
  duration_seconds double precision,
  expires_at timestamptz
)
returns uuid
language plpgsql
security definer -- the only writer of routes
set search_path = ''
as $$
declare
  v_id uuid;
begin
  insert into public.routes as stored (
    travel_mode, origin_lat, origin_lng, destination_lat, destination_lng, provider, polyline, distance_meters, duration_seconds, expires_at
  )
  values (
    save_route.travel_mode,
    private.rounded_coordinate(save_route.origin_lat), private.rounded_coordinate(save_route.origin_lng),
    private.rounded_coordinate(save_route.destination_lat), private.rounded_coordinate(save_route.destination_lng),
    save_route.provider, save_route.polyline, save_route.distance_meters, save_route.duration_seconds, save_route.expires_at
  )
  on conflict on constraint routes_travel_mode_origin_destination_key do update set
    provider = excluded.provider, polyline = excluded.polyline, distance_meters = excluded.distance_meters,
    duration_seconds = excluded.duration_seconds, created_at = now(), expires_at = excluded.expires_at
  returning stored.id into v_id;
  return v_id;
end;
$$;

comment on function private.save_route is 'The work of public.save_route().';

create function private.rounded_coordinate(degrees double precision)
returns double precision
language sql
immutable
strict
parallel safe
set search_path = ''
return round(rounded_coordinate.degrees * 1e4) / 1e4 + 0.0;

comment on function private.rounded_coordinate is 'Degrees to four decimals, 11 m on the ground at most; a zero has no sign.';

create function public.save_route(
  origin_lat double precision,
  origin_lng double precision,
  destination_lat double precision,
  destination_lng double precision,
  provider text,
  distance_meters double precision,
  duration_seconds double precision,
  polyline text default null,
  travel_mode text default 'driving',
  ttl_seconds integer default 604800
)
returns uuid
language plpgsql
set search_path = ''
set statement_timeout = '2s'
as $$
begin
  if (
    private.is_coordinate(save_route.origin_lat, save_route.origin_lng)
    and private.is_coordinate(save_route.destination_lat, save_route.destination_lng)
    and save_route.provider ~ '^[a-z][a-z0-9_]{0,30}$' and save_route.travel_mode ~ '^[a-z][a-z0-9_]{0,30}$'
    and save_route.distance_meters between 0 and 40100000 and save_route.duration_seconds between 0 and 31536000
    and length(coalesce(save_route.polyline, '')) <= 200000
    and save_route.ttl_seconds between 1 and 2678400
  ) is not true then
    perform private.refuse('invalid_argument');
  end if;
  return private.save_route(
    save_route.origin_lat, save_route.origin_lng, save_route.destination_lat, save_route.destination_lng, save_route.travel_mode,
    save_route.provider, save_route.polyline, save_route.distance_meters, save_route.duration_seconds,
    now() + make_interval(secs => save_route.ttl_seconds)
  );
end;
$$;

comment on function public.save_route is
  'Keeps what a provider answered, for `ttl_seconds` (by default 7 days, up to 31); the same ends, rounded to 11 m, and mode again replace it. '
  'Refuses: invalid_argument.';
grant execute on function public.save_route, private.save_route, private.rounded_coordinate to service_role;

create function private.purge_routes()
returns bigint
language plpgsql
set search_path = ''
as $$
declare
  v_count bigint;
begin
  delete from public.routes as route
  where route.id = any(array(
    select gone.id from public.routes as gone where gone.expires_at <= now() order by gone.expires_at limit 50000 for update skip locked
  ));
  get diagnostics v_count = row_count;
  return v_count;
end;
$$;

comment on function private.purge_routes is 'Forgets routes whose time is over, up to 50,000; says how many. Run by the schedule.';

insert into private.schedule (name, cron, command) values
  ('purge-routes', '*/15 * * * *', 'select private.purge_routes()');

commit;
