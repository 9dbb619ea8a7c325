begin;

create table public.feature_flag_states (
  flag_key text not null,
  environment text not null,
  is_enabled boolean not null default false,
  default_variant text,
  off_variant text,
  changed_at timestamptz not null default now(),
  constraint feature_flag_states_pkey primary key (flag_key, environment),
  constraint feature_flag_states_flag_key_fkey foreign key (flag_key) references public.feature_flags (flag_key),
  constraint feature_flag_states_environment_fkey foreign key (environment) references public.flag_environments (environment),
  constraint feature_flag_states_flag_key_default_variant_fkey foreign key (flag_key, default_variant)
    references public.feature_flag_variants (flag_key, variant),
  constraint feature_flag_states_flag_key_off_variant_fkey foreign key (flag_key, off_variant)
    references public.feature_flag_variants (flag_key, variant)
);

comment on table public.feature_flag_states is 'A flag in an environment: whether it is on there, and what it says when no rule does.';
comment on column public.feature_flag_states.is_enabled is 'The kill switch: off, the flag says its off_variant to everybody.';
comment on column public.feature_flag_states.default_variant is 'Served when no rule matches; null leaves it to the code that asks.';
comment on column public.feature_flag_states.off_variant is 'Served when the flag is off or a prerequisite is not met; null leaves it to the code that asks.';
create index feature_flag_states_environment_idx on public.feature_flag_states (environment);
create index feature_flag_states_flag_key_default_variant_idx on public.feature_flag_states (flag_key, default_variant);
create index feature_flag_states_flag_key_off_variant_idx on public.feature_flag_states (flag_key, off_variant);
alter table public.feature_flag_states enable row level security;
grant select on public.feature_flag_states to service_role;

create table public.feature_flag_rules (
  flag_key text not null,
  environment text not null,
  rule_id text not null,
  position integer not null,
  description text not null default '',
  conditions jsonb not null default '[]',
  active_from timestamptz,
  active_until timestamptz,
  rollout jsonb,
  variant text,
  split jsonb,
  constraint feature_flag_rules_pkey primary key (flag_key, environment, rule_id),
  constraint feature_flag_rules_flag_key_environment_position_key unique (flag_key, environment, position),
  constraint feature_flag_rules_flag_key_environment_fkey foreign key (flag_key, environment)
    references public.feature_flag_states (flag_key, environment),
  constraint feature_flag_rules_flag_key_variant_fkey foreign key (flag_key, variant)
    references public.feature_flag_variants (flag_key, variant),
  constraint feature_flag_rules_rule_id_is_a_name check (rule_id ~ '^[A-Za-z0-9][A-Za-z0-9_.-]{0,99}$'),
  constraint feature_flag_rules_end_after_they_begin check (active_until > active_from),
  constraint feature_flag_rules_serve_a_variant_or_a_split check (num_nonnulls(variant, split) = 1)
);

comment on table public.feature_flag_rules is
  'Who gets which variant in an environment, in order: the first rule that matches decides. Written as a whole by set_feature_flag_rules(), which describes the columns'' JSON.';
comment on column public.feature_flag_rules.conditions is 'All must hold: attribute, operator, values (any of them), is_inverted, is_case_insensitive.';
comment on column public.feature_flag_rules.rollout is 'The share of people: percentage, or ramp with percentages at times; bucket_by, seed, normalizer.';
comment on column public.feature_flag_rules.split is 'Variants by weight: weights, bucket_by, seed.';
create index feature_flag_rules_flag_key_variant_idx on public.feature_flag_rules (flag_key, variant);
alter table public.feature_flag_rules enable row level security;
grant select on public.feature_flag_rules to service_role;

create table public.flag_segments (
  segment_key text not null,
  description text not null default '',
  conditions jsonb not null,
  updated_at timestamptz not null default now(),
  constraint flag_segments_pkey primary key (segment_key),
  constraint flag_segments_segment_key_is_a_name check (segment_key ~ '^[A-Za-z0-9][A-Za-z0-9_.-]{0,99}$')
);

comment on table public.flag_segments is 'Groups of people that rules of many flags name (operator IN_SEGMENT): all of the conditions hold for them.';
alter table public.flag_segments enable row level security;
grant select on public.flag_segments to service_role;

create trigger touch_updated_at
before update on public.flag_segments
for each row execute function private.touch_updated_at();

select private.audit_table('public.feature_flags');
select private.audit_table('public.feature_flag_variants');
select private.audit_table('public.feature_flag_prerequisites');
select private.audit_table('public.feature_flag_states');
select private.audit_table('public.feature_flag_rules');
select private.audit_table('public.flag_segments');

commit;
