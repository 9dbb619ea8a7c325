begin;

create type private.whatsapp_settlement as (
  item_position integer,
  outcome public.whatsapp_item_outcome,
  target_id uuid
);

comment on type private.whatsapp_settlement is 'What became of one item, and which row holds it.';

create function private.kept_until(occurred_at timestamptz)
returns timestamptz
language plpgsql
stable
set search_path = ''
as $$
begin
  return coalesce(greatest(kept_until.occurred_at, now()) + interval '35 days', 'infinity');
end;
$$;

comment on function private.kept_until is
  'Until when the key of an item is needed: after that the item is stale. For good if its age cannot be told.';

create function private.whatsapp_precedence(item private.whatsapp_item)
returns integer
language plpgsql
immutable
set search_path = ''
as $$
begin
  return case
    when item.kind = 'history' and item.payload ->> 'type' = 'media_placeholder' then 1
    when item.kind = 'history' then 2
    when item.field = 'standby' then 3
    else 4
  end;
end;
$$;

comment on function private.whatsapp_precedence is 'Which of two copies of a message is kept: the higher, whatever order they come in.';

create function private.claim_whatsapp_message_keys(items private.whatsapp_item[])
returns void
language plpgsql
set search_path = ''
as $$
begin
  -- Messages and statuses meet on the same row, so that of two concurrent deliveries the later sees the other's work.
  -- Made and locked in key order, so that two deliveries cannot deadlock.
  insert into public.whatsapp_message_keys (phone_number_id, wamid, kept_until)
  select item.phone_number_id, item.wamid, max(private.kept_until(item.occurred_at))
  from unnest(claim_whatsapp_message_keys.items) as item
  where item.outcome is null and item.kind in ('message', 'echo', 'history', 'status')
  group by item.phone_number_id, item.wamid
  order by item.phone_number_id, item.wamid
  on conflict on constraint whatsapp_message_keys_pkey do nothing;

  perform from public.whatsapp_message_keys as key
  where (key.phone_number_id, key.wamid) in (
    select item.phone_number_id, item.wamid
    from unnest(claim_whatsapp_message_keys.items) as item
    where item.outcome is null and item.kind in ('message', 'echo', 'history', 'status')
  )
  order by key.phone_number_id, key.wamid
  for no key update;
end;
$$;

comment on function private.claim_whatsapp_message_keys is 'Makes and locks the key row of every message that the items are, or speak of.';

create function private.adopt_orphan_statuses(message_ids uuid[])
returns void
language plpgsql
set search_path = ''
as $$
declare
  v_orphans uuid[] := array(
    select orphan.status_id
    from public.whatsapp_messages as message
    join public.whatsapp_status_keys as orphan
      on orphan.phone_number_id = message.phone_number_id and orphan.wamid = message.wamid
    where message.id = any(adopt_orphan_statuses.message_ids)
  );
begin
  if v_orphans <> '{}' then
    update public.whatsapp_message_statuses as status set message_id = key.message_id
    from public.whatsapp_message_keys as key
    where status.id = any(v_orphans) and key.phone_number_id = status.phone_number_id and key.wamid = status.wamid;
  end if;
end;
$$;

comment on function private.adopt_orphan_statuses is 'Joins the statuses that came before their message to it.';

create function private.store_whatsapp_messages(delivery_id uuid, items private.whatsapp_item[], contacts jsonb)
returns setof private.whatsapp_settlement
language plpgsql
set search_path = ''
as $$
declare
  v_stored integer[];
  v_replaced uuid[];
  v_sent uuid[];
begin
  with winners as (
    select distinct on (item.phone_number_id, item.wamid)
      item.phone_number_id, item.wamid, item.position, item.direction, key.message_id as replaced_id,
      private.whatsapp_precedence(item) as precedence
    from unnest(store_whatsapp_messages.items) as item
    join public.whatsapp_message_keys as key using (phone_number_id, wamid)
    where item.outcome is null and item.kind in ('message', 'echo', 'history')
      and private.whatsapp_precedence(item) > key.precedence
    order by item.phone_number_id, item.wamid, private.whatsapp_precedence(item) desc, item.position
  ),
  keyed as (
    update public.whatsapp_message_keys as key
    set message_id = coalesce(key.message_id, private.uuid_v7()), precedence = winners.precedence
    from winners
    where key.phone_number_id = winners.phone_number_id and key.wamid = winners.wamid
    returning winners.position, winners.direction, winners.replaced_id, key.message_id
  )
  select array_agg(keyed.position), array_agg(keyed.replaced_id) filter (where keyed.replaced_id is not null),
    array_agg(keyed.message_id) filter (where keyed.direction = 'outbound')
  into v_stored, v_replaced, v_sent
  from keyed;

  if v_replaced is not null then
    delete from public.whatsapp_messages as message where message.id = any(v_replaced);
  end if;
  insert into public.whatsapp_messages (
    id, phone_number_id, wamid, contact_id, direction, origin, type, sent_at, group_id, reply_to_wamid, payload, delivery_id
  )
  select
    key.message_id, item.phone_number_id, item.wamid, (store_whatsapp_messages.contacts ->> item.position::text)::uuid,
    item.direction,
    case when item.field = 'standby' then 'standby' when item.kind = 'message' then 'live' else item.kind::text end
      ::public.whatsapp_message_origin,
    coalesce(private.short_text(item.payload -> 'type', 64), 'unknown'),
    private.epoch_time(item.payload -> 'timestamp'),
    item.payload ->> 'group_id', item.payload -> 'context' ->> 'id', item.payload, store_whatsapp_messages.delivery_id
  from unnest(store_whatsapp_messages.items) as item
  join public.whatsapp_message_keys as key using (phone_number_id, wamid)
  where item.position = any(v_stored);
  if v_sent is not null then
    perform private.adopt_orphan_statuses(v_sent);
  end if;

  return query
  select item.position,
    case when item.position = any(v_stored) then 'stored' else 'duplicate' end::public.whatsapp_item_outcome,
    key.message_id
  from unnest(store_whatsapp_messages.items) as item
  join public.whatsapp_message_keys as key using (phone_number_id, wamid)
  where item.outcome is null and item.kind in ('message', 'echo', 'history');
