begin;

create function private.whatsapp_lane_owner(message public.whatsapp_message_queue)
returns uuid
language plpgsql
stable
set search_path = ''
as $$
begin
  return coalesce(
    private.current_whatsapp_contact(message.recipient_kind, message.recipient_value),
    (select coalesce(contact.merged_into, contact.id) from public.whatsapp_contacts as contact where contact.id = message.contact_id)
  );
end;
$$;

comment on function private.whatsapp_lane_owner is
  'Whose a message is now: of who has the name that it was addressed to, else of the contact that its own has become.';

create function private.join_whatsapp_lanes(contact_id uuid, phone_number_id text)
returns void
language plpgsql
set search_path = ''
as $$
begin
  update public.whatsapp_message_queue as message set state = 'blocked', wait_reason = null, due_at = null
  where message.contact_id = join_whatsapp_lanes.contact_id and message.phone_number_id = join_whatsapp_lanes.phone_number_id
    and message.place is not null and message.state in ('ready', 'waiting');
  perform private.advance_whatsapp_lane(join_whatsapp_lanes.contact_id, join_whatsapp_lanes.phone_number_id);
end;
$$;

comment on function private.join_whatsapp_lanes is
  'Makes one queue of what came together in a lane, in the order of enqueuing. What is under way stays so. The caller holds the lane.';

create function private.move_whatsapp_sends(contact_ids uuid[])
returns void
language plpgsql
set search_path = ''
as $$
declare
  v_lane record;
begin
  for v_lane in
    select message.phone_number_id, message.contact_id as from_contact_id, owner.id as into_contact_id, array_agg(message.id) as ids
    from public.whatsapp_message_queue as message
    cross join lateral private.whatsapp_lane_owner(message) as owner (id)
    where message.contact_id = any(move_whatsapp_sends.contact_ids) and owner.id <> message.contact_id
    group by message.phone_number_id, message.contact_id, owner.id
    order by message.contact_id, owner.id
  loop
    perform private.lock_whatsapp_lane(side.contact_id, v_lane.phone_number_id)
    from (select unnest(array[v_lane.from_contact_id, v_lane.into_contact_id]) as contact_id order by 1) as side;
    update public.whatsapp_message_queue as message set contact_id = v_lane.into_contact_id where message.id = any(v_lane.ids);
    -- It may be one person that was written to under two names.
    update private.whatsapp_lanes as lane set paced_until = greatest(lane.paced_until, former.paced_until)
    from private.whatsapp_lanes as former
    where lane.contact_id = v_lane.into_contact_id and lane.phone_number_id = v_lane.phone_number_id
      and former.contact_id = v_lane.from_contact_id and former.phone_number_id = v_lane.phone_number_id;
    perform private.join_whatsapp_lanes(v_lane.into_contact_id, v_lane.phone_number_id);
    perform private.advance_whatsapp_lane(v_lane.from_contact_id, v_lane.phone_number_id);
  end loop;
end;
$$;

comment on function private.move_whatsapp_sends is
  'Takes what is to be sent after the names and contacts that have moved. The caller holds the contacts, those it moves to included.';

commit;
