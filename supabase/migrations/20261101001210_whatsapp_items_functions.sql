begin;

create function private.whatsapp_direction(kind public.whatsapp_item_kind, payload jsonb, our_number text)
returns public.whatsapp_message_direction
language plpgsql
immutable
set search_path = ''
as $$
begin
  if whatsapp_direction.kind = 'message' then
    return 'inbound';
  end if;
  if whatsapp_direction.kind = 'echo' or whatsapp_direction.payload ? 'to'
    or whatsapp_direction.payload ->> 'from' = regexp_replace(whatsapp_direction.our_number, '\D', '', 'g') then
    return 'outbound';
  end if;
  return 'inbound';
end;
$$;

comment on function private.whatsapp_direction is 'Echoes went out, and so did history that has a recipient or our own number as its sender.';

create function private.whatsapp_person_role(
  kind public.whatsapp_item_kind,
  field text,
  collection text,
  payload jsonb,
  direction public.whatsapp_message_direction
)
returns text
language plpgsql
immutable
set search_path = ''
as $$
begin
  return case
    when whatsapp_person_role.direction = 'inbound' then 'from'
    when whatsapp_person_role.direction = 'outbound' then 'to'
    when whatsapp_person_role.kind = 'status' then
      case when whatsapp_person_role.payload #>> '{conversation,origin,type}' = 'referral_conversion' then 'recipient' end
    when whatsapp_person_role.field = 'calls' and private.epoch_time(whatsapp_person_role.payload -> 'timestamp') is not null then
      case
        when whatsapp_person_role.collection = 'calls' and whatsapp_person_role.payload ->> 'event' = 'connect'
          and whatsapp_person_role.payload ->> 'direction' = 'USER_INITIATED' then 'from'
        when whatsapp_person_role.collection = 'statuses' and whatsapp_person_role.payload ->> 'status' = 'ACCEPTED' then 'recipient'
      end
  end;
end;
$$;

comment on function private.whatsapp_person_role is
  'What the members are called that name the person an item is with: from, to or recipient. Null where nothing hangs on the person: '
  'of calls only those count that a user makes or takes, of statuses only those that open a free entry window.';

create function private.whatsapp_person(role text, payload jsonb, thread jsonb, contacts jsonb)
returns jsonb
language plpgsql
immutable
set search_path = ''
as $$
declare
  v_wa_id text := coalesce(
    private.short_text(whatsapp_person.payload -> whatsapp_person.role, 256),
    private.short_text(whatsapp_person.payload -> (whatsapp_person.role || '_id'), 256),
    private.short_text(whatsapp_person.thread -> 'id', 256)
  );
  v_bsuid text := coalesce(
    private.short_text(whatsapp_person.payload -> (whatsapp_person.role || '_user_id'), 256),
    private.short_text(whatsapp_person.thread -> 'context' -> 'user_id', 256)
  );
  v_contact jsonb := coalesce(whatsapp_person.contacts -> v_bsuid, whatsapp_person.contacts -> v_wa_id);
begin
  return nullif(jsonb_strip_nulls(jsonb_build_object(
    'wa_id', coalesce(v_wa_id, private.short_text(v_contact -> 'wa_id', 256)),
    'bsuid', coalesce(v_bsuid, private.short_text(v_contact -> 'user_id', 256)),
    'parent_bsuid', coalesce(
      private.short_text(whatsapp_person.payload -> (whatsapp_person.role || '_parent_user_id'), 256),
      private.short_text(v_contact -> 'parent_user_id', 256)
    ),
    'name', v_contact -> 'profile' ->> 'name',
    'username', v_contact -> 'profile' ->> 'username'
  )), '{}');
end;
$$;

comment on function private.whatsapp_person is
  'Who an item is with: the names on the item itself, completed from its thread and from the contact of the same change. Null when nobody is named.';

