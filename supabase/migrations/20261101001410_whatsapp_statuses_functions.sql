begin;

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

commit;
