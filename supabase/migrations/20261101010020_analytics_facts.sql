begin;

create table public.analytics_actor_days (
  day date not null,
  event_name text not null,
  actor_id uuid not null,
  event_count integer not null,
  first_at timestamptz not null,
  last_at timestamptz not null,
  constraint analytics_actor_days_pkey primary key (day, event_name, actor_id),
  constraint analytics_actor_days_count_is_positive check (event_count > 0)
) with (fillfactor = 85);

comment on table public.analytics_actor_days is
  'Who did what on which day, bots left out, and what groups are, which nobody did: exact, adds up to any span, and outlives the raw events. Every column is a sum, a least or a greatest, so that neither order nor lateness matters.';
create index analytics_actor_days_actor_id_day_idx on public.analytics_actor_days (actor_id, day);
alter table public.analytics_actor_days enable row level security;
grant select on public.analytics_actor_days to service_role;

create table private.analytics_dirty_days (
  id bigint generated always as identity,
  day date not null,
  constraint analytics_dirty_days_pkey primary key (id)
);

comment on table private.analytics_dirty_days is
  'Days whose facts have changed since they were last added up. Append-only on purpose: a row per day that a refresh takes while a writer is under way would lose the writer''s mark.';
alter table private.analytics_dirty_days enable row level security;

create table private.analytics_daily (
  day date not null,
  event_name text not null,
  event_count bigint not null,
  actor_count bigint not null,
  constraint analytics_daily_pkey primary key (day, event_name)
);

comment on table private.analytics_daily is 'Events and people per day and name; the name * is all of them. Kept by refresh_daily_metrics().';
alter table private.analytics_daily enable row level security;

create function private.fold_analytics_events()
returns trigger
language plpgsql
security definer -- the only writer of the facts beside merging and erasing
set search_path = ''
as $$
begin
  -- All writers in one order, so that no two can deadlock; ids before names, which take longer to compare. The transition table holds only what was
  -- really inserted.
  with folded as (
    insert into public.analytics_actor_days as fact (day, event_name, actor_id, event_count, first_at, last_at)
    select event.day, event.event_name, event.actor_id, count(*), min(event.occurred_at), max(event.occurred_at)
    from arrived as event
    where not event.is_bot and event.type <> 'group'
    group by event.day, event.actor_id, event.event_name
    order by event.day, event.actor_id, event.event_name
    on conflict on constraint analytics_actor_days_pkey do update set
      event_count = fact.event_count + excluded.event_count,
      first_at = least(fact.first_at, excluded.first_at),
      last_at = greatest(fact.last_at, excluded.last_at)
    returning fact.day
  )
  insert into private.analytics_dirty_days (day) select distinct folded.day from folded;
  return null;
end;
$$;

comment on function private.fold_analytics_events is 'Adds each inserted statement''s events to the facts, and marks their days.';

create trigger fold_analytics_events
after insert on public.analytics_events
referencing new table as arrived
for each statement execute function private.fold_analytics_events();

commit;