create function private.judge_whatsapp_item(item private.whatsapp_item)
returns private.whatsapp_item
language plpgsql
stable
set search_path = ''
as $$
declare
  v_is_message_like boolean := judge_whatsapp_item.item.kind in ('message', 'echo', 'history', 'status');
begin
  if item.outcome is not null then
    return item;
  end if;
  if item.collection is not null and jsonb_typeof(item.payload) <> 'object' then
    item.outcome := 'dead_letter';
    item.reason := 'not_an_object';
  elsif v_is_message_like and (
    jsonb_typeof(item.payload -> 'id') is distinct from 'string' or length(item.wamid) not between 1 and 512
  ) then
    item.outcome := 'dead_letter';
    item.reason := 'invalid_id';
  elsif v_is_message_like and private.epoch_time(item.payload -> 'timestamp') is null then
    item.outcome := 'dead_letter';
    item.reason := 'invalid_timestamp';
  elsif item.kind = 'status'
    and (item.payload ->> 'status' in ('sent', 'delivered', 'read', 'played', 'failed')) is not true then
    item.kind := 'unknown';
  elsif v_is_message_like and item.phone_number_id is null then
    item.outcome := 'unroutable';
  end if;
  if item.outcome is null and item.occurred_at < now() - interval '35 days' and not item.is_ageless then
    item.outcome := 'stale';
  end if;
  return item;
end;
$$;

comment on function private.judge_whatsapp_item is
  'Says of one item whether it can be stored, and if not, why. Items older than the keys (35 days) are stale: a replay could not be told from news.';

