begin;

create view public.feature_flag_overview
with (security_invoker = on)
as
select
  flag.flag_key,
  state.environment,
  flag.value_type,
  flag.kind,
  flag.owner,
  flag.is_client_visible,
  flag.archived_at,
  state.is_enabled,
  state.default_variant,
  state.off_variant,
  (select count(*) from public.feature_flag_rules as rule where rule.flag_key = flag.flag_key and rule.environment = state.environment) as rule_count,
  state.changed_at,
  coalesce(recent.evaluation_count, 0) as evaluations_last_day,
  seen.last_evaluated_at,
  flag.created_at
from public.feature_flags as flag
join public.feature_flag_states as state on state.flag_key = flag.flag_key
left join lateral (
  select sum(counted.evaluation_count) as evaluation_count from public.feature_flag_evaluations as counted
  where counted.environment = state.environment and counted.flag_key = flag.flag_key and counted.counted_at > now() - interval '1 day'
) as recent on true
left join lateral (
  select max(counted.counted_at) as last_evaluated_at from public.feature_flag_evaluations as counted
  where counted.environment = state.environment and counted.flag_key = flag.flag_key
) as seen on true;

comment on view public.feature_flag_overview is 'Each flag in each environment: its state, how many rules it has, and how often evaluators have asked for it.';
grant select on public.feature_flag_overview to service_role;

create view public.stale_feature_flags
with (security_invoker = on)
as
select
  flag.flag_key,
  flag.kind,
  flag.owner,
  flag.created_at,
  array_remove(array[
    case when flag.created_at < now() - make_interval(days => flag.lifetime_days) then 'lifetime_over' end,
    case when served.variant_count = 1 and served.first_hour < now() - interval '14 days' then 'always_the_same' end,
    case when served.last_hour is null or served.last_hour < now() - interval '14 days' then 'not_evaluated' end
  ], null) as reasons
from public.feature_flags as flag
cross join lateral (
  select
    count(distinct counted.variant) filter (where counted.counted_at > now() - interval '14 days') as variant_count,
    min(counted.counted_at) as first_hour,
    max(counted.counted_at) as last_hour
  from public.feature_flag_evaluations as counted
  where counted.flag_key = flag.flag_key
) as served
where flag.archived_at is null
  and flag.lifetime_days is not null
  and (
    flag.created_at < now() - make_interval(days => flag.lifetime_days)
    or flag.created_at < now() - interval '14 days'
      and (served.variant_count <= 1 and served.first_hour < now() - interval '14 days' or served.last_hour is null or served.last_hour < now() - interval '14 days')
  );

comment on view public.stale_feature_flags is
  'Flags that should be taken out of the code: their lifetime is over (lifetime_over), or for 14 days they have served one variant to all (always_the_same) or nobody has asked '
  '(not_evaluated). One without a lifetime is never stale.';
grant select on public.stale_feature_flags to service_role;

create function private.list_feature_flags(environment text, is_archived boolean)
returns jsonb
language plpgsql
stable
security definer -- operators read flags, which no client may select from
set search_path = ''
as $$
begin
  perform private.require_operator();
  return (
    select coalesce(jsonb_agg(
      to_jsonb(overview) || jsonb_build_object('stale_because', coalesce(to_jsonb(stale.reasons), '[]')) order by overview.flag_key, overview.environment
    ), '[]')
    from public.feature_flag_overview as overview
    left join public.stale_feature_flags as stale on stale.flag_key = overview.flag_key
    where (list_feature_flags.environment is null or overview.environment = list_feature_flags.environment)
      and (overview.archived_at is not null) = coalesce(list_feature_flags.is_archived, false)
  );
end;
$$;

comment on function private.list_feature_flags is 'The work of public.list_feature_flags().';

create function public.list_feature_flags(environment text default null, is_archived boolean default false)
returns jsonb
language plpgsql
stable
set search_path = ''
set statement_timeout = '5s'
as $$
begin
  return private.list_feature_flags(list_feature_flags.environment, list_feature_flags.is_archived);
end;
$$;

comment on function public.list_feature_flags is
  'For operators: the flags (or the archived ones) in one environment or all, as in feature_flag_overview, each with why it is stale (stale_because). Refuses: operator_required.';
grant execute on function public.list_feature_flags, private.list_feature_flags to authenticated;

create function private.get_feature_flag(flag_key text)
returns jsonb
language plpgsql
stable
security definer -- as private.list_feature_flags()
set search_path = ''
as $$
begin
  perform private.require_operator();
  return to_jsonb(private.require_flag(get_feature_flag.flag_key)) || jsonb_build_object(
    'variants', (
      select coalesce(jsonb_object_agg(variant.variant, variant.value), '{}') from public.feature_flag_variants as variant
      where variant.flag_key = get_feature_flag.flag_key
    ),
    'prerequisites', (
      select coalesce(jsonb_object_agg(prerequisite.prerequisite_key, prerequisite.variants), '{}')
      from public.feature_flag_prerequisites as prerequisite
      where prerequisite.flag_key = get_feature_flag.flag_key
    ),
    'environments', (
      select jsonb_object_agg(state.environment, to_jsonb(state) - '{flag_key,environment}'::text[] || jsonb_build_object(
        'revision', environment.revision,
        'rules', (
          select coalesce(jsonb_agg(to_jsonb(rule) - '{flag_key,environment,position}'::text[] order by rule.position), '[]')
          from public.feature_flag_rules as rule
          where rule.flag_key = state.flag_key and rule.environment = state.environment
        )
      ))
      from public.feature_flag_states as state
      join public.flag_environments as environment on environment.environment = state.environment
      where state.flag_key = get_feature_flag.flag_key
    )
  );
end;
$$;

comment on function private.get_feature_flag is 'The work of public.get_feature_flag().';

create function public.get_feature_flag(flag_key text)
returns jsonb
language plpgsql
stable
set search_path = ''
set statement_timeout = '2s'
as $$
begin
  return private.get_feature_flag(get_feature_flag.flag_key);
end;
$$;

comment on function public.get_feature_flag is
  'For operators: a flag with its variants, prerequisites, and per environment its state, rules and the revision to change them at. Refuses: operator_required, flag_not_found.';
grant execute on function public.get_feature_flag, private.get_feature_flag to authenticated;

commit;
