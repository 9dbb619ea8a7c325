begin;

create type public.analytics_event_type as enum ('track', 'identify', 'page', 'screen', 'group', 'alias');
comment on type public.analytics_event_type is 'The calls of Segment''s tracking API.';

create table public.analytics_events (
  day date not null,
  id uuid not null,
  event_name text not null,
  event_category text,
  type public.analytics_event_type not null default 'track',
  actor_id uuid not null,
  user_id text,
  anonymous_id text,
  session_id text,
  group_id text,
  properties jsonb not null default '{}',
  context jsonb not null default '{}',
  is_bot boolean not null default false,
  occurred_at timestamptz not null,
  received_at timestamptz not null default now(),
  write_key_id uuid,
  correlation_id text default private.correlation_id(),
  constraint analytics_events_pkey primary key (day, id),
  -- One constraint, not many: each costs a statement that writes one row some microseconds.
  constraint analytics_events_are_well_formed check (
    day = (occurred_at at time zone 'Africa/Kigali')::date
    and length(event_name) between 1 and 200
    and event_name <> '*' -- stands for all of them in what is added up
    and jsonb_typeof(properties) = 'object'
    and jsonb_typeof(context) = 'object'
  )
) partition by range (day);

comment on table public.analytics_events is
  'What people did, as clients told it. The month of a row is that of its reporting day, and its key is (day, id), because ids come from clients. '
  'Raw rows go with their retention; what was counted of them stays in analytics_actor_days.';
comment on column public.analytics_events.day is 'The reporting day: that of occurred_at in Africa/Kigali.';
comment on column public.analytics_events.id is
  'The client''s message id, or its md5 where that is no UUID. A retry is the same event if its day is the same.';
comment on column public.analytics_events.actor_id is
  'The person: a user or, until identified, an anonymous id; moved by private.merge_analytics_actors() when they turn out to be the same.';
comment on column public.analytics_events.user_id is 'Free text of the client; a profile''s or user''s uuid in our own apps.';
comment on column public.analytics_events.is_bot is 'Kept, but counted nowhere.';
comment on column public.analytics_events.occurred_at is 'The client''s time, corrected by its clock''s error as Segment does; never in the future.';
comment on column public.analytics_events.write_key_id is 'Null: the publishable key, a user''s token, or SQL.';
create index analytics_events_event_name_occurred_at_idx on public.analytics_events (event_name, occurred_at);
create index analytics_events_actor_id_occurred_at_idx on public.analytics_events (actor_id, occurred_at);
alter table public.analytics_events enable row level security;
grant select on public.analytics_events to service_role;

select private.manage_partitions('analytics_events', '13 months', '14 months');

-- Late events and imports come as far back as events are kept.
select private.create_partition('analytics_events', month)
from generate_series(
  date_trunc('month', now() - interval '13 months', 'UTC'), date_trunc('month', now(), 'UTC') - interval '1 month', interval '1 month', 'UTC'
) as month;

commit;
