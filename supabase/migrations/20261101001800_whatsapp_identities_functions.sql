begin;

create type private.whatsapp_identity_part as (
  kind public.whatsapp_identity_kind,
  value text,
  valid_from timestamptz,
  valid_to timestamptz,
  person text
);

comment on type private.whatsapp_identity_part is
  'A stretch of time in which a name meant one person. Persons are told apart by a label that has no meaning elsewhere.';

create function private.lock_whatsapp_identities(names private.whatsapp_name[])
returns void
language plpgsql
set search_path = ''
as $$
begin
  -- Few locks, taken in order: two deliveries that name the same people wait for each other and cannot deadlock.
  perform pg_advisory_xact_lock(hashtext('whatsapp_identities'), bucket.number)
  from (
    select distinct hashtext(name.value) & 63 as number from unnest(lock_whatsapp_identities.names) as name order by 1
  ) as bucket;
end;
$$;

comment on function private.lock_whatsapp_identities is 'Keeps others from learning about the same names until the transaction ends.';

create function private.linked_whatsapp_names(names private.whatsapp_name[])
returns private.whatsapp_name[]
language plpgsql
stable
set search_path = ''
as $$
begin
  return array(
    with recursive linked as (
      select name.kind, name.value from unnest(linked_whatsapp_names.names) as name
      union
      select neighbour.kind, neighbour.value
      from linked
      cross join lateral (
        select link.linked_kind, link.linked_value from public.whatsapp_identity_links as link
        where link.kind = linked.kind and link.value = linked.value
        union all
        select link.kind, link.value from public.whatsapp_identity_links as link
        where link.linked_kind = linked.kind and link.linked_value = linked.value
      ) as neighbour (kind, value)
    )
    select row(linked.kind, linked.value)::private.whatsapp_name from linked
  );
end;
$$;

comment on function private.linked_whatsapp_names is
  'These names and all that links lead to from them: whose they are can be told without looking further.';

create function private.whatsapp_links_of(sightings private.whatsapp_sighting[])
returns setof public.whatsapp_identity_links
language plpgsql
immutable
set search_path = ''
as $$
begin
  return query
  select (link.name).kind, (link.name).value, (link.linked).kind, (link.linked).value, link.is_change, min(seen.seen_at)
  from unnest(whatsapp_links_of.sightings) as seen
  cross join lateral (
    select private.primary_whatsapp_name(seen.wa_id, null, null) as number,
      private.primary_whatsapp_name(null, seen.bsuid, null) as id,
      private.primary_whatsapp_name(null, null, seen.parent_bsuid) as parent,
      private.primary_whatsapp_name(null, seen.bsuid, seen.parent_bsuid) as user_id,
      private.primary_whatsapp_name(seen.previous_wa_id, null, null) as old_number,
      private.primary_whatsapp_name(null, seen.previous_bsuid, null) as old_id,
      private.primary_whatsapp_name(null, null, seen.previous_parent_bsuid) as old_parent,
      private.primary_whatsapp_name(null, seen.previous_bsuid, seen.previous_parent_bsuid) as old_user_id
  ) as named
  cross join lateral (
    values
      (named.number, coalesce(named.user_id, named.old_user_id), false),
      (named.id, named.parent, false),
      (named.old_id, named.old_parent, false),
      (named.old_number, named.number, true),
      (coalesce(named.old_user_id, named.old_number), named.user_id, true)
  ) as link (name, linked, is_change)
  where (link.name).value is not null and (link.linked).value is not null and link.name <> link.linked
  group by link.name, link.linked, link.is_change
  order by link.name, link.linked, link.is_change;
end;
$$;

comment on function private.whatsapp_links_of is 'What the sightings say of names that belong together, each once.';

