begin;

create type private.whatsapp_name as (
  kind public.whatsapp_identity_kind,
  value text
);

comment on type private.whatsapp_name is 'One of the names by which Meta knows a person.';

create type private.whatsapp_sighting as (
  item_position integer,
  seen_at timestamptz,
  wa_id text,
  bsuid text,
  parent_bsuid text,
  previous_wa_id text,
  previous_bsuid text,
  previous_parent_bsuid text
);

comment on type private.whatsapp_sighting is
  'The names that one person had at one time, by Meta''s time, and those that they replaced. The position is null where the item has another one.';

create function private.whatsapp_event_names(field text, payload jsonb)
returns jsonb
language plpgsql
immutable
set search_path = ''
as $$
begin
  return case whatsapp_event_names.field
    when 'user_preferences' then jsonb_build_object(
      'wa_id', private.short_text(whatsapp_event_names.payload -> 'wa_id', 256),
      'bsuid', private.short_text(whatsapp_event_names.payload -> 'user_id', 256)
    )
    when 'user_id_update' then jsonb_build_object(
      'wa_id', private.short_text(whatsapp_event_names.payload -> 'wa_id', 256),
      'bsuid', private.short_text(whatsapp_event_names.payload -> 'user_id' -> 'current', 256),
      'previous_bsuid', private.short_text(whatsapp_event_names.payload -> 'user_id' -> 'previous', 256),
      'parent_bsuid', private.short_text(whatsapp_event_names.payload -> 'parent_user_id' -> 'current', 256),
      'previous_parent_bsuid', private.short_text(whatsapp_event_names.payload -> 'parent_user_id' -> 'previous', 256)
    )
  end;
end;
$$;

comment on function private.whatsapp_event_names is
  'The names on an element of user_preferences or user_id_update; null for other fields.';

create function private.whatsapp_successor_names(person jsonb, payload jsonb)
returns jsonb
language plpgsql
immutable
set search_path = ''
as $$
declare
  v_system jsonb := whatsapp_successor_names.payload -> 'system';
begin
  if whatsapp_successor_names.payload ->> 'type' <> 'system'
    or (v_system ->> 'type' in ('user_changed_number', 'customer_changed_number', 'user_changed_user_id')) is not true then
    return null;
  end if;
  return jsonb_build_object(
    'wa_id', private.short_text(coalesce(v_system -> 'wa_id', v_system -> 'new_wa_id'), 256),
    'bsuid', private.short_text(v_system -> 'user_id', 256),
    'parent_bsuid', private.short_text(v_system -> 'parent_user_id', 256),
    'previous_wa_id', coalesce(private.short_text(v_system -> 'customer', 256), whatsapp_successor_names.person ->> 'wa_id'),
    'previous_bsuid', whatsapp_successor_names.person -> 'bsuid',
    'previous_parent_bsuid', whatsapp_successor_names.person -> 'parent_bsuid'
  );
end;
$$;

comment on function private.whatsapp_successor_names is
  'The new names of a person whose change of number or user id a system message tells, and the old ones; null for other messages.';

create function private.whatsapp_sightings(items private.whatsapp_item[])
returns setof private.whatsapp_sighting
language plpgsql
stable
set search_path = ''
as $$
begin
  return query
  select named.position, coalesce(private.epoch_time(item.payload -> 'timestamp'), item.occurred_at, now()),
    named.names ->> 'wa_id', named.names ->> 'bsuid', named.names ->> 'parent_bsuid',
    named.names ->> 'previous_wa_id', named.names ->> 'previous_bsuid', named.names ->> 'previous_parent_bsuid'
  from unnest(whatsapp_sightings.items) as item
  cross join lateral (
    select item.position, coalesce(item.person, private.whatsapp_event_names(item.field, item.payload)) as names
    union all
    select null, private.whatsapp_successor_names(item.person, item.payload) where item.payload ->> 'type' = 'system'
  ) as named
  where item.outcome is null
    and coalesce(named.names ->> 'wa_id', named.names ->> 'bsuid', named.names ->> 'parent_bsuid') is not null;