end;
$$;

comment on function private.store_whatsapp_messages is
  'Stores each message once. A copy of higher precedence takes the place of the stored one and keeps its id.';

create function private.first_whatsapp_statuses(items private.whatsapp_item[])
returns setof private.whatsapp_item
language plpgsql
set search_path = ''
as $$
begin
  return query
  select distinct on (item.phone_number_id, item.wamid, item.participant, item.payload ->> 'status') item.*
  from unnest(first_whatsapp_statuses.items) as item
  where item.outcome is null and item.kind = 'status'
  order by item.phone_number_id, item.wamid, item.participant, item.payload ->> 'status', item.position;
end;
$$;

comment on function private.first_whatsapp_statuses is
  'The statuses of a delivery, each once. In groups the same message and status come once per participant.';

create function private.store_whatsapp_statuses(items private.whatsapp_item[])
returns setof private.whatsapp_settlement
language plpgsql
set search_path = ''
as $$
declare
  v_firsts private.whatsapp_item[] := array(select item from private.first_whatsapp_statuses(store_whatsapp_statuses.items) as item);
  v_known uuid[];
  v_seen jsonb := '{}';
begin
  select array_agg(distinct key.status_id) into v_known
  from unnest(v_firsts) as item
  join public.whatsapp_status_keys as key using (phone_number_id, wamid, participant);
  if v_known is not null then
    select jsonb_object_agg(status.id, status.observed) into v_seen
    from public.whatsapp_message_statuses as status
    where status.id = any(v_known);
    update public.whatsapp_message_statuses as status set observed = news.observed || status.observed
    from (
      select key.status_id, jsonb_object_agg(item.payload ->> 'status', item.payload) as observed
      from unnest(v_firsts) as item
      join public.whatsapp_status_keys as key using (phone_number_id, wamid, participant)
      group by key.status_id
    ) as news
    where status.id = any(v_known) and status.id = news.status_id;
  end if;

  with incoming as (
    select item.phone_number_id, item.wamid, item.participant, private.uuid_v7() as status_id,
      max(private.kept_until(item.occurred_at)) as kept_until, jsonb_object_agg(item.payload ->> 'status', item.payload) as observed
    from unnest(v_firsts) as item
    group by item.phone_number_id, item.wamid, item.participant
  ),
  keyed as (
    insert into public.whatsapp_status_keys (phone_number_id, wamid, participant, status_id, kept_until)
    select incoming.phone_number_id, incoming.wamid, incoming.participant, incoming.status_id, incoming.kept_until
    from incoming
    on conflict on constraint whatsapp_status_keys_pkey do nothing
    returning status_id
  )
  insert into public.whatsapp_message_statuses (id, phone_number_id, wamid, participant, message_id, observed)
  select incoming.status_id, incoming.phone_number_id, incoming.wamid, incoming.participant, message.message_id, incoming.observed
  from incoming
  join keyed using (status_id)
  join public.whatsapp_message_keys as message using (phone_number_id, wamid);

  return query
  select item.position,
    case when first.position is null or v_seen -> key.status_id::text ? (item.payload ->> 'status')
      then 'duplicate' else 'stored' end::public.whatsapp_item_outcome,
    key.status_id
  from unnest(store_whatsapp_statuses.items) as item
  left join unnest(v_firsts) as first on first.position = item.position
  join public.whatsapp_status_keys as key
    on key.phone_number_id = item.phone_number_id and key.wamid = item.wamid and key.participant = item.participant
  where item.outcome is null and item.kind = 'status';
end;
$$;

comment on function private.store_whatsapp_statuses is
  'Adds each status to its message''s row, once; what is there already stays. The caller holds the locks of claim_whatsapp_message_keys().';

