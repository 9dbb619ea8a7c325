begin;

insert into public.notification_categories (category, description, channels, is_critical, digest_window, whatsapp_category) values
  ('operations', 'For operators: what should be looked at', '{email}', false, null, 'utility');

create table private.stale_flag_reports (
  flag_key text not null,
  reasons text[] not null,
  reported_at timestamptz not null default now(),
  constraint stale_flag_reports_pkey primary key (flag_key),
  constraint stale_flag_reports_flag_key_fkey foreign key (flag_key) references public.feature_flags (flag_key)
);

comment on table private.stale_flag_reports is 'What operators were last told of each stale flag, so that they hear of it once a month and when the reasons change.';
alter table private.stale_flag_reports enable row level security;

create function private.take_stale_flags(max_count integer)
returns setof private.stale_flag_reports
language plpgsql
set search_path = ''
as $$
begin
  delete from private.stale_flag_reports as told
  where not exists (select from public.stale_feature_flags as stale where stale.flag_key = told.flag_key);
  return query
  insert into private.stale_flag_reports as told (flag_key, reasons)
  select stale.flag_key, stale.reasons
  from public.stale_feature_flags as stale
  left join private.stale_flag_reports as known on known.flag_key = stale.flag_key
  where known.flag_key is null or known.reasons <> stale.reasons or known.reported_at < now() - interval '30 days'
  order by stale.created_at, stale.flag_key
  limit take_stale_flags.max_count
  on conflict on constraint stale_flag_reports_pkey do update set reasons = excluded.reasons, reported_at = excluded.reported_at
  returning told.*;
end;
$$;

comment on function private.take_stale_flags is 'Stale flags that operators should hear of now, the oldest first; they count as told.';

create function private.report_stale_flags()
returns integer
language plpgsql
set search_path = ''
as $$
declare
  v_flags constant private.stale_flag_reports[] := array(select told from private.take_stale_flags(20) as told order by told.flag_key);
begin
  if v_flags = '{}' then
    return 0;
  end if;
  perform private.notify(jsonb_build_object(
    'user_id', profile.user_id, 'category', 'operations', 'title', 'Stale feature flags', 'priority', 7,
    'body', (
      select 'These should be taken out of the code, or archived: '
        || string_agg(format('%s (%s)', told.flag_key, array_to_string(told.reasons, ', ')), '; ')
      from unnest(v_flags) as told
    ),
    'data', jsonb_build_object('flag_keys', (select jsonb_agg(told.flag_key) from unnest(v_flags) as told)),
    'parameters', '{}'::jsonb, 'is_critical', false
  ))
  from (
    select profile.user_id
    from private.operators as operator
    join public.profiles as profile on profile.user_id = operator.user_id
    order by operator.added_at
    limit 100
  ) as profile;
  perform private.record_events(array(
    select row(
      'feature_flag', told.flag_key, 'feature_flag.became_stale', jsonb_build_object('reasons', told.reasons),
      null, null, null, null, null
    )::private.new_event
    from unnest(v_flags) as told
  ));
  return cardinality(v_flags);
end;
$$;

comment on function private.report_stale_flags is
  'Tells registered operators which flags have become stale (20 at a time, the rest the next day), and appends feature_flag.became_stale for each; '
  'says how many. Run by the schedule.';

insert into private.schedule (name, cron, command) values
  ('report-stale-flags', '15 6 * * *', 'select private.report_stale_flags()');

commit;
