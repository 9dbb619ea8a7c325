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

commit;
