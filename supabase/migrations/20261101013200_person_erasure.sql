begin;

create type private.person_to_erase as (
  profile_id uuid,
  user_id uuid,
  phone text,
  names text[],
  contacts uuid[],
  sessions uuid[],
  messages uuid[]
);
comment on type private.person_to_erase is
  'All that a person is known by here. names: what Meta calls them, phone digits included; sessions: also those that gave way in a merger.';

create function private.leaves_with_archive(table_name text)
returns setof regclass
language plpgsql
stable
set search_path = ''
as $$
begin
  return query
  select leaves_with_archive.table_name::regclass
  union all
  select leaf.oid::regclass from pg_catalog.pg_class as leaf
  where leaf.relnamespace = 'archive'::regnamespace and leaf.relkind = 'r'
    and leaf.relname ~ ('^' || split_part(leaves_with_archive.table_name, '.', 2) || '_\d{4}_\d{2}$');
end;
$$;

comment on function private.leaves_with_archive is 'A table, and its months that are archived but not dropped.';

create function private.find_person(profile_id uuid)
returns private.person_to_erase
language plpgsql
stable
set search_path = ''
as $$
declare
  v_person private.person_to_erase;
  v_leaf regclass;
  v_found uuid[];
begin
  select profile.id, profile.user_id, profile.phone into v_person.profile_id, v_person.user_id, v_person.phone
  from public.profiles as profile where profile.id = find_person.profile_id;
  if not found then
    perform private.refuse('profile_not_found');
  end if;
  v_person.contacts := array(
    select contact.id from public.whatsapp_contacts as contact
    where contact.profile_id = v_person.profile_id
    union
    -- Most are known by their number alone.
    select contact.id from public.whatsapp_contacts as contact
    where contact.id = private.current_whatsapp_contact('wa_id', ltrim(v_person.phone, '+')) and contact.profile_id is null
  );
  v_person.contacts := v_person.contacts || array(
    select former.id from public.whatsapp_contacts as former where former.merged_into = any(v_person.contacts)
  );
  -- Not a number that somebody else has now, or had at another time.
  v_person.names := array(
    select identity.value from public.whatsapp_identities as identity
    where identity.contact_id = any(v_person.contacts) and not exists (
      select from public.whatsapp_identities as other
      where other.kind = identity.kind and other.value = identity.value and other.contact_id <> all(v_person.contacts)
    )
  );
  v_person.sessions := array(select session.id from public.whatsapp_sessions as session where session.contact_id = any(v_person.contacts));
  for v_leaf in select private.leaves_with_archive('public.whatsapp_session_transitions') loop
    execute format('select array_agg(merged_session_id) from %s where session_id = any($1) and merged_session_id is not null', v_leaf)
    into v_found using v_person.sessions;
    v_person.sessions := v_person.sessions || v_found;
  end loop;
  for v_leaf in select private.leaves_with_archive('public.whatsapp_messages') loop
    execute format('select array_agg(id) from %s where contact_id = any($1)', v_leaf) into v_found using v_person.contacts;
    v_person.messages := v_person.messages || v_found;
  end loop;
  return v_person;
end;
$$;

comment on function private.find_person is 'What a profile is known by. Refuses: profile_not_found.';

