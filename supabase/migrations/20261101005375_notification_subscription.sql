begin;

create function private.note_whatsapp_outcome(message_id uuid, outcome text, reason text)
returns void
language plpgsql
set search_path = ''
as $$
declare
  v_delivery public.notification_deliveries;
begin
  select delivery.* into v_delivery
  from public.notification_deliveries as delivery
  where delivery.whatsapp_message_id = note_whatsapp_outcome.message_id and delivery.state = 'handed_over'
  for update;
  if not found then
    return;
  end if;
  perform private.continue_correlation(v_delivery.correlation_id);
  case note_whatsapp_outcome.outcome
    when 'sent' then
      update public.notification_deliveries as sent set
        outcomes = (private.with_outcome(v_delivery, 'sent', null)).outcomes,
        scheduled_at = now() + case when sent.is_critical then interval '2 minutes' else interval '15 minutes' end
      where sent.id = v_delivery.id;
    when 'failed' then
      perform private.try_next_channel(private.with_outcome(v_delivery, 'failed', note_whatsapp_outcome.reason));
    else
      perform private.finish_notification_delivery(private.with_outcome(v_delivery, 'delivered', null), 'sent');
  end case;
end;
$$;

comment on function private.note_whatsapp_outcome is
  'What became of a message that a notification was handed to: delivered or read ends it, failed lets the next channel try, sent waits for either.';

create function private.follow_whatsapp_notifications(events public.event_store[])
returns void
language plpgsql
set search_path = ''
as $$
declare
  v_event public.event_store;
  v_message_id text;
begin
  foreach v_event in array follow_whatsapp_notifications.events loop
    v_message_id := case when v_event.aggregate_type = 'whatsapp_outbound' then v_event.aggregate_id
      else v_event.payload ->> 'callback_data' end;
    if pg_input_is_valid(v_message_id, 'uuid') then
      perform private.note_whatsapp_outcome(
        v_message_id::uuid, split_part(v_event.event_type, '.', 2), v_event.payload ->> 'failure_reason'
      );
    end if;
  end loop;
end;
$$;

comment on function private.follow_whatsapp_notifications is
  'Brings what became of messages to the notifications that they are: taken by Meta or not (whatsapp_outbound), arrived or seen (whatsapp_message).';

select private.register_subscription(
  'whatsapp_notifications', 'private.follow_whatsapp_notifications(public.event_store[])',
  event_types => '{whatsapp_outbound.sent,whatsapp_outbound.failed,whatsapp_message.delivered,whatsapp_message.read}'
);

commit;
