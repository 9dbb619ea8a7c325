begin;

create function private.lock_whatsapp_lane(contact_id uuid, phone_number_id text)
returns private.whatsapp_lanes
language plpgsql
set search_path = ''
as $$
declare
  v_lane private.whatsapp_lanes;
begin
  loop
    select * into v_lane
    from private.whatsapp_lanes as lane
    where lane.contact_id = lock_whatsapp_lane.contact_id and lane.phone_number_id = lock_whatsapp_lane.phone_number_id
    for update;
    if found then
      return v_lane;
    end if;
    insert into private.whatsapp_lanes (contact_id, phone_number_id)
    values (lock_whatsapp_lane.contact_id, lock_whatsapp_lane.phone_number_id)
    on conflict on constraint whatsapp_lanes_pkey do nothing;
  end loop;
end;
$$;

comment on function private.lock_whatsapp_lane is
  'Locks a lane until the transaction ends, made if there is none. Lanes come after contacts and sessions in everybody''s order of locks, '
  'and before the rows of the queue. Who takes more than one holds their contacts.';

create function private.lock_whatsapp_send(message_id uuid)
returns public.whatsapp_message_queue
language plpgsql
set search_path = ''
as $$
declare
  v_message public.whatsapp_message_queue;
  v_contact_id uuid;
begin
  loop
    select message.* into v_message
    from public.whatsapp_message_queue as message
    where message.id = lock_whatsapp_send.message_id;
    if not found then
      return null;
    end if;
    v_contact_id := v_message.contact_id;
    perform private.lock_whatsapp_lane(v_contact_id, v_message.phone_number_id);
    select message.* into v_message
    from public.whatsapp_message_queue as message
    where message.id = lock_whatsapp_send.message_id
    for update;
    -- Moved to another lane while we waited: that one is to be locked.
    exit when not found or v_message.contact_id = v_contact_id;
  end loop;
  return v_message;
end;
$$;

comment on function private.lock_whatsapp_send is 'Locks a message of the queue and its lane; null if it is not in the queue.';

create function private.place_in_whatsapp_lane(message public.whatsapp_message_queue)
returns public.whatsapp_message_queue
language plpgsql
set search_path = ''
as $$
begin
  message.state := 'ready';
  message.due_at := null;
  message.wait_reason := null;
  if message.ordering = 'none' then
    return message;
  end if;
  if exists (
    select from public.whatsapp_message_queue as earlier
    where earlier.contact_id = message.contact_id and earlier.phone_number_id = message.phone_number_id
      and earlier.place is not null
  ) then
    message.state := 'blocked';
  end if;
  message.place := nextval('private.whatsapp_lane_places');
  return message;
end;
$$;

comment on function private.place_in_whatsapp_lane is
  'Gives a message the last place of its lane: ready if it is the only one. The caller holds the lane and writes the row.';

create function private.advance_whatsapp_lane(contact_id uuid, phone_number_id text)
returns void
language plpgsql
set search_path = ''
as $$
begin
  update public.whatsapp_message_queue as message set state = 'ready'
  where message.state = 'blocked' and message.id = (
    select first.id from public.whatsapp_message_queue as first
    where first.contact_id = advance_whatsapp_lane.contact_id
      and first.phone_number_id = advance_whatsapp_lane.phone_number_id
      and first.place is not null
    order by first.place
    limit 1
  );
end;
$$;

comment on function private.advance_whatsapp_lane is 'Lets the first of a lane go, unless it is under way. The caller holds the lane.';

create function private.whatsapp_pair_free_at(paced_until timestamptz)
returns timestamptz
language plpgsql
immutable
set search_path = ''
as $$
declare
  v_rules record := private.whatsapp_sending_rules();
begin
  return whatsapp_pair_free_at.paced_until - v_rules.pair_interval * (v_rules.pair_burst - 1);
end;
$$;

comment on function private.whatsapp_pair_free_at is 'When the pair limit lets the next message of a lane go.';

create function private.tell_whatsapp_send(message public.whatsapp_message_queue, event_type text)
returns void
language plpgsql
set search_path = ''
as $$
declare
  v_news private.new_event;
begin
  v_news.aggregate_type := 'whatsapp_outbound';
  v_news.aggregate_id := message.id;
  v_news.event_type := tell_whatsapp_send.event_type;
  v_news.correlation_id := message.correlation_id;
  v_news.payload := jsonb_strip_nulls(jsonb_build_object(
    'contact_id', message.contact_id, 'phone_number_id', message.phone_number_id, 'message_type', message.message_type,
    'is_fallback', message.is_fallback, 'message_id', message.message_id, 'failure_reason', message.failure_reason
  ));
  perform private.record_events(array[v_news]);
end;
$$;

comment on function private.tell_whatsapp_send is
  'Tells the event store that a message was taken by Meta (whatsapp_outbound.sent) or will not be sent (whatsapp_outbound.failed): what whoever '
  'enqueued it may wait for. How far it got after that is in whatsapp_message_statuses, up to four for each message; that it was enqueued '
  'or cancelled the caller knows.';

create function private.finish_whatsapp_send(
  message public.whatsapp_message_queue,
  state public.whatsapp_queue_state,
  failure_reason public.whatsapp_failure_reason default null
)
returns void
language plpgsql
set search_path = ''
as $$
begin
  message.state := finish_whatsapp_send.state;
  message.failure_reason := finish_whatsapp_send.failure_reason;
  message.wait_reason := null;
  message.due_at := null;
  message.place := null;
  delete from public.whatsapp_message_queue as finished where finished.id = message.id;
  insert into public.whatsapp_message_queue_history select (message).*, now();
  perform private.advance_whatsapp_lane(message.contact_id, message.phone_number_id);
  if message.state = 'failed' then
    perform private.tell_whatsapp_send(message, 'whatsapp_outbound.failed');
  end if;
end;
$$;

comment on function private.finish_whatsapp_send is
  'Moves a message out of the queue into its history and lets its lane go on. The caller holds the lane and the row.';

create function private.reopen_whatsapp_send(message_id uuid)
returns public.whatsapp_message_queue
language plpgsql
set search_path = ''
as $$
declare
  v_finished public.whatsapp_message_queue_history;
  v_message public.whatsapp_message_queue;
begin
  delete from public.whatsapp_message_queue_history as finished
  where finished.id = reopen_whatsapp_send.message_id
  returning * into v_finished;
  if not found then
    return null;
  end if;
  v_message := jsonb_populate_record(null::public.whatsapp_message_queue, to_jsonb(v_finished) - 'finished_at');
  v_message.state := 'unknown';
  v_message.failure_reason := null;
  v_message.unknown_at := now();
  v_message.due_at := now();
  -- Who holds it now may be another contact than then.
  v_message.contact_id := (
    select coalesce(contact.merged_into, contact.id) from public.whatsapp_contacts as contact where contact.id = v_message.contact_id
  );
  insert into public.whatsapp_message_queue select (v_message).*;
  return private.lock_whatsapp_send(v_message.id);
end;
$$;

comment on function private.reopen_whatsapp_send is
  'Takes a message back from the history into the queue, outside of its lane, for the caller to decide what becomes of it. '
  'Null if it is not in the history.';

commit;
