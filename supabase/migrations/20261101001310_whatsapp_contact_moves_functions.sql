begin;

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
  perform private.move_whatsapp_sends(array(select distinct move.from_contact_id from unnest(v_moves) as move));
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