end;
$$;

comment on function private.whatsapp_sightings is 'Everybody whom the items name.';

create function private.primary_whatsapp_name(wa_id text, bsuid text, parent_bsuid text)
returns private.whatsapp_name
language plpgsql
immutable
set search_path = ''
as $$
begin
  return case
    when primary_whatsapp_name.bsuid is not null then row('bsuid', primary_whatsapp_name.bsuid)::private.whatsapp_name
    when primary_whatsapp_name.parent_bsuid is not null then row('parent_bsuid', primary_whatsapp_name.parent_bsuid)::private.whatsapp_name
    when primary_whatsapp_name.wa_id is not null then row('wa_id', primary_whatsapp_name.wa_id)::private.whatsapp_name
  end;
end;
$$;

comment on function private.primary_whatsapp_name is
  'The name that counts of those on one item: a user id, because it is one person''s for good, before a number, which can change hands.';

create function private.current_whatsapp_contact(kind public.whatsapp_identity_kind, value text)
returns uuid
language plpgsql
stable
set search_path = ''
as $$
begin
  return (
    select identity.contact_id from public.whatsapp_identities as identity
    where identity.kind = current_whatsapp_contact.kind
      and identity.value = current_whatsapp_contact.value
      and identity.valid_to is null
  );
end;
$$;

comment on function private.current_whatsapp_contact is 'Whom Meta means by this name now, if anybody.';

create function private.find_whatsapp_contacts(sightings private.whatsapp_sighting[])
returns table (sighting private.whatsapp_sighting, contact_id uuid, is_known boolean)
language plpgsql
stable
set search_path = ''
set plan_cache_mode = 'force_generic_plan' -- planning it anew for each delivery costs ten times as much as running it
as $$
begin
  return query
  select seen, identity.contact_id,
    identity.contact_id is not null
    and coalesce(seen.previous_wa_id, seen.previous_bsuid, seen.previous_parent_bsuid) is null
    and (seen.wa_id is null or primary_name.kind = 'wa_id' or exists (
      select from public.whatsapp_identity_links as link
      where link.kind = 'wa_id' and link.value = seen.wa_id
        and link.linked_kind = primary_name.kind and link.linked_value = primary_name.value
        and not link.is_change and link.first_seen_at <= seen.seen_at
    ))
    and (seen.parent_bsuid is null or primary_name.kind = 'parent_bsuid' or exists (
      select from public.whatsapp_identity_links as link
      where link.kind = 'bsuid' and link.value = seen.bsuid
        and link.linked_kind = 'parent_bsuid' and link.linked_value = seen.parent_bsuid
        and not link.is_change
    ))
  from unnest(find_whatsapp_contacts.sightings) as seen
  cross join lateral (
    -- As private.primary_whatsapp_name() has it.
    select coalesce(seen.bsuid, seen.parent_bsuid, seen.wa_id) as value,
      case when seen.bsuid is not null then 'bsuid' when seen.parent_bsuid is not null then 'parent_bsuid' else 'wa_id' end
        ::public.whatsapp_identity_kind as kind
  ) as primary_name
  left join public.whatsapp_identities as identity
    on identity.kind = primary_name.kind and identity.value = primary_name.value
    and seen.seen_at >= identity.valid_from and (identity.valid_to is null or seen.seen_at < identity.valid_to);
end;
$$;

comment on function private.find_whatsapp_contacts is
  'Whom each sighting means, and whether it says nothing new: not a name, not a link between two, not an earlier time of one.';

create function private.whatsapp_contacts_of(items private.whatsapp_item[])
returns jsonb
language plpgsql
set search_path = ''
as $$
declare
  v_sightings private.whatsapp_sighting[] := array(
    select sighting from private.whatsapp_sightings(whatsapp_contacts_of.items) as sighting
  );
  v_contacts jsonb;
  v_news private.whatsapp_sighting[];
