begin;

create type private.whatsapp_send_report as (
  item_position integer,
  message_id uuid,
  contact_id uuid,
  phone_number_id text
);

comment on type private.whatsapp_send_report is 'A status in a delivery that changes a message of ours, and in whose lane that stands.';

create function private.reported_whatsapp_send(item private.whatsapp_item)
returns uuid
language plpgsql
stable
set search_path = ''
as $$
declare
  v_told text := item.payload ->> 'biz_opaque_callback_data';
  v_message_id uuid;
begin
  if v_told is null then
    -- In two steps, so that partitions are ruled out when the second is planned.
    select key.message_id into v_message_id
    from public.whatsapp_message_keys as key
    where key.phone_number_id = item.phone_number_id and key.wamid = item.wamid;
    select message.payload ->> 'biz_opaque_callback_data' into v_told
    from public.whatsapp_messages as message
    where message.id = v_message_id;
  end if;
  return case when pg_input_is_valid(v_told, 'uuid') then v_told::uuid end;
end;
$$;

comment on function private.reported_whatsapp_send is
  'Which message a status is about: our id, which Meta gives back, or that of the message with this wamid. Others'' ids look like nothing of ours.';

create function private.whatsapp_send_reports(items private.whatsapp_item[])
returns setof private.whatsapp_send_report
language plpgsql
stable
set search_path = ''
as $$
declare
  v_item private.whatsapp_item;
  v_message_id uuid;
begin
  foreach v_item in array whatsapp_send_reports.items loop
    continue when v_item.outcome is not null or v_item.kind <> 'status';
    v_message_id := private.reported_whatsapp_send(v_item);
    continue when v_message_id is null;
    return query
    select v_item.position, message.id, message.contact_id, message.phone_number_id
    from public.whatsapp_message_queue as message
    where message.id = v_message_id
    union all
    -- Of what is through only this is news: that it failed after all, was sent after all, or was sent twice.
    select v_item.position, message.id, coalesce(contact.merged_into, contact.id), message.phone_number_id
    from public.whatsapp_message_queue_history as message
    join public.whatsapp_contacts as contact on contact.id = message.contact_id
    where message.id = v_message_id
      and (message.state <> 'sent' or message.wamid <> v_item.wamid or v_item.payload ->> 'status' = 'failed');
  end loop;
end;
$$;

comment on function private.whatsapp_send_reports is 'The statuses of a delivery that change something in the queue.';

create function private.contacts_of_whatsapp_reports(items private.whatsapp_item[])
returns jsonb
language plpgsql
stable
set search_path = ''
as $$
begin
  return (
    select coalesce(jsonb_object_agg('status ' || report.item_position, report.contact_id), '{}')
    from private.whatsapp_send_reports(contacts_of_whatsapp_reports.items) as report
  );
end;
$$;

comment on function private.contacts_of_whatsapp_reports is
  'Whose lanes the statuses touch, for lock_whatsapp_contacts(): who holds the contacts may take their lanes in any order.';

create function private.whatsapp_status_error(failed jsonb)
returns jsonb
language plpgsql
immutable
set search_path = ''
as $$
begin
  return jsonb_build_object(
    'kind', 'failed_status', 'code', whatsapp_status_error.failed #> '{errors,0,code}', 'title', whatsapp_status_error.failed #> '{errors,0,title}',
    'details', whatsapp_status_error.failed #> '{errors,0,error_data,details}'
  );
end;
$$;

comment on function private.whatsapp_status_error is 'The error of a failed status, as fail_whatsapp_message() takes it.';

create function private.apply_whatsapp_report(message public.whatsapp_message_queue, item private.whatsapp_item, status_id uuid)
returns void
language plpgsql
set search_path = ''
as $$
declare
  v_told public.whatsapp_message_statuses;
begin
  select status.* into strict v_told from public.whatsapp_message_statuses as status where status.id = apply_whatsapp_report.status_id;
  if message.wamid is null then
    perform private.note_whatsapp_answer(message, item.occurred_at);
    message := private.note_whatsapp_acceptance(message, item.wamid, item.occurred_at);
  end if;
  if v_told.status = 'failed' then
    perform private.refuse_whatsapp_send(message, private.whatsapp_status_error(v_told.observed -> 'failed'));
  else
    perform private.settle_sent_whatsapp_message(message, v_told.status <> 'sent');
  end if;
