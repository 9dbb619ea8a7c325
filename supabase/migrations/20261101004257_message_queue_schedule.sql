begin;

create function private.tend_lanes(max_count integer)
returns integer
language plpgsql
set search_path = ''
as $$
declare
  v_lane record;
  v_count integer := 0;
begin
  for v_lane in
    select lane.queue_name, lane.ordering_key
    from private.message_lanes as lane
    where lane.checked_at < now() - interval '10 minutes'
    order by lane.checked_at
    limit tend_lanes.max_count
    for update skip locked
  loop
    -- Asked under the lock: nobody can join in between.
    if private.occupied_lanes(v_lane.queue_name, array[v_lane.ordering_key]) = '{}' then
      delete from private.message_lanes as lane
      where lane.queue_name = v_lane.queue_name and lane.ordering_key = v_lane.ordering_key;
      v_count := v_count + 1;
    else
      update private.message_lanes as lane set checked_at = now()
      where lane.queue_name = v_lane.queue_name and lane.ordering_key = v_lane.ordering_key;
    end if;
  end loop;
  return v_count;
end;
$$;

comment on function private.tend_lanes is 'Forgets lanes without messages, of those that nobody looked at for longest; says how many.';

create function private.tend_message_queue()
returns void
language plpgsql
set search_path = ''
as $$
declare
  c_most constant integer := 5000;
  -- The marks first, then a transaction id of our own: who gets a later one sees these marks.
  v_is_first boolean := pg_current_xact_id_if_assigned() is null;
  v_marks private.claim_mark[] := private.claim_marks();
  v_transaction_id xid8 := pg_current_xact_id();
  v_mark private.claim_mark;
  v_ready integer := private.expire_leases(c_most);
begin
  select v_ready + coalesce(sum(private.promote_messages(queue.queue_name, c_most)), 0) into v_ready
  from public.message_queues as queue;
  foreach v_mark in array v_marks loop
    perform private.sweep_messages(
      v_mark.queue_name, v_mark.priority, c_most, v_mark.position, case when v_is_first then v_transaction_id end
    );
  end loop;
  perform private.find_priorities();
  perform private.fold_message_counts();
  if v_ready > 0 then
    perform private.kick_worker();
  end if;
end;
$$;

comment on function private.tend_message_queue is
  'Run by the schedule every second: what is due becomes ready, leases run out, counts are added up. Bounded, waits for nobody, and may run '
  'beside itself.';

create function private.purge_message_queue()
returns void
language plpgsql
set search_path = ''
as $$
declare
  v_queue public.message_queues;
begin
  for v_queue in select * from public.message_queues as queue order by queue.queue_name loop
    perform private.discard_messages(v_queue.queue_name, array(
      select message.id from public.message_queue as message
      where message.queue_name = v_queue.queue_name and message.state = 'dead' and message.due_at < now() - v_queue.dead_retention
      order by message.due_at
      limit 1000
    ));
  end loop;
  delete from private.message_keys as stored
  where stored.ctid = any (array(
    select expired.ctid from private.message_keys as expired
    where expired.expires_at < now()
    order by expired.expires_at
    limit 10000
    for update skip locked
  ));
  delete from private.message_queue_activity as activity where activity.minute_at < now() - interval '25 hours';
  perform private.tend_lanes(1000);
end;
$$;

comment on function private.purge_message_queue is
  'Run by the schedule every minute: dead messages past their retention go into the history; keys, lanes and minutes that nobody needs go.';

insert into private.schedule (name, cron, command) values
  ('tend-message-queue', '1 second', 'select private.tend_message_queue()'),
  ('purge-message-queue', '* * * * *', 'select private.purge_message_queue()'),
  -- Then all is walked from the start, once: what a hand or a clock that jumped has left below a floor is found.
  ('lower-message-queue-floors', '17 * * * *', 'delete from private.message_queue_floors');

commit;
