begin;

create type public.service_status as enum ('passing', 'warning', 'critical');
comment on type public.service_status is 'How well an instance of a service is, from well to unusable; the words are Consul''s.';

create function private.is_service_url(url text)
returns boolean
language plpgsql
immutable
set search_path = ''
as $$
begin
  return length(is_service_url.url) <= 2048 and is_service_url.url ~ '^https?://[^/?#@[:space:]]+([/?][!-~]*)?$' and is_service_url.url !~ '#';
end;
$$;

comment on function private.is_service_url is
  'Whether this can be a service''s address: http or https, no credentials, no fragment. Whether it is called, OUTBOUND_ALLOWED_HOSTS decides at each call.';

create function private.are_service_labels(labels text[])
returns boolean
language plpgsql
immutable
set search_path = ''
as $$
begin
  return cardinality(are_service_labels.labels) <= 50 and not exists (
    select from unnest(are_service_labels.labels) as label where (label ~ '^[a-z0-9][a-z0-9_.:-]{0,62}$') is not true
  );
end;
$$;

comment on function private.are_service_labels is 'Whether these are at most 50 short names.';

create table public.service_registry (
  id uuid not null default private.uuid_v7(),
  service_name text not null,
  instance_id text not null,
  service_type text not null,
  version text not null,
  endpoint text,
  health_check_url text,
  capabilities text[] not null,
  dependencies text[] not null,
  ttl_seconds integer not null,
  reported_status public.service_status not null default 'passing',
  check_status public.service_status,
  expired_at timestamptz,
  maintenance_reason text,
  status public.service_status not null,
  status_changed_at timestamptz not null default now(),
  metrics jsonb,
  last_heartbeat_at timestamptz not null default now(),
  registered_by text not null default private.caller(),
  registered_at timestamptz not null default now(),
  constraint service_registry_pkey primary key (id),
  constraint service_registry_service_name_instance_id_key unique (service_name, instance_id),
  constraint service_registry_service_name_is_short check (service_name ~ '^[a-z][a-z0-9-]{0,62}$'),
  constraint service_registry_instance_id_is_short check (instance_id ~ '^[A-Za-z0-9][A-Za-z0-9_.:-]{0,99}$'),
  constraint service_registry_service_type_is_short check (service_type ~ '^[a-z][a-z0-9_-]{0,62}$'),
  constraint service_registry_version_is_short check (length(version) between 1 and 100),
  constraint service_registry_endpoint_is_an_address check (private.is_service_url(endpoint) and endpoint !~ '[?]'),
  constraint service_registry_health_check_url_is_an_address check (private.is_service_url(health_check_url)),
  constraint service_registry_capabilities_are_labels check (private.are_service_labels(capabilities)),
  constraint service_registry_dependencies_are_labels check (private.are_service_labels(dependencies)),
  constraint service_registry_ttl_is_bounded check (ttl_seconds between 5 and 86400),
  constraint service_registry_metrics_are_small check (jsonb_typeof(metrics) = 'object' and octet_length(metrics::text) <= 8192),
  constraint service_registry_maintenance_reason_is_short check (length(maintenance_reason) between 1 and 500),
  constraint service_registry_checked_ones_have_a_check_status check ((health_check_url is null) = (check_status is null))
) with (fillfactor = 50, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 1000);

comment on table public.service_registry is
  'The instances of services that are registered, one row each. A heartbeat changes no indexed column, so that it stays on its page (HOT); what became of an '
  'instance over time is in the event store, stream service/<service_name>.';
comment on column public.service_registry.instance_id is 'Which of the service''s instances: what it chose, stable over its restarts or not.';
comment on column public.service_registry.endpoint is 'Where it is reached; paths are added to it, so it has no query.';
comment on column public.service_registry.dependencies is 'Services that it needs. If one has no usable instance, this one is seen as warning.';
comment on column public.service_registry.reported_status is 'What it last said of itself.';
comment on column public.service_registry.check_status is 'What the checks of health_check_url have found: critical until the first was answered.';
comment on column public.service_registry.expired_at is 'Since when it is known to be silent for longer than its ttl_seconds.';
comment on column public.service_registry.maintenance_reason is 'Taken out of discovery by hand, and why.';
comment on column public.service_registry.status is 'The worst of what it reports, what the checks find, silence and maintenance. Kept by a trigger.';
comment on column public.service_registry.metrics is 'What its last heartbeats told; for a history there is record_metrics().';
alter table public.service_registry enable row level security;
grant select on public.service_registry to service_role;

create function private.settle_service_status()
returns trigger
language plpgsql
set search_path = ''
as $$
begin
  new.status := greatest(
    new.reported_status, new.check_status,
    case when new.expired_at is not null or new.maintenance_reason is not null then 'critical'::public.service_status end
  );
  if tg_op = 'INSERT' or new.status <> old.status then
    new.status_changed_at := now();
  end if;
  return new;
end;
$$;

comment on function private.settle_service_status is 'Adds up an instance''s status. Not called by a heartbeat that says the same as the one before.';
create trigger settle_first_status
before insert on public.service_registry
for each row execute function private.settle_service_status();
create trigger settle_status
before update on public.service_registry
for each row when (
  (old.reported_status, old.check_status, old.expired_at, old.maintenance_reason)
  is distinct from (new.reported_status, new.check_status, new.expired_at, new.maintenance_reason)
)
execute function private.settle_service_status();

commit;
