begin;

create function private.analytics_key_hash(key text)
returns text
language plpgsql
immutable
set search_path = ''
as $$
begin
  return encode(sha256(convert_to(analytics_key_hash.key, 'UTF8')), 'hex');
end;
$$;

comment on function private.analytics_key_hash is 'What of a write key is kept.';

create function private.insert_analytics_write_key(name text, environment text, events_per_minute integer)
returns jsonb
language plpgsql
set search_path = ''
as $$
declare
  v_key constant text := 'wk_' || encode(extensions.gen_random_bytes(24), 'hex');
  v_stored public.analytics_write_keys;
begin
  insert into public.analytics_write_keys (key_sha256, name, environment, events_per_minute)
  values (
    private.analytics_key_hash(v_key), insert_analytics_write_key.name, insert_analytics_write_key.environment, insert_analytics_write_key.events_per_minute
  )
  returning * into v_stored;
  return to_jsonb(v_stored) - 'key_sha256' || jsonb_build_object('key', v_key);
end;
$$;

comment on function private.insert_analytics_write_key is 'A new write key of 24 random bytes; the only time that it can be read.';

create function private.create_analytics_write_key(name text, environment text, events_per_minute integer)
returns jsonb
language plpgsql
security definer -- no role may write keys itself
set search_path = ''
as $$
begin
  perform private.require_service_or_registered_operator();
  if (
    length(create_analytics_write_key.name) between 1 and 100
    and create_analytics_write_key.environment ~ '^[a-z][a-z0-9_-]{0,49}$'
    and coalesce(create_analytics_write_key.events_per_minute, 1) between 1 and 10000000
  ) is not true then
    perform private.refuse('invalid_argument');
  end if;
  return private.insert_analytics_write_key(
    create_analytics_write_key.name, create_analytics_write_key.environment, create_analytics_write_key.events_per_minute
  );
end;
$$;

comment on function private.create_analytics_write_key is 'The work of public.create_analytics_write_key().';

create function public.create_analytics_write_key(name text, environment text default 'production', events_per_minute integer default null)
returns jsonb
language plpgsql
set search_path = ''
set statement_timeout = '2s'
as $$
begin
  return private.create_analytics_write_key(
    create_analytics_write_key.name, create_analytics_write_key.environment, create_analytics_write_key.events_per_minute
  );
end;
$$;

comment on function public.create_analytics_write_key is
  'For registered operators and the service: makes a write key, with a rate or without. The answer holds the key (key), which cannot be read again. '
  'Refuses: operator_required, invalid_argument (name up to 100 characters, environment a lower-case name, 1 to 10000000 events a minute).';

create function private.end_analytics_write_key(write_key_id uuid, at timestamptz)
returns public.analytics_write_keys
language plpgsql
security definer -- as private.create_analytics_write_key()
set search_path = ''
as $$
declare
  v_key public.analytics_write_keys;
begin
  perform private.require_service_or_registered_operator();
  -- An end that is set is only brought forward.
  update public.analytics_write_keys as key set revoked_at = least(key.revoked_at, end_analytics_write_key.at)
  where key.id = end_analytics_write_key.write_key_id
  returning key.* into v_key;
  if not found then
    perform private.refuse('analytics_write_key_not_found');
  end if;
  return v_key;
end;
$$;

comment on function private.end_analytics_write_key is 'Says when a key ends. Refuses: operator_required, analytics_write_key_not_found.';

create function private.rotate_analytics_write_key(write_key_id uuid, overlap interval)
returns jsonb
language plpgsql
security definer -- as private.create_analytics_write_key()
set search_path = ''
as $$
declare
  v_former constant public.analytics_write_keys := private.end_analytics_write_key(
    rotate_analytics_write_key.write_key_id, now() + rotate_analytics_write_key.overlap
  );
begin
  return private.insert_analytics_write_key(v_former.name, v_former.environment, v_former.events_per_minute);
end;
$$;

comment on function private.rotate_analytics_write_key is 'The work of public.rotate_analytics_write_key().';

create function public.rotate_analytics_write_key(write_key_id uuid, overlap_hours integer default 24)
returns jsonb
language plpgsql
set search_path = ''
set statement_timeout = '2s'
as $$
begin
  if (rotate_analytics_write_key.overlap_hours between 0 and 24 * 90) is not true then
    perform private.refuse('invalid_argument', jsonb_build_object('argument', 'overlap_hours', 'range', '0..2160'));
  end if;
  return private.rotate_analytics_write_key(
    rotate_analytics_write_key.write_key_id, make_interval(hours => rotate_analytics_write_key.overlap_hours)
  );
end;
$$;

comment on function public.rotate_analytics_write_key is
  'For registered operators and the service: makes a key like that one, which is still taken for the overlap (up to 90 days). The answer holds the new key, which cannot be read again. '
  'Refuses: operator_required, invalid_argument, analytics_write_key_not_found.';

create function public.revoke_analytics_write_key(write_key_id uuid)
returns timestamptz
language plpgsql
set search_path = ''
set statement_timeout = '2s'
as $$
begin
  return (private.end_analytics_write_key(revoke_analytics_write_key.write_key_id, now())).revoked_at;
end;
$$;

comment on function public.revoke_analytics_write_key is
  'For registered operators and the service: the key is taken no more, as soon as the edge has forgotten it (30 s). Gives the time of its end. Refuses: operator_required, analytics_write_key_not_found.';
grant execute on function
  public.create_analytics_write_key, private.create_analytics_write_key, public.rotate_analytics_write_key, private.rotate_analytics_write_key,
  public.revoke_analytics_write_key, private.end_analytics_write_key
to authenticated, service_role;

create function private.list_analytics_write_keys()
returns jsonb
language plpgsql
stable
security definer -- operators see keys, which no client may select
set search_path = ''
as $$
begin
  perform private.require_service_or_operator();
  return (
    select coalesce(jsonb_agg(to_jsonb(key) - 'key_sha256' order by key.created_at desc, key.id desc), '[]')
    from public.analytics_write_keys as key
  );
end;
$$;

comment on function private.list_analytics_write_keys is 'The work of public.list_analytics_write_keys().';

create function public.list_analytics_write_keys()
returns jsonb
language plpgsql
stable
set search_path = ''
set statement_timeout = '2s'
as $$
begin
  return private.list_analytics_write_keys();
end;
$$;

comment on function public.list_analytics_write_keys is 'For operators and the service: the write keys, the newest first, without what they are. Refuses: operator_required.';
grant execute on function public.list_analytics_write_keys, private.list_analytics_write_keys to authenticated, service_role;

create function public.find_analytics_write_key(key_sha256 text)
returns table (id uuid, name text, environment text, events_per_minute integer)
language plpgsql
stable
set search_path = ''
set statement_timeout = '2s'
as $$
begin
  return query
  select key.id, key.name, key.environment, key.events_per_minute
  from public.analytics_write_keys as key
  where key.key_sha256 = find_analytics_write_key.key_sha256 and coalesce(key.revoked_at > now(), true);
end;
$$;

comment on function public.find_analytics_write_key is 'The write key of this hash (lower-case hex of SHA-256), or nothing if there is none or it is revoked. The edge may remember the answer for 30 s.';
grant execute on function public.find_analytics_write_key to service_role;

commit;
