begin;

create function private.update_whatsapp_session_activity(
  phone_number_id text,
  contact_id uuid,
  outbound_at timestamptz,
  locale text
)
returns public.whatsapp_sessions
language plpgsql
security definer -- the only writer of sessions
set search_path = ''
as $$
declare
  v_contact_id uuid := private.lock_whatsapp_contacts(
    jsonb_build_object('contact', update_whatsapp_session_activity.contact_id)
  ) ->> 'contact';
  v_session public.whatsapp_sessions;
begin
  if not exists (select from public.whatsapp_contacts as contact where contact.id = v_contact_id) then
    perform private.refuse('contact_not_found');
  end if;

  insert into public.whatsapp_sessions as session (contact_id, phone_number_id, last_outbound_at, noted_outbound_at, locale)
  values (
    v_contact_id, update_whatsapp_session_activity.phone_number_id,
    update_whatsapp_session_activity.outbound_at, update_whatsapp_session_activity.outbound_at, update_whatsapp_session_activity.locale
  )
  on conflict on constraint whatsapp_sessions_contact_id_phone_number_id_key do update set
    last_outbound_at = greatest(session.last_outbound_at, excluded.last_outbound_at),
    noted_outbound_at = greatest(session.noted_outbound_at, excluded.noted_outbound_at),
    locale = coalesce(excluded.locale, session.locale)
  returning * into v_session;

  if v_session.referred_at > update_whatsapp_session_activity.outbound_at - interval '24 hours' then
    perform private.count_free_entries(array[v_session.id]);
    select * into v_session from public.whatsapp_sessions as session where session.id = v_session.id;
  end if;
  return v_session;
end;
$$;

comment on function private.update_whatsapp_session_activity is 'The work of public.update_whatsapp_session_activity().';

create function public.update_whatsapp_session_activity(
  phone_number_id text,
  contact_id uuid,
  outbound_at timestamptz default null,
  locale text default null
)
returns public.whatsapp_sessions
language plpgsql
set search_path = ''
set statement_timeout = '5s'
as $$
declare
  v_fault text := case
    when (length(update_whatsapp_session_activity.phone_number_id) between 1 and 64) is not true then 'phone_number_id'
    when update_whatsapp_session_activity.outbound_at >= now() + interval '1 hour' then 'outbound_at'
    when update_whatsapp_session_activity.locale not in ('en', 'fr', 'rw', 'sw') then 'locale'
  end;
begin
  if v_fault is not null then
    perform private.refuse('invalid_argument', jsonb_build_object('argument', v_fault));
  end if;
  return private.update_whatsapp_session_activity(
    update_whatsapp_session_activity.phone_number_id,
    update_whatsapp_session_activity.contact_id,
    update_whatsapp_session_activity.outbound_at,
    update_whatsapp_session_activity.locale
  );
end;
$$;

comment on function public.update_whatsapp_session_activity is
  'Notes that we wrote to a contact (outbound_at) or which language it chose (locale), and gives its session, made if there is none. '
  'Null leaves what is there; an earlier time changes nothing; the version stays. What comes in is noted by the ingest itself. '
  'Refuses: invalid_argument, contact_not_found.';
grant execute on function public.update_whatsapp_session_activity, private.update_whatsapp_session_activity to service_role;

create function private.transition_whatsapp_session(
  session_id uuid,
  expected_version integer,
  state text,
  context jsonb,
  expires_in interval
)
returns public.whatsapp_sessions
language plpgsql
security definer -- the only writer of sessions and of their history
set search_path = ''
as $$
declare
  v_session public.whatsapp_sessions;
  v_from_state text;
begin
  select * into v_session
  from public.whatsapp_sessions as session
  where session.id = transition_whatsapp_session.session_id
  for update;
  if not found then
    perform private.refuse('session_not_found');
  end if;
  if v_session.version is distinct from transition_whatsapp_session.expected_version then
    perform private.refuse('session_version_conflict', jsonb_build_object('current_version', v_session.version));
  end if;

  v_from_state := v_session.state;
  update public.whatsapp_sessions as session set
    state = transition_whatsapp_session.state,
    version = session.version + 1,
    context = transition_whatsapp_session.context,
    expires_at = case when transition_whatsapp_session.state <> 'idle' then now() + transition_whatsapp_session.expires_in end
  where session.id = v_session.id
  returning * into v_session;
  insert into public.whatsapp_session_transitions (session_id, reason, from_state, to_state, version, context)
  values (v_session.id, 'requested', v_from_state, v_session.state, v_session.version, v_session.context);
  return v_session;
