begin;

create function private.is_for_conversation(event public.event_store)
returns boolean
language plpgsql
stable
set search_path = ''
as $$
declare
  v_message public.whatsapp_messages;
begin
  if event.payload ->> 'contact_id' is null or event.payload ->> 'type' in ('reaction', 'system', 'edit', 'revoke') then
    return false;
  end if;
  select message.* into v_message
  from public.whatsapp_messages as message
  where message.id = (event.payload ->> 'message_id')::uuid;
  return v_message.group_id is null
    -- Six digits answer a code of phone_link_codes, which the ingest has judged already.
    and coalesce(v_message.payload -> 'text' ->> 'body', '') !~ '^\s*\d{6}\s*$'
    and exists (
      select from public.conversation_numbers as number
      where number.phone_number_id = v_message.phone_number_id and number.is_enabled
        -- Meta's times are whole seconds.
        and v_message.sent_at >= number.enabled_at - interval '1 second'
    );
end;
$$;

comment on function private.is_for_conversation is
  'Whether the bot answers a message: said to us by one person, in words or taps, at a number where it is switched on.';

create function private.hear_messages(events public.event_store[])
returns void
language plpgsql
set search_path = ''
as $$
declare
  v_event public.event_store;
begin
  foreach v_event in array hear_messages.events loop
    if private.is_for_conversation(v_event) then
      perform private.continue_correlation(v_event.correlation_id);
      perform private.enqueue_message(
        'conversation', 'heard',
        jsonb_build_object(
          'message_id', v_event.payload ->> 'message_id', 'contact_id', v_event.payload ->> 'contact_id',
          'phone_number_id', v_event.payload ->> 'phone_number_id'
        ),
        5, null, 'heard ' || (v_event.payload ->> 'message_id'), v_event.payload ->> 'contact_id', null, null
      );
    end if;
  end loop;
end;
$$;

comment on function private.hear_messages is 'Puts what people write into the queue of the conversation, in the lane of their contact.';

create function private.conversation_session_of(profile_id uuid)
returns public.whatsapp_sessions
language plpgsql
stable
set search_path = ''
as $$
declare
  v_session public.whatsapp_sessions;
begin
  select session.* into v_session
  from public.profiles as profile
  join public.whatsapp_identities as identity
    on identity.kind = 'wa_id' and identity.value = substr(profile.phone, 2) and identity.valid_to is null
  join public.whatsapp_sessions as session on session.contact_id = identity.contact_id
  join public.conversation_numbers as number on number.phone_number_id = session.phone_number_id and number.is_enabled
  where profile.id = conversation_session_of.profile_id
  order by session.last_inbound_at desc nulls last
  limit 1;
  return v_session;
end;
$$;

comment on function private.conversation_session_of is
  'The conversation in which somebody wrote to us last; null for who never did.';

create function private.trip_news_readers(payload jsonb, event_type text)
returns uuid[]
language plpgsql
immutable
set search_path = ''
as $$
declare
  v_rider constant text := trip_news_readers.payload ->> 'rider_id';
  v_driver constant text := trip_news_readers.payload ->> 'driver_id';
  v_by constant text := trip_news_readers.payload ->> 'cancelled_by';
begin
  return array(
    select reader.id::uuid
    from unnest(case trip_news_readers.event_type
      when 'trip.offered' then array(select jsonb_array_elements_text(trip_news_readers.payload -> 'driver_ids'))
      -- Whoever cancels in the chat is answered there.
      when 'trip.cancelled' then array[case when v_by is distinct from 'rider' then v_rider end, case when v_by is distinct from 'driver' then v_driver end]
      else array[v_rider]
    end) as reader (id)
    where reader.id is not null
  );
end;
$$;

comment on function private.trip_news_readers is 'Who is to hear of an event of a trip: profiles.';

create function private.receipt_footer(profile_id uuid)
returns text
language plpgsql
set search_path = ''
as $$
declare
  v_environment constant text := private.default_flag_environment();
begin
  if not public.is_feature_enabled(
    'trips.receipt_footer', jsonb_build_object('targetingKey', receipt_footer.profile_id), v_environment
  ) then
    return null;
  end if;
  return private.get_public_configs('trips', v_environment) #>> '{entries,receipt_footer,value}';
end;
$$;

comment on function private.receipt_footer is
  'The line under somebody''s receipt: what is configured as trips/receipt_footer, where the flag trips.receipt_footer is on; otherwise null.';

create function private.tell_trip_news(events public.event_store[])
returns void
language plpgsql
set search_path = ''
as $$
declare
  v_event public.event_store;
  v_profile_id uuid;
  v_session public.whatsapp_sessions;
begin
  foreach v_event in array tell_trip_news.events loop
    foreach v_profile_id in array private.trip_news_readers(v_event.payload, v_event.event_type) loop
      v_session := private.conversation_session_of(v_profile_id);
      continue when v_session.id is null;
      perform private.continue_correlation(v_event.correlation_id);
      perform private.enqueue_message(
        'conversation', 'told',
        jsonb_build_object(
          'event', v_event.event_type, 'trip_id', v_event.payload ->> 'trip_id', 'profile_id', v_profile_id,
          'contact_id', v_session.contact_id, 'phone_number_id', v_session.phone_number_id,
          'amount', v_event.payload ->> 'amount_due', 'currency', v_event.payload ->> 'currency',
          'footer', case when v_event.event_type = 'trip.paid' then private.receipt_footer(v_profile_id) end
        ),
        5, null, concat_ws(' ', 'told', v_event.id, v_profile_id), v_session.contact_id::text, null, null
      );
    end loop;
  end loop;
end;
$$;

comment on function private.tell_trip_news is 'Puts what happens to trips into the queue of the conversation, for riders and drivers who write to us.';

select private.register_subscription(
  'conversation_messages', 'private.hear_messages(public.event_store[])', event_types => '{whatsapp_message.received}'
);
select private.register_subscription(
  'conversation_trips', 'private.tell_trip_news(public.event_store[])',
  event_types => '{trip.offered,trip.accepted,trip.returned,trip.arrived,trip.started,trip.completed,trip.cancelled,trip.expired,trip.paid,trip.payment_asked,trip.payment_failed}'
);

commit;
