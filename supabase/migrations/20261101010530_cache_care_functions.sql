begin;

create function private.evict_cache(cache_type text)
returns bigint
language plpgsql
security definer -- the only writer of the cache
set search_path = ''
as $$
declare
  v_count bigint := (
    select count(*) from public.cache_entries as entry where entry.cache_type = evict_cache.cache_type
  ) - (
    select kind.max_entries from private.cache_types as kind
    where kind.cache_type in (evict_cache.cache_type, 'default')
    order by kind.cache_type = 'default'
    limit 1
  );
begin
  with gone as materialized (
    select entry.key from public.cache_entries as entry
    where entry.cache_type = evict_cache.cache_type
    order by entry.used_at
    limit greatest(v_count, 0)
    for update skip locked
  )
  delete from public.cache_entries as entry where entry.key = any(array(select gone.key from gone));
  get diagnostics v_count = row_count;
  return v_count;
end;
$$;

comment on function private.evict_cache is 'Removes what was not used for longest of a namespace that holds more than it may; says how many.';
grant execute on function private.evict_cache to service_role;

create function private.count_cache_samples()
returns void
language plpgsql
set search_path = ''
as $$
declare
  v_samples private.cache_samples[];
begin
  with counted as (
    delete from private.cache_samples as sample
    where sample.id = any(array(select due.id from private.cache_samples as due order by due.id limit 50000 for update skip locked))
    returning sample.*
  )
  select array_agg(counted) into v_samples from counted;

  insert into private.cache_lookups as stored (cache_type, hit_count, miss_count)
  select
    coalesce(sample.cache_type, ''),
    private.cache_sampling() * count(*) filter (where sample.is_hit),
    private.cache_sampling() * count(*) filter (where not sample.is_hit)
  from unnest(v_samples) as sample
  group by coalesce(sample.cache_type, '')
  order by coalesce(sample.cache_type, '')
  on conflict on constraint cache_lookups_pkey do update set
    hit_count = stored.hit_count + excluded.hit_count,
    miss_count = stored.miss_count + excluded.miss_count;

  with used as materialized (
    select entry.key from public.cache_entries as entry
    where entry.key = any(array(select distinct sample.key from unnest(v_samples) as sample where sample.is_hit))
    for no key update skip locked
  )
  update public.cache_entries as entry set used_at = now()
  where entry.key = any(array(select used.key from used));
end;
$$;

comment on function private.count_cache_samples is 'Adds the samples to the counts, scaled up, and marks the entries that they hit as used.';

create function private.cleanup_expired_cache()
returns bigint
language plpgsql
security definer -- the only writer of the cache
set search_path = ''
as $$
declare
  v_count bigint;
  v_type text;
begin
  perform private.count_cache_samples();
  with gone as materialized (
    select entry.key from public.cache_entries as entry
    where entry.kept_until <= now() and coalesce(entry.leased_until <= now(), true)
    order by entry.kept_until
    limit 50000
    for update skip locked
  )
  delete from public.cache_entries as entry where entry.key = any(array(select gone.key from gone));
  get diagnostics v_count = row_count;
  for v_type in select distinct entry.cache_type from public.cache_entries as entry loop
    v_count := v_count + private.evict_cache(v_type);
  end loop;
  return v_count;
end;
$$;

comment on function private.cleanup_expired_cache is 'The work of public.cleanup_expired_cache().';

create function public.cleanup_expired_cache()
returns bigint
language plpgsql
set search_path = ''
set statement_timeout = '60s'
as $$
begin
  return private.cleanup_expired_cache();
end;
$$;

comment on function public.cleanup_expired_cache is
  'Removes what may not be given any more, up to 50,000 at a time, and what a namespace holds too many of; says how many. Also counts the '
  'samples of look-ups. Run by the schedule every minute; waits for nobody, and may run beside itself.';
grant execute on function public.cleanup_expired_cache, private.cleanup_expired_cache to service_role;

insert into private.schedule (name, cron, command) values
  ('cleanup-expired-cache', '* * * * *', 'select public.cleanup_expired_cache()');

commit;
