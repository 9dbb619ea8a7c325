begin;

create function private.whatsapp_report_subject(kind public.whatsapp_report_subject, waba_id text, payload jsonb)
returns text[]
language plpgsql
immutable
set search_path = ''
as $$
declare
  v_subject text[] := case whatsapp_report_subject.kind
    when 'template' then array[
      whatsapp_report_subject.waba_id,
      private.short_text(whatsapp_report_subject.payload -> 'message_template_name', 512),
      private.short_text(whatsapp_report_subject.payload -> 'message_template_language', 32)
    ]
    when 'number' then array[
      nullif(regexp_replace(private.short_text(whatsapp_report_subject.payload -> 'display_phone_number', 64), '\D', '', 'g'), '')
    ]
    when 'account' then array[
      -- The entry of a partner's event is a business portfolio.
      coalesce(private.short_text(whatsapp_report_subject.payload -> 'waba_info' -> 'waba_id', 64), whatsapp_report_subject.waba_id)
    ]
  end;
begin
  return case when array_position(v_subject, null) is null then v_subject end;
end;
$$;

comment on function private.whatsapp_report_subject is 'What an event is about, or null if it does not say.';

create function private.whatsapp_report_topic(field text, payload jsonb)
returns text
language plpgsql
immutable
set search_path = ''
as $$
begin
  return case whatsapp_report_topic.field
    when 'message_template_status_update' then 'template status'
    when 'message_template_quality_update' then 'template quality'
    when 'template_category_update' then 'template category'
    when 'phone_number_name_update' then 'number name'
    when 'phone_number_quality_update' then case
      when whatsapp_report_topic.payload ->> 'event' in ('FLAGGED', 'UNFLAGGED') then 'number quality'
      when whatsapp_report_topic.payload ->> 'event' = 'THROUGHPUT_UPGRADE' then 'number throughput'
      else 'number limit'
    end
    when 'business_capability_update' then 'account capability'
    when 'account_review_update' then 'account review'
    when 'account_update' then 'account ' || private.short_text(whatsapp_report_topic.payload -> 'event', 128)
  end;
end;
$$;

comment on function private.whatsapp_report_topic is
  'Kind of subject and topic of an event, or null if it tells no state. What one event says does not hide what another does: each has a topic of its own.';

create function private.keep_whatsapp_reports(reports public.whatsapp_reports[])
returns integer
language plpgsql
set search_path = ''
as $$
declare
  v_count integer;
begin
  insert into public.whatsapp_reports as stored (subject_kind, subject, topic, payload, reported_at, delivery_id)
  select distinct on (report.subject_kind, report.subject, report.topic)
    report.subject_kind, report.subject, report.topic, report.payload, report.reported_at, report.delivery_id
  from unnest(keep_whatsapp_reports.reports) as report
  order by report.subject_kind, report.subject, report.topic, report.reported_at desc, report.payload::text desc
  on conflict on constraint whatsapp_reports_pkey do update
    set payload = excluded.payload, reported_at = excluded.reported_at, delivery_id = excluded.delivery_id
    where (stored.reported_at, stored.payload::text) < (excluded.reported_at, excluded.payload::text);
  get diagnostics v_count = row_count;
  return v_count;
end;
$$;

comment on function private.keep_whatsapp_reports is
  'Keeps the latest of what Meta tells, of two of one second always the same one; says how many were news.';

create function private.store_whatsapp_reports(delivery_id uuid, items private.whatsapp_item[])
returns void
language plpgsql
set search_path = ''
as $$
begin
  perform private.keep_whatsapp_reports(array(
    select row(
      told.kind, about.subject, told.topic, item.payload, coalesce(item.occurred_at, now()), store_whatsapp_reports.delivery_id
    )::public.whatsapp_reports
    from unnest(store_whatsapp_reports.items) as item
    cross join lateral (select private.whatsapp_report_topic(item.field, item.payload) as title) as report
    cross join lateral (
      select split_part(report.title, ' ', 1)::public.whatsapp_report_subject as kind,
        substr(report.title, strpos(report.title, ' ') + 1) as topic
      where report.title is not null
    ) as told
    cross join lateral private.whatsapp_report_subject(told.kind, item.waba_id, item.payload) as about (subject)
    where item.outcome is null and item.kind = 'event' and about.subject is not null
  ));
end;
$$;

comment on function private.store_whatsapp_reports is 'Keeps what the events of a delivery tell of templates, numbers and accounts.';

commit;
