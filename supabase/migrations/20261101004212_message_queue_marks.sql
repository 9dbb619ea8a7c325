begin;

create table private.message_queue_marks (
  queue_name text collate "C" not null,
  priority smallint not null,
  position bigint not null,
  constraint message_queue_marks_pkey primary key (queue_name, priority, position)
)
with (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 1000);

comment on table private.message_queue_marks is
  'Where claims begin to look: at the highest mark of the queue and priority. Index entries of finished messages stay as long as any old '
  'snapshot could see them, and a claim would walk them all. Marks only rise, and are inserted rather than updated, because the versions '
  'of an updated row stay as long. What turns up below a mark is moved above it by private.sweep_messages().';
alter table private.message_queue_marks enable row level security;

create function private.add_priorities(queue_name text, priorities smallint[])
returns void
language plpgsql
set search_path = ''
as $$
begin
  -- Whoever is just doing so may take long, and nobody should wait for that: the schedule finds what is left out.
  update public.message_queues as queue set priorities = array(
    select distinct priority from unnest(queue.priorities || add_priorities.priorities) as priority order by 1
  )
  where queue.queue_name = (
    select free.queue_name from public.message_queues as free
    where free.queue_name = add_priorities.queue_name
    for no key update skip locked
  );
end;
$$;

comment on function private.add_priorities is 'Makes claims look for further priorities, the first time that messages have them.';

create function private.find_priorities()
returns void
language plpgsql
set search_path = ''
as $$
begin
  perform private.add_priorities(queue.queue_name, array_agg(priority::smallint))
  from public.message_queues as queue
  cross join generate_series(0, 9) as priority
  where priority <> all (queue.priorities)
    and exists (
      select from public.message_queue as message
      where message.queue_name = queue.queue_name and message.priority = priority and message.state = 'ready'
    )
  group by queue.queue_name;
end;
$$;

comment on function private.find_priorities is 'Makes claims look for priorities that messages have and nobody told of.';

create function private.ready_head(queue_name text, priority smallint)
returns bigint
language plpgsql
set search_path = ''
as $$
declare
  -- Room for what is not committed yet, or will be given back: claims pass it only after so many others.
  c_room constant integer := 512;
  v_mark bigint;
  v_head bigint;
begin
  select mark.position into v_mark
  from private.message_queue_marks as mark
  where mark.queue_name = ready_head.queue_name and mark.priority = ready_head.priority
  order by mark.position desc
  limit 1;
  select message.position into v_head
  from public.message_queue as message
  where message.queue_name = ready_head.queue_name and message.priority = ready_head.priority and message.state = 'ready'
    and message.position >= coalesce(v_mark, 0)
  order by message.position
  limit 1;
  if v_head > coalesce(v_mark, 0) + c_room * 3 / 2
    -- Whoever claims in a transaction that goes on has inserted it and not committed: nobody waits for that.
    and pg_try_advisory_xact_lock(hashtextextended(
      format('message_queue_marks %s %s %s', ready_head.queue_name, ready_head.priority, v_head), 0
    ))
  then
    insert into private.message_queue_marks (queue_name, priority, position)
    values (ready_head.queue_name, ready_head.priority, v_head - c_room)
    on conflict on constraint message_queue_marks_pkey do nothing;
  end if;
  return v_head;
end;
$$;

comment on function private.ready_head is
  'The position of the first ready message, by mark; null if there is none. Raises the mark when it has fallen far behind.';

create function private.ready_position(queue_name text, priority smallint, id bigint)
returns bigint
language plpgsql
set search_path = ''
as $$
declare
  -- The sweep waits for whoever has a transaction id.
  v_transaction_id xid8 := pg_current_xact_id();
begin
  -- An old snapshot does not show the latest mark: such a message goes to the end.
  if current_setting('transaction_isolation') <> 'read committed' then
    return nextval('public.message_queue_id_seq');
  end if;
  return greatest(ready_position.id, 512 + (
    select mark.position
    from private.message_queue_marks as mark
    where mark.queue_name = ready_position.queue_name and mark.priority = ready_position.priority
    order by mark.position desc
    limit 1
  ));
end;
$$;

comment on function private.ready_position is
  'The place of a message that becomes ready after others: its own by age, or else the foremost that claims will not have passed before '
  'this commits.';

commit;
