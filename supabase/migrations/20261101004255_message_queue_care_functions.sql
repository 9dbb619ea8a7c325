begin;

create function private.promote_messages(queue_name text, max_count integer)
returns integer
language plpgsql
set search_path = ''
-- As for private.claim_messages().
set plan_cache_mode = force_generic_plan
set enable_seqscan = off
set enable_bitmapscan = off
set enable_hashjoin = off
set enable_mergejoin = off
as $$
declare
  c_name constant text := 'scheduled ' || promote_messages.queue_name;
  v_floor record := private.floor_of(c_name);
  -- A clock that was set back makes times below the floor.
  v_from timestamptz := least(to_timestamp(v_floor.floor_value), now() - interval '1 minute');
  v_now timestamptz := clock_timestamp();
  v_left timestamptz;
  v_count integer;
begin
  with due as materialized (
    select message.ctid as row
    from public.message_queue as message
    where message.queue_name = promote_messages.queue_name and message.state = 'scheduled'
      and message.due_at between v_from and v_now
    order by message.due_at
    limit promote_messages.max_count
    for update skip locked
  ), promoted as (
    update public.message_queue as message set
      state = 'ready',
      position = private.ready_position(message.queue_name, message.priority, message.id)
    from due
    where message.ctid = due.row
    returning message.id
  )
  select count(*) into v_count from promoted;
  if v_count > 0 then
    insert into private.message_queue_changes (queue_name, scheduled) values (promote_messages.queue_name, -v_count);
  end if;

  -- A minute of room, because a time is read before it is written.
  if v_floor.safe_value is not null and v_now > v_from + interval '90 seconds' then
    select min(message.due_at) into v_left
    from public.message_queue as message
    where message.queue_name = promote_messages.queue_name and message.state = 'scheduled' and message.due_at >= v_from;
    perform private.raise_floor(
      c_name, least(v_floor.safe_value, floor(extract(epoch from v_left))::bigint),
      floor(extract(epoch from now()))::bigint - 60, pg_current_xact_id()
    );
  end if;
  return v_count;
end;
$$;

comment on function private.promote_messages is 'Makes scheduled messages of a queue ready that are due, up to so many; says how many.';

create function private.expire_leases(max_count integer)
returns integer
language plpgsql
set search_path = ''
-- As for private.claim_messages().
set plan_cache_mode = force_generic_plan
set enable_seqscan = off
set enable_bitmapscan = off
as $$
declare
  v_floor record := private.floor_of('leased');
  -- A clock that was set back makes times below the floor.
  v_from timestamptz := least(to_timestamp(v_floor.floor_value), now() - interval '1 minute');
  v_now timestamptz := clock_timestamp();
  v_left timestamptz;
  v_expired record;
begin
  select array_agg(message.id) as ids, array_agg(message.lease_token) as tokens, count(*)::integer as count into v_expired
  from (
    select message.id, message.lease_token
    from public.message_queue as message
    where message.state = 'leased' and message.due_at between v_from and v_now
    order by message.due_at
    limit expire_leases.max_count
    for update skip locked
  ) as message;
  if v_expired.count > 0 then
    perform private.fail_messages(
      v_expired.ids, v_expired.tokens, array_fill('the lease ran out'::text, array[v_expired.count]),
      array_fill(0, array[v_expired.count]), null
    );
  end if;

  if v_floor.safe_value is not null and v_now > v_from + interval '90 seconds' then
    select min(message.due_at) into v_left
    from public.message_queue as message
    where message.state = 'leased' and message.due_at >= v_from;
    perform private.raise_floor(
      'leased', least(v_floor.safe_value, floor(extract(epoch from v_left))::bigint),
      floor(extract(epoch from now()))::bigint - 60, pg_current_xact_id()
    );
  end if;
  return v_expired.count;
end;
$$;

comment on function private.expire_leases is
  'Takes back messages whose lease ran out, up to so many: ready at once, or dead if that was their last attempt; says how many.';

create function private.sweep_messages(
  queue_name text,
  priority smallint,
  max_count integer,
  mark bigint,
  transaction_id xid8
)
returns integer
language plpgsql
set search_path = ''
-- As for private.claim_messages().
set plan_cache_mode = force_generic_plan
set enable_seqscan = off
set enable_bitmapscan = off
set enable_hashjoin = off
set enable_mergejoin = off
as $$
declare
  c_name constant text := format('ready %s %s', sweep_messages.queue_name, sweep_messages.priority);
  v_floor record := private.floor_of(c_name);
  v_left bigint;
  v_count integer;
begin
  if sweep_messages.mark = v_floor.floor_value then
    return 0;
  end if;
  with late as materialized (
    select message.ctid as row
    from public.message_queue as message
    where message.queue_name = sweep_messages.queue_name and message.priority = sweep_messages.priority
      and message.state = 'ready' and message.position >= v_floor.floor_value and message.position < sweep_messages.mark
    order by message.position
    limit sweep_messages.max_count
    for update skip locked
  ), moved as (
    update public.message_queue as message set position = private.ready_position(message.queue_name, message.priority, message.id)
    from late
    where message.ctid = late.row
    returning message.id
  )
  select count(*) into v_count from moved;

  if v_floor.safe_value is not null and sweep_messages.transaction_id is not null then
    select min(message.position) into v_left
    from public.message_queue as message
    where message.queue_name = sweep_messages.queue_name and message.priority = sweep_messages.priority
      and message.state = 'ready' and message.position >= v_floor.floor_value;
    perform private.raise_floor(c_name, least(v_floor.safe_value, v_left), sweep_messages.mark, sweep_messages.transaction_id);
    delete from private.message_queue_marks as mark
    where mark.queue_name = sweep_messages.queue_name and mark.priority = sweep_messages.priority
      and mark.position >= v_floor.floor_value and mark.position < sweep_messages.mark;
  end if;
  return v_count;
end;
$$;

comment on function private.sweep_messages is
  'Moves ready messages that turned up below the mark above it, up to so many: of transactions that lasted longer than the room that marks '
  'leave, and of claims that were rolled back. Says how many. Every transaction after transaction_id sees the mark; null if that is not so.';

create type private.claim_mark as (queue_name text, priority smallint, position bigint);
comment on type private.claim_mark is 'Where claims of a queue begin to look for messages of a priority.';

create function private.claim_marks()
returns private.claim_mark[]
language plpgsql
set search_path = ''
as $$
begin
  return array(
    select row(queue.queue_name, level.priority, coalesce((
      select max(mark.position) from private.message_queue_marks as mark
      where mark.queue_name = queue.queue_name and mark.priority = level.priority
    ), 0))::private.claim_mark
    from public.message_queues as queue
    cross join lateral unnest(queue.priorities) as level (priority)
  );
end;
$$;

comment on function private.claim_marks is 'Where claims begin to look, for each queue and priority.';

commit;
