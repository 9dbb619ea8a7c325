begin;

create function private.analytics_actors_of(actor_id uuid)
returns uuid[]
language plpgsql
stable
set search_path = ''
as $$
begin
  return (
    select array_append(array_agg(link.alias_id) filter (where link.alias_id is not null), person.id)
    from (values (private.analytics_person(analytics_actors_of.actor_id))) as person (id)
    left join public.analytics_identities as link on link.actor_id = person.id
    group by person.id
  );
end;
$$;

comment on function private.analytics_actors_of is 'All the actors that a person is known as, whichever of them is given.';

create function private.erase_archived_analytics(actors uuid[], is_checked boolean)
returns bigint
language plpgsql
set search_path = ''
as $$
declare
  v_leaf regclass;
  v_count bigint;
  v_total bigint := 0;
begin
  for v_leaf in
    select leaf.oid from pg_catalog.pg_class as leaf
    where leaf.relnamespace = 'archive'::regnamespace and leaf.relname ~ '^analytics_events_\d{4}_\d{2}$' and leaf.relkind = 'r'
  loop
    if erase_archived_analytics.is_checked then
      execute format('select count(*) from %s where actor_id = any($1)', v_leaf) into v_count using erase_archived_analytics.actors;
    else
      execute format('delete from %s where actor_id = any($1)', v_leaf) using erase_archived_analytics.actors;
      get diagnostics v_count = row_count;
    end if;
    v_total := v_total + v_count;
  end loop;
  return v_total;
end;
$$;

comment on function private.erase_archived_analytics is 'Deletes events of actors from the months that are archived but not dropped, or counts what is left there; says how many.';

create function private.count_analytics_of(actors uuid[])
returns bigint
language plpgsql
set search_path = ''
as $$
begin
  return (select count(*) from public.analytics_events as event where event.actor_id = any(count_analytics_of.actors))
    + (select count(*) from public.analytics_actor_days as fact where fact.actor_id = any(count_analytics_of.actors))
    + (
      select count(*) from public.analytics_rejections as rejection
      where rejection.user_actor_id = any(count_analytics_of.actors) or rejection.anonymous_actor_id = any(count_analytics_of.actors)
    )
    + (
      select count(*) from public.analytics_identities as link
      where link.alias_id = any(count_analytics_of.actors) or link.actor_id = any(count_analytics_of.actors)
    )
    + private.erase_archived_analytics(count_analytics_of.actors, true);
end;
$$;

comment on function private.count_analytics_of is 'How many rows are kept of these actors, wherever they may be, beside their suppressions.';

create function private.erase_analytics_actors(actors uuid[], reason text)
returns jsonb
language plpgsql
set search_path = ''
as $$
declare
  v_events bigint;
  v_facts bigint;
  v_rejections bigint;
  v_days date[];
begin
  insert into public.analytics_suppressions (actor_id, reason)
  select actor, erase_analytics_actors.reason from unnest(erase_analytics_actors.actors) as actor
  on conflict on constraint analytics_suppressions_pkey do nothing;
  delete from public.analytics_events as event where event.actor_id = any(erase_analytics_actors.actors);
  get diagnostics v_events = row_count;
  with gone as (
    delete from public.analytics_actor_days as fact where fact.actor_id = any(erase_analytics_actors.actors) returning fact.day
  )
  select count(*), array_agg(distinct gone.day) into v_facts, v_days from gone;
  perform private.mark_analytics_days(v_days);
  delete from public.analytics_rejections as rejection
  where rejection.user_actor_id = any(erase_analytics_actors.actors) or rejection.anonymous_actor_id = any(erase_analytics_actors.actors);
  get diagnostics v_rejections = row_count;
  delete from public.analytics_identities as link
  where link.alias_id = any(erase_analytics_actors.actors) or link.actor_id = any(erase_analytics_actors.actors);
  return jsonb_build_object(
    'actors', cardinality(erase_analytics_actors.actors),
    'events', v_events,
    'archived_events', private.erase_archived_analytics(erase_analytics_actors.actors, false),
    'facts', v_facts,
    'rejections', v_rejections,
    'remaining', private.count_analytics_of(erase_analytics_actors.actors)
  );
end;
$$;

comment on function private.erase_analytics_actors is
  'Deletes what is kept of actors, while nobody writes; suppresses them; says what went and counts what is left. The daily metrics follow with their next refresh.';

create function private.stop_analytics_writers()
returns void
language plpgsql
set search_path = ''
as $$
begin
  perform private.lock_analytics_people();
  -- Waits for the writers under way; those who come next see what is decided here. The parent alone: leaves are vacuumed meanwhile.
  lock table only public.analytics_events in share row exclusive mode;
  -- What was claimed but not judged yet counts too.
  while exists (select from private.analytics_identity_claims) loop
    perform private.link_analytics_actors();
  end loop;
end;
$$;

comment on function private.stop_analytics_writers is 'First line of what must not miss an event: until the transaction ends nobody writes events or links people.';

create function private.note_analytics_erasure(action text, actor_id uuid, metadata jsonb)
returns uuid
language plpgsql
set search_path = ''
as $$
declare
  v_actor record := private.current_actor();
begin
  return private.log_audit_event(
    v_actor.actor_type, v_actor.actor_identifier, note_analytics_erasure.action, 'analytics_person',
    note_analytics_erasure.actor_id::text, note_analytics_erasure.metadata
  );
end;
$$;

comment on function private.note_analytics_erasure is 'Writes the receipt into the audit log, under the actor''s id: no name, no number.';

create function private.erase_analytics_user(user_id text, anonymous_id text, reason text)
returns jsonb
language plpgsql
security definer -- deletes what no role may delete
set search_path = ''
as $$
declare
  v_actor_id constant uuid := private.analytics_actor_id(erase_analytics_user.user_id, erase_analytics_user.anonymous_id);
  v_receipt jsonb;
begin
  perform private.require_service_or_registered_operator();
  if (v_actor_id is not null and length(erase_analytics_user.reason) between 1 and 200) is not true then
    perform private.refuse('invalid_argument');
  end if;
  perform private.stop_analytics_writers();
  v_receipt := private.erase_analytics_actors(private.analytics_actors_of(v_actor_id), erase_analytics_user.reason);
  return v_receipt || jsonb_build_object(
    'receipt_id', private.note_analytics_erasure('analytics.erased', v_actor_id, v_receipt)
  );
end;
$$;

comment on function private.erase_analytics_user is 'The work of public.erase_analytics_user().';

create function public.erase_analytics_user(user_id text default null, anonymous_id text default null, reason text default 'erasure request')
returns jsonb
language plpgsql
set search_path = ''
set statement_timeout = '60s'
as $$
begin
  return private.erase_analytics_user(erase_analytics_user.user_id, erase_analytics_user.anonymous_id, erase_analytics_user.reason);
end;
$$;

comment on function public.erase_analytics_user is
  'For registered operators and the service: erases a person, given by user id or anonymous id, under every id that they are known by: events, archived ones too, facts, rejected items, links. '
  'Later events of theirs are refused. Answers the receipt that stands in the audit log: what went, and how many rows a count afterwards found (remaining, 0). Again, it finds nothing. '
  'Refuses: operator_required, invalid_argument.';
grant execute on function public.erase_analytics_user, private.erase_analytics_user to authenticated, service_role;

commit;
