begin;

create table public.analytics_write_keys (
  id uuid not null default private.uuid_v7(),
  key_sha256 text not null,
  name text not null,
  environment text not null,
  events_per_minute integer,
  created_at timestamptz not null default now(),
  revoked_at timestamptz,
  constraint analytics_write_keys_pkey primary key (id),
  constraint analytics_write_keys_key_sha256_key unique (key_sha256),
  constraint analytics_write_keys_key_is_hashed check (key_sha256 ~ '^[0-9a-f]{64}$'),
  constraint analytics_write_keys_name_is_short check (length(name) between 1 and 100),
  constraint analytics_write_keys_environment_is_a_name check (environment ~ '^[a-z][a-z0-9_-]{0,49}$'),
  constraint analytics_write_keys_events_per_minute_are_positive check (events_per_minute between 1 and 10000000)
);

comment on table public.analytics_write_keys is
  'Keys that clients may send events with. A key can only write. It is shown once, when made; only its hash is kept.';
comment on column public.analytics_write_keys.key_sha256 is 'Lower-case hex of the key''s SHA-256.';
comment on column public.analytics_write_keys.events_per_minute is 'Null: no limit.';
comment on column public.analytics_write_keys.revoked_at is 'From then on it is refused; in the future while it is being rotated.';
alter table public.analytics_write_keys enable row level security;
grant select on public.analytics_write_keys to service_role;
select private.audit_table('public.analytics_write_keys', '{key_sha256}');

commit;
