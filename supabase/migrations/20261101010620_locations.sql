begin;

create table public.locations (
  id uuid not null default private.uuid_v7(),
  owner_id uuid,
  location_type text not null default 'saved',
  label text not null,
  label_key text not null generated always as (lower(label)) stored,
  address text,
  lat double precision not null,
  lng double precision not null,
  position extensions.cube not null
    generated always as (private.earth_point(lat, lng, coalesce(owner_id::text, location_type))) stored,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  constraint locations_pkey primary key (id),
  constraint locations_owner_id_location_type_label_key unique nulls not distinct (owner_id, location_type, label_key),
  constraint locations_owner_id_fkey foreign key (owner_id) references public.profiles (id) on delete cascade,
  constraint locations_saved_ones_have_an_owner check ((location_type = 'saved') = (owner_id is not null)),
  constraint locations_drivers_are_elsewhere check (location_type ~ '^[a-z][a-z0-9_]{0,40}$' and location_type !~ '^driver(_|$)'),
  constraint locations_label_is_short check (length(label) between 1 and 100),
  constraint locations_address_is_short check (length(address) <= 300),
  constraint locations_are_on_earth check (private.is_coordinate(lat, lng))
);

comment on table public.locations is
  'Places that stay: those that people saved (`saved`), which are theirs alone, and those that anybody may look for (`pharmacy`, '
  '`hardware_shop`, `pickup_point` ...), which the service keeps.';
comment on column public.locations.label is
  'What its owner calls it, each name once whatever the case; `home` and `work` are what menus offer first.';
comment on column public.locations.position is
  'What searches go by: the place, and as its kind the owner, or the type of what has none. So a search for one''s own places never reads others''.';
create index locations_position_idx on public.locations using gist (position);
alter table public.locations enable row level security;
grant select (id, owner_id, location_type, label, address, lat, lng, created_at, updated_at) on public.locations to authenticated;
grant select on public.locations to service_role;

create policy "People read the places they saved"
on public.locations
for select
to authenticated
using (owner_id = (select profile.id from public.profiles as profile where profile.user_id = (select auth.uid())));

create trigger touch_updated_at
before update on public.locations
for each row execute function private.touch_updated_at();

create function private.save_location(
  owner_id uuid,
  location_type text,
  label text,
  lat double precision,
  lng double precision,
  address text
)
returns uuid
language plpgsql
security definer -- no role may write locations
set search_path = ''
as $$
declare
  c_most constant integer := 50;
  v_owner_id uuid := case when private.is_wallet_user() then private.my_profile_id() else save_location.owner_id end;
  v_id uuid;
begin
  if (save_location.location_type = 'saved') <> (v_owner_id is not null) or coalesce(save_location.owner_id, v_owner_id) <> v_owner_id then
    perform private.refuse('invalid_argument', jsonb_build_object('argument', 'owner_id'));
  end if;
  if v_owner_id is not null then
    -- One at a time of a person, so that they stay within the bound.
    perform from public.profiles as profile where profile.id = v_owner_id for no key update;
    if not found then
      perform private.refuse('profile_not_found');
    end if;
  end if;
  insert into public.locations as stored (owner_id, location_type, label, lat, lng, address)
  values (v_owner_id, save_location.location_type, save_location.label, save_location.lat, save_location.lng, save_location.address)
  on conflict on constraint locations_owner_id_location_type_label_key
  do update set label = excluded.label, lat = excluded.lat, lng = excluded.lng, address = excluded.address
  returning stored.id into v_id;
  if (select count(*) from public.locations as stored where stored.owner_id = v_owner_id) > c_most then
    perform private.refuse('too_many_locations', jsonb_build_object('most', c_most));
  end if;
  return v_id;
end;
$$;

comment on function private.save_location is
  'The work of public.save_location(). Refuses: invalid_argument, profile_not_found, too_many_locations.';

create function public.save_location(
  label text,
  lat double precision,
  lng double precision,
  location_type text default 'saved',
  address text default null,
  owner_id uuid default null
)
returns uuid
language plpgsql
set search_path = ''
set statement_timeout = '2s'
as $$
begin
  if (
    length(trim(save_location.label)) between 1 and 100
    and length(coalesce(save_location.address, '')) <= 300
    and save_location.location_type ~ '^[a-z][a-z0-9_]{0,40}$'
    and save_location.location_type !~ '^driver(_|$)'
    and private.is_coordinate(save_location.lat, save_location.lng)
  ) is not true then
    perform private.refuse('invalid_argument');
  end if;
  return private.save_location(
    save_location.owner_id, save_location.location_type, trim(save_location.label), save_location.lat, save_location.lng, save_location.address
  );
end;
$$;

comment on function public.save_location is
  'Keeps a place: the caller''s own, or for the service anybody''s, or one of a type that anybody may look for (without an owner). The same '
  'label again moves the place; up to 50 a person. Refuses: invalid_argument, profile_not_found, too_many_locations.';
grant execute on function public.save_location, private.save_location to authenticated, service_role;

create function private.remove_location(location_id uuid)
returns boolean
language plpgsql
security definer -- no role may write locations
set search_path = ''
as $$
declare
  v_owner_id uuid := case when private.is_wallet_user() then private.my_profile_id() end;
begin
  delete from public.locations as stored
  where stored.id = remove_location.location_id and (v_owner_id is null or stored.owner_id = v_owner_id);
  return found;
end;
$$;

comment on function private.remove_location is 'The work of public.remove_location(). Refuses: profile_not_found.';

create function public.remove_location(location_id uuid)
returns boolean
language plpgsql
set search_path = ''
set statement_timeout = '2s'
as $$
begin
  return private.remove_location(remove_location.location_id);
end;
$$;

comment on function public.remove_location is
  'Forgets a place of the caller''s own, or for the service any; says whether there was one. Refuses: profile_not_found.';
grant execute on function public.remove_location, private.remove_location to authenticated, service_role;

commit;