create function private.store_whatsapp_events(delivery_id uuid, items private.whatsapp_item[])
returns setof private.whatsapp_settlement
language plpgsql
set search_path = ''
as $$
declare
  v_stored uuid[];
begin
  with firsts as (
    select distinct on (item.content_key) item.*
    from unnest(store_whatsapp_events.items) as item
    where item.outcome is null and item.kind in ('event', 'unknown')
    order by item.content_key, item.position
  ),
  keyed as (
    insert into public.whatsapp_event_keys (key, event_id, kept_until)
    select firsts.content_key, private.uuid_v7(), private.kept_until(coalesce(firsts.occurred_at, now()))
    from firsts
    order by firsts.content_key
    on conflict on constraint whatsapp_event_keys_pkey do nothing
    returning key, event_id
  ),
  inserted as (
    insert into public.whatsapp_events (
      id, is_known, field, collection, waba_id, phone_number_id, occurred_at, payload, delivery_id
    )
    select keyed.event_id, firsts.kind = 'event', firsts.field, firsts.collection, firsts.waba_id, firsts.phone_number_id,
      firsts.occurred_at, firsts.payload, store_whatsapp_events.delivery_id
    from keyed
    join firsts on firsts.content_key = keyed.key
  )
  select array_agg(keyed.event_id) into v_stored from keyed;

  return query
  select item.position,
    case when key.event_id = any(v_stored) and row_number() over (partition by item.content_key order by item.position) = 1
      then 'stored' else 'duplicate' end::public.whatsapp_item_outcome,
    key.event_id
  from unnest(store_whatsapp_events.items) as item
  join public.whatsapp_event_keys as key on key.key = item.content_key
  where item.outcome is null and item.kind in ('event', 'unknown');
end;
$$;

comment on function private.store_whatsapp_events is
  'Stores each event once, known or not. One whose age cannot be told may come again, as news, after the life of its key.';

create function private.learn_whatsapp_numbers(items private.whatsapp_item[])
returns void
language plpgsql
set search_path = ''
as $$
begin
  insert into public.whatsapp_numbers (phone_number_id, waba_id, display_phone_number)
  select item.phone_number_id, max(item.waba_id), max(item.display_phone_number)
  from unnest(learn_whatsapp_numbers.items) as item
  where item.outcome is null and item.phone_number_id is not null
    and not exists (
      select from public.whatsapp_numbers as number where number.phone_number_id = item.phone_number_id
    )
  group by item.phone_number_id
  order by item.phone_number_id
  on conflict on constraint whatsapp_numbers_pkey do nothing;
end;
$$;

comment on function private.learn_whatsapp_numbers is 'Notes business numbers never seen before.';

create function private.store_whatsapp_items(delivery_id uuid, items private.whatsapp_item[])
returns setof private.whatsapp_settlement
language plpgsql
set search_path = ''
as $$
declare
  -- The order in which all deliveries lock: people, numbers, message keys, event keys, reports, consents, contacts, sessions.
  v_contacts jsonb := private.whatsapp_contacts_of(store_whatsapp_items.items);
  v_kinds public.whatsapp_item_kind[] := array(
    select distinct item.kind from unnest(store_whatsapp_items.items) as item where item.outcome is null
  );
  v_settlements private.whatsapp_settlement[] := '{}';
begin
  perform private.learn_whatsapp_numbers(store_whatsapp_items.items);
  perform private.claim_whatsapp_message_keys(store_whatsapp_items.items);
  if v_kinds && '{message,echo,history}' then
    v_settlements := array(
      select stored from private.store_whatsapp_messages(store_whatsapp_items.delivery_id, store_whatsapp_items.items, v_contacts) as stored
    );
  end if;
  if v_kinds && '{status}' then
    v_settlements := v_settlements || array(
      select stored from private.store_whatsapp_statuses(store_whatsapp_items.items) as stored
    );
  end if;
  if v_kinds && '{event,unknown}' then
    v_settlements := v_settlements || array(
      select stored from private.store_whatsapp_events(store_whatsapp_items.delivery_id, store_whatsapp_items.items) as stored
    );
    perform private.store_whatsapp_reports(store_whatsapp_items.delivery_id, store_whatsapp_items.items);
  end if;
  perform private.store_whatsapp_consents(store_whatsapp_items.delivery_id, store_whatsapp_items.items);
  perform private.follow_whatsapp_moves(v_contacts);
  v_contacts := private.lock_whatsapp_contacts(v_contacts);
  perform private.remember_whatsapp_names(store_whatsapp_items.items, v_contacts);
  perform private.touch_whatsapp_sessions(store_whatsapp_items.items, v_contacts, v_settlements);
  perform private.answer_phone_links(store_whatsapp_items.items, v_settlements);
  return query select * from unnest(v_settlements);
end;
$$;

comment on function private.store_whatsapp_items is 'Stores every item that is fit for it; all or none.';

commit;
