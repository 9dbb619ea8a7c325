begin;

create function private.lock_whatsapp_contacts(contacts jsonb)
returns jsonb
language plpgsql
set search_path = ''
as $$
declare
  v_contacts jsonb := lock_whatsapp_contacts.contacts;
  v_heirs jsonb;
begin
  while coalesce(v_contacts, '{}') <> '{}' loop
    -- In id order, so that two deliveries from the same people cannot deadlock.
    select jsonb_object_agg(locked.id, locked.merged_into) filter (where locked.merged_into is not null) into v_heirs
    from (
      select contact.id, contact.merged_into from public.whatsapp_contacts as contact
      where contact.id = any(array(select each.value::uuid from jsonb_each_text(v_contacts) as each))
      order by contact.id
      for no key update
    ) as locked;
    exit when v_heirs is null;
    select jsonb_object_agg(each.key, coalesce(v_heirs ->> each.value, each.value)) into v_contacts
    from jsonb_each_text(v_contacts) as each;
  end loop;
  return v_contacts;
end;
$$;

comment on function private.lock_whatsapp_contacts is
  'Keeps contacts (any key -> contact id) from being merged until the transaction ends; one merged already is replaced by the one that goes on.';

create function private.is_whatsapp_chat(payload jsonb)
returns boolean
language plpgsql
immutable
set search_path = ''
as $$
begin
  return not is_whatsapp_chat.payload ? 'group_id'
    and coalesce(is_whatsapp_chat.payload #>> '{unsupported,type}', is_whatsapp_chat.payload ->> 'type', 'unknown') <> all (
      '{system,request_welcome,reaction,edit,revoke,keep_in_chat,pin,poll_update}'::text[]
    );
end;
$$;

comment on function private.is_whatsapp_chat is
  'Whether a message object is something that one says to the other: no notice of the system, no change to an earlier message, nothing said '
  'in a group. What the API cannot show us (unsupported) was said nevertheless.';

create function private.count_free_entries(session_ids uuid[])
returns void
language plpgsql
set search_path = ''
as $$
declare
  -- What is older is stale. A variable, so that partitions are ruled out when the query is planned.
  v_floor uuid := private.uuid_v7_floor(now() - interval '37 days');
begin
  update public.whatsapp_sessions as session
  set free_entry_expires_at = greatest(session.free_entry_expires_at, answered.referred_at + interval '72 hours')
  from (
    select session.id, max(referral.sent_at) as referred_at
    from public.whatsapp_sessions as session
    -- Messages keep the contact they came with, when it is merged into another.
    cross join lateral (
      select array_agg(member.id) as ids from public.whatsapp_contacts as member
      where session.contact_id in (member.id, member.merged_into)
    ) as family
    join public.whatsapp_messages as referral
      on referral.contact_id = any(family.ids) and referral.phone_number_id = session.phone_number_id and referral.id >= v_floor
    where session.id = any(count_free_entries.session_ids)
      and session.referred_at + interval '72 hours' > coalesce(session.free_entry_expires_at, '-infinity')
      and referral.direction = 'inbound' and referral.origin = 'live' and referral.sent_at <= session.referred_at
      and referral.payload ? 'referral' and private.is_whatsapp_chat(referral.payload)
      and (
        (session.last_outbound_at >= referral.sent_at and session.last_outbound_at < referral.sent_at + interval '24 hours')
        or exists (
          select from public.whatsapp_messages as answer
          where answer.contact_id = any(family.ids) and answer.phone_number_id = session.phone_number_id and answer.id >= v_floor
            and answer.direction = 'outbound' and answer.origin in ('live', 'echo') and private.is_whatsapp_chat(answer.payload)
            and answer.sent_at between referral.sent_at and session.last_outbound_at
            and answer.sent_at < referral.sent_at + interval '24 hours'
        )
      )
    group by session.id
  ) as answered
  where session.id = answered.id;
end;
$$;

comment on function private.count_free_entries is
  'Opens the free entry windows of sessions whose referred messages were answered in time. Both sides are looked up, because either may '
  'be delivered first.';

