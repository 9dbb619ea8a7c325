begin;

create function private.fold_message_counts()
returns void
language plpgsql
set search_path = ''
set plan_cache_mode = force_generic_plan
set enable_seqscan = off
set enable_bitmapscan = off
as $$
declare
  c_most constant integer := 50000;
  v_from xid8;
  v_below xid8 := pg_snapshot_xmin(pg_current_snapshot());
  v_count integer;
begin
  -- One at a time. Restored into another cluster, the transaction id means nothing.
  select case when fold.folded_below <= pg_snapshot_xmax(pg_current_snapshot()) then fold.folded_below else '0' end
  into v_from
  from private.message_queue_folds as fold
  for update skip locked;
  if not found then
    return;
  end if;

  with folded as (
    delete from private.message_queue_changes as change
    where change.ctid = any (array(
      select next.ctid from private.message_queue_changes as next
      where next.transaction_id >= v_from
      order by next.transaction_id
      limit c_most
    ))
    returning change.*
  ), counted as (
    insert into private.message_queue_counts as counts (queue_name, live, scheduled, blocked, dead)
    select folded.queue_name, sum(folded.live), sum(folded.scheduled), sum(folded.blocked), sum(folded.dead)
    from folded
    group by folded.queue_name
    on conflict on constraint message_queue_counts_pkey do update set
      live = counts.live + excluded.live,
      scheduled = counts.scheduled + excluded.scheduled,
      blocked = counts.blocked + excluded.blocked,
      dead = counts.dead + excluded.dead
  ), active as (
    insert into private.message_queue_activity as activity (queue_name, minute_at, completed, failed)
    select folded.queue_name, date_trunc('minute', folded.created_at), sum(folded.completed), sum(folded.failed)
    from folded
    group by 1, 2
    having sum(folded.completed) + sum(folded.failed) > 0
    on conflict on constraint message_queue_activity_pkey do update set
      completed = activity.completed + excluded.completed,
      failed = activity.failed + excluded.failed
  )
  select count(*) into v_count from folded;
  -- Every transaction below had ended before this looked.
  if v_count < c_most then
    update private.message_queue_folds as fold set folded_below = v_below where fold.folded_below <> v_below;
  end if;
end;
$$;

comment on function private.fold_message_counts is 'Adds up the changes so far. Each counts once, whenever it commits.';

create function private.recount_messages()
returns void
language plpgsql
set search_path = ''
as $$
begin
  perform from private.message_queue_folds as fold for update;
  -- One statement, one snapshot: what is counted is what the changes in sight have led to.
  with counted as (
    select
      message.queue_name,
      count(*) as live,
      count(*) filter (where message.state = 'scheduled') as scheduled,
      count(*) filter (where message.state = 'blocked') as blocked,
      count(*) filter (where message.state = 'dead') as dead
    from public.message_queue as message
    group by message.queue_name
    union all
    select change.queue_name, -sum(change.live), -sum(change.scheduled), -sum(change.blocked), -sum(change.dead)
    from private.message_queue_changes as change
    group by change.queue_name
    union all
    select queue.queue_name, 0, 0, 0, 0 from public.message_queues as queue
  )
  insert into private.message_queue_counts as counts (queue_name, live, scheduled, blocked, dead)
  select counted.queue_name, sum(counted.live), sum(counted.scheduled), sum(counted.blocked), sum(counted.dead)
  from counted
  group by counted.queue_name
  on conflict on constraint message_queue_counts_pkey do update set
    live = excluded.live, scheduled = excluded.scheduled, blocked = excluded.blocked, dead = excluded.dead;
end;
$$;

comment on function private.recount_messages is
  'Counts all messages anew, beside whatever goes on: for after a repair by hand. It reads the whole table.';

