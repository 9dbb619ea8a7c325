begin;

create type public.event_subscription_status as enum ('active', 'paused', 'stopped');
comment on type public.event_subscription_status is
  'Whether a subscription is served. paused: by somebody; stopped: by an event that failed too often (on_failure = stop).';

create type public.event_failure_policy as enum ('park_event', 'park_stream', 'stop');
comment on type public.event_failure_policy is
  'What becomes of an event that fails max_attempts times. park_event: it is put aside, all others go on; park_stream: with all that '
  'follow in its stream, so that their order holds; stop: nothing goes on until somebody resumes the subscription.';

create table public.event_subscriptions (
  name text not null,
  handler text,
  aggregate_types text[],
  event_types text[],
  status public.event_subscription_status not null default 'active',
  on_failure public.event_failure_policy not null default 'park_event',
  max_attempts integer not null default 5,
  batch_size integer not null default 100,
  after_transaction_id bigint not null default 0,
  after_position bigint not null default 0,
  lease_token bigint not null default 0,
  leased_until timestamptz,
  attempt_count integer not null default 0,
  retry_at timestamptz,
  last_run_at timestamptz not null default '-infinity',
  last_failed_at timestamptz,
  last_error text,
  created_at timestamptz not null default now(),
  constraint event_subscriptions_pkey primary key (name),
  constraint event_subscriptions_name_is_short check (name ~ '^[a-z][a-z0-9_-]*$' and length(name) <= 63),
  constraint event_subscriptions_max_attempts_is_sane check (max_attempts between 1 and 100),
  constraint event_subscriptions_batch_size_is_sane check (batch_size between 1 and 1000),
  constraint event_subscriptions_filters_are_not_empty check (aggregate_types <> '{}' and event_types <> '{}')
) with (fillfactor = 50);

comment on table public.event_subscriptions is
  'Who reads the event store, and how far they have come. One with a handler is served by run_subscriptions(): handler and checkpoint in one '
  'transaction, so each event has its effect once. One without is served from outside, by claim_subscription() and advance_subscription().';
comment on column public.event_subscriptions.handler is
  'A SQL function of public.event_store[] that does something with those events; its name, because pg_upgrade takes no regprocedure columns.';
comment on column public.event_subscriptions.aggregate_types is 'Only events of streams of these kinds; null: of all.';
comment on column public.event_subscriptions.event_types is 'Only events of these types; null: of all.';
comment on column public.event_subscriptions.batch_size is 'How many events a handler is given at once.';
comment on column public.event_subscriptions.after_transaction_id is
  'The checkpoint, with after_position: everything up to it is done, or parked.';
comment on column public.event_subscriptions.lease_token is 'Rises with every claim, so that whoever lost a lease cannot advance.';
comment on column public.event_subscriptions.attempt_count is 'How often the event after the checkpoint has failed.';
comment on column public.event_subscriptions.retry_at is 'When that one is tried again.';
comment on column public.event_subscriptions.last_run_at is 'When it last had something to do.';
alter table public.event_subscriptions enable row level security;
grant select on public.event_subscriptions to service_role;

create table public.event_parked (
  subscription_name text not null,
  id uuid not null,
  transaction_id bigint not null,
  position bigint not null,
  stream_id bigint not null,
  aggregate_type text not null,
  aggregate_id text not null,
  version bigint not null,
  event_type text not null,
  attempt_count integer not null,
  last_error text,
  parked_at timestamptz not null default now(),
  replay_from timestamptz,
  constraint event_parked_pkey primary key (subscription_name, id),
  constraint event_parked_subscription_name_fkey foreign key (subscription_name)
    references public.event_subscriptions (name) on delete cascade
);

comment on table public.event_parked is
  'Events that a subscription could not handle, until replay_parked_events() has them tried again with success. Under park_stream also those '
  'that came after such a one in its stream: they have not been tried (attempt_count 0).';
comment on column public.event_parked.id is 'The event''s id in event_store.';
comment on column public.event_parked.replay_from is 'Since when it is to be tried again; null: it rests.';
create index event_parked_subscription_name_stream_id_version_idx on public.event_parked (subscription_name, stream_id, version);
create index event_parked_due_idx on public.event_parked (subscription_name, transaction_id, position) where replay_from is not null;
alter table public.event_parked enable row level security;
grant select on public.event_parked to service_role;

commit;