create function private.touch_whatsapp_sessions(
  items private.whatsapp_item[],
  contacts jsonb,
  settlements private.whatsapp_settlement[]
)
returns void
language plpgsql
set search_path = ''
as $$
declare
  v_answerable uuid[];
  v_stored jsonb := (
    select jsonb_object_agg(settlement.item_position, true)
    from unnest(touch_whatsapp_sessions.settlements) as settlement
    where settlement.outcome = 'stored'
  );
begin
  if coalesce(touch_whatsapp_sessions.contacts, '{}') = '{}' then
    return;
  end if;
  with news as (
    select (touch_whatsapp_sessions.contacts ->> item.position::text)::uuid as contact_id,
      item.phone_number_id, item.kind, item.field, item.occurred_at, item.person, item.payload,
      item.kind in ('message', 'echo') and private.is_whatsapp_chat(item.payload) as is_chat,
      case when item.kind = 'status' then private.epoch_time(item.payload #> '{conversation,expiration_timestamp}') end
        as free_entry_expires_at
    from unnest(touch_whatsapp_sessions.items) as item
    where v_stored ? item.position::text and touch_whatsapp_sessions.contacts ->> item.position::text is not null
      and item.phone_number_id is not null and item.field <> 'standby' and item.occurred_at < now() + interval '1 hour'
  ),
  activity as (
    select news.contact_id, news.phone_number_id,
      max(news.occurred_at) filter (where (news.kind = 'message' and news.is_chat) or news.field = 'calls') as inbound_at,
      max(news.occurred_at) filter (where news.kind = 'echo' and news.is_chat) as outbound_at,
      max(news.occurred_at) filter (where news.kind = 'message' and news.is_chat and news.payload ? 'referral') as referred_at,
      max(news.free_entry_expires_at) as free_entry_expires_at
    from news
    group by news.contact_id, news.phone_number_id
  ),
  opened as (
    insert into public.whatsapp_openings (kind, value, phone_number_id, is_free_entry, occurred_at, expires_at, kept_until)
    select name.kind, name.value, news.phone_number_id, news.kind = 'status', news.occurred_at,
      coalesce(news.free_entry_expires_at, news.occurred_at + interval '24 hours'), now() + interval '37 days'
    from news
    cross join lateral private.primary_whatsapp_name(
      news.person ->> 'wa_id', news.person ->> 'bsuid', news.person ->> 'parent_bsuid'
    ) as name
    where news.field = 'calls' or news.free_entry_expires_at is not null
    order by name.kind, name.value, news.phone_number_id, news.occurred_at
    on conflict on constraint whatsapp_openings_pkey do nothing
  ),
  touched as (
    insert into public.whatsapp_sessions as session (
      contact_id, phone_number_id, last_inbound_at, window_expires_at, last_outbound_at, referred_at, free_entry_expires_at
    )
    select activity.contact_id, activity.phone_number_id, activity.inbound_at, activity.inbound_at + interval '24 hours',
      activity.outbound_at, activity.referred_at, activity.free_entry_expires_at
    from activity
    where num_nonnulls(activity.inbound_at, activity.outbound_at, activity.free_entry_expires_at) > 0
    order by activity.contact_id, activity.phone_number_id
    on conflict on constraint whatsapp_sessions_contact_id_phone_number_id_key do update set
      last_inbound_at = greatest(session.last_inbound_at, excluded.last_inbound_at),
      window_expires_at = greatest(session.window_expires_at, excluded.window_expires_at),
      last_outbound_at = greatest(session.last_outbound_at, excluded.last_outbound_at),
      referred_at = greatest(session.referred_at, excluded.referred_at),
      free_entry_expires_at = greatest(session.free_entry_expires_at, excluded.free_entry_expires_at)
    returning session.id, session.contact_id, session.phone_number_id, session.referred_at
  )
  select array_agg(touched.id) into v_answerable
  from touched
  join activity using (contact_id, phone_number_id)
  where touched.referred_at is not null and num_nonnulls(activity.referred_at, activity.outbound_at) > 0;

  if v_answerable is not null then
    perform private.count_free_entries(v_answerable);
  end if;
end;
$$;

comment on function private.touch_whatsapp_sessions is
  'Notes in the sessions what a delivery brought for the first time: messages, calls, echoes and the windows that statuses tell of. What is '
  'no message is kept in whatsapp_openings too. '
  'The caller holds the contacts (lock_whatsapp_contacts); sessions are locked after them, in the order of their key.';

commit;
