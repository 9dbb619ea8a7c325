begin;

create function private.require_flag_variant(flag_key text, variant text)
returns void
language plpgsql
set search_path = ''
as $$
begin
  if require_flag_variant.variant is not null and not exists (
    select from public.feature_flag_variants as existing
    where existing.flag_key = require_flag_variant.flag_key and existing.variant = require_flag_variant.variant
  ) then
    perform private.refuse_flag('variant', format('%s is no variant of the flag', require_flag_variant.variant));
  end if;
end;
$$;

comment on function private.require_flag_variant is 'That the flag has this variant, if one is named. Refuses: invalid_argument.';

create function private.flag_variants_problem(variants jsonb, value_type public.flag_value_type)
returns text
language plpgsql
immutable
set search_path = ''
as $$
begin
  if jsonb_typeof(flag_variants_problem.variants) is distinct from 'object'
    or (select count(*) from jsonb_object_keys(flag_variants_problem.variants)) not between 1 and 100
  then
    return 'an object of 1 to 100 values by name';
  end if;
  return (
    select format('%s: a name, and a value of the flag''s type of up to 20000 characters', variant.key)
    from jsonb_each(flag_variants_problem.variants) as variant
    where variant.key !~ '^[A-Za-z0-9][A-Za-z0-9_.-]{0,99}$' or length(variant.value::text) > 20000
      or not private.is_flag_value(variant.value, flag_variants_problem.value_type)
    limit 1
  );
end;
$$;

comment on function private.flag_variants_problem is 'What is wrong with variants of a flag of this type; null if nothing is.';

create function private.write_flag_variants(flag public.feature_flags, variants jsonb)
returns void
language plpgsql
set search_path = ''
as $$
begin
  perform private.refuse_flag('variants', private.flag_variants_problem(write_flag_variants.variants, (write_flag_variants.flag).value_type));
  delete from public.feature_flag_variants as variant
  where variant.flag_key = (write_flag_variants.flag).flag_key and not write_flag_variants.variants ? variant.variant;
  insert into public.feature_flag_variants as variant (flag_key, variant, value_type, value)
  select (write_flag_variants.flag).flag_key, written.key, (write_flag_variants.flag).value_type, written.value
  from jsonb_each(write_flag_variants.variants) as written
  on conflict on constraint feature_flag_variants_pkey do update set value = excluded.value
  where variant.value <> excluded.value;
end;
$$;

comment on function private.write_flag_variants is 'Makes these a flag''s variants. Refuses: invalid_argument.';

create function private.used_flag_variants(flag_key text)
returns text[]
language plpgsql
stable
set search_path = ''
as $$
begin
  return array(
    select state.default_variant from public.feature_flag_states as state where state.flag_key = used_flag_variants.flag_key
    union select state.off_variant from public.feature_flag_states as state where state.flag_key = used_flag_variants.flag_key
    union select rule.variant from public.feature_flag_rules as rule where rule.flag_key = used_flag_variants.flag_key
    union select share ->> 'variant'
    from public.feature_flag_rules as rule, jsonb_array_elements(rule.split -> 'weights') as share
    where rule.flag_key = used_flag_variants.flag_key
    union select unnest(prerequisite.variants)
    from public.feature_flag_prerequisites as prerequisite where prerequisite.prerequisite_key = used_flag_variants.flag_key
  );
end;
$$;

comment on function private.used_flag_variants is 'The variants that a flag''s rules and states, or flags that build on it, name.';

commit;
