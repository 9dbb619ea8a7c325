begin;

create function private.whatsapp_number_for(contact_id uuid)
returns text
language plpgsql
stable
set search_path = ''
as $$
declare
  v_number text;
begin
  select session.phone_number_id into v_number
  from public.whatsapp_sessions as session
  where session.contact_id = whatsapp_number_for.contact_id
  order by session.last_inbound_at desc nulls last, session.phone_number_id
  limit 1;
  if v_number is null then
    select number.phone_number_id into v_number from public.whatsapp_numbers as number order by number.phone_number_id limit 1;
  end if;
  return v_number;
end;
$$;

comment on function private.whatsapp_number_for is 'Which of our numbers writes to a contact: the one that they wrote to last, else the first that we know.';

create function private.whatsapp_notification_fault(words private.notification_words, phone_number_id text)
returns text
language plpgsql
stable
set search_path = ''
as $$
begin
  return case
    when whatsapp_notification_fault.phone_number_id is null then 'no number of ours is known'
    when private.whatsapp_payload_problems('text', private.whatsapp_notification_payload(whatsapp_notification_fault.words)) <> '[]'
      then 'the text does not fit'
    when (whatsapp_notification_fault.words).whatsapp_template is not null and private.whatsapp_payload_problems(
      'template', jsonb_build_object('template', (whatsapp_notification_fault.words).whatsapp_template)
    ) <> '[]' then 'the template does not fit'
  end;
end;
$$;

comment on function private.whatsapp_notification_fault is 'Why a notification cannot be handed to the WhatsApp queue at all, if anything.';

create function private.whatsapp_notification_payload(words private.notification_words)
returns jsonb
language plpgsql
immutable
set search_path = ''
as $$
begin
  return jsonb_build_object('text', jsonb_build_object('body', concat_ws(
    e'\n', '*' || nullif((whatsapp_notification_payload.words).title, '') || '*', (whatsapp_notification_payload.words).body
  )));
end;
$$;

comment on function private.whatsapp_notification_payload is 'The words as a WhatsApp text, the title in bold.';

create function private.in_language(template jsonb, phone_number_id text, locale text)
returns jsonb
language plpgsql
stable
set search_path = ''
as $$
begin
  return case when in_language.template ? 'language' then in_language.template
    else in_language.template || jsonb_build_object('language', jsonb_build_object('code', coalesce(
      private.whatsapp_template_language(in_language.phone_number_id, in_language.template ->> 'name', in_language.locale),
      replace(in_language.locale, '-', '_')
    )))
  end;
end;
$$;

comment on function private.in_language is 'A template in the language it names, else in the best of those that Meta has of it for the person.';

create function private.hand_to_whatsapp(
  delivery public.notification_deliveries,
  contact_id uuid,
  locale text,
  category public.notification_categories
)
returns void
language plpgsql
set search_path = ''
as $$
declare
  v_delivery constant public.notification_deliveries := hand_to_whatsapp.delivery;
  v_words private.notification_words := private.notification_words_of(v_delivery);
  v_number text := private.whatsapp_number_for(hand_to_whatsapp.contact_id);
  v_fault text;
  v_message_id uuid;
begin
  v_words.whatsapp_template := private.in_language(v_words.whatsapp_template, v_number, hand_to_whatsapp.locale);
  v_fault := private.whatsapp_notification_fault(v_words, v_number);
  if v_fault is not null then
    perform private.try_next_channel(
      private.with_outcome(v_delivery, 'failed', 'rejected', jsonb_build_object('detail', v_fault))
    );
    return;
  end if;
  select enqueued.message_id into v_message_id
  from public.enqueue_whatsapp_message(
    phone_number_id => v_number,
    message_type => 'text',
    message_payload => private.whatsapp_notification_payload(v_words),
    contact_id => hand_to_whatsapp.contact_id,
    priority => v_delivery.priority,
    fallback_template => v_words.whatsapp_template,
    category => (hand_to_whatsapp.category).whatsapp_category,
    expires_at => v_delivery.expires_at
  ) as enqueued;
  update public.notification_deliveries as handed set
    state = 'handed_over', whatsapp_message_id = v_message_id, lease_expires_at = null,
    scheduled_at = case when handed.is_critical then now() + interval '2 minutes' else 'infinity' end
  where handed.id = v_delivery.id;