begin
  if v_sightings = '{}' then
    return '{}';
  end if;
  -- One look-up knows most people; only what is new about the others is learned.
  select jsonb_object_agg((found.sighting).item_position, found.contact_id)
      filter (where (found.sighting).item_position is not null),
    array_agg(found.sighting) filter (where not found.is_known)
  into v_contacts, v_news
  from private.find_whatsapp_contacts(v_sightings) as found;
  if v_news is null then
    return coalesce(v_contacts, '{}');
  end if;

  perform private.learn_whatsapp_identities(v_news);
  return (
    select coalesce(jsonb_object_agg((found.sighting).item_position, found.contact_id), '{}')
    from private.find_whatsapp_contacts(v_sightings) as found
    where (found.sighting).item_position is not null
  );
end;
$$;

comment on function private.whatsapp_contacts_of is
  'The contact of each item that names a person (position -> contact id), made where there is none. '
  'What it moves from contact to contact, private.follow_whatsapp_moves() brings to an end.';

create function private.merge_whatsapp_contacts(from_contact_id uuid, into_contact_id uuid)
returns void
language plpgsql
set search_path = ''
as $$
begin
  perform private.review_merged_profiles(merge_whatsapp_contacts.from_contact_id, merge_whatsapp_contacts.into_contact_id);
  update public.whatsapp_contacts as survivor set
    profile_id = coalesce(survivor.profile_id, merged.profile_id),
    display_name = latest.display_name, username = latest.username, last_seen_at = latest.last_seen_at
  from public.whatsapp_contacts as merged
  cross join lateral (
    select contact.display_name, contact.username, contact.last_seen_at
    from public.whatsapp_contacts as contact
    where contact.id in (merge_whatsapp_contacts.from_contact_id, merge_whatsapp_contacts.into_contact_id)
    order by contact.last_seen_at desc nulls last, contact.display_name, contact.username
    limit 1
  ) as latest
  where survivor.id = merge_whatsapp_contacts.into_contact_id and merged.id = merge_whatsapp_contacts.from_contact_id;
  update public.whatsapp_contacts as merged set merged_into = merge_whatsapp_contacts.into_contact_id
  where merge_whatsapp_contacts.from_contact_id in (merged.id, merged.merged_into);
  perform private.merge_whatsapp_sessions(merge_whatsapp_contacts.from_contact_id, merge_whatsapp_contacts.into_contact_id);
end;
$$;

comment on function private.merge_whatsapp_contacts is
  'Two contacts proved to be one person: the second goes on. Messages keep the contact they came with; merged_into leads on.';

create function private.move_whatsapp_messages(moves public.whatsapp_contact_moves[])
returns void
language plpgsql
set search_path = ''
as $$
declare
  -- Evidence older than that is stale, so no boundary within reach is older; nor are months opened that nothing can change.
  v_floor uuid := private.uuid_v7_floor(now() - interval '35 days');
begin
  update public.whatsapp_messages as message set contact_id = move.into_contact_id
  from unnest(move_whatsapp_messages.moves) as move
  join public.whatsapp_contacts as former on move.from_contact_id in (former.id, former.merged_into)
  where message.contact_id = former.id
    and message.id >= v_floor
    and message.sent_at >= move.valid_from
    and (move.valid_to is null or message.sent_at < move.valid_to)
    and private.whatsapp_message_name(message.direction, message.payload) = row(move.kind, move.value)::private.whatsapp_name;
end;
$$;

comment on function private.move_whatsapp_messages is
  'Gives the messages of the last 35 days that were written under these names to whom the names mean now. Older ones stay where they are.';

create function private.whatsapp_message_name(direction public.whatsapp_message_direction, payload jsonb)
returns private.whatsapp_name
language plpgsql
immutable
set search_path = ''
as $$
declare
  v_side text := case whatsapp_message_name.direction when 'inbound' then 'from' else 'to' end;
begin
  return private.primary_whatsapp_name(
    whatsapp_message_name.payload ->> v_side,
    whatsapp_message_name.payload ->> (v_side || '_user_id'),
    whatsapp_message_name.payload ->> (v_side || '_parent_user_id')
  );
end;
$$;

comment on function private.whatsapp_message_name is 'The name on a stored message that says whose it is.';

