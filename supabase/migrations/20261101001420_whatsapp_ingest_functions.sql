begin;

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
  -- The order in which all deliveries lock: people, numbers, message keys, event keys, reports, consents, contacts, sessions, lanes, queue,
  -- streams.
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
    v_contacts := v_contacts || private.contacts_of_whatsapp_reports(store_whatsapp_items.items);
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
  if v_kinds && '{status}' then
    perform private.settle_whatsapp_reports(store_whatsapp_items.items, v_settlements);
  end if;
  perform private.record_whatsapp_item_events(store_whatsapp_items.items, v_contacts, v_settlements);
  return query select * from unnest(v_settlements);
end;
$$;

comment on function private.store_whatsapp_items is 'Stores every item that is fit for it; all or none.';

commit;
