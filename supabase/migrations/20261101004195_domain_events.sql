begin;

create function private.record_row_event()
returns trigger
language plpgsql
security definer -- events are appended by no role but through functions
set search_path = ''
as $$
declare
  v_row constant jsonb := to_jsonb(new);
begin
  perform private.record_events(array[row(
    tg_argv[0], v_row ->> tg_argv[1], tg_argv[2],
    (
      select coalesce(jsonb_object_agg(field.name, v_row -> field.name), '{}')
      from unnest(tg_argv[3]::text[]) as field (name)
    ),
    null, null, v_row ->> 'correlation_id', null, null
  )::private.new_event]);
  return null;
end;
$$;

comment on function private.record_row_event is
  'Appends an event for a row that was added or changed. Arguments: aggregate type, the column with its id, event type, the columns of the '
  'payload as an array. Deferred to the commit, because streams are locked after everything else.';

-- Names and numbers stay out: an event is never changed, and a person may ask to be forgotten.
create constraint trigger record_event
after insert on public.whatsapp_session_transitions
deferrable initially deferred
for each row execute function private.record_row_event(
  'whatsapp_session', 'session_id', 'whatsapp_session.transitioned', '{reason,from_state,to_state,version,merged_session_id}'
);

create constraint trigger record_event
after insert on public.whatsapp_contact_moves
deferrable initially deferred
for each row execute function private.record_row_event(
  'whatsapp_contact', 'from_contact_id', 'whatsapp_contact.moved', '{from_contact_id,into_contact_id,valid_from,valid_to}'
);

create constraint trigger record_event
after insert on public.phone_link_reviews
deferrable initially deferred
for each row execute function private.record_row_event(
  'phone_link_review', 'id', 'phone_link_review.opened', '{user_id,held_by_user_id,proof}'
);

create constraint trigger record_decision_event
after update of decision on public.phone_link_reviews
deferrable initially deferred
for each row when (old.decision is distinct from new.decision) execute function private.record_row_event(
  'phone_link_review', 'id', 'phone_link_review.decided', '{user_id,held_by_user_id,decision}'
);

create constraint trigger record_event
after update of phone on public.profiles
deferrable initially deferred
for each row when (old.phone is distinct from new.phone) execute function private.record_row_event(
  'profile', 'id', 'profile.phone_changed', '{user_id}'
);

create function private.record_whatsapp_consent_event()
returns trigger
language plpgsql
security definer -- events are appended by no role but through functions
set search_path = ''
as $$
declare
  v_contact_id uuid;
begin
  select identity.contact_id into v_contact_id
  from public.whatsapp_identities as identity
  where identity.kind = new.kind and identity.value = new.value
    and identity.valid_from <= new.occurred_at and (identity.valid_to is null or new.occurred_at < identity.valid_to);
  perform private.record_events(array[row(
    case when v_contact_id is null then 'whatsapp_consent' else 'whatsapp_contact' end, coalesce(v_contact_id, new.id),
    'whatsapp_consent.changed',
    jsonb_build_object(
      'consent_id', new.id, 'contact_id', v_contact_id, 'scope', new.scope, 'decision', new.decision, 'source', new.source
    ),
    null, null, new.correlation_id, new.occurred_at, null
  )::private.new_event]);
  return null;
end;
$$;

comment on function private.record_whatsapp_consent_event is
  'Appends what somebody has decided to the stream of the contact whose name it was said under.';

create constraint trigger record_event
after insert on public.whatsapp_consents
deferrable initially deferred
for each row execute function private.record_whatsapp_consent_event();

create function private.record_whatsapp_report_event()
returns trigger
language plpgsql
security definer -- events are appended by no role but through functions
set search_path = ''
as $$
begin
  perform private.record_events(array[row(
    'whatsapp_' || new.subject_kind, array_to_string(new.subject, ':'), 'whatsapp_report.received',
    jsonb_build_object('subject_kind', new.subject_kind, 'subject', new.subject, 'topic', new.topic, 'report', new.payload),
    null, null, null, new.reported_at, null
  )::private.new_event]);
  return null;
end;
$$;

