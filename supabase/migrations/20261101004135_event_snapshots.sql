begin;

create table public.event_snapshots (
  stream_id bigint not null,
  version bigint not null,
  event_at timestamptz not null,
  saved_at timestamptz not null default now(),
  schema_version smallint not null,
  state jsonb not null,
  constraint event_snapshots_pkey primary key (stream_id, version)
);

comment on table public.event_snapshots is
  'What an aggregate had become at a version, so that fewer events need reading: the last two of a stream. Made by save_snapshot(); may be deleted at any time.';
comment on column public.event_snapshots.version is 'The last event that is in it.';
comment on column public.event_snapshots.event_at is 'When that one was appended: no later event of the stream has an id before it.';
comment on column public.event_snapshots.schema_version is 'Which shape the state has: the writer''s own counting.';
alter table public.event_snapshots enable row level security;
grant select on public.event_snapshots to service_role;

commit;
