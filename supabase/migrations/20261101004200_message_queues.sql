begin;

create type public.message_history as enum ('all', 'failures', 'none');
comment on type public.message_history is
  'Which finished messages a queue remembers. failures: those that did not complete, or only after a failure.';

create table public.message_queues (
  queue_name text collate "C" not null,
  max_attempts smallint not null default 10,
  lease_seconds integer not null default 60,
  shortest_backoff interval not null default '5 seconds',
  longest_backoff interval not null default '1 hour',
  dedupe_window interval not null default '24 hours',
  dead_retention interval not null default '30 days',
  keep_history public.message_history not null default 'all',
  keeps_lane_behind_dead boolean not null default true,
  is_paused boolean not null default false,
  handler text,
  priorities smallint[] not null default '{5}',
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  constraint message_queues_pkey primary key (queue_name),
  constraint message_queues_queue_name_is_short check (queue_name ~ '^[a-z][a-z0-9_.-]{0,62}$')
);

comment on table public.message_queues is 'The message queues and how each of them works. Changed by create_queue().';
comment on column public.message_queues.max_attempts is 'After how many attempts a message is given up, unless it says so itself.';
comment on column public.message_queues.lease_seconds is 'How long a claimed message is its worker''s, unless the worker says so itself.';
comment on column public.message_queues.shortest_backoff is
  'How long to wait after the first failure; doubled with each, less up to half of it at random (private.retry_delay).';
comment on column public.message_queues.dedupe_window is
  'For how long after a message has finished its idempotency key still stands for it. Until then it does so anyway.';
comment on column public.message_queues.dead_retention is 'After how long a dead message is purged into the history.';
comment on column public.message_queues.keeps_lane_behind_dead is
  'What a dead message does to those behind it with the same ordering key: true, they wait until it is redriven, cancelled or purged; '
  'false, they go on without it.';
comment on column public.message_queues.is_paused is 'Nothing is claimed from a paused queue; it takes messages as always.';
comment on column public.message_queues.handler is
  'A function f(message public.claimed_message) that run_messages() calls for each message. Set by migrations only; without one, workers '
  'claim. As text, because a regprocedure in a table keeps pg_upgrade from running.';
comment on column public.message_queues.priorities is 'The priorities that messages of this queue have had: where a claim looks.';
alter table public.message_queues enable row level security;
grant select on public.message_queues to service_role;

create trigger touch_updated_at
before update on public.message_queues
for each row execute function private.touch_updated_at();

create function private.require_queue(queue_name text)
returns public.message_queues
language plpgsql
stable
security definer -- queues belong to nobody who calls
set search_path = ''
as $$
declare
  v_queue public.message_queues;
begin
  select * into v_queue from public.message_queues as queue where queue.queue_name = require_queue.queue_name;
  if not found then
    perform private.refuse('queue_not_found', jsonb_build_object('queue_name', require_queue.queue_name));
  end if;
  return v_queue;
end;
$$;

comment on function private.require_queue is 'The settings of a queue. Refuses: queue_not_found.';

commit;