create function private.whatsapp_identity_parts(names private.whatsapp_name[])
returns setof private.whatsapp_identity_part
language plpgsql
stable
set search_path = ''
as $$
begin
  return query
  with recursive links as materialized (
    select link.*
    from unnest(whatsapp_identity_parts.names) as name
    join public.whatsapp_identity_links as link on link.kind = name.kind and link.value = name.value
  ),
  -- A change of number parts the time of both: the old one is somebody else's after it, the new one was before it.
  lives as (
    select parting.value, parting.starts_at,
      lead(parting.starts_at) over (partition by parting.value order by parting.starts_at) as ends_at
    from (
      select name.value, '-infinity'::timestamptz from unnest(whatsapp_identity_parts.names) as name where name.kind = 'wa_id'
      union
      select side.value, side.at
      from links
      cross join lateral (values
        (links.value, links.first_seen_at + interval '1 second'), (links.linked_value, links.first_seen_at)
      ) as side (value, at)
      where links.is_change and links.kind = 'wa_id' and links.linked_kind = 'wa_id'
    ) as parting (value, starts_at)
  ),
  -- Within a life a number belongs to the first user id seen with it until the next one is seen.
  stretches as (
    select lives.value, links.linked_kind, links.linked_value, lives.starts_at,
      case when lag(links.value) over life is null then lives.starts_at else links.first_seen_at end as valid_from
    from lives
    left join links
      on links.kind = 'wa_id' and links.value = lives.value and not links.is_change
      and links.first_seen_at >= lives.starts_at and (lives.ends_at is null or links.first_seen_at < lives.ends_at)
    window life as (
      partition by lives.value, lives.starts_at order by links.first_seen_at, links.linked_kind, links.linked_value
    )
  ),
  parts as materialized (
    select 'wa_id'::public.whatsapp_identity_kind as kind, stretches.value, stretches.valid_from,
      lead(stretches.valid_from) over (
        partition by stretches.value order by stretches.valid_from, stretches.linked_kind, stretches.linked_value
      ) as valid_to,
      coalesce(
        stretches.linked_kind || ' ' || stretches.linked_value, concat_ws(' ', 'wa_id', stretches.value, stretches.starts_at)
      ) as node
    from stretches
    union all
    select name.kind, name.value, '-infinity', null, name.kind || ' ' || name.value
    from unnest(whatsapp_identity_parts.names) as name
    where name.kind <> 'wa_id'
  ),
  edges as (
    select part.node, linked.node as linked_node
    from links
    join parts as part on part.kind = links.kind and part.value = links.value
      and links.first_seen_at >= part.valid_from and (part.valid_to is null or links.first_seen_at < part.valid_to)
    join parts as linked on linked.kind = links.linked_kind and linked.value = links.linked_value
      and links.first_seen_at >= linked.valid_from and (linked.valid_to is null or links.first_seen_at < linked.valid_to)
    where links.is_change or links.kind <> 'wa_id'
  ),
  reach (node, reached) as (
    select distinct parts.node, parts.node from parts
    union
    select reach.node, neighbour.node
    from reach
    join (
      select edges.node as origin, edges.linked_node as node from edges
      union all
      select edges.linked_node, edges.node from edges
    ) as neighbour on neighbour.origin = reach.reached
  ),
  persons as (
    select reach.node, min(reach.reached) as person from reach group by reach.node
  )
  select parts.kind, parts.value, parts.valid_from, parts.valid_to, persons.person
  from parts
  join persons using (node)
  where parts.valid_to is null or parts.valid_to > parts.valid_from;
end;
$$;

comment on function private.whatsapp_identity_parts is
  'Whose each name was at each time, from the links alone. User ids are one person''s for good; ids on one message or replaced by one '
  'another are one person''s; a number goes with the user ids seen with it, the earliest of them counting for the time before too; '
  'a number without any is a person of its own.';

create function private.resolve_whatsapp_identities(names private.whatsapp_name[], sightings private.whatsapp_sighting[])
returns void
language plpgsql
set search_path = ''
as $$
declare
  v_identities public.whatsapp_identities[];