create function private.person_erasure_rules()
returns table (table_name text, change text, is_theirs text)
language sql
immutable
set search_path = ''
as $$
  values
    -- Whole deliveries: their items are stored apart, and what could not be stored of them is gone with the body.
    ('public.whatsapp_deliveries', $r$body = '', sanitised_body = null$r$, $r$
      body <> '' and exists (select from unnest(($1).names) as name where position(convert_to(name, 'UTF8') in body) > 0)$r$),
    ('public.whatsapp_events', null, $r$exists (select from unnest(($1).names) as name where position(name in payload::text) > 0)$r$),
    ('public.whatsapp_message_statuses', null, 'message_id = any(($1).messages)'),
    ('public.whatsapp_messages', null, 'contact_id = any(($1).contacts)'),
    ('public.whatsapp_message_queue', null, 'contact_id = any(($1).contacts)'),
    ('public.whatsapp_message_queue_history', null, 'contact_id = any(($1).contacts)'),
    ('private.conversation_commands', null, 'message_id = any(($1).messages)'),
    ('public.whatsapp_session_transitions', $r$context = '{}'$r$, $r$session_id = any(($1).sessions) and context <> '{}'$r$),
    ('public.whatsapp_sessions', $r$state = 'idle', context = '{}', expires_at = null, locale = null, version = version + 1$r$,
      $r$contact_id = any(($1).contacts) and (state <> 'idle' or context <> '{}' or locale is not null)$r$),
    ('public.whatsapp_openings', null, 'value = any(($1).names)'),
    ('public.whatsapp_contact_moves', null, 'from_contact_id = any(($1).contacts) or into_contact_id = any(($1).contacts)'),
    ('public.whatsapp_identity_links', null, 'value = any(($1).names) or linked_value = any(($1).names)'),
    ('public.whatsapp_identities', null, 'contact_id = any(($1).contacts)'),
    ('public.whatsapp_contacts', 'display_name = null, username = null, profile_id = null',
      'id = any(($1).contacts) and num_nonnulls(display_name, username, profile_id) > 0'),
    ('public.notifications', null, 'profile_id = ($1).profile_id'),
    ('public.notification_deliveries', null, 'profile_id = ($1).profile_id'),
    ('public.notification_preferences', null, 'profile_id = ($1).profile_id'),
    ('public.notification_settings', null, 'profile_id = ($1).profile_id'),
    ('public.push_endpoints', null, 'profile_id = ($1).profile_id'),
    ('public.locations', null, 'owner_id = ($1).profile_id'),
    ('public.drivers', 'is_online = false', 'profile_id = ($1).profile_id and is_online'),
    ('private.driver_positions', null, 'driver_id = ($1).profile_id'),
    -- A tenth of a degree is eleven kilometres: the district, for statistics.
    ('public.trips', $r$
      pickup_lat = round(pickup_lat::numeric, 1), pickup_lng = round(pickup_lng::numeric, 1), pickup_label = null,
      dropoff_lat = round(dropoff_lat::numeric, 1), dropoff_lng = round(dropoff_lng::numeric, 1), dropoff_label = null$r$, $r$
      rider_id = ($1).profile_id and (
        num_nonnulls(pickup_label, dropoff_label) > 0
        or (pickup_lat, pickup_lng, dropoff_lat, dropoff_lng) is distinct from (
          round(pickup_lat::numeric, 1)::double precision, round(pickup_lng::numeric, 1)::double precision,
          round(dropoff_lat::numeric, 1)::double precision, round(dropoff_lng::numeric, 1)::double precision
        )
      )$r$),
    ('public.trip_ratings', 'comment = null', $r$
      comment is not null and trip_id in (
        select trip.id from public.trips as trip
        where case rated_by when 'rider' then trip.rider_id else trip.driver_id end = ($1).profile_id
      )$r$),
    ('private.phone_link_codes', null, 'user_id = ($1).user_id or phone = ($1).phone'),
    ('public.phone_link_reviews', null, '($1).user_id in (user_id, held_by_user_id) or phone = ($1).phone'),
    ('public.profiles', 'phone = null, full_name = null, user_id = null',
      'id = ($1).profile_id and num_nonnulls(phone, full_name, user_id) > 0')
$$;

comment on function private.person_erasure_rules is
  'What is done with a person''s rows, table by table and in this order: changed so, or deleted (null). $1 is the private.person_to_erase. '
  'Payments and analytics have functions of their own; the ledger, trips'' ends, events, consents and the audit log stay.';

create function private.erase_rows_of(person private.person_to_erase, is_checked boolean)
returns jsonb
language plpgsql
set search_path = ''
as $$
declare
  v_rule record;
  v_leaf regclass;
  v_count bigint;
  v_counts jsonb := '{}';
begin
  for v_rule in select * from private.person_erasure_rules() loop
    for v_leaf in select private.leaves_with_archive(v_rule.table_name) loop
      if erase_rows_of.is_checked then
        execute format('select count(*) from %s where %s', v_leaf, v_rule.is_theirs) into v_count using erase_rows_of.person;
      else
        execute format(
          case when v_rule.change is null then 'delete from %1$s where %3$s' else 'update %1$s set %2$s where %3$s' end,
          v_leaf, v_rule.change, v_rule.is_theirs
        ) using erase_rows_of.person;
        get diagnostics v_count = row_count;
      end if;
      if v_count > 0 then
        v_counts := v_counts || jsonb_build_object(v_leaf::text, v_count);
      end if;
    end loop;
  end loop;
  return v_counts;
