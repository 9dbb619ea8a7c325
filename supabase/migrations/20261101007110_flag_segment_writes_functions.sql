begin;

create function private.save_flag_segment(
  segment_key text,
  conditions jsonb,
  description text
)
returns public.flag_segments
language plpgsql
security definer -- operators change flags, which no role may write
set search_path = ''
as $$
declare
  v_segment public.flag_segments;
begin
  perform private.require_service_or_registered_operator();
  perform private.lock_flags();
  if (save_flag_segment.segment_key ~ '^[A-Za-z0-9][A-Za-z0-9_.-]{0,99}$') is not true then
    perform private.refuse_flag('segment_key', 'up to 100 letters, digits, dots, dashes and underscores');
  end if;
  perform private.refuse_flag('conditions', private.flag_conditions_problem(save_flag_segment.conditions, false));
  insert into public.flag_segments as segment (segment_key, conditions, description)
  values (save_flag_segment.segment_key, save_flag_segment.conditions, coalesce(save_flag_segment.description, ''))
  on conflict on constraint flag_segments_pkey do update set conditions = excluded.conditions, description = excluded.description
  returning * into v_segment;
  return v_segment;
end;
$$;

comment on function private.save_flag_segment is 'The work of public.save_flag_segment().';

create function public.save_flag_segment(
  segment_key text,
  conditions jsonb,
  description text default ''
)
returns public.flag_segments
language plpgsql
set search_path = ''
set statement_timeout = '5s'
as $$
begin
  return private.save_flag_segment(save_flag_segment.segment_key, save_flag_segment.conditions, save_flag_segment.description);
end;
$$;

comment on function public.save_flag_segment is
  'For operators: makes or changes a group of people that rules of many flags may name. A segment cannot name another. '
  'Refuses: operator_required, invalid_argument.';
grant execute on function public.save_flag_segment, private.save_flag_segment to authenticated, service_role;

create function private.delete_flag_segment(segment_key text)
returns void
language plpgsql
security definer -- operators change flags, which no role may write
set search_path = ''
as $$
begin
  perform private.require_service_or_registered_operator();
  perform private.lock_flags();
  if exists (
    select from public.feature_flag_rules as rule, jsonb_array_elements(rule.conditions) as condition
    where condition ->> 'operator' = 'IN_SEGMENT' and condition -> 'values' ? delete_flag_segment.segment_key
  ) then
    perform private.refuse('flag_in_use');
  end if;
  delete from public.flag_segments as segment where segment.segment_key = delete_flag_segment.segment_key;
end;
$$;

comment on function private.delete_flag_segment is 'The work of public.delete_flag_segment().';

create function public.delete_flag_segment(segment_key text)
returns void
language plpgsql
set search_path = ''
set statement_timeout = '5s'
as $$
begin
  perform private.delete_flag_segment(delete_flag_segment.segment_key);
end;
$$;

comment on function public.delete_flag_segment is
  'For operators: removes a segment that no rule names, if it is there. Refuses: operator_required, flag_in_use.';
grant execute on function public.delete_flag_segment, private.delete_flag_segment to authenticated, service_role;

create function private.archive_feature_flag(flag_key text, is_archived boolean)
returns public.feature_flags
language plpgsql
security definer -- operators change flags, which no role may write
set search_path = ''
as $$
declare
  v_flag public.feature_flags;
begin
  perform private.require_service_or_registered_operator();
  perform private.lock_flags();
  perform private.require_flag(archive_feature_flag.flag_key);
  if archive_feature_flag.is_archived and exists (
    select from public.feature_flag_prerequisites as prerequisite
    join public.feature_flags as flag on flag.flag_key = prerequisite.flag_key and flag.archived_at is null
    where prerequisite.prerequisite_key = archive_feature_flag.flag_key
  ) then
    perform private.refuse('flag_in_use');
  end if;
  update public.feature_flags as flag set
    archived_at = case when archive_feature_flag.is_archived then coalesce(flag.archived_at, now()) end
  where flag.flag_key = archive_feature_flag.flag_key
  returning * into v_flag;
  return v_flag;
end;
$$;

comment on function private.archive_feature_flag is 'The work of public.archive_feature_flag().';

create function public.archive_feature_flag(flag_key text, is_archived boolean default true)
returns public.feature_flags
language plpgsql
set search_path = ''
set statement_timeout = '5s'
as $$
begin
  return private.archive_feature_flag(archive_feature_flag.flag_key, archive_feature_flag.is_archived);
end;
$$;

comment on function public.archive_feature_flag is
  'For operators: puts a flag away, so that nobody evaluates it any more (FLAG_NOT_FOUND), or brings it back (is_archived false). '
  'Refuses: operator_required, flag_not_found, flag_in_use (another flag builds on it).';
grant execute on function public.archive_feature_flag, private.archive_feature_flag to authenticated, service_role;

create function private.create_flag_environment(environment text, description text)
returns public.flag_environments
language plpgsql
security definer -- operators change flags, which no role may write
set search_path = ''
as $$
declare
  v_environment public.flag_environments;
begin
  perform private.require_service_or_registered_operator();
  perform private.lock_flags();
  if (create_flag_environment.environment ~ '^[a-z][a-z0-9-]{0,49}$') is not true then
    perform private.refuse_flag('environment', 'up to 50 small letters, digits and dashes');
  end if;
  insert into public.flag_environments (environment, description)
  values (create_flag_environment.environment, coalesce(create_flag_environment.description, ''))
  on conflict on constraint flag_environments_pkey do nothing;
  insert into public.feature_flag_states (flag_key, environment, default_variant, off_variant)
  select state.flag_key, create_flag_environment.environment, state.default_variant, state.off_variant
  from public.feature_flag_states as state
  join public.flag_environments as home on home.environment = state.environment and home.is_default
  on conflict on constraint feature_flag_states_pkey do nothing;
  select * into v_environment from public.flag_environments as made where made.environment = create_flag_environment.environment;
  return v_environment;
end;
$$;

comment on function private.create_flag_environment is 'The work of public.create_flag_environment().';

create function public.create_flag_environment(environment text, description text default '')
returns public.flag_environments
language plpgsql
set search_path = ''
set statement_timeout = '5s'
as $$
begin
  return private.create_flag_environment(create_flag_environment.environment, create_flag_environment.description);
end;
$$;

comment on function public.create_flag_environment is
  'For operators: makes an environment, in which every flag is off. Again, it changes nothing. Refuses: operator_required, invalid_argument.';
grant execute on function public.create_flag_environment, private.create_flag_environment to authenticated, service_role;

commit;
