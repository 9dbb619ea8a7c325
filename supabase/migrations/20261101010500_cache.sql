begin;

create table private.cache_types (
  cache_type text not null,
  max_entries integer not null,
  constraint cache_types_pkey primary key (cache_type),
  constraint cache_types_hold_something check (max_entries between 1 and 10000000)
);

comment on table private.cache_types is
  'How many entries each namespace of the cache may hold; those without a row, as many as `default`. Changed by hand or migration.';
alter table private.cache_types enable row level security;
insert into private.cache_types (cache_type, max_entries) values ('default', 100000);

create unlogged table public.cache_entries (
  key text not null,
  value jsonb,
  cache_type text not null,
  tags text[] not null,
  expires_at timestamptz not null,
  kept_until timestamptz not null,
  used_at timestamptz not null default now(),
  leased_until timestamptz,
  lease_token bigint,
  constraint cache_entries_pkey primary key (key),
  constraint cache_entries_key_is_short check (length(key) between 1 and 512),
  constraint cache_entries_value_is_bounded check (pg_column_size(value) <= 262144),
  constraint cache_entries_tags_are_few check (cardinality(tags) <= 20),
  constraint cache_entries_end_after_they_expire check (kept_until >= expires_at)
) with (fillfactor = 80, autovacuum_vacuum_scale_factor = 0.05);

comment on table public.cache_entries is
  'What can be computed again. Unlogged: fast to write, and empty after a crash, which a cache may be.';
comment on column public.cache_entries.value is 'Null while the first caller computes it.';
comment on column public.cache_entries.cache_type is 'The namespace, which bounds how many there are and by which hits are counted.';
comment on column public.cache_entries.expires_at is 'Until then the value is good.';
comment on column public.cache_entries.kept_until is 'Until then it may be given while somebody computes the next.';
comment on column public.cache_entries.used_at is 'When it was written, or a sampled hit touched it: what was not used for longest is evicted first.';
comment on column public.cache_entries.lease_token is 'Of the one that computes the value now; rises with every lease.';
create index cache_entries_tags_idx on public.cache_entries using gin (tags);
create index cache_entries_kept_until_idx on public.cache_entries (kept_until);
create index cache_entries_cache_type_used_at_idx on public.cache_entries (cache_type, used_at);
alter table public.cache_entries enable row level security;
grant select on public.cache_entries to service_role;

create sequence private.cache_lease_tokens;
comment on sequence private.cache_lease_tokens is 'Survives the entries, so that no token ever comes again.';

create unlogged table private.cache_samples (
  id bigint not null generated always as identity,
  key text not null,
  cache_type text,
  is_hit boolean not null,
  constraint cache_samples_pkey primary key (id)
);

comment on table private.cache_samples is
  'One in private.cache_sampling() look-ups, added and never changed, so that readers wait for nobody; the clean-up counts and empties it.';
alter table private.cache_samples enable row level security;

create unlogged table private.cache_lookups (
  cache_type text not null,
  hit_count bigint not null,
  miss_count bigint not null,
  counted_from timestamptz not null default now(),
  constraint cache_lookups_pkey primary key (cache_type)
);

comment on table private.cache_lookups is 'Look-ups by namespace since the last crash, scaled up from samples. What missed an unknown key has none: ``.';
alter table private.cache_lookups enable row level security;

create function private.cache_sampling()
returns integer
language sql
immutable
parallel safe
set search_path = ''
return 64;

comment on function private.cache_sampling is 'One look-up in so many is counted, as so many; public.get_cache() repeats the number.';

create view public.cache_stats
with (security_invoker = on)
as
with held as (
  select
    entry.cache_type,
    count(*) as entry_count,
    count(*) filter (where entry.expires_at <= now()) as expired_count,
    sum(pg_column_size(entry.value)) as value_bytes
  from public.cache_entries as entry
  group by entry.cache_type
)
select
  cache_type,
  coalesce(held.entry_count, 0) as entry_count,
  coalesce(held.expired_count, 0) as expired_count,
  coalesce(held.value_bytes, 0) as value_bytes,
  coalesce(lookup.hit_count, 0) as hit_count,
  coalesce(lookup.miss_count, 0) as miss_count,
  round(lookup.hit_count::numeric / nullif(lookup.hit_count + lookup.miss_count, 0), 3) as hit_rate,
  lookup.counted_from
from held
full join private.cache_lookups as lookup using (cache_type);

comment on view public.cache_stats is
  'Per namespace: entries, those past their time, bytes of values, and look-ups. Hits and misses are estimates: one in 64 is noted and '
  'counts as 64, so that reading writes nothing; the clean-up adds them every minute. Misses of keys that are not there have no namespace.';
grant select on private.cache_lookups, public.cache_stats to service_role;

commit;
