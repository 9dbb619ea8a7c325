begin;

create function private.lock_analytics_people()
returns void
language plpgsql
set search_path = ''
as $$
begin
  perform pg_advisory_xact_lock(hashtextextended('analytics_people', 0));
end;
$$;

comment on function private.lock_analytics_people is 'Who links, merges or erases people does so alone; writers of events do not come by here.';

create function private.mark_analytics_days(days date[])
returns void
language plpgsql
set search_path = ''
as $$
begin
  insert into private.analytics_dirty_days (day) select dirty.day from unnest(mark_analytics_days.days) as dirty (day);
end;
$$;

comment on function private.mark_analytics_days is 'Has refresh_daily_metrics() add up these days anew.';

create function private.link_analytics_actors()
returns integer
language plpgsql
set search_path = ''
as $$
declare
  v_claim record;
  v_person uuid;
  v_count integer := 0;
begin
  for v_claim in
    with taken as (
      delete from private.analytics_identity_claims as claim
      where claim.id = any(array(select oldest.id from private.analytics_identity_claims as oldest order by oldest.id limit 1000))
      returning claim.id, claim.alias_id, claim.actor_id
    )
    select taken.alias_id, taken.actor_id from taken order by taken.id
  loop
    v_person := private.analytics_person(v_claim.actor_id);
    -- The first word counts, circles do not close, and whom others were identified as is not taken away.
    continue when v_person = v_claim.alias_id
      or exists (select from public.analytics_identities as link where v_claim.alias_id in (link.alias_id, link.actor_id));
    insert into public.analytics_identities (alias_id, actor_id) values (v_claim.alias_id, v_person);
    v_count := v_count + 1;
  end loop;
  return v_count;
end;
$$;

comment on function private.link_analytics_actors is 'Judges what clients said of who is who, in the order in which they said it; says how many links that made.';

create function private.move_analytics_actors(aliases uuid[])
returns integer
language plpgsql
set search_path = ''
as $$
declare
  v_first date;
  v_last date;
  v_days date[];
begin
  select min(fact.day), max(fact.day) into v_first, v_last
  from public.analytics_actor_days as fact
  where fact.actor_id = any(move_analytics_actors.aliases);
  update public.analytics_events as event set actor_id = private.analytics_person(event.actor_id)
  where event.day between v_first and v_last and event.actor_id = any(move_analytics_actors.aliases);

  -- In the writers' order. Facts are moved, not counted anew: they are older than the raw events.
  with gone as (
    delete from public.analytics_actor_days as fact where fact.actor_id = any(move_analytics_actors.aliases) returning fact.*
  ), moved as (
    insert into public.analytics_actor_days as fact (day, event_name, actor_id, event_count, first_at, last_at)
    select gone.day, gone.event_name, person.id, sum(gone.event_count), min(gone.first_at), max(gone.last_at)
    from gone
    cross join lateral (values (private.analytics_person(gone.actor_id))) as person (id)
    group by gone.day, person.id, gone.event_name
    order by gone.day, person.id, gone.event_name
    on conflict on constraint analytics_actor_days_pkey do update set
      event_count = fact.event_count + excluded.event_count,
      first_at = least(fact.first_at, excluded.first_at),
      last_at = greatest(fact.last_at, excluded.last_at)
  )
  select array_agg(distinct gone.day) into v_days from gone;
  perform private.mark_analytics_days(v_days);
  return cardinality(move_analytics_actors.aliases);
end;
$$;

comment on function private.move_analytics_actors is 'Makes events and facts of linked actors those of the people they are.';

create function private.merge_analytics_actors(max_count integer)
returns integer
language plpgsql
set search_path = ''
as $$
declare
  v_aliases uuid[];
begin
  perform private.lock_analytics_people();
  v_aliases := array(
    select link.alias_id
    from public.analytics_identities as link
    where link.merged_at is null
      and link.settled_by <= pg_snapshot_xmin(pg_current_snapshot())
      -- Those are for private.erase_suppressed_aliases().
      and not exists (select from private.analytics_suppressed_links as suppressed where suppressed.alias_id = link.alias_id)
    order by link.linked_at
    limit merge_analytics_actors.max_count
  );
  if cardinality(v_aliases) > 0 then
    perform private.move_analytics_actors(v_aliases);
    update public.analytics_identities as link set merged_at = now() where link.alias_id = any(v_aliases);
  end if;
  -- Links of an earlier run are there for all to see; who has a transaction id below this may have looked before they were.
  update public.analytics_identities as link set settled_by = pg_snapshot_xmax(pg_current_snapshot())
  where link.merged_at is null and link.settled_by is null;
  perform private.link_analytics_actors();
  return cardinality(v_aliases);
end;
$$;

comment on function private.merge_analytics_actors is
  'Run by the schedule every few seconds: merges the actors that were linked two runs ago or before, up to max_count, and links those that were claimed since. '
  'Two runs, so that all who could still write under the former actor have ended; no clock is asked. Says how many were merged.';

commit;