begin
  with part as materialized (
    select part.*, identity.contact_id,
      exists (
        select from unnest(resolve_whatsapp_identities.sightings) as seen
        where part.kind = 'wa_id' and seen.wa_id = part.value
          and seen.seen_at >= part.valid_from and (part.valid_to is null or seen.seen_at < part.valid_to)
      ) as is_seen
    from private.whatsapp_identity_parts(resolve_whatsapp_identities.names) as part
    left join public.whatsapp_identities as identity
      on identity.kind = part.kind and identity.value = part.value
      and (part.valid_to is null or identity.valid_from < part.valid_to)
      and (identity.valid_to is null or part.valid_from < identity.valid_to)
  ),
  -- A contact stays with one person: who has its user id, else who had its number first.
  kept as (
    select distinct on (part.contact_id) part.contact_id, part.person
    from part
    where part.contact_id is not null
    order by part.contact_id, part.kind = 'wa_id', part.valid_from, part.person
  ),
  people as materialized (
    select part.person, coalesce(min(kept.contact_id::text)::uuid, private.uuid_v7()) as contact_id
    from part
    left join kept on kept.person = part.person
    group by part.person
    -- Nobody is made up for a time in which a number was, or may have been, nobody's.
    having count(distinct part.value) > 1 or bool_or(part.kind <> 'wa_id' or part.contact_id is not null or part.is_seen)
  )
  select array_agg(distinct row(part.kind, part.value, part.valid_from, part.valid_to, people.contact_id)::public.whatsapp_identities)
  into v_identities
  from part
  join people on people.person = part.person;

  insert into public.whatsapp_contacts (id)
  select distinct identity.contact_id from unnest(v_identities) as identity
  where not exists (select from public.whatsapp_contacts as contact where contact.id = identity.contact_id);
  insert into public.whatsapp_contact_moves (kind, value, valid_from, valid_to, from_contact_id, into_contact_id)
  select former.kind, former.value, greatest(former.valid_from, identity.valid_from), least(former.valid_to, identity.valid_to),
    former.contact_id, identity.contact_id
  from unnest(v_identities) as identity
  join public.whatsapp_identities as former
    on former.kind = identity.kind and former.value = identity.value and former.contact_id <> identity.contact_id
    and (identity.valid_to is null or former.valid_from < identity.valid_to)
    and (former.valid_to is null or identity.valid_from < former.valid_to);

  delete from public.whatsapp_identities as former
  using unnest(resolve_whatsapp_identities.names) as name
  where former.kind = name.kind and former.value = name.value and former <> all(v_identities);
  insert into public.whatsapp_identities
  select identity.* from unnest(v_identities) as identity
  on conflict on constraint whatsapp_identities_pkey do nothing;
end;
$$;

comment on function private.resolve_whatsapp_identities is
  'Writes down whose these names are, all that are linked with one another, and which moved from contact to contact. '
  'Contacts keep their ids as far as they can.';

create function private.learn_whatsapp_identities(sightings private.whatsapp_sighting[])
returns void
language plpgsql
set search_path = ''
as $$
declare
  v_names private.whatsapp_name[] := private.linked_whatsapp_names(array(
    select distinct row(named.kind, named.value)::private.whatsapp_name
    from unnest(learn_whatsapp_identities.sightings) as seen
    cross join lateral (values
      ('wa_id'::public.whatsapp_identity_kind, seen.wa_id), ('bsuid', seen.bsuid), ('parent_bsuid', seen.parent_bsuid),
      ('wa_id', seen.previous_wa_id), ('bsuid', seen.previous_bsuid), ('parent_bsuid', seen.previous_parent_bsuid)
    ) as named (kind, value)
    where named.value is not null
  ));
  v_linked private.whatsapp_name[];
begin
  -- Again if others have linked them with more names meanwhile.
  loop
    perform private.lock_whatsapp_identities(v_names);
    v_linked := private.linked_whatsapp_names(v_names);
    exit when cardinality(v_linked) = cardinality(v_names);
    v_names := v_linked;
  end loop;

  insert into public.whatsapp_identity_links as link
  select news.* from private.whatsapp_links_of(learn_whatsapp_identities.sightings) as news
  on conflict on constraint whatsapp_identity_links_pkey do update
    set first_seen_at = excluded.first_seen_at
    where link.first_seen_at > excluded.first_seen_at;
  perform private.resolve_whatsapp_identities(v_names, learn_whatsapp_identities.sightings);
end;
$$;

comment on function private.learn_whatsapp_identities is
  'Adds to what is known of names and finds anew whose they are. Waits for others who do so with the same.';

commit;