create function private.follow_whatsapp_moves(contacts jsonb)
returns void
language plpgsql
set search_path = ''
as $$
declare
  v_moves public.whatsapp_contact_moves[] := array(
    select move from public.whatsapp_contact_moves as move where not move.is_followed order by move.id
  );
  v_merges public.whatsapp_contact_moves[];
  v_splits public.whatsapp_contact_moves[];
  v_merge public.whatsapp_contact_moves;
begin
  if v_moves = '{}' then
    return;
  end if;
  -- With those that remember_whatsapp_names() will take, so that all are locked in one order.
  perform from public.whatsapp_contacts as contact
  where contact.id in (
    select unnest(array[move.from_contact_id, move.into_contact_id]) from unnest(v_moves) as move
    union all
    select named.contact_id::uuid from jsonb_each_text(follow_whatsapp_moves.contacts) as named (position, contact_id)
  )
  order by contact.id
  for no key update;

  -- A contact left without a name has become another; one that keeps some has only lost what was never its own.
  v_merges := array(
    select distinct on (move.from_contact_id) move
    from unnest(v_moves) as move
    where not exists (select from public.whatsapp_identities as identity where identity.contact_id = move.from_contact_id)
    order by move.from_contact_id, move.kind = 'wa_id', move.valid_from, move.into_contact_id
  );
  v_splits := array(
    select move from unnest(v_moves) as move
    where not exists (
      select from unnest(v_merges) as merge
      where merge.from_contact_id = move.from_contact_id and merge.into_contact_id = move.into_contact_id
    )
  );
  perform private.move_whatsapp_messages(v_splits);
  foreach v_merge in array v_merges loop
    perform private.merge_whatsapp_contacts(v_merge.from_contact_id, v_merge.into_contact_id);
  end loop;
  if v_splits <> '{}' then
    perform private.recount_whatsapp_sessions(array(
      select coalesce(contact.merged_into, contact.id)
      from unnest(v_splits) as move
      join public.whatsapp_contacts as contact on contact.id in (move.from_contact_id, move.into_contact_id)
    ));
  end if;
  update public.whatsapp_contact_moves as move set is_followed = true where not move.is_followed;
end;
$$;

comment on function private.follow_whatsapp_moves is
  'Brings messages and all else that hangs on a contact after the names that learn_whatsapp_identities() has moved. '
  'Comes after whatever else a delivery locks, because contacts are busy rows.';

create function private.remember_whatsapp_names(items private.whatsapp_item[], contacts jsonb)
returns void
language plpgsql
set search_path = ''
as $$
begin
  with latest as (
    select distinct on (seen.contact_id) seen.contact_id, seen.occurred_at, seen.name, seen.username
    from (
      select (remember_whatsapp_names.contacts ->> item.position::text)::uuid as contact_id,
        private.epoch_time(item.payload -> 'timestamp') as occurred_at,
        item.person ->> 'name' as name, item.person ->> 'username' as username
      from unnest(remember_whatsapp_names.items) as item
      where item.outcome is null and item.person ?| '{name,username}'::text[]
    ) as seen
    order by seen.contact_id, seen.occurred_at desc, seen.name, seen.username
  ),
  -- In id order, so that two deliveries from the same people cannot deadlock.
  locked as (
    select contact.id, latest.occurred_at, latest.name, latest.username
    from public.whatsapp_contacts as contact
    join latest on latest.contact_id = contact.id
    order by contact.id
    for no key update of contact
  )
  update public.whatsapp_contacts as contact
  set display_name = locked.name, username = locked.username, last_seen_at = locked.occurred_at
  from locked
  where contact.id = locked.id
    and (contact.last_seen_at is null or contact.last_seen_at < locked.occurred_at
      or (contact.last_seen_at = locked.occurred_at
        and (locked.name, locked.username) < (contact.display_name, contact.username)));
end;
$$;

comment on function private.remember_whatsapp_names is
  'Keeps the latest name of each person, by Meta''s time, whatever order deliveries come in. Last in a transaction: these rows are busy.';

commit;