end;
$$;

comment on function private.erase_rows_of is 'Follows private.person_erasure_rules(), or counts what they would still find; says how many rows of which table.';

create function private.require_settled_person(profile_id uuid)
returns void
language plpgsql
stable
set search_path = ''
as $$
declare
  v_open text[] := array(
    select 'trips' where exists (
      select from public.trips as trip
      where require_settled_person.profile_id in (trip.rider_id, trip.driver_id) and trip.ended_at is null
    )
    union all
    select 'trip_series' where exists (
      select from public.trip_series as series where series.rider_id = require_settled_person.profile_id and series.ended_at is null
    )
    union all
    select 'transactions' where exists (
      select from public.transactions as stored
      where stored.profile_id = require_settled_person.profile_id and stored.status in ('pending', 'processing', 'unknown')
    )
    union all
    select 'wallet' where exists (
      select from public.wallet_accounts as account
      join public.wallet_balances as head on head.account_id = account.id
      where account.profile_id = require_settled_person.profile_id and (head.balance <> 0 or head.held <> 0)
    )
  );
begin
  if v_open <> '{}' then
    perform private.refuse('person_not_settled', jsonb_build_object('open', v_open));
  end if;
end;
$$;

comment on function private.require_settled_person is
  'Refuses to forget whom we still owe something, or who owes us: what is open is named. Refuses: person_not_settled.';

create function private.erase_person(profile_id uuid, reason text)
returns jsonb
language plpgsql
security definer -- changes what no role may change
set search_path = ''
as $$
declare
  v_person private.person_to_erase;
  v_actor record := private.current_actor();
  v_receipt jsonb;
begin
  perform private.require_service_or_registered_operator();
  if (length(erase_person.reason) between 1 and 200) is not true then
    perform private.refuse('invalid_argument');
  end if;
  perform from public.profiles as profile where profile.id = erase_person.profile_id for no key update;
  perform private.require_settled_person(erase_person.profile_id);
  v_person := private.find_person(erase_person.profile_id);
  v_receipt := jsonb_build_object('transactions', private.erase_payment_data(v_person.profile_id));
  v_receipt := v_receipt || jsonb_build_object('rows', private.erase_rows_of(v_person, false));
  v_receipt := v_receipt || jsonb_build_object('remaining', private.erase_rows_of(v_person, true));
  -- Last, as it keeps all who write analytics waiting until the end.
  v_receipt := v_receipt || jsonb_build_object('analytics', jsonb_strip_nulls(jsonb_build_object(
    'profile', private.erase_analytics_user(v_person.profile_id::text, null, erase_person.reason) -> 'remaining',
    'user', case when v_person.user_id is not null then
      private.erase_analytics_user(v_person.user_id::text, null, erase_person.reason) -> 'remaining'
    end
  )));
  return v_receipt || jsonb_build_object('receipt_id', private.log_audit_event(
    v_actor.actor_type, v_actor.actor_identifier, 'person.erased', 'profiles', v_person.profile_id::text,
    v_receipt || jsonb_build_object('reason', erase_person.reason)
  ));
end;
$$;

comment on function private.erase_person is 'The work of public.erase_person().';

create function public.erase_person(profile_id uuid, reason text default 'erasure request')
returns jsonb
language plpgsql
set search_path = ''
set statement_timeout = '10min'
as $$
begin
  return private.erase_person(erase_person.profile_id, erase_person.reason);
end;
$$;

comment on function public.erase_person is
  'For registered operators and the service: forgets a person, archived months included: messages and deliveries of WhatsApp, names and numbers, conversations, inbox, devices, '
  'saved places, the places of trips, comments, payments'' numbers (as erase_payment_data()), analytics (as erase_analytics_user()). What stays: the ledger and amounts, that a trip took place and in which '
  'district, a driver''s vehicle, consents, the audit log. Answers the receipt that stands in the audit log: how many rows of which table, and what a count afterwards still found (remaining, empty). '
  'Their user of Supabase Auth is for the Admin API to delete. Refuses: operator_required, invalid_argument, profile_not_found, person_not_settled (open trips, payments, money in the wallet).';
grant execute on function public.erase_person, private.erase_person to authenticated, service_role;

commit;
