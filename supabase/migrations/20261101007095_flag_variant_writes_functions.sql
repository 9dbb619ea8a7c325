begin;

create function private.flag_prerequisites_problem(prerequisites jsonb)
returns text
language plpgsql
stable
set search_path = ''
as $$
begin
  if jsonb_typeof(flag_prerequisites_problem.prerequisites) is distinct from 'object'
    or (select count(*) from jsonb_object_keys(flag_prerequisites_problem.prerequisites)) > 20
  then
    return 'an object of up to 20 flags';
  end if;
  return (
    select format('%s: a flag that is not archived, and a list of its variants', written.key)
    from jsonb_each(flag_prerequisites_problem.prerequisites) as written
    where not exists (
        select from public.feature_flags as flag where flag.flag_key = written.key and flag.archived_at is null
      )
      or jsonb_typeof(written.value) <> 'array' or written.value = '[]'
      or exists (
        select from jsonb_array_elements(case when jsonb_typeof(written.value) = 'array' then written.value else '[]' end) as wanted
        where jsonb_typeof(wanted) <> 'string' or not exists (
          select from public.feature_flag_variants as variant
          where variant.flag_key = written.key and variant.variant = wanted #>> '{}'
        )
      )
    limit 1
  );
end;
$$;

comment on function private.flag_prerequisites_problem is 'What is wrong with prerequisites; null if nothing is.';

create function private.flag_depth(flag_key text)
returns integer
language plpgsql
stable
set search_path = ''
as $$
begin
  return (
    with recursive walked (flag_key, depth) as (
      -- Whatever builds on the flag may have become too deep as well.
      select flag_depth.flag_key, 0
      union
      select prerequisite.flag_key, walked.depth - 1
      from walked
      join public.feature_flag_prerequisites as prerequisite on prerequisite.prerequisite_key = walked.flag_key
      where walked.depth between -11 and 0
    ), below (flag_key, depth) as (
      select flag_depth.flag_key, 0
      union
      select prerequisite.prerequisite_key, below.depth + 1
      from below
      join public.feature_flag_prerequisites as prerequisite on prerequisite.flag_key = below.flag_key
      where below.depth < 11
    )
    select (select max(depth) from below) - (select min(depth) from walked)
  );
end;
$$;

comment on function private.flag_depth is 'How many levels the longest chain of prerequisites through this flag has; more than 10 where there is a circle.';

create function private.set_feature_flag_variants(flag_key text, variants jsonb)
returns void
language plpgsql
security definer -- operators change flags, which no role may write
set search_path = ''
as $$
declare
  v_flag public.feature_flags;
begin
  perform private.require_service_or_registered_operator();
  perform private.lock_flags();
  v_flag := private.require_flag(set_feature_flag_variants.flag_key);
  perform private.refuse_flag('variants', private.flag_variants_problem(set_feature_flag_variants.variants, v_flag.value_type));
  if exists (
    select from unnest(private.used_flag_variants(v_flag.flag_key)) as variant
    where variant is not null and not set_feature_flag_variants.variants ? variant
  ) then
    perform private.refuse('flag_in_use');
  end if;
  perform private.write_flag_variants(v_flag, set_feature_flag_variants.variants);
end;
$$;

comment on function private.set_feature_flag_variants is 'The work of public.set_feature_flag_variants().';

create function public.set_feature_flag_variants(flag_key text, variants jsonb)
returns void
language plpgsql
set search_path = ''
set statement_timeout = '5s'
as $$
begin
  perform private.set_feature_flag_variants(set_feature_flag_variants.flag_key, set_feature_flag_variants.variants);
end;
$$;

comment on function public.set_feature_flag_variants is
  'For operators: makes these the flag''s variants, an object of values by name. One that is used somewhere cannot be left out. '
  'Refuses: operator_required, flag_not_found, flag_in_use, invalid_argument.';
grant execute on function public.set_feature_flag_variants, private.set_feature_flag_variants to authenticated, service_role;

create function private.set_feature_flag_prerequisites(flag_key text, prerequisites jsonb)
returns void
language plpgsql
security definer -- operators change flags, which no role may write
set search_path = ''
as $$
begin
  perform private.require_service_or_registered_operator();
  perform private.lock_flags();
  perform private.require_flag(set_feature_flag_prerequisites.flag_key);
  perform private.refuse_flag('prerequisites', private.flag_prerequisites_problem(set_feature_flag_prerequisites.prerequisites));
  delete from public.feature_flag_prerequisites as prerequisite
  where prerequisite.flag_key = set_feature_flag_prerequisites.flag_key;
  insert into public.feature_flag_prerequisites (flag_key, prerequisite_key, variants)
  select set_feature_flag_prerequisites.flag_key, written.key, array(select jsonb_array_elements_text(written.value))
  from jsonb_each(set_feature_flag_prerequisites.prerequisites) as written;
  if private.flag_depth(set_feature_flag_prerequisites.flag_key) > 10 then
    perform private.refuse('flag_prerequisites_circular');
  end if;
end;
$$;

comment on function private.set_feature_flag_prerequisites is 'The work of public.set_feature_flag_prerequisites().';

create function public.set_feature_flag_prerequisites(flag_key text, prerequisites jsonb)
returns void
language plpgsql
set search_path = ''
set statement_timeout = '5s'
as $$
begin
  perform private.set_feature_flag_prerequisites(set_feature_flag_prerequisites.flag_key, set_feature_flag_prerequisites.prerequisites);
end;
$$;

comment on function public.set_feature_flag_prerequisites is
  'For operators: the flags that must have one of some variants, for the same person, before this flag''s rules are asked: {"flag": ["variant", ...]}. '
  'Refuses: operator_required, flag_not_found, flag_prerequisites_circular (a circle, or more than 10 levels), invalid_argument.';
grant execute on function public.set_feature_flag_prerequisites, private.set_feature_flag_prerequisites to authenticated, service_role;

commit;
