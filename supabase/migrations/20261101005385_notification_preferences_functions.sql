begin;

create function private.set_notification_preference(category text, channel public.notification_channel, is_enabled boolean)
returns void
language plpgsql
security definer -- writes the caller's own row, after the checks
set search_path = ''
as $$
declare
  v_profile_id constant uuid := private.my_profile_id();
begin
  if not exists (
    select from public.notification_categories as known
    where known.category = set_notification_preference.category and not known.is_critical
  ) then
    perform private.refuse('invalid_argument', '{"argument": "category", "range": "a category that is not critical"}');
  end if;
  insert into public.notification_preferences (profile_id, category, channel, is_enabled)
  values (v_profile_id, set_notification_preference.category, set_notification_preference.channel, set_notification_preference.is_enabled)
  on conflict on constraint notification_preferences_pkey do update set is_enabled = excluded.is_enabled;
end;
$$;

comment on function private.set_notification_preference is 'The work of public.set_notification_preference().';

create function public.set_notification_preference(category text, channel public.notification_channel, is_enabled boolean)
returns void
language plpgsql
set search_path = ''
set statement_timeout = '2s'
as $$
begin
  if set_notification_preference.channel is null or set_notification_preference.channel = 'inbox' then
    perform private.refuse('invalid_argument', '{"argument": "channel", "range": "push, whatsapp, sms, email"}');
  end if;
  if set_notification_preference.is_enabled is null then
    perform private.refuse('invalid_argument', '{"argument": "is_enabled", "range": "true or false"}');
  end if;
  perform private.set_notification_preference(
    set_notification_preference.category, set_notification_preference.channel, set_notification_preference.is_enabled
  );
end;
$$;

comment on function public.set_notification_preference is
  'Turns a channel on or off for a category of the caller''s notifications; they stay in the inbox. Refuses: invalid_argument, profile_not_found.';
grant execute on function public.set_notification_preference, private.set_notification_preference to authenticated;

create function public.list_notification_preferences()
returns table (
  category text,
  description text,
  channel public.notification_channel,
  is_enabled boolean,
  is_critical boolean
)
language plpgsql
stable
set search_path = ''
set statement_timeout = '2s'
as $$
begin
  return query
  select known.category, known.description, carried.channel, coalesce(preference.is_enabled, true), known.is_critical
  from public.notification_categories as known
  cross join lateral unnest(known.channels) with ordinality as carried (channel, position)
  left join public.notification_preferences as preference
    on preference.profile_id = private.my_profile_id() and preference.category = known.category and preference.channel = carried.channel
  order by known.category, carried.position;
end;
$$;

comment on function public.list_notification_preferences is
  'Every category and channel and whether the caller wants it, in the order in which channels are tried. Refuses: profile_not_found.';
grant execute on function public.list_notification_preferences to authenticated;

create function private.set_notification_settings(time_zone text, quiet_from time, quiet_to time, quiet_days smallint[])
returns public.notification_settings
language plpgsql
security definer -- writes the caller's own row, after the checks
set search_path = ''
as $$
declare
  v_settings public.notification_settings;
begin
  insert into public.notification_settings (profile_id, time_zone, quiet_from, quiet_to, quiet_days)
  values (
    private.my_profile_id(), set_notification_settings.time_zone, set_notification_settings.quiet_from, set_notification_settings.quiet_to,
    set_notification_settings.quiet_days
  )
  on conflict on constraint notification_settings_pkey do update set
    time_zone = excluded.time_zone, quiet_from = excluded.quiet_from, quiet_to = excluded.quiet_to, quiet_days = excluded.quiet_days
  returning * into v_settings;
  return v_settings;
end;
$$;

comment on function private.set_notification_settings is 'The work of public.set_notification_settings().';

create function public.set_notification_settings(
  time_zone text,
  quiet_from time default null,
  quiet_to time default null,
  quiet_days smallint[] default '{1,2,3,4,5,6,7}'
)
returns public.notification_settings
language plpgsql
set search_path = ''
set statement_timeout = '2s'
as $$
begin
  if private.is_time_zone(set_notification_settings.time_zone) is not true then
    perform private.refuse('invalid_argument', '{"argument": "time_zone", "range": "an IANA name such as Africa/Kigali"}');
  end if;
  if num_nulls(set_notification_settings.quiet_from, set_notification_settings.quiet_to) = 1 then
    perform private.refuse('invalid_argument', '{"argument": "quiet_to", "range": "both ends or none"}');
  end if;
  if (set_notification_settings.quiet_days <@ '{1,2,3,4,5,6,7}' and array_position(set_notification_settings.quiet_days, null) is null) is not true then
    perform private.refuse('invalid_argument', '{"argument": "quiet_days", "range": "1 (Monday) to 7"}');
  end if;
  return private.set_notification_settings(
    set_notification_settings.time_zone, set_notification_settings.quiet_from, set_notification_settings.quiet_to, set_notification_settings.quiet_days
  );
