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

commit;
