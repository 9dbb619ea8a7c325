begin;

create view public.whatsapp_number_states
with (security_invoker = on)
as
select
  number.phone_number_id,
  number.waba_id,
  number.display_phone_number,
  quality.payload ->> 'event' = 'FLAGGED' as is_flagged,
  quality.reported_at as is_flagged_as_of,
  latest_limit.messaging_limit,
  latest_limit.reported_at as messaging_limit_as_of,
  throughput.reported_at as throughput_upgraded_at,
  name.payload ->> 'decision' as name_decision,
  name.payload ->> 'requested_verified_name' as requested_name,
  nullif(name.payload ->> 'rejection_reason', 'NONE') as name_rejection_reason,
  name.reported_at as name_decision_as_of
from public.whatsapp_numbers as number
cross join lateral (select array[regexp_replace(number.display_phone_number, '\D', '', 'g')] as subject) as own
left join public.whatsapp_reports as quality
  on quality.subject_kind = 'number' and quality.subject = own.subject and quality.topic = 'quality'
left join public.whatsapp_reports as throughput
  on throughput.subject_kind = 'number' and throughput.subject = own.subject and throughput.topic = 'throughput'
left join public.whatsapp_reports as name
  on name.subject_kind = 'number' and name.subject = own.subject and name.topic = 'name'
left join lateral (
  select told.messaging_limit, told.reported_at
  from (
    select coalesce(report.payload ->> 'max_daily_conversations_per_business', report.payload ->> 'current_limit') as messaging_limit,
      report.reported_at
    from public.whatsapp_reports as report
    where (report.subject_kind = 'number' and report.subject = own.subject and report.topic = 'limit')
      or (report.subject_kind = 'account' and report.subject = array[number.waba_id] and report.topic = 'capability')
  ) as told
  where told.messaging_limit is not null
  order by told.reported_at desc, told.messaging_limit
  limit 1
) as latest_limit on true;

comment on view public.whatsapp_number_states is
  'What Meta has told of our numbers, as of Meta''s times; null where nothing. messaging_limit: TIER_250 and so on, or a count, of people a day, '
  'from whichever of number and account was told last.';
grant select on public.whatsapp_number_states to service_role;

create view public.whatsapp_account_states
with (security_invoker = on)
as
select
  report.subject[1] as waba_id,
  report.topic as event,
  report.payload,
  report.reported_at as as_of
from public.whatsapp_reports as report
where report.subject_kind = 'account';

comment on view public.whatsapp_account_states is
  'What Meta has told of our accounts: the latest of each event of account_update, of the review and of the capability.';
grant select on public.whatsapp_account_states to service_role;

commit;
