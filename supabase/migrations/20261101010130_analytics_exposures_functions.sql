begin;

create function private.exposed_person(targeting_key text, out id uuid, out is_user boolean)
returns setof record
language plpgsql
stable
set search_path = ''
as $$
begin
  -- Other keys may be phone numbers and addresses.
  if pg_input_is_valid(exposed_person.targeting_key, 'uuid') is not true then
    return;
  end if;
  id := exposed_person.targeting_key;
  is_user := exists (select from public.profiles as profile where profile.id = exposed_person.id)
    or exists (select from public.profiles as profile where profile.user_id = exposed_person.id);
  return next;
end;
$$;

comment on function private.exposed_person is
  'Whom a targeting key means: a user, by the id of the profile or of the sign-in, or else an anonymous id. Nobody, if it is no UUID.';

create function private.record_flag_exposures(environment text, exposures jsonb, sample_rate numeric)
returns integer
language plpgsql
security definer -- as private.track_analytics_events()
set search_path = ''
as $$
declare
  v_items jsonb;
begin
  select jsonb_agg(jsonb_build_object(
    'type', 'track',
    'event_name', '$feature_flag_called',
    'event_category', 'feature_flags',
    -- One a day: flag, variant and person are the same message, whoever evaluates and however often.
    'message_id', concat_ws(':', 'exposure', record_flag_exposures.environment, exposure.flag_key, exposure.variant, person.id),
    case when person.is_user then 'user_id' else 'anonymous_id' end, person.id,
    'properties', jsonb_build_object(
      '$feature_flag', exposure.flag_key, '$feature_flag_response', exposure.variant, 'environment', record_flag_exposures.environment,
      'sample_rate', record_flag_exposures.sample_rate
    ),
    'timestamp', exposure.at
  ))
  into v_items
  from jsonb_to_recordset(record_flag_exposures.exposures) as exposure (flag_key text, variant text, targeting_key text, at text)
  cross join lateral private.exposed_person(exposure.targeting_key) as person
  where length(exposure.flag_key) between 1 and 200 and length(exposure.variant) between 1 and 100;
  if v_items is null then
    return 0;
  end if;
  return (private.store_analytics_events(
    jsonb_build_object('source', 'flags', 'received_at', now(), 'items', v_items)
  ) ->> 'stored')::integer;
end;
$$;

comment on function private.record_flag_exposures is 'The work of public.record_flag_exposures().';

create function public.record_flag_exposures(environment text, exposures jsonb, sample_rate numeric default 1)
returns integer
language plpgsql
set search_path = ''
set statement_timeout = '5s'
as $$
begin
  if (
    length(record_flag_exposures.environment) between 1 and 100
    and jsonb_typeof(record_flag_exposures.exposures) = 'array'
    and jsonb_array_length(record_flag_exposures.exposures) <= 2500
    and record_flag_exposures.sample_rate between 0 and 1
  ) is not true then
    perform private.refuse('invalid_argument');
  end if;
  return private.record_flag_exposures(record_flag_exposures.environment, record_flag_exposures.exposures, record_flag_exposures.sample_rate);
end;
$$;

comment on function public.record_flag_exposures is
  'Stores which people were served which variant, [{flag_key, variant, targeting_key, at}], up to 2500, as events named $feature_flag_called with PostHog''s properties ($feature_flag, '
  '$feature_flag_response): one a day for each flag, variant and person. Targeting keys that are no UUIDs are left out; those of a profile or its sign-in are users, others anonymous ids. '
  'sample_rate is the share of people whom the evaluator tells of, for whoever counts. Says how many are new. The same batch again changes nothing. '
  'Refuses: invalid_argument, read_committed_needed.';
grant execute on function public.record_flag_exposures, private.record_flag_exposures to service_role;

commit;