comment on function private.record_whatsapp_report_event is 'Appends the latest that Meta tells of a template, number or account.';

create constraint trigger record_event
after insert on public.whatsapp_reports
deferrable initially deferred
for each row execute function private.record_whatsapp_report_event();

-- That Meta says the same once more is no news.
create constraint trigger record_change_event
after update on public.whatsapp_reports
deferrable initially deferred
for each row when (old.payload is distinct from new.payload) execute function private.record_whatsapp_report_event();

create function private.whatsapp_message_event(item private.whatsapp_item, message_id uuid, contact_id uuid)
returns private.new_event
language plpgsql
stable
set search_path = ''
as $$
declare
  v_item constant private.whatsapp_item := whatsapp_message_event.item;
begin
  return row(
    case when whatsapp_message_event.contact_id is null then 'whatsapp_number' else 'whatsapp_contact' end,
    coalesce(whatsapp_message_event.contact_id::text, v_item.phone_number_id),
    case
      when v_item.field = 'standby' then 'whatsapp_message.overheard'
      when v_item.kind = 'echo' then 'whatsapp_message.echoed'
      else 'whatsapp_message.received'
    end,
    jsonb_strip_nulls(jsonb_build_object(
      'message_id', whatsapp_message_event.message_id, 'contact_id', whatsapp_message_event.contact_id,
      'phone_number_id', v_item.phone_number_id, 'type', private.short_text(v_item.payload -> 'type', 64)
    )),
    null, null, null, v_item.occurred_at, null
  )::private.new_event;
end;
$$;

comment on function private.whatsapp_message_event is
  'A message came in (received), went out from the phone''s own app (echoed), or belongs to another app''s conversation (overheard: answer it not).';

create function private.whatsapp_status_event(item private.whatsapp_item, status_id uuid)
returns private.new_event
language plpgsql
stable
set search_path = ''
as $$
declare
  v_item constant private.whatsapp_item := whatsapp_status_event.item;
  v_message_id uuid;
begin
  select key.message_id into v_message_id
  from public.whatsapp_message_keys as key
  where key.phone_number_id = v_item.phone_number_id and key.wamid = v_item.wamid;
  return row(
    'whatsapp_message_status', whatsapp_status_event.status_id::text, 'whatsapp_message.' || (v_item.payload ->> 'status'),
    jsonb_strip_nulls(jsonb_build_object(
      'status_id', whatsapp_status_event.status_id, 'message_id', v_message_id, 'phone_number_id', v_item.phone_number_id,
      'callback_data', private.short_text(v_item.payload -> 'biz_opaque_callback_data', 512),
      'error_codes', jsonb_path_query_array(v_item.payload, 'lax $.errors[*].code')
    )),
    null, null, null, v_item.occurred_at, null
  )::private.new_event;
end;
$$;

comment on function private.whatsapp_status_event is
  'whatsapp_message.sent, .delivered, .read, .played or .failed: what became of a message of ours, each once, in the order in which Meta tells it.';

create function private.record_whatsapp_item_events(
  items private.whatsapp_item[],
  contacts jsonb,
  settlements private.whatsapp_settlement[]
)
returns void
language plpgsql
set search_path = ''
as $$
declare
  v_stored constant jsonb := (
    select jsonb_object_agg(settled.item_position, settled.target_id)
    from unnest(record_whatsapp_item_events.settlements) as settled
    where settled.outcome = 'stored'
  );
begin
  perform private.record_events(array(
    select case
      when item.kind = 'status' then private.whatsapp_status_event(item, (v_stored ->> item.position::text)::uuid)
      else private.whatsapp_message_event(
        item, (v_stored ->> item.position::text)::uuid, (record_whatsapp_item_events.contacts ->> item.position::text)::uuid
      )
    end
    from unnest(record_whatsapp_item_events.items) as item
    where v_stored ? item.position::text and item.kind in ('message', 'echo', 'status')
    order by item.position
  ));
end;
$$;

comment on function private.record_whatsapp_item_events is
  'Appends what is new of a delivery, a message to the stream of its contact. A phone''s history is no news and makes no events.';

commit;