create view public.message_queue_stats
with (security_invoker = on)
as
with recent as (
  select
    change.queue_name,
    sum(change.live) as live,
    sum(change.scheduled) as scheduled,
    sum(change.blocked) as blocked,
    sum(change.dead) as dead,
    sum(change.completed) as completed,
    sum(change.failed) as failed
  from private.message_queue_changes as change
  where change.transaction_id >= (select fold.folded_below from private.message_queue_folds as fold)
  group by change.queue_name
), leased as (
  select message.queue_name, count(*) as count
  from public.message_queue as message
  where message.state = 'leased' and message.due_at > now() - interval '1 minute'
  group by message.queue_name
), activity as (
  select
    minute.queue_name,
    sum(minute.completed) filter (where minute.minute_at >= now() - interval '1 hour') as completed_last_hour,
    sum(minute.failed) filter (where minute.minute_at >= now() - interval '1 hour') as failed_last_hour,
    sum(minute.completed) as completed_last_day,
    sum(minute.failed) as failed_last_day
  from private.message_queue_activity as minute
  where minute.minute_at >= now() - interval '24 hours'
  group by minute.queue_name
), counts as (
  select
    queue.queue_name,
    queue.is_paused,
    queue.priorities,
    coalesce(folded.live, 0) + coalesce(recent.live, 0) as live,
    coalesce(folded.scheduled, 0) + coalesce(recent.scheduled, 0) as scheduled,
    coalesce(folded.blocked, 0) + coalesce(recent.blocked, 0) as blocked,
    coalesce(folded.dead, 0) + coalesce(recent.dead, 0) as dead,
    coalesce(leased.count, 0) as leased,
    coalesce(activity.completed_last_hour, 0) + coalesce(recent.completed, 0) as completed_last_hour,
    coalesce(activity.failed_last_hour, 0) + coalesce(recent.failed, 0) as failed_last_hour,
    coalesce(activity.completed_last_day, 0) + coalesce(recent.completed, 0) as completed_last_day,
    coalesce(activity.failed_last_day, 0) + coalesce(recent.failed, 0) as failed_last_day
  from public.message_queues as queue
  left join private.message_queue_counts as folded on folded.queue_name = queue.queue_name
  left join recent on recent.queue_name = queue.queue_name
  left join leased on leased.queue_name = queue.queue_name
  left join activity on activity.queue_name = queue.queue_name
)
select
  counts.queue_name,
  counts.is_paused,
  (counts.live - counts.scheduled - counts.blocked - counts.dead - counts.leased)::bigint as ready_count,
  counts.scheduled::bigint as scheduled_count,
  counts.leased::bigint as leased_count,
  counts.blocked::bigint as blocked_count,
  counts.dead::bigint as dead_count,
  oldest.ready_at as oldest_ready_at,
  now() - oldest.ready_at as oldest_ready_age,
  counts.completed_last_hour::bigint as completed_last_hour,
  counts.failed_last_hour::bigint as failed_last_hour,
  counts.completed_last_day::bigint as completed_last_day,
  counts.failed_last_day::bigint as failed_last_day
from counts
cross join lateral (
  select min(first.due_at) as ready_at
  from unnest(counts.priorities) as level (priority)
  cross join lateral (
    select message.due_at
    from public.message_queue as message
    where message.queue_name = counts.queue_name and message.priority = level.priority and message.state = 'ready'
      and message.position >= coalesce((
        select max(mark.position) from private.message_queue_marks as mark
        where mark.queue_name = counts.queue_name and mark.priority = level.priority
      ), 0)
    order by message.position
    limit 1
  ) as first
) as oldest;

comment on view public.message_queue_stats is
  'Each queue as it is now, without counting messages: the counts are exact in the reader''s snapshot, but for leases that ran out over a '
  'minute ago, which count as ready, as they soon will be. oldest_ready_at is when the next message to be claimed became ready. '
  'completed: messages; failed: attempts, expired leases included; both to the minute.';
grant select on public.message_queue_stats, private.message_queue_marks to service_role;

commit;