end;
$$;

comment on function public.set_notification_settings is
  'Sets when the caller may be disturbed; without ends there are no quiet hours. Refuses: invalid_argument, profile_not_found.';
grant execute on function public.set_notification_settings, private.set_notification_settings, private.is_time_zone to authenticated;

create function private.register_push_endpoint(service public.push_service, address jsonb, device_name text)
returns uuid
language plpgsql
security definer -- a device that somebody else was signed in on changes hands
set search_path = ''
as $$
declare
  v_id uuid;
begin
  insert into public.push_endpoints as endpoint (profile_id, service, address, device_name)
  values (private.my_profile_id(), register_push_endpoint.service, register_push_endpoint.address, register_push_endpoint.device_name)
  on conflict on constraint push_endpoints_address_key do update set
    profile_id = excluded.profile_id, device_name = excluded.device_name, last_seen_at = now()
  returning endpoint.id into v_id;
  -- The ten that were seen last: a person has no more, what is older was reinstalled.
  delete from public.push_endpoints as old
  where old.profile_id = private.my_profile_id() and old.id <> v_id and old.id in (
    select endpoint.id from public.push_endpoints as endpoint
    where endpoint.profile_id = private.my_profile_id()
    order by endpoint.last_seen_at desc, endpoint.id desc
    offset 10
  );
  return v_id;
end;
$$;

comment on function private.register_push_endpoint is 'The work of public.register_push_endpoint().';

create function public.register_push_endpoint(service public.push_service, address jsonb, device_name text default null)
returns uuid
language plpgsql
set search_path = ''
set statement_timeout = '2s'
as $$
begin
  if private.is_push_address(register_push_endpoint.service, register_push_endpoint.address) is not true then
    perform private.refuse('invalid_argument', '{"argument": "address", "range": "an Expo push token or a PushSubscription"}');
  end if;
  if length(register_push_endpoint.device_name) > 200 then
    perform private.refuse('invalid_argument', '{"argument": "device_name", "range": "at most 200 characters"}');
  end if;
  return private.register_push_endpoint(
    register_push_endpoint.service, register_push_endpoint.address, register_push_endpoint.device_name
  );
end;
$$;

comment on function public.register_push_endpoint is
  'Lets the caller be reached on this device or browser; again, it is the same one. Refuses: invalid_argument, profile_not_found.';
grant execute on function public.register_push_endpoint, private.register_push_endpoint, private.is_push_address to authenticated;

create function private.remove_push_endpoint(endpoint_id uuid)
returns boolean
language plpgsql
security definer -- deletes the caller's own row
set search_path = ''
as $$
begin
  delete from public.push_endpoints as endpoint
  where endpoint.id = remove_push_endpoint.endpoint_id and endpoint.profile_id = private.my_profile_id();
  return found;
end;
$$;

comment on function private.remove_push_endpoint is 'The work of public.remove_push_endpoint().';

create function public.remove_push_endpoint(endpoint_id uuid)
returns boolean
language plpgsql
set search_path = ''
set statement_timeout = '2s'
as $$
begin
  return private.remove_push_endpoint(remove_push_endpoint.endpoint_id);
end;
$$;

comment on function public.remove_push_endpoint is 'No more push messages on that device of the caller; says whether it was theirs. Refuses: profile_not_found.';
grant execute on function public.remove_push_endpoint, private.remove_push_endpoint to authenticated;

create function private.forget_push_endpoints(endpoint_ids uuid[])
returns integer
language plpgsql
security definer -- called by the worker for what a push service calls gone
set search_path = ''
as $$
declare
  v_count integer;
begin
  delete from public.push_endpoints as endpoint where endpoint.id = any(forget_push_endpoints.endpoint_ids);
  get diagnostics v_count = row_count;
  return v_count;
end;
$$;

comment on function private.forget_push_endpoints is 'The work of public.forget_push_endpoints().';

create function public.forget_push_endpoints(endpoint_ids uuid[])
returns integer
language plpgsql
set search_path = ''
set statement_timeout = '2s'
as $$
begin
  return private.forget_push_endpoints(forget_push_endpoints.endpoint_ids);
end;
$$;

comment on function public.forget_push_endpoints is 'For the worker: removes devices that their push service calls gone; says how many were there.';
grant execute on function public.forget_push_endpoints, private.forget_push_endpoints to service_role;

commit;
