begin;

create function private.is_exposure_sampled(targeting_key text, sample_rate numeric)
returns boolean
language plpgsql
immutable
set search_path = ''
as $$
begin
  -- By person, not by chance: who is in the sample is in it on every day.
  return ('x' || left(md5('exposure:' || is_exposure_sampled.targeting_key), 8))::bit(32)::bigint < is_exposure_sampled.sample_rate * 4294967296;
end;
$$;

comment on function private.is_exposure_sampled is 'Whether a person''s exposures to flags become events.';

create function private.record_flag_exposures(environment text, exposures jsonb)
returns integer
language plpgsql
security definer -- as private.track_analytics_events()
set search_path = ''
as $$
declare
  v_rate constant numeric := (select settings.exposure_sample_rate from private.analytics_settings as settings);
  v_items jsonb;
begin
  select jsonb_agg(jsonb_build_object(
    'type', 'track',
    'event_name', '$feature_flag_called',
    'event_category', 'feature_flags',
    -- One a day: flag, variant and person are the same message, whoever evaluates and however often.
    'message_id', concat_ws(':', 'exposure', record_flag_exposures.environment, exposure.flag_key, exposure.variant, exposure.targeting_key),
    case when exposure.is_anonymous then 'anonymous_id' else 'user_id' end, exposure.targeting_key,
    'properties', jsonb_build_object(
      '$feature_flag', exposure.flag_key, '$feature_flag_response', exposure.variant, 'environment', record_flag_exposures.environment,
      'sample_rate', v_rate
    ),
    'timestamp', exposure.at
  ))
  into v_items
  from jsonb_to_recordset(record_flag_exposures.exposures) as exposure (flag_key text, variant text, targeting_key text, is_anonymous boolean, at text)
  where length(exposure.targeting_key) between 1 and 255
    and length(exposure.flag_key) between 1 and 200
    and private.is_exposure_sampled(exposure.targeting_key, v_rate);
  if v_items is null then
    return 0;
  end if;
  return (private.store_analytics_events(
    jsonb_build_object('source', 'flags', 'received_at', now(), 'items', v_items)
  ) ->> 'stored')::integer;
end;
$$;

comment on function private.record_flag_exposures is 'The work of public.record_flag_exposures().';

create function public.record_flag_exposures(environment text, exposures jsonb)
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
  ) is not true then
    perform private.refuse('invalid_argument');
  end if;
  return private.record_flag_exposures(record_flag_exposures.environment, record_flag_exposures.exposures);
end;
$$;

comment on function public.record_flag_exposures is
  'Stores which people were served which variant, [{flag_key, variant, targeting_key, is_anonymous, at}], up to 2500, as events named $feature_flag_called with PostHog''s properties ($feature_flag, '
  '$feature_flag_response): one a day for each flag, variant and person, of the share of people that analytics_settings names. Says how many are new. The same batch again changes nothing. '
  'Refuses: invalid_argument, read_committed_needed.';
grant execute on function public.record_flag_exposures, private.record_flag_exposures to service_role;

commit;
