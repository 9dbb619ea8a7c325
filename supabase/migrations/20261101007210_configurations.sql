begin;

create type public.configuration_change as enum ('set', 'deleted', 'rolled_back');
comment on type public.configuration_change is 'How a version of a configuration value came to be.';

create table private.configuration_revision (
  id boolean not null default true,
  revision bigint not null default 0,
  constraint configuration_revision_pkey primary key (id),
  constraint configuration_revision_is_one check (id)
);

comment on table private.configuration_revision is
  'Counts all changes of the configuration. Every writer changes this row first, so they come one at a time: revisions are committed in order.';
alter table private.configuration_revision enable row level security;
insert into private.configuration_revision default values;

create table public.configurations (
  service_name text not null,
  environment text not null,
  config_key text not null,
  value jsonb,
  value_type text not null,
  value_schema jsonb,
  description text,
  is_public boolean not null default false,
  is_secret boolean not null default false,
  is_deleted boolean not null default false,
  secret_id uuid,
  version bigint not null,
  revision bigint not null,
  public_revision bigint not null default 0,
  updated_at timestamptz not null default now(),
  constraint configurations_pkey primary key (config_key, service_name, environment),
  constraint configurations_service_name_is_a_name check (service_name ~ '^[a-z][a-z0-9-]*$' and length(service_name) <= 63),
  constraint configurations_environment_is_a_name check (environment ~ '^[a-z][a-z0-9_-]*$' and length(environment) <= 40),
  constraint configurations_key_is_a_name check (config_key ~ '^[A-Za-z][A-Za-z0-9_.-]*$' and length(config_key) <= 100),
  constraint configurations_value_is_typed check (value_type in ('boolean', 'number', 'string', 'array', 'object')),
  constraint configurations_value_has_its_type check (jsonb_typeof(value) = value_type),
  constraint configurations_value_is_short check (length(value::text) <= 65536 and length(value_schema::text) <= 16384),
  constraint configurations_description_is_short check (length(description) <= 1000),
  constraint configurations_secrets_are_not_public check (not (is_secret and is_public)),
  constraint configurations_value_is_in_its_place check (
    (value is not null) = (not is_secret and not is_deleted) and (secret_id is not null) = (is_secret and not is_deleted)
  ),
  constraint configurations_version_is_positive check (version > 0)
);

comment on table public.configurations is
  'What services are told: service x environment x key. For one service and environment the most specific value wins: '
  'all/all < all/environment < service/all < service/environment. Written by set_config(), rollback_config() and delete_config() alone.';
comment on column public.configurations.service_name is 'Or all: every service.';
comment on column public.configurations.environment is 'Or all: every environment.';
comment on column public.configurations.value is 'Null for a secret, which is in the Vault alone, and for what was deleted.';
comment on column public.configurations.value_schema is 'A JSON Schema that the value and whatever overrides it keep.';
comment on column public.configurations.is_public is 'Whether clients may read it.';
comment on column public.configurations.is_deleted is 'Deleted rows stay, so that versions go on.';
comment on column public.configurations.version is 'Of this value, from 1; what expected_version is compared with.';
comment on column public.configurations.revision is 'Of the whole configuration; a document''s version is the highest of its rows.';
comment on column public.configurations.public_revision is
  'The last revision that clients could notice, so that their document''s version says nothing of what is private.';
create index configurations_service_name_environment_idx on public.configurations (service_name, environment);
alter table public.configurations enable row level security;
grant select on public.configurations to service_role;
select private.audit_table('public.configurations');

create table public.configuration_history (
  service_name text not null,
  environment text not null,
  config_key text not null,
  version bigint not null,
  configuration text not null generated always as (service_name || '/' || environment || '/' || config_key) stored,
  change public.configuration_change not null,
  restored_version bigint,
  value jsonb,
  value_type text not null,
  value_schema jsonb,
  description text,
  is_public boolean not null,
  is_secret boolean not null,
  is_deleted boolean not null,
  secret_id uuid,
  revision bigint not null,
  actor_type text not null,
  actor_identifier text not null,
  correlation_id text default private.correlation_id(),
  changed_at timestamptz not null default now(),
  constraint configuration_history_pkey primary key (config_key, service_name, environment, version),
  constraint configuration_history_revision_key unique (revision),
  constraint configuration_history_restored_when_rolled_back check ((change = 'rolled_back') = (restored_version is not null))
);

comment on table public.configuration_history is 'Every version of every configuration value and who made it. Append-only.';
comment on column public.configuration_history.configuration is 'service/environment/key: the id of its event stream.';
comment on column public.configuration_history.secret_id is
  'Where in the Vault a secret''s value was; only the current one and the one before are still there, none of what was deleted.';
create index configuration_history_service_name_environment_revision_idx
on public.configuration_history (service_name, environment, revision);
alter table public.configuration_history enable row level security;
grant select on public.configuration_history to service_role;

create trigger refuse_change
before update or delete on public.configuration_history
for each row execute function private.refuse_change();

create trigger refuse_truncate
before truncate on public.configuration_history
for each statement execute function private.refuse_change();

create constraint trigger record_event
after insert on public.configuration_history
deferrable initially deferred
for each row execute function private.record_row_event(
  'configuration', 'configuration', 'configuration.changed',
  '{service_name,environment,config_key,version,revision,change,restored_version,is_public,is_secret,is_deleted}'
);

commit;