end;
$$;

comment on function private.hand_to_whatsapp is
  'Puts a delivery into the WhatsApp queue, which knows windows, consent and limits. What is critical waits two minutes for it at most.';

create function private.run_notifications(max_count integer)
returns jsonb
language plpgsql
security definer -- the only writer of inboxes and deliveries
set search_path = ''
as $$
declare
  v_delivery public.notification_deliveries;
  v_category public.notification_categories;
  v_claimed public.claimed_notification;
  v_count integer := 0;
begin
  for v_delivery in select leased.* from private.lease_notifications('whatsapp', run_notifications.max_count, 60) as leased loop
    v_count := v_count + 1;
    perform private.continue_correlation(v_delivery.correlation_id);
    v_claimed := private.prepare_notification(v_delivery);
    if v_claimed.delivery_id is not null then
      select category.* into v_category from public.notification_categories as category where category.category = v_delivery.category;
      perform private.hand_to_whatsapp(v_delivery, (v_claimed.address ->> 'contact_id')::uuid, v_claimed.locale, v_category);
    end if;
  end loop;
  return jsonb_build_object('done', v_count, 'failed', 0, 'more', v_count = run_notifications.max_count);
end;
$$;

comment on function private.run_notifications is 'The work of public.run_notifications().';

create function public.run_notifications(max_count integer default 100)
returns jsonb
language plpgsql
set search_path = ''
set statement_timeout = '20s'
as $$
begin
  if (run_notifications.max_count between 1 and 500) is not true then
    perform private.refuse('invalid_argument', '{"argument": "max_count", "range": "1..500"}');
  end if;
  return private.run_notifications(run_notifications.max_count);
end;
$$;

comment on function public.run_notifications is
  'Hands due deliveries by WhatsApp to its queue; answers {"done", "failed", "more"}. Many at once do no harm. Refuses: invalid_argument.';
grant execute on function public.run_notifications, private.run_notifications to service_role;

create function private.withdraw_from_whatsapp(delivery public.notification_deliveries)
returns void
language plpgsql
set search_path = ''
as $$
begin
  -- Not if it is under way, or may be: then its outcome is awaited.
  if private.withdraw_whatsapp_message((withdraw_from_whatsapp.delivery).whatsapp_message_id) then
    perform private.try_next_channel(private.with_outcome(withdraw_from_whatsapp.delivery, 'failed', 'too_slow'));
    return;
  end if;
  update public.notification_deliveries as waiting set scheduled_at = now() + interval '1 minute'
  where waiting.id = (withdraw_from_whatsapp.delivery).id;
end;
$$;

comment on function private.withdraw_from_whatsapp is 'Takes a critical notification out of a WhatsApp queue that has not sent it in time, for the next channel.';

create function private.settle_handed_over_notifications(max_count integer)
returns integer
language plpgsql
set search_path = ''
as $$
declare
  v_delivery public.notification_deliveries;
  v_count integer := 0;
begin
  for v_delivery in
    select overdue.*
    from public.notification_deliveries as overdue
    where overdue.state = 'handed_over' and overdue.scheduled_at <= now()
    order by overdue.scheduled_at
    limit settle_handed_over_notifications.max_count
    for update skip locked
  loop
    v_count := v_count + 1;
    if not v_delivery.outcomes ? 'whatsapp' then
      perform private.withdraw_from_whatsapp(v_delivery);
    elsif v_delivery.is_critical and v_delivery.channels_left <> '{}' then
      perform private.try_next_channel(private.with_outcome(v_delivery, 'sent', 'undelivered'));
    else
      perform private.finish_notification_delivery(v_delivery, 'sent');
    end if;
  end loop;
  return v_count;
end;
$$;

comment on function private.settle_handed_over_notifications is
  'Ends the wait for WhatsApp: a usual notification that Meta took counts as sent after 15 minutes; a critical one that has not arrived in '
  'two goes out on the next channel as well, because that phone may be offline. Says how many were looked at.';

insert into private.schedule (name, cron, command) values
  ('settle-handed-over-notifications', '15 seconds', 'select private.settle_handed_over_notifications(500)');

commit;
