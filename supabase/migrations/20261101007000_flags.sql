begin;

create type public.flag_value_type as enum ('boolean', 'string', 'number', 'object');
comment on type public.flag_value_type is 'What every variant of a flag is, as OpenFeature types values.';

create type public.flag_kind as enum ('release', 'experiment', 'operational', 'kill_switch', 'permission');
comment on type public.flag_kind is 'What a flag is for, and so how long it may live: releases and experiments 40 days, operational flags 7, the others for good.';

create table public.flag_environments (
  environment text not null,
  description text not null default '',
  is_default boolean not null default false,
  revision bigint not null default 1,
  changed_at timestamptz not null default now(),
  constraint flag_environments_pkey primary key (environment),
  constraint flag_environments_environment_is_a_name check (environment ~ '^[a-z][a-z0-9-]{0,49}$')
);

comment on table public.flag_environments is 'Where flags are evaluated. Its rows are locked first by everything that writes flags, in order.';
comment on column public.flag_environments.is_default is 'Evaluated in when no environment is named.';
comment on column public.flag_environments.revision is 'Rises with every change of what an evaluation in this environment depends on.';
create unique index flag_environments_is_default_key on public.flag_environments (is_default) where is_default;
alter table public.flag_environments enable row level security;
grant select on public.flag_environments to service_role;

insert into public.flag_environments (environment, description, is_default) values
  ('development', 'Local stacks and previews', false),
  ('production', 'What people use', true),
  ('staging', 'Rehearsals before a release', false);

create table public.feature_flags (
  flag_key text not null,
  value_type public.flag_value_type not null,
  kind public.flag_kind not null default 'release',
  description text not null default '',
  owner text,
  tags text[] not null default '{}',
  is_client_visible boolean not null default false,
  lifetime_days integer,
  archived_at timestamptz,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  constraint feature_flags_pkey primary key (flag_key),
  constraint feature_flags_flag_key_value_type_key unique (flag_key, value_type),
  constraint feature_flags_flag_key_fits_a_path check (flag_key ~ '^[A-Za-z0-9][A-Za-z0-9_.-]{0,99}$'),
  constraint feature_flags_description_is_short check (length(description) <= 2000),
  constraint feature_flags_owner_is_short check (length(owner) <= 200),
  constraint feature_flags_tags_are_few check (cardinality(tags) <= 20),
  constraint feature_flags_lifetime_is_positive check (lifetime_days > 0)
);

comment on table public.feature_flags is 'Feature flags, whatever the environment. An archived flag is not evaluated any more; its key stays taken.';
comment on column public.feature_flags.is_client_visible is 'Whether apps and browsers may evaluate it. Its rules never reach them.';
comment on column public.feature_flags.lifetime_days is 'After how many days the flag is stale; null for never.';
alter table public.feature_flags enable row level security;
grant select on public.feature_flags to service_role;

create trigger touch_updated_at
before update on public.feature_flags
for each row execute function private.touch_updated_at();

create function private.is_flag_value(value jsonb, value_type public.flag_value_type)
returns boolean
language plpgsql
immutable
set search_path = ''
as $$
begin
  return jsonb_typeof(is_flag_value.value) = is_flag_value.value_type::text
    or is_flag_value.value_type = 'object' and jsonb_typeof(is_flag_value.value) in ('array', 'null');
end;
$$;

comment on function private.is_flag_value is 'Whether a value is of a flag''s type; objects may be lists, and null.';

create table public.feature_flag_variants (
  flag_key text not null,
  variant text not null,
  value_type public.flag_value_type not null,
  value jsonb not null,
  constraint feature_flag_variants_pkey primary key (flag_key, variant),
  constraint feature_flag_variants_flag_key_value_type_fkey foreign key (flag_key, value_type)
    references public.feature_flags (flag_key, value_type),
  constraint feature_flag_variants_variant_is_a_name check (variant ~ '^[A-Za-z0-9][A-Za-z0-9_.-]{0,99}$'),
  constraint feature_flag_variants_value_is_of_the_type check (private.is_flag_value(value, value_type)),
  constraint feature_flag_variants_value_is_small check (length(value::text) <= 20000)
);

comment on table public.feature_flag_variants is 'The values that a flag can have, by name.';
create index feature_flag_variants_flag_key_value_type_idx on public.feature_flag_variants (flag_key, value_type);
alter table public.feature_flag_variants enable row level security;
grant select on public.feature_flag_variants to service_role;

create table public.feature_flag_prerequisites (
  flag_key text not null,
  prerequisite_key text not null,
  variants text[] not null,
  constraint feature_flag_prerequisites_pkey primary key (flag_key, prerequisite_key),
  constraint feature_flag_prerequisites_flag_key_fkey foreign key (flag_key) references public.feature_flags (flag_key),
  constraint feature_flag_prerequisites_prerequisite_key_fkey foreign key (prerequisite_key) references public.feature_flags (flag_key),
  constraint feature_flag_prerequisites_variants_are_some check (cardinality(variants) > 0)
);

comment on table public.feature_flag_prerequisites is 'Flags that must have one of these variants, for the same person, before a flag''s rules are asked.';
create index feature_flag_prerequisites_prerequisite_key_idx on public.feature_flag_prerequisites (prerequisite_key);
alter table public.feature_flag_prerequisites enable row level security;
grant select on public.feature_flag_prerequisites to service_role;

commit;
