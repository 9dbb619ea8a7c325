begin;

create table private.message_queue_changes (
  transaction_id xid8 not null default pg_current_xact_id(),
  id bigint not null generated always as identity,
  queue_name text collate "C" not null,
  live integer not null default 0,
  scheduled integer not null default 0,
  blocked integer not null default 0,
  dead integer not null default 0,
  completed integer not null default 0,
  failed integer not null default 0,
  created_at timestamptz not null default now(),
  constraint message_queue_changes_pkey primary key (transaction_id, id)
)
with (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 5000, autovacuum_vacuum_cost_delay = 0);

comment on table private.message_queue_changes is
  'By how much each call changed the counts of its queue, until the schedule adds them up: rows instead of a counter that all writers '
  'would wait for.';
alter table private.message_queue_changes enable row level security;
grant select on private.message_queue_changes to service_role;

create table private.message_queue_counts (
  queue_name text collate "C" not null,
  live bigint not null default 0,
  scheduled bigint not null default 0,
  blocked bigint not null default 0,
  dead bigint not null default 0,
  constraint message_queue_counts_pkey primary key (queue_name)
)
with (fillfactor = 50);

comment on table private.message_queue_counts is
  'How many messages each queue has that are not finished, and how many of them in these states, but for what is in message_queue_changes.';
alter table private.message_queue_counts enable row level security;
grant select on private.message_queue_counts to service_role;

create table private.message_queue_activity (
  queue_name text collate "C" not null,
  minute_at timestamptz not null,
  completed bigint not null,
  failed bigint not null,
  constraint message_queue_activity_pkey primary key (queue_name, minute_at)
)
with (fillfactor = 50);

comment on table private.message_queue_activity is 'How many messages were completed, and how many attempts failed, in each minute of the last day.';
alter table private.message_queue_activity enable row level security;
grant select on private.message_queue_activity to service_role;

create table private.message_queue_folds (
  is_only boolean not null default true,
  folded_below xid8 not null,
  constraint message_queue_folds_pkey primary key (is_only),
  constraint message_queue_folds_have_one_row check (is_only)
)
with (fillfactor = 50);

comment on table private.message_queue_folds is
  'Below which transaction every change has been added up: from there on message_queue_changes is read, past what an old snapshot keeps.';
alter table private.message_queue_folds enable row level security;
grant select on private.message_queue_folds to service_role;
insert into private.message_queue_folds (folded_below) values ('0');

commit;