end;
$$;

comment on function private.transition_whatsapp_session is 'The work of public.transition_whatsapp_session().';

create function public.transition_whatsapp_session(
  session_id uuid,
  expected_version integer,
  state text,
  context jsonb,
  expires_in interval default null
)
returns public.whatsapp_sessions
language plpgsql
set search_path = ''
set statement_timeout = '5s'
as $$
declare
  v_fault text := case
    when pg_input_is_valid(transition_whatsapp_session.state, 'private.whatsapp_session_state') is not true then 'state'
    when pg_input_is_valid(transition_whatsapp_session.context::text, 'private.whatsapp_session_context') is not true then 'context'
    when transition_whatsapp_session.expires_in not between interval '1 second' and interval '30 days' then 'expires_in'
  end;
begin
  if v_fault is not null then
    perform private.refuse('invalid_argument', jsonb_build_object('argument', v_fault));
  end if;
  return private.transition_whatsapp_session(
    transition_whatsapp_session.session_id,
    transition_whatsapp_session.expected_version,
    transition_whatsapp_session.state,
    transition_whatsapp_session.context,
    transition_whatsapp_session.expires_in
  );
end;
$$;

comment on function public.transition_whatsapp_session is
  'Moves a session to another state, with another context, if nobody has moved it since that version: of two writers one wins and the '
  'other is told. '
  'The state is given up after expires_in (1 second to 30 days; null: never, and idle never expires). '
  'Every transition is kept in whatsapp_session_transitions. Refuses: invalid_argument, session_not_found, session_version_conflict.';
grant execute on function public.transition_whatsapp_session, private.transition_whatsapp_session to service_role;

create function private.cleanup_expired_whatsapp_sessions(max_count integer)
returns integer
language plpgsql
security definer -- the only writer of sessions and of their history
set search_path = ''
as $$
declare
  v_count integer;
begin
  with expired as (
    select session.id, session.state
    from public.whatsapp_sessions as session
    where session.expires_at <= now()
    order by session.expires_at
    limit cleanup_expired_whatsapp_sessions.max_count
    for update skip locked
  ),
  reset as (
    update public.whatsapp_sessions as session
    set state = 'idle', version = session.version + 1, context = '{}', expires_at = null
    from expired
    where session.id = expired.id
    returning session.id, expired.state as from_state, session.state, session.version, session.context
  )
  insert into public.whatsapp_session_transitions (session_id, reason, from_state, to_state, version, context)
  select reset.id, 'expired', reset.from_state, reset.state, reset.version, reset.context
  from reset;
  get diagnostics v_count = row_count;
  return v_count;
end;
$$;

comment on function private.cleanup_expired_whatsapp_sessions is 'The work of public.cleanup_expired_whatsapp_sessions().';

create function public.cleanup_expired_whatsapp_sessions(max_count integer default 1000)
returns integer
language plpgsql
set search_path = ''
set statement_timeout = '30s'
as $$
begin
  if (cleanup_expired_whatsapp_sessions.max_count between 1 and 10000) is not true then
    perform private.refuse('invalid_argument', '{"argument": "max_count", "range": "1..10000"}');
  end if;
  return private.cleanup_expired_whatsapp_sessions(cleanup_expired_whatsapp_sessions.max_count);
end;
$$;

comment on function public.cleanup_expired_whatsapp_sessions is
  'Makes sessions idle whose state has expired, the longest expired first, at most that many; says how many. Those that somebody works on are '
  'left for the next time. Run by the schedule, every minute. Refuses: invalid_argument.';
grant execute on function public.cleanup_expired_whatsapp_sessions, private.cleanup_expired_whatsapp_sessions to service_role;

insert into private.schedule (name, cron, command) values
  ('cleanup-expired-whatsapp-sessions', '* * * * *', 'select public.cleanup_expired_whatsapp_sessions(10000)'),
  ('purge-whatsapp-openings', '55 0 * * *', 'delete from public.whatsapp_openings where kept_until < now()');

commit;
