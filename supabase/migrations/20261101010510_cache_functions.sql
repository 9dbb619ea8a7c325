begin;

create function private.sample_cache(key text, cache_type text, is_hit boolean)
returns void
language plpgsql
security definer -- the only writer of samples
set search_path = ''
as $$
begin
  insert into private.cache_samples (key, cache_type, is_hit)
  values (sample_cache.key, sample_cache.cache_type, sample_cache.is_hit);
end;
$$;

comment on function private.sample_cache is 'Notes a look-up that was drawn.';

create function public.get_cache(key text)
returns jsonb
language plpgsql
set search_path = ''
set statement_timeout = '2s'
as $$
declare
  v_value jsonb;
  v_type text;
begin
  select entry.value, entry.cache_type into v_value, v_type
  from public.cache_entries as entry
  where entry.key = get_cache.key and entry.expires_at > now();
  if random() < 0.015625 then
    perform private.sample_cache(get_cache.key, v_type, v_type is not null);
  end if;
  return v_value;
end;
$$;

comment on function public.get_cache is
  'The value of a key, or null if there is none that is still good. Writes nothing, but for one call in 64, which counts for statistics. '
  'Where computing costs much, use lease_cache().';
grant execute on function public.get_cache, private.sample_cache to service_role;

create function private.set_cache(
  key text,
  value jsonb,
  ttl_seconds double precision,
  cache_type text,
  tags text[],
  stale_seconds double precision,
  lease_token bigint
)
returns boolean
language plpgsql
security definer -- the only writer of the cache
set search_path = ''
as $$
declare
  v_expires_at timestamptz := now() + make_interval(secs => set_cache.ttl_seconds);
  v_kept_until timestamptz := v_expires_at + make_interval(secs => set_cache.stale_seconds);
begin
  if set_cache.lease_token is null then
    insert into public.cache_entries as stored (key, value, cache_type, tags, expires_at, kept_until)
    values (set_cache.key, set_cache.value, set_cache.cache_type, set_cache.tags, v_expires_at, v_kept_until)
    on conflict on constraint cache_entries_pkey do update set
      value = excluded.value, cache_type = excluded.cache_type, tags = excluded.tags, expires_at = excluded.expires_at,
      kept_until = excluded.kept_until, used_at = excluded.used_at, leased_until = null, lease_token = null;
    return true;
  end if;
  -- Only while the lease is still theirs: neither another's newer value nor an invalidation in between is undone.
  update public.cache_entries as stored set
    value = set_cache.value, cache_type = set_cache.cache_type, tags = set_cache.tags, expires_at = v_expires_at,
    kept_until = v_kept_until, used_at = now(), leased_until = null, lease_token = null
  where stored.key = set_cache.key and stored.lease_token = set_cache.lease_token;
  return found;
end;
$$;

comment on function private.set_cache is 'The work of public.set_cache().';

create function public.set_cache(
  key text,
  value jsonb,
  ttl_seconds double precision default 300,
  cache_type text default 'default',
  tags text[] default '{}',
  stale_seconds double precision default 0,
  lease_token bigint default null
)
returns boolean
language plpgsql
set search_path = ''
set statement_timeout = '2s'
as $$
begin
  perform private.require_cache_arguments(set_cache.key, set_cache.cache_type, set_cache.tags);
  if (
    set_cache.value is not null and pg_column_size(set_cache.value) <= 262144
    and set_cache.ttl_seconds > 0 and set_cache.ttl_seconds <= 2678400
    and set_cache.stale_seconds >= 0 and set_cache.stale_seconds <= 2678400
  ) is not true then
    perform private.refuse('invalid_argument');
  end if;
  -- Between two clean-ups a namespace does not outgrow its bound by much either.
  if random() < 0.004 then
    perform private.evict_cache(set_cache.cache_type);
  end if;
  return private.set_cache(
    set_cache.key, set_cache.value, set_cache.ttl_seconds, set_cache.cache_type, set_cache.tags, set_cache.stale_seconds, set_cache.lease_token
  );
end;
$$;

comment on function public.set_cache is
  'Keeps a value (up to 256 KiB) for `ttl_seconds`, and for `stale_seconds` more to be given while somebody computes the next. With a '
  '`lease_token` of lease_cache() only while that lease holds; says whether it was kept. Refuses: invalid_argument.';

create function private.require_cache_arguments(key text, cache_type text, tags text[])
returns void
language plpgsql
immutable
set search_path = ''
as $$
begin
  if (
    length(require_cache_arguments.key) between 1 and 512
    and require_cache_arguments.cache_type ~ '^[a-z][a-z0-9_]{0,62}$'
    and cardinality(require_cache_arguments.tags) <= 20
    and array_position(require_cache_arguments.tags, null) is null
  ) is not true then
    perform private.refuse('invalid_argument');
  end if;
end;
$$;

comment on function private.require_cache_arguments is 'Refuses what names no entry. Refuses: invalid_argument.';
grant execute on function public.set_cache, private.set_cache, private.require_cache_arguments to service_role;

create function private.invalidate_cache(key text, tag text)
returns bigint
language plpgsql
security definer -- the only writer of the cache
set search_path = ''
as $$
declare
  v_count bigint;
begin
  -- In the order of the keys: two that overlap do not wait for each other in a circle.
  with gone as materialized (
    select entry.key from public.cache_entries as entry
    where entry.key = invalidate_cache.key or entry.tags @> array[invalidate_cache.tag]
    order by entry.key
    for update
  )
  delete from public.cache_entries as entry where entry.key = any(array(select gone.key from gone));
  get diagnostics v_count = row_count;
  return v_count;
end;
$$;

comment on function private.invalidate_cache is 'The work of public.invalidate_cache() and public.invalidate_cache_by_tag().';

create function public.invalidate_cache_by_tag(tag text)
returns bigint
language plpgsql
set search_path = ''
set statement_timeout = '10s'
as $$
begin
  return private.invalidate_cache(null, invalidate_cache_by_tag.tag);
end;
$$;

comment on function public.invalidate_cache_by_tag is
  'Removes every entry with this tag, and takes the lease from whoever computes one, so that what they read before is not kept; says how many.';

create function public.invalidate_cache(key text)
returns boolean
language plpgsql
set search_path = ''
set statement_timeout = '2s'
as $$
begin
  return private.invalidate_cache(invalidate_cache.key, null) > 0;
end;
$$;

comment on function public.invalidate_cache is 'Removes one entry, as invalidate_cache_by_tag() does; says whether it was there.';
grant execute on function public.invalidate_cache_by_tag, public.invalidate_cache, private.invalidate_cache to service_role;

commit;
