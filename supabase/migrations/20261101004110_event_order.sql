begin;

create table private.event_epoch (
  is_only boolean not null default true,
  cluster_id bigint not null,
  base bigint not null,
  constraint event_epoch_pkey primary key (is_only),
  constraint event_epoch_has_one_row check (is_only)
);

comment on table private.event_epoch is
  'What is added to this cluster''s transaction ids, so that those of event_store go on rising after a dump was restored into a cluster that counts lower.';
alter table private.event_epoch enable row level security;
insert into private.event_epoch (cluster_id, base) values (private.cluster_id(), 0);

create table private.event_ticks (
  ticked_at timestamptz not null,
  ended_transaction_id bigint not null,
  next_transaction_id bigint not null,
  constraint event_ticks_pkey primary key (ticked_at)
);

comment on table private.event_ticks is
  'Which transaction_ids were the order of the day, so that who reads the whole event store from some transaction_id on opens few months of it. '
  'Made by the schedule; with fewer of them reads open more, and nothing else.';
comment on column private.event_ticks.ended_transaction_id is 'Events appended later have this transaction_id or a higher one.';
comment on column private.event_ticks.next_transaction_id is 'Events appended earlier have lower ones.';
create index event_ticks_ended_transaction_id_idx on private.event_ticks (ended_transaction_id);
alter table private.event_ticks enable row level security;

create function private.begin_event_epoch()
returns bigint
language plpgsql
set search_path = ''
as $$
declare
  v_base bigint;
begin
  -- Of many that notice at once, one does it; the others wait and find it done.
  update private.event_epoch as epoch set
    cluster_id = private.cluster_id(),
    base = greatest(
      epoch.base,
      (select max(subscription.after_transaction_id) from public.event_subscriptions as subscription),
      last_tick.next_transaction_id,
      (
        select max(event.transaction_id) from public.event_store as event
        where event.id >= private.uuid_v7_floor(last_tick.ticked_at - interval '7 days')
      )
    )
  from (select tick.* from private.event_ticks as tick order by tick.ticked_at desc limit 1) as last_tick
  where epoch.cluster_id <> private.cluster_id();
  select epoch.base into strict v_base from private.event_epoch as epoch;
  return v_base;
end;
$$;

comment on function private.begin_event_epoch is
  'Called once after a dump was restored into another cluster: from here on, transaction ids count above all that are stored.';

create function private.event_base()
returns bigint
language plpgsql
security definer -- reads and may move on the epoch, which no role may see
set search_path = ''
as $$
declare
  -- Kept by the session, which cannot outlive its server: asking the server reads a file.
  v_cluster_id text := nullif(current_setting('app.cluster_id', true), '');
  v_base bigint;
begin
  v_cluster_id := coalesce(v_cluster_id, set_config('app.cluster_id', private.cluster_id()::text, false));
  select epoch.base into v_base from private.event_epoch as epoch where epoch.cluster_id = v_cluster_id::bigint;
  return coalesce(v_base, private.begin_event_epoch());
end;
$$;

comment on function private.event_base is 'What to add to this cluster''s transaction ids to compare them with those of event_store.';
grant execute on function private.event_base to service_role;

create function private.next_event_transaction_id(base bigint)
returns bigint
language plpgsql
volatile -- needs a snapshot of its own, taken after the streams are locked
set search_path = ''
as $$
begin
  return coalesce(next_event_transaction_id.base, private.event_base()) + greatest(
    pg_current_xact_id()::text::bigint,
    pg_snapshot_xmax(pg_current_snapshot())::text::bigint - 1
  );
end;
$$;

comment on function private.next_event_transaction_id is
  'The transaction_id of events that are appended now, to streams that are locked. Not the bare id: a transaction that began to write early may append '
  'after a later one did. The last transaction that has ended is not below any event committed so far, so no event stands before one that '
  'it follows or was caused by. Never below our own id, so whoever reads up to the oldest running transaction misses nothing. '
  'base: private.event_base(), for callers that have it at hand.';

create function private.event_horizon()
returns bigint
language plpgsql
volatile -- must see the epoch that it may have begun
set search_path = ''
as $$
begin
  return private.event_base() + pg_snapshot_xmin(pg_current_snapshot())::text::bigint;
end;
$$;

comment on function private.event_horizon is
  'The transaction_id below which no event can appear any more: every transaction that could write one has ended.';
grant execute on function private.event_horizon to service_role;

create function private.tick_events()
returns void
language plpgsql
set search_path = ''
as $$
declare
  v_base bigint := private.event_base();
begin
  insert into private.event_ticks (ticked_at, ended_transaction_id, next_transaction_id)
  values (
    now(),
    v_base + pg_snapshot_xmax(pg_current_snapshot())::text::bigint - 1,
    v_base + pg_current_xact_id()::text::bigint
  )
  on conflict on constraint event_ticks_pkey do nothing;
end;
$$;

comment on function private.tick_events is 'Notes where in the order of the event store we are now. Run by the schedule.';
select private.tick_events();

insert into private.schedule (name, cron, command) values
  ('tick-events', '5 0 * * *', 'select private.tick_events()');

commit;
