begin;

create type public.message_outcome as enum ('completed', 'dead', 'cancelled');
comment on type public.message_outcome is
  'How a message ended. dead: given up, and later purged; cancelled: taken out before it was done.';

create table public.message_queue_history (
  id uuid not null,
  message_id bigint not null,
  enqueued_at timestamptz not null,
  claimed_at timestamptz,
  finished_at timestamptz not null default now(),
  outcome public.message_outcome not null,
  priority smallint not null,
  attempt_count smallint not null,
  queue_name text collate "C" not null,
  message_type text not null,
  ordering_key text collate "C",
  idempotency_key text collate "C",
  correlation_id text,
  last_error text,
  payload jsonb,
  headers jsonb,
  constraint message_queue_history_pkey primary key (id),
  constraint message_queue_history_only_what_failed_keeps_its_payload check (outcome <> 'completed' or payload is null)
) partition by range (id);

comment on table public.message_queue_history is
  'Finished messages, as far as their queue keeps them (message_queues.keep_history), by the month in which they finished.';
comment on column public.message_queue_history.id is 'A UUIDv7 of the time it finished, with the message''s id in the place of chance.';
comment on column public.message_queue_history.claimed_at is 'When its last attempt began.';
comment on column public.message_queue_history.last_error is 'What the last failed attempt said, also if a later one went well.';
comment on column public.message_queue_history.payload is 'What was in it, unless it was completed.';
create index message_queue_history_message_id_idx on public.message_queue_history using brin (message_id);
alter table public.message_queue_history enable row level security;
grant select on public.message_queue_history to service_role;

select private.manage_partitions('message_queue_history', interval '2 months', interval '6 months');

commit;
