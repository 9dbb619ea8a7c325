begin;

create function private.lock_whatsapp_identities(names text[])
returns void
language plpgsql
set search_path = ''
as $$
begin
  -- Few locks, taken in order: two deliveries that name the same new people wait for each other and cannot deadlock.
  perform pg_advisory_xact_lock(hashtext('whatsapp_identities'), bucket.number)
  from (
    select distinct hashtext(name) & 63 as number from unnest(lock_whatsapp_identities.names) as name order by 1
  ) as bucket;
end;
$$;

comment on function private.lock_whatsapp_identities is 'Keeps others from introducing the same people until the transaction ends.';

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

create function private.merge_whatsapp_contacts(from_contact_id uuid, into_contact_id uuid)
returns void
language plpgsql
set search_path = ''
as $$
begin
  perform from public.whatsapp_contacts as contact
  where contact.id in (merge_whatsapp_contacts.from_contact_id, merge_whatsapp_contacts.into_contact_id)
  order by contact.id
  for no key update;

  update public.whatsapp_identities as identity set contact_id = merge_whatsapp_contacts.into_contact_id
  where identity.contact_id = merge_whatsapp_contacts.from_contact_id;
  update public.whatsapp_contacts as survivor set
    profile_id = coalesce(survivor.profile_id, merged.profile_id),
    display_name = case when survivor.last_seen_at >= merged.last_seen_at then survivor.display_name else merged.display_name end,
    username = case when survivor.last_seen_at >= merged.last_seen_at then survivor.username else merged.username end,
    last_seen_at = greatest(survivor.last_seen_at, merged.last_seen_at)
  from public.whatsapp_contacts as merged
  where survivor.id = merge_whatsapp_contacts.into_contact_id and merged.id = merge_whatsapp_contacts.from_contact_id;
  update public.whatsapp_contacts as merged set merged_into = merge_whatsapp_contacts.into_contact_id
  where merged.id = merge_whatsapp_contacts.from_contact_id;
end;
$$;

comment on function private.merge_whatsapp_contacts is
  'Two contacts proved to be one person: the names of the first go to the second. Messages keep the contact they came with; merged_into leads on.';

create function private.introduce_whatsapp_person(person jsonb)
returns uuid
language plpgsql
set search_path = ''
as $$
declare
  v_contact_id uuid := private.current_whatsapp_contact('bsuid', introduce_whatsapp_person.person ->> 'bsuid');
  v_by_phone uuid := private.current_whatsapp_contact('wa_id', introduce_whatsapp_person.person ->> 'wa_id');
  v_phone_is_free boolean := not exists (
    select from public.whatsapp_identities as identity
    where identity.contact_id = v_by_phone and identity.kind = 'bsuid' and identity.valid_to is null
  );
begin
  if v_by_phone is distinct from v_contact_id and v_by_phone is not null then
    if not introduce_whatsapp_person.person ? 'bsuid' or (v_contact_id is null and v_phone_is_free) then
      v_contact_id := v_by_phone;
    elsif v_phone_is_free then
      perform private.merge_whatsapp_contacts(v_by_phone, v_contact_id);
    else
      -- The number has another owner now.
      update public.whatsapp_identities as identity
      set valid_to = now()
      where identity.kind = 'wa_id' and identity.value = introduce_whatsapp_person.person ->> 'wa_id' and identity.valid_to is null;
    end if;
  end if;
  if v_contact_id is null then
    insert into public.whatsapp_contacts default values returning id into v_contact_id;
  end if;
  insert into public.whatsapp_identities (kind, value, contact_id)
  select name.key::public.whatsapp_identity_kind, name.value, v_contact_id
  from jsonb_each_text(introduce_whatsapp_person.person) as name
  where name.key in ('wa_id', 'bsuid', 'parent_bsuid')
  on conflict (kind, value) where valid_to is null do nothing;
  return v_contact_id;
end;
$$;

comment on function private.introduce_whatsapp_person is
  'Finds or makes the contact of a person named by phone, business-scoped user id, or both, and learns the names it did not know. '
  'A phone-only contact that turns out to be somebody known is merged; a number that belongs to another id has changed hands.';

create function private.whatsapp_contacts_of(items private.whatsapp_item[])
returns jsonb
language plpgsql
set search_path = ''
as $$
declare
  v_known jsonb;
  v_strangers jsonb[];
begin
  -- One look-up knows most people; only those with a name unknown or in doubt are introduced.
  with people as (
    select distinct item.person - '{name,username}'::text[] as person
    from unnest(whatsapp_contacts_of.items) as item
    where item.outcome is null and item.person ?| '{wa_id,bsuid}'::text[]
  ),
  found as (
    select people.person, min(identity.contact_id::text) as contact_id,
      count(distinct identity.contact_id) = 1 and count(identity.id) = count(*) as is_known
    from people
    cross join lateral jsonb_each_text(people.person) as name
    left join public.whatsapp_identities as identity
      on identity.kind = name.key::public.whatsapp_identity_kind and identity.value = name.value and identity.valid_to is null
    group by people.person
  )
  select
    coalesce(jsonb_object_agg(found.person::text, found.contact_id) filter (where found.is_known), '{}'),
    array_agg(found.person order by found.person) filter (where not found.is_known)
  into v_known, v_strangers
  from found;

  if v_strangers is not null then
    perform private.lock_whatsapp_identities(
      array(select name.value from unnest(v_strangers) as person cross join lateral jsonb_each_text(person) as name)
    );
    select v_known || jsonb_object_agg(person::text, private.introduce_whatsapp_person(person)) into v_known
    from unnest(v_strangers) as person;
  end if;

  return (
    select jsonb_object_agg(item.position, v_known -> (item.person - '{name,username}'::text[])::text)
    from unnest(whatsapp_contacts_of.items) as item
    where item.outcome is null and item.person ?| '{wa_id,bsuid}'::text[]
  );
end;
$$;

comment on function private.whatsapp_contacts_of is 'The contact of each item that names a person (position -> contact id), made where there is none.';

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