create function private.whatsapp_items(body jsonb)
returns setof private.whatsapp_item
language plpgsql
stable
set search_path = ''
as $$
begin
  return query
  with entries as (
    select '/entry/' || entry.index as path, entry.element as entry
    from private.jsonb_elements(
      case when whatsapp_items.body ->> 'object' = 'whatsapp_business_account' then whatsapp_items.body -> 'entry' end
    ) as entry
  ),
  changes as (
    select
      entries.path as entry_path,
      entries.path || '/changes/' || change.index as path,
      private.short_text(entries.entry -> 'id', 64) as waba_id,
      private.epoch_time(entries.entry -> 'time') as entry_time,
      change.element,
      private.short_text(change.element -> 'field', 128) as field,
      change.element -> 'value' as value,
      private.whatsapp_fields() -> (change.element ->> 'field') as known,
      private.short_text(change.element -> 'value' -> 'metadata' -> 'display_phone_number', 64) as display_phone_number,
      coalesce(
        private.short_text(change.element -> 'value' -> 'metadata' -> 'phone_number_id', 64),
        private.short_text(change.element -> 'value' -> 'phone_number_id', 64),
        private.short_text(change.element -> 'value' -> 'recipient' -> 'phone_number_id', 64)
      ) as phone_number_id,
      (
        select jsonb_object_agg(named.id, contact.element)
        from private.jsonb_elements(change.element -> 'value' -> 'contacts') as contact
        cross join lateral (values (contact.element ->> 'wa_id'), (contact.element ->> 'user_id')) as named (id)
        where named.id is not null
      ) as contacts
    from entries
    cross join lateral private.jsonb_elements(entries.entry -> 'changes') as change
  ),
  listed as (
    select
      changes.path as change_path,
      changes.path || '/value/' || replace(replace(list.name, '~', '~0'), '/', '~1') || '/' || each.index as path,
      coalesce(changes.known ->> list.name, 'unknown')::public.whatsapp_item_kind as kind,
      changes.field || '/' || list.name = 'history/history' as is_chunk,
      list.name as collection,
      each.element as payload
    from changes
    cross join lateral jsonb_each(
      case when jsonb_typeof(changes.known) = 'object' and jsonb_typeof(changes.value) = 'object'
        then changes.value - 'contacts' else '{}' end
    ) as list (name, elements)
    cross join lateral private.jsonb_elements(list.elements) as each
  ),
  -- A chunk of history holds threads of messages, or errors, or only its progress.
  chunk_parts as (
    select listed.path as chunk_path, listed.change_path,
      listed.path || '/threads/' || thread.index || '/messages/' || message.index as path,
      'history'::public.whatsapp_item_kind as kind, 'history' as collection, message.element as payload, thread.element as thread
    from listed
    cross join lateral private.jsonb_elements(listed.payload -> 'threads') as thread
    cross join lateral private.jsonb_elements(thread.element -> 'messages') as message
    where listed.is_chunk
    union all
    select listed.path, listed.change_path, listed.path || '/errors/' || error.index, 'event', 'errors', error.element, null
    from listed
    cross join lateral private.jsonb_elements(listed.payload -> 'errors') as error
    where listed.is_chunk
  ),
  parts as (
    select listed.change_path, listed.path, listed.kind, listed.collection, listed.payload, null::jsonb as thread
    from listed
    where not listed.is_chunk
      or not exists (select from chunk_parts where chunk_parts.chunk_path = listed.path)
    union all
    select part.change_path, part.path, part.kind, part.collection, part.payload, part.thread from chunk_parts as part
    union all
    select changes.path, changes.path || case when changes.value is null then '' else '/value' end,
      case when jsonb_typeof(changes.known) = 'string' then 'event' else 'unknown' end::public.whatsapp_item_kind,
      null, coalesce(changes.value, changes.element), null
    from changes
    where not exists (select from listed where listed.change_path = changes.path)
    union all
    select null, entries.path, 'unknown', null, entries.entry, null
    from entries
    where not exists (select from changes where changes.entry_path = entries.path)
    union all
    select null, '', 'unknown', null, whatsapp_items.body, null
    where not exists (select from entries)
  ),
  items as (
    select row_number() over ()::integer as position, parts.* from parts
  )
  select judged.*
  from items
  left join changes on changes.path = items.change_path
  cross join lateral (
    select case items.kind when 'history' then changes.entry_time
      else coalesce(
        private.epoch_time(items.payload -> 'timestamp'),
        changes.entry_time,
        -- An entry without changes is an item itself.
        case when items.change_path is null and items.path <> '' then private.epoch_time(items.payload -> 'time') end
      ) end as occurred_at
  ) as age
  cross join lateral (
    select case when items.kind in ('message', 'echo', 'history') and jsonb_typeof(items.payload) = 'object'
      then private.whatsapp_direction(items.kind, items.payload, changes.display_phone_number)
    end as direction
  ) as way
  cross join lateral (
    select private.whatsapp_person_role(items.kind, changes.field, items.collection, items.payload, way.direction) as role
  ) as who
  cross join lateral (
    select sha256(convert_to(concat_ws(e'\n',
      changes.field, items.collection, coalesce(changes.phone_number_id, changes.waba_id), age.occurred_at, items.payload
    ), 'UTF8')) as key
  ) as content
  cross join lateral private.judge_whatsapp_item(row(
    items.position, items.path, items.kind, changes.field, items.collection,
    changes.waba_id, changes.phone_number_id, changes.display_phone_number,
    age.occurred_at, age.occurred_at is null,
    items.payload ->> 'id',
    coalesce(
      private.short_text(items.payload -> 'recipient_participant_id', 256),
      private.short_text(items.payload -> 'participant_recipient_id', 256),
      private.short_text(items.payload -> 'recipient_participant_user_id', 256),
      ''
    ),
    way.direction,
    case when who.role is not null then private.whatsapp_person(who.role, items.payload, items.thread, changes.contacts) end,
    items.payload, content.key,
    case when jsonb_typeof(changes.element) <> 'object' then 'dead_letter' end::public.whatsapp_item_outcome,
    case when jsonb_typeof(changes.element) <> 'object' then 'not_an_object' end
  )::private.whatsapp_item) as judged;
end;
$$;

comment on function private.whatsapp_items is
  'Takes a delivery apart: every element of every list of every change is one item, judged. A delivery that fits nothing known is one unknown item.';

commit;
