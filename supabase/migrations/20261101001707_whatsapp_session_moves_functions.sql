begin;

create function private.merge_whatsapp_sessions(from_contact_id uuid, into_contact_id uuid)
returns void
language plpgsql
set search_path = ''
as $$
declare
  v_pair record;
  v_loser public.whatsapp_sessions;
begin
  perform from public.whatsapp_sessions as session
  where session.contact_id in (merge_whatsapp_sessions.from_contact_id, merge_whatsapp_sessions.into_contact_id)
  order by session.contact_id, session.phone_number_id
  for update;

  for v_pair in
    select ranked.ids[1] as winner_id, ranked.ids[2] as loser_id
    from (
      select array_agg(session.id order by
        greatest(session.last_inbound_at, session.last_outbound_at) desc nulls last,
        session.contact_id = merge_whatsapp_sessions.into_contact_id desc) as ids
      from public.whatsapp_sessions as session
      where session.contact_id in (merge_whatsapp_sessions.from_contact_id, merge_whatsapp_sessions.into_contact_id)
      group by session.phone_number_id
    ) as ranked
    where cardinality(ranked.ids) = 2
  loop
    delete from public.whatsapp_sessions as loser where loser.id = v_pair.loser_id returning * into v_loser;
    with winner as (
      update public.whatsapp_sessions as winner set
        locale = coalesce(winner.locale, v_loser.locale),
        last_inbound_at = greatest(winner.last_inbound_at, v_loser.last_inbound_at),
        window_expires_at = greatest(winner.window_expires_at, v_loser.window_expires_at),
        last_outbound_at = greatest(winner.last_outbound_at, v_loser.last_outbound_at),
        noted_outbound_at = greatest(winner.noted_outbound_at, v_loser.noted_outbound_at),
        referred_at = greatest(winner.referred_at, v_loser.referred_at),
        free_entry_expires_at = greatest(winner.free_entry_expires_at, v_loser.free_entry_expires_at)
      where winner.id = v_pair.winner_id
      returning winner.*
    )
    insert into public.whatsapp_session_transitions (session_id, reason, from_state, to_state, version, context, merged_session_id)
    select winner.id, 'merged', v_loser.state, winner.state, winner.version, winner.context, v_loser.id
    from winner;
  end loop;

  update public.whatsapp_sessions as session set contact_id = merge_whatsapp_sessions.into_contact_id
  where session.contact_id = merge_whatsapp_sessions.from_contact_id;
  perform private.count_free_entries(array(
    select session.id from public.whatsapp_sessions as session
    where session.contact_id = merge_whatsapp_sessions.into_contact_id
  ));
end;
$$;

comment on function private.merge_whatsapp_sessions is
  'Makes one session per number of those of two contacts: the later active one goes on with its id, state and version, and takes the later '
  'of the windows. Called by the merger of the contacts, which holds both and has set merged_into.';

create function private.recount_whatsapp_sessions(contact_ids uuid[])
returns void
language plpgsql
set search_path = ''
as $$
declare
  v_since timestamptz := now() - interval '37 days';
  -- A variable, so that partitions are ruled out when the query is planned.
  v_floor uuid := private.uuid_v7_floor(v_since);
  v_session_ids uuid[];
begin
  with facts (contact_id, phone_number_id, inbound_at, outbound_at, referred_at, free_entry_expires_at) as (
    -- Messages keep the contact they came with, when it is merged into another.
    select coalesce(member.merged_into, member.id), message.phone_number_id,
      case when message.direction = 'inbound' then message.sent_at end,
      case when message.direction = 'outbound' then message.sent_at end,
      case when message.direction = 'inbound' and message.payload ? 'referral' then message.sent_at end,
      -- Which of the noted messages was the answer is not known any more.
      case when message.payload ? 'referral' then (
        select session.free_entry_expires_at from public.whatsapp_sessions as session
        where session.contact_id = coalesce(member.merged_into, member.id) and session.phone_number_id = message.phone_number_id
          and session.free_entry_expires_at = message.sent_at + interval '72 hours' and session.noted_outbound_at >= message.sent_at
      ) end
    from public.whatsapp_contacts as member
    join public.whatsapp_messages as message on message.contact_id = member.id and message.id >= v_floor
    where (member.id = any(recount_whatsapp_sessions.contact_ids) or member.merged_into = any(recount_whatsapp_sessions.contact_ids))
      and message.origin in ('live', 'echo') and private.is_whatsapp_chat(message.payload)
      and message.sent_at < message.created_at + interval '1 hour'
    union all
    select identity.contact_id, opening.phone_number_id,
      case when not opening.is_free_entry then opening.occurred_at end, null, null,
      case when opening.is_free_entry then opening.expires_at end
    from public.whatsapp_identities as identity
    join public.whatsapp_openings as opening on opening.kind = identity.kind and opening.value = identity.value
      and opening.occurred_at >= identity.valid_from and (identity.valid_to is null or opening.occurred_at < identity.valid_to)
    where identity.contact_id = any(recount_whatsapp_sessions.contact_ids)
    union all
    -- What cannot be counted anew stays: what was noted for the contact, and times so old that nothing is open on their account.
    select session.contact_id, session.phone_number_id,
      case when session.last_inbound_at < v_since then session.last_inbound_at end,
      greatest(session.noted_outbound_at, case when session.last_outbound_at < v_since then session.last_outbound_at end),
      case when session.referred_at < v_since then session.referred_at end,
      case when session.free_entry_expires_at < v_since then session.free_entry_expires_at end
    from public.whatsapp_sessions as session
    where session.contact_id = any(recount_whatsapp_sessions.contact_ids)
  ),
  recounted as (
    insert into public.whatsapp_sessions as session (
      contact_id, phone_number_id, last_inbound_at, window_expires_at, last_outbound_at, referred_at, free_entry_expires_at
    )
    select facts.contact_id, facts.phone_number_id, max(facts.inbound_at), max(facts.inbound_at) + interval '24 hours',
      max(facts.outbound_at), max(facts.referred_at), max(facts.free_entry_expires_at)
    from facts
    group by facts.contact_id, facts.phone_number_id
    order by facts.contact_id, facts.phone_number_id
    on conflict on constraint whatsapp_sessions_contact_id_phone_number_id_key do update set
      last_inbound_at = excluded.last_inbound_at,
      window_expires_at = excluded.window_expires_at,
      last_outbound_at = excluded.last_outbound_at,
      referred_at = excluded.referred_at,
      free_entry_expires_at = excluded.free_entry_expires_at
    returning session.id
  )
  select array_agg(recounted.id) into v_session_ids from recounted;
  perform private.count_free_entries(v_session_ids);
end;
$$;

comment on function private.recount_whatsapp_sessions is
  'Tells the windows of these contacts anew, after messages or calls of theirs proved to be another''s: from what is stored of the last 37 '
  'days. State, version, context and language stay as they are. The caller holds the contacts, none of them merged.';

commit;
