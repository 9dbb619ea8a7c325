begin;

create view public.whatsapp_templates
with (security_invoker = on)
as
select
  known.subject[1] as waba_id,
  known.subject[2] as name,
  known.subject[3] as language,
  coalesce(coalesce(status.payload, quality.payload, category.payload) ->> 'message_template_id', listing.payload ->> 'id') as template_id,
  latest_status.status,
  nullif(latest_status.reason, 'NONE') as reason,
  latest_status.reported_at as status_as_of,
  latest_category.category,
  latest_category.reported_at as category_as_of,
  latest_quality.quality,
  latest_quality.reported_at as quality_as_of,
  coalesce(latest_status.status in ('APPROVED', 'REINSTATED', 'FLAGGED', 'UNPAUSED', 'UNLOCKED', 'UNARCHIVED'), true) as is_sendable,
  listing.payload -> 'components' as components,
  listing.reported_at as listed_at
from (
  select distinct report.subject from public.whatsapp_reports as report where report.subject_kind = 'template'
) as known
left join public.whatsapp_reports as status
  on status.subject_kind = 'template' and status.subject = known.subject and status.topic = 'status'
left join public.whatsapp_reports as quality
  on quality.subject_kind = 'template' and quality.subject = known.subject and quality.topic = 'quality'
left join public.whatsapp_reports as category
  on category.subject_kind = 'template' and category.subject = known.subject and category.topic = 'category'
left join public.whatsapp_reports as listing
  on listing.subject_kind = 'template' and listing.subject = known.subject and listing.topic = 'listing'
left join lateral (
  select told.status, told.reason, told.reported_at
  from (values
    (status.payload ->> 'event', status.payload ->> 'reason', status.reported_at),
    (listing.payload ->> 'status', listing.payload ->> 'rejected_reason', listing.reported_at)
  ) as told (status, reason, reported_at)
  where told.status is not null
  order by told.reported_at desc, told.status
  limit 1
) as latest_status on true
left join lateral (
  select told.category, told.reported_at
  from (values
    (status.payload ->> 'message_template_category', status.reported_at),
    (
      case when private.epoch_time(category.payload -> 'category_update_timestamp') <= now()
        then category.payload ->> 'correct_category' else category.payload ->> 'new_category' end,
      category.reported_at
    ),
    (listing.payload ->> 'category', listing.reported_at)
  ) as told (category, reported_at)
  where told.category is not null
  order by told.reported_at desc, told.category
  limit 1
) as latest_category on true
left join lateral (
  select told.quality, told.reported_at
  from (values
    (quality.payload ->> 'new_quality_score', quality.reported_at),
    (listing.payload -> 'quality_score' ->> 'score', listing.reported_at)
  ) as told (quality, reported_at)
  where told.quality is not null
  order by told.reported_at desc, told.quality
  limit 1
) as latest_quality on true;

comment on view public.whatsapp_templates is
  'The templates that Meta has told us something of, by its events or its listing (upsert_whatsapp_templates): each '
  'answer the latest by Meta''s times. A notice of a coming category counts from its time on. is_sendable is false where the status is '
  'anything but approved, reinstated, flagged or the end of a pause, lock or archive; of a template whose status was never told it is true.';
grant execute on function private.epoch_time to service_role;
grant select on public.whatsapp_templates to service_role;

commit;
