begin;

create function private.uuid_v7(at timestamptz default clock_timestamp())
returns uuid
language plpgsql
volatile
set search_path = ''
as $$
declare
  v_microseconds bigint := (extract(epoch from uuid_v7.at) * 1000000)::bigint;
begin
  return (
    lpad(to_hex(v_microseconds / 1000), 12, '0') || '7' || lpad(to_hex((v_microseconds % 1000) * 4096 / 1000), 3, '0')
    || substr(gen_random_uuid()::text, 20)
  )::uuid;
end;
$$;

comment on function private.uuid_v7 is
  'A new UUIDv7 of that time, with the microseconds in rand_a (RFC 9562, section 6.2, method 3).';
grant execute on function private.uuid_v7 to authenticated, service_role;

create function private.uuid_v7_floor(at timestamptz)
returns uuid
language plpgsql
immutable
strict
parallel safe
set search_path = ''
as $$
declare
  v_microseconds bigint := (extract(epoch from uuid_v7_floor.at) * 1000000)::bigint;
  v_fraction integer := ((v_microseconds % 1000) * 4096 / 1000)::integer;
begin
  return (
    lpad(to_hex(v_microseconds / 1000), 12, '0') || '7' || lpad(to_hex(v_fraction), 3, '0') || '8000000000000000'
  )::uuid;
end;
$$;

comment on function private.uuid_v7_floor is
  'The smallest UUIDv7 of that time: ids made at or after it compare greater or equal. Bounds partitions and look-ups.';
grant execute on function private.uuid_v7_floor to anon, authenticated, service_role;

create function private.uuid_v7_time(id uuid)
returns timestamptz
language plpgsql
immutable
strict
parallel safe
set search_path = ''
as $$
declare
  v_hex text := replace(uuid_v7_time.id::text, '-', '');
  v_milliseconds bigint := ('x' || substr(v_hex, 1, 12))::bit(48)::bigint;
  v_fraction integer := ('x' || substr(v_hex, 14, 3))::bit(12)::integer;
begin
  return 'epoch'::timestamptz
    + make_interval(secs => 0.001 * v_milliseconds)
    + make_interval(secs => 0.000001 * ceil(v_fraction * 1000 / 4096.0));
end;
$$;

comment on function private.uuid_v7_time is
  'The time a UUIDv7 of private.uuid_v7() was made at, to the microsecond. What created_at is generated from.';
grant execute on function private.uuid_v7_time to authenticated, service_role;

commit;
