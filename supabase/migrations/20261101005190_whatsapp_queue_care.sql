begin;

create function private.tend_whatsapp_message(message public.whatsapp_message_queue)
returns void
language plpgsql
set search_path = ''
as $$
begin
  if message.state = 'sent' then
    perform private.finish_whatsapp_send(message, 'sent');
  elsif message.state = 'unknown' then
    perform private.decide_whatsapp_send(message);
  elsif message.state = 'sending' then
    perform private.doubt_whatsapp_send(message.id, null);
  elsif message.expires_at <= now() then
    perform private.finish_whatsapp_send(message, 'failed', 'expired');
  elsif message.state = 'scheduled' then
    message := private.place_in_whatsapp_lane(message);
    update public.whatsapp_message_queue as placed
    set state = message.state, place = message.place, due_at = null
    where placed.id = message.id;
  elsif message.state = 'waiting' then
    update public.whatsapp_message_queue as placed set state = 'ready', wait_reason = null, due_at = null where placed.id = message.id;
  end if;
end;
$$;

comment on function private.tend_whatsapp_message is 'Does what is due about one message. The caller holds the lane and the row.';

create function private.tend_whatsapp_queue(max_count integer)
returns integer
language plpgsql
security definer -- writes the queue, which no role may write
set search_path = ''
as $$
declare
  v_message public.whatsapp_message_queue;
  v_count integer := 0;
begin
  for v_message in
    select message.*
    from public.whatsapp_message_queue as message
    join private.whatsapp_lanes as lane using (contact_id, phone_number_id)
    where message.due_at <= now()
    order by message.due_at
    limit tend_whatsapp_queue.max_count
    for update skip locked
  loop
    perform private.tend_whatsapp_message(v_message);
    v_count := v_count + 1;
  end loop;
  for v_message in
    select message.*
    from public.whatsapp_message_queue as message
    join private.whatsapp_lanes as lane using (contact_id, phone_number_id)
    where message.expires_at <= now() and message.state in ('ready', 'blocked', 'scheduled', 'waiting')
    order by message.expires_at
    limit tend_whatsapp_queue.max_count - v_count
    for update skip locked
  loop
    perform private.tend_whatsapp_message(v_message);
    v_count := v_count + 1;
  end loop;
  return v_count;
end;
$$;

comment on function private.tend_whatsapp_queue is
  'Does what is due, the longest due first, at most that many; says how many: scheduled messages take their places, waiting ones may be claimed, '
  'leases that ran out become unknown, unknown ones are decided, old ones expire. Waits for nobody. Run by every claim and by the schedule.';

create function private.run_whatsapp_queue_care()
returns integer
language plpgsql
set search_path = ''
as $$
declare
  v_count integer := private.tend_whatsapp_queue(1000);
begin
  if v_count > 0 then
    perform private.kick_worker();
  end if;
  return v_count;
end;
$$;

comment on function private.run_whatsapp_queue_care is 'Tends the queue and wakes the worker if there was anything to tend. Run by the schedule.';

insert into private.schedule (name, cron, command) values
  ('tend-whatsapp-queue', '5 seconds', 'select private.run_whatsapp_queue_care()'),
  ('purge-whatsapp-circuits', '15 1 * * *',
    'delete from public.whatsapp_circuits where scope = ''template'' and paused_until < now() - interval ''1 day'''),
  ('purge-whatsapp-lanes', '25 1 * * *',
    'delete from private.whatsapp_lanes as lane where lane.paced_until < now() - interval ''1 day'' and not exists ('
    'select from public.whatsapp_message_queue as message where (message.contact_id, message.phone_number_id) = (lane.contact_id, lane.phone_number_id))');

commit;
