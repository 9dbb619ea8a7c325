begin;

create table public.notification_settings (
  profile_id uuid not null,
  time_zone text not null default 'Africa/Kigali',
  quiet_from time default '22:00',
  quiet_to time default '07:00',
  quiet_days smallint[] not null default '{1,2,3,4,5,6,7}',
  updated_at timestamptz not null default now(),
  constraint notification_settings_pkey primary key (profile_id),
  constraint notification_settings_profile_id_fkey foreign key (profile_id) references public.profiles (id) on delete cascade,
  constraint notification_settings_quiet_hours_have_both_ends check (num_nulls(quiet_from, quiet_to) in (0, 2)),
  constraint notification_settings_quiet_days_are_iso check (quiet_days <@ '{1,2,3,4,5,6,7}')
);

comment on table public.notification_settings is 'When a person may be disturbed. Without a row the columns'' defaults hold.';
comment on column public.notification_settings.quiet_from is
  'When the quiet hours begin, in the person''s own time; null for none. Equal ends mean a whole day; an end before the beginning is on the next day.';
comment on column public.notification_settings.quiet_days is 'On which days they begin: 1 is Monday, 7 Sunday.';
alter table public.notification_settings enable row level security;
grant select on public.notification_settings to authenticated, service_role;

create policy "People read their own notification settings"
on public.notification_settings
for select
to authenticated
using (profile_id in (select profile.id from public.profiles as profile where profile.user_id = (select auth.uid())));

create trigger touch_updated_at
before update on public.notification_settings
for each row execute function private.touch_updated_at();

create table public.notification_preferences (
  profile_id uuid not null,
  category text not null,
  channel public.notification_channel not null,
  is_enabled boolean not null,
  updated_at timestamptz not null default now(),
  constraint notification_preferences_pkey primary key (profile_id, category, channel),
  constraint notification_preferences_profile_id_fkey foreign key (profile_id) references public.profiles (id) on delete cascade,
  constraint notification_preferences_category_fkey foreign key (category) references public.notification_categories (category) on delete cascade,
  constraint notification_preferences_inbox_is_always_on check (channel <> 'inbox')
);

comment on table public.notification_preferences is 'Which channel a person wants for which category. Without a row, the category''s channels are on.';
create index notification_preferences_category_idx on public.notification_preferences (category);
alter table public.notification_preferences enable row level security;
grant select on public.notification_preferences to authenticated, service_role;

create policy "People read their own notification preferences"
on public.notification_preferences
for select
to authenticated
using (profile_id in (select profile.id from public.profiles as profile where profile.user_id = (select auth.uid())));

create trigger touch_updated_at
before update on public.notification_preferences
for each row execute function private.touch_updated_at();

create type public.push_service as enum ('expo', 'web_push');
comment on type public.push_service is 'Who carries a push message: Expo to apps, the browser''s own push service to pages (RFC 8030).';

create function private.is_push_address(service public.push_service, address jsonb)
returns boolean
language plpgsql
immutable
set search_path = ''
as $$
begin
  if is_push_address.service = 'expo' then
    return is_push_address.address ->> 'token' ~ '^Expo(nent)?PushToken\[[^\]]{1,200}\]$';
  end if;
  return is_push_address.address ->> 'endpoint' ~ '^https://\S+$' and length(is_push_address.address ->> 'endpoint') <= 2000
    and is_push_address.address #>> '{keys,p256dh}' ~ '^[A-Za-z0-9_-]{87,88}=?$'
    and is_push_address.address #>> '{keys,auth}' ~ '^[A-Za-z0-9_-]{22}(==)?$';
end;
$$;

comment on function private.is_push_address is
  'Whether an address is one of that push service: a token of Expo, or a browser''s PushSubscription (RFC 8291: a P-256 key and 16 bytes).';

create table public.push_endpoints (
  id uuid not null default private.uuid_v7(),
  profile_id uuid not null,
  service public.push_service not null,
  address jsonb not null,
  address_hash bytea not null generated always as (extensions.digest(address::text, 'sha256')) stored,
  device_name text,
  created_at timestamptz not null default now(),
  last_seen_at timestamptz not null default now(),
  constraint push_endpoints_pkey primary key (id),
  constraint push_endpoints_address_key unique (address_hash),
  constraint push_endpoints_profile_id_fkey foreign key (profile_id) references public.profiles (id) on delete cascade,
  constraint push_endpoints_device_name_is_short check (length(device_name) <= 200),
  constraint push_endpoints_address_fits_the_service check (private.is_push_address(service, address) is true)
);

comment on table public.push_endpoints is 'The devices and browsers that a person gets push messages on. One that the service calls gone is removed.';
comment on column public.push_endpoints.address is
  'Expo: {"token": "ExponentPushToken[...]"}. Web push: the browser''s PushSubscription, {"endpoint", "keys": {"p256dh", "auth"}}.';
comment on column public.push_endpoints.address_hash is 'A device that somebody else signs in on is theirs from then on.';
create index push_endpoints_profile_id_idx on public.push_endpoints (profile_id);
alter table public.push_endpoints enable row level security;
grant select on public.push_endpoints to authenticated, service_role;

create policy "People see their own push endpoints"
on public.push_endpoints
for select
to authenticated
using (profile_id in (select profile.id from public.profiles as profile where profile.user_id = (select auth.uid())));

create function private.quiet_until(settings public.notification_settings, at timestamptz)
returns timestamptz
language plpgsql
stable
set search_path = ''
as $$
declare
  v_local timestamp := quiet_until.at at time zone (quiet_until.settings).time_zone;
  v_begin time := (quiet_until.settings).quiet_from;
  v_end time := (quiet_until.settings).quiet_to;
  v_quiet_end timestamp;
  v_is_quiet boolean := false;
begin
  -- One quiet time may run into the next: whole days in a row, a week at most.
  for v_turn in 1..8 loop
    select max(day + v_end + case when v_end <= v_begin then interval '1 day' else interval '0' end) into v_quiet_end
    from unnest(array[v_local::date - 1, v_local::date]) as day
    where extract(isodow from day) = any((quiet_until.settings).quiet_days)
      and v_local >= day + v_begin
      and v_local < day + v_end + case when v_end <= v_begin then interval '1 day' else interval '0' end;
    exit when v_quiet_end is null;
    v_is_quiet := true;
    v_local := v_quiet_end;
  end loop;
  return case when v_is_quiet then v_local at time zone (quiet_until.settings).time_zone end;
end;
$$;

comment on function private.quiet_until is
  'When the quiet hours end that a moment falls into, or null if it falls into none. Told in the person''s own time, so a day of 23 or 25 hours is right too.';

commit;
