begin;

create type public.cache_state as enum ('fresh', 'stale', 'compute', 'wait');
comment on type public.cache_state is
  'fresh: use the value. stale: use it, somebody computes the next. compute: you are the one, within the lease; a stale value may be there. '
  'wait: somebody computes the first; ask again after retry_after_ms.';

create type public.cache_answer as (state public.cache_state, value jsonb, lease_token bigint, retry_after_ms integer);
comment on type public.cache_answer is 'What lease_cache() says of a key.';

create function private.lease_cache(key text, lease_seconds double precision, cache_type text, tags text[])
returns public.cache_answer
language plpgsql
security definer -- the only writer of the cache
set search_path = ''
as $$
declare
  v_entry public.cache_entries;
  v_token bigint;
begin
  -- Whoever finds the row locked is not the one, and does not wait to hear it.
  select * into v_entry from public.cache_entries as entry
  where entry.key = lease_cache.key
  for no key update skip locked;
  if not found and not exists (select from public.cache_entries as entry where entry.key = lease_cache.key) then
    insert into public.cache_entries (key, cache_type, tags, expires_at, kept_until)
    values (lease_cache.key, lease_cache.cache_type, lease_cache.tags, '-infinity', now() + interval '1 day')
    on conflict do nothing
    returning * into v_entry;
  end if;
  if v_entry.key is not null and v_entry.expires_at <= now() and coalesce(v_entry.leased_until <= clock_timestamp(), true) then
    v_token := nextval('private.cache_lease_tokens');
    update public.cache_entries as entry set
      lease_token = v_token,
      leased_until = clock_timestamp() + make_interval(secs => lease_cache.lease_seconds)
    where entry.key = lease_cache.key;
    return row('compute', case when v_entry.kept_until > now() then v_entry.value end, v_token, null)::public.cache_answer;
  end if;
  return private.cache_answer_of(lease_cache.key);
end;
$$;

comment on function private.lease_cache is 'The work of public.lease_cache() for what is not fresh.';

create function private.cache_answer_of(key text)
returns public.cache_answer
language plpgsql
set search_path = ''
as $$
declare
  v_entry public.cache_entries;
begin
  select * into v_entry from public.cache_entries as entry where entry.key = cache_answer_of.key;
  if v_entry.expires_at > now() then
    return row('fresh', v_entry.value, null, null)::public.cache_answer;
  end if;
  if v_entry.value is not null and v_entry.kept_until > now() then
    return row('stale', v_entry.value, null, null)::public.cache_answer;
  end if;
  return row('wait', null, null, 100)::public.cache_answer;
end;
$$;

comment on function private.cache_answer_of is 'What somebody hears who does not compute the value.';

create function public.lease_cache(
  key text,
  lease_seconds double precision default 10,
  cache_type text default 'default',
  tags text[] default '{}'
)
returns public.cache_answer
language plpgsql
set search_path = ''
set statement_timeout = '2s'
as $$
declare
  v_value jsonb := public.get_cache(lease_cache.key);
begin
  if v_value is not null then
    return row('fresh', v_value, null, null)::public.cache_answer;
  end if;
  perform private.require_cache_arguments(lease_cache.key, lease_cache.cache_type, lease_cache.tags);
  if (lease_cache.lease_seconds > 0 and lease_cache.lease_seconds <= 3600) is not true then
    perform private.refuse('invalid_argument');
  end if;
  return private.lease_cache(lease_cache.key, lease_cache.lease_seconds, lease_cache.cache_type, lease_cache.tags);
end;
$$;

comment on function public.lease_cache is
  'Like get_cache(), but of many that miss, one is told to compute and gives the value to set_cache() with its lease_token; the others get the '
  'stale value, or are told to wait. One that does not come back loses the lease after `lease_seconds`, and the next one that asks computes. '
  '`tags`: what the first value will have, so that an invalidation meanwhile reaches it. Call it in a transaction of its own. Refuses: invalid_argument.';
grant execute on function public.lease_cache, private.lease_cache, private.cache_answer_of to service_role;

commit;