end;
$$;

comment on function private.apply_whatsapp_report is
  'Does what a status of a message calls for, by all that its statuses say together: a failure counts only where nothing says that it arrived. '
  'The caller holds all that is locked.';

create function private.settle_whatsapp_report(
  report private.whatsapp_send_report,
  item private.whatsapp_item,
  status_id uuid
)
returns void
language plpgsql
set search_path = ''
as $$
declare
  v_message public.whatsapp_message_queue := private.lock_whatsapp_send(report.message_id);
  v_finished public.whatsapp_message_queue_history;
begin
  if v_message.id is null then
    select message.* into v_finished
    from public.whatsapp_message_queue_history as message
    where message.id = report.message_id
    for update;
  end if;
  if item.wamid = any(coalesce(v_message.former_wamids, v_finished.former_wamids)) then
    return;
  end if;
  if item.wamid <> coalesce(v_message.wamid, v_finished.wamid) then
    perform private.note_whatsapp_duplicate(report.message_id, item.wamid);
    return;
  end if;
  -- Of what is through, only that it failed after all is news, or that it arrived after all.
  if item.wamid = v_finished.wamid and (
    case v_finished.state
      when 'sent' then item.payload ->> 'status' <> 'failed'
      else item.payload ->> 'status' in ('sent', 'failed')
    end
  ) then
    return;
  end if;
  if v_finished.id is not null then
    v_message := private.reopen_whatsapp_send(v_finished.id);
  end if;
  perform private.apply_whatsapp_report(v_message, item, settle_whatsapp_report.status_id);
end;
$$;

comment on function private.settle_whatsapp_report is
  'Joins one status to its message: one that may have been sent was; one that was sent has arrived, or failed and is dealt with by its error. '
  'Statuses of attempts that failed before are passed over.';

create function private.settle_whatsapp_reports(items private.whatsapp_item[], settlements private.whatsapp_settlement[])
returns void
language plpgsql
set search_path = ''
as $$
declare
  v_news record;
  v_is_news boolean := false;
begin
  for v_news in
    select report, item, settlement.target_id
    from private.whatsapp_send_reports(settle_whatsapp_reports.items) as report
    join unnest(settle_whatsapp_reports.items) as item on item.position = report.item_position
    join unnest(settle_whatsapp_reports.settlements) as settlement on settlement.item_position = item.position
    where settlement.outcome = 'stored'
    order by item.occurred_at, item.position
  loop
    perform private.settle_whatsapp_report(v_news.report, v_news.item, v_news.target_id);
    v_is_news := true;
  end loop;
  perform private.note_whatsapp_horizon(settle_whatsapp_reports.items);
  if v_is_news then
    perform private.kick_worker();
  end if;
end;
$$;

comment on function private.settle_whatsapp_reports is
  'Brings what a delivery tells of our messages into the queue. Comes after contacts and sessions; the caller holds the contacts of all lanes.';

create function private.note_whatsapp_horizon(items private.whatsapp_item[])
returns void
language plpgsql
set search_path = ''
as $$
begin
  insert into private.whatsapp_status_horizons as horizon (phone_number_id, reported_at)
  select item.phone_number_id, max(item.occurred_at)
  from unnest(note_whatsapp_horizon.items) as item
  where item.outcome is null and item.kind = 'status' and item.occurred_at < now() + interval '1 minute'
    and pg_input_is_valid(item.payload ->> 'biz_opaque_callback_data', 'uuid')
    and not exists (
      select from private.whatsapp_status_horizons as known
      where known.phone_number_id = item.phone_number_id and known.reported_at > item.occurred_at - interval '5 seconds'
    )
  group by item.phone_number_id
  order by item.phone_number_id
  on conflict on constraint whatsapp_status_horizons_pkey do update
    set reported_at = excluded.reported_at
    where horizon.reported_at < excluded.reported_at;
end;
$$;

comment on function private.note_whatsapp_horizon is 'Notes up to when Meta has reported on what we send.';

commit;
