begin;

create type public.whatsapp_queue_state as enum (
  'scheduled', 'blocked', 'ready', 'waiting', 'sending', 'unknown', 'sent', 'failed', 'cancelled'
);
create type public.whatsapp_ordering as enum ('fifo', 'after_delivered', 'none');
create type public.whatsapp_wait_reason as enum (
  'retry', 'not_sent', 'pair_limit', 'messaging_limit', 'template_paused'
);
create type public.whatsapp_failure_reason as enum (
  'window_closed', 'recipient_opted_out', 'no_marketing_consent', 'marketing_limited', 'recipient_unknown', 'recipient_unreachable',
  'message_rejected', 'template_rejected', 'template_disabled', 'spam_limited', 'attempts_exhausted', 'unresolved', 'expired'
);

comment on type public.whatsapp_queue_state is
  'Where a message to be sent is. scheduled: its time has not come, so it stands in no lane; blocked: another of its lane goes first; '
  'ready: may be claimed; waiting: first of its lane, but not now (wait_reason); sending: claimed, the request may be on its way; '
  'unknown: it may have been sent, nobody can tell yet; sent: Meta took it; failed: it will not be sent (failure_reason); cancelled: withdrawn.';
comment on type public.whatsapp_ordering is
  'What the next message of the same lane waits for. fifo: that Meta took this one; after_delivered: that it arrived, or a minute '
  '(Meta may change the order of what it took); none: nothing, this one stands in no lane.';
comment on type public.whatsapp_wait_reason is
  'Why the first of a lane is not sent now. retry: an attempt failed; not_sent: an attempt never left us; pair_limit: too much to one person; '
  'messaging_limit: too many people have been written to outside their windows; template_paused: by Meta.';
comment on type public.whatsapp_failure_reason is
  'Why a message is not sent. window_closed: free text outside the 24 hours, and no fallback; recipient_opted_out: they said stop; '
  'no_marketing_consent: they never said start; marketing_limited: Meta holds back marketing to them; recipient_unknown: no name to send to; '
  'recipient_unreachable: Meta cannot or must not deliver to them; message_rejected, template_rejected: Meta finds a fault in it; '
  'template_disabled: by Meta, for good; spam_limited: the number has been blocked too often; attempts_exhausted: each attempt failed; '
  'unresolved: it may have been sent, and nobody will tell; expired: its time was over before it could be sent.';

create table private.whatsapp_lanes (
  contact_id uuid not null,
  phone_number_id text not null,
  paced_until timestamptz not null default '-infinity',
  pair_refusal_count integer not null default 0,
  constraint whatsapp_lanes_pkey primary key (contact_id, phone_number_id),
  constraint whatsapp_lanes_contact_id_fkey foreign key (contact_id) references public.whatsapp_contacts (id)
) with (fillfactor = 70);

comment on table private.whatsapp_lanes is
  'One row per contact and number of ours that messages are sent between: whoever changes what stands in the lane locks it.';
comment on column private.whatsapp_lanes.paced_until is
  'The pair limit (GCRA): when the messages sent so far will have been paid for, at one interval each.';
comment on column private.whatsapp_lanes.pair_refusal_count is 'How many times in a row Meta refused for the pair limit (131056).';
alter table private.whatsapp_lanes enable row level security;
create sequence private.whatsapp_lane_places;

create table public.whatsapp_message_queue (
  id uuid not null default private.uuid_v7(),
  phone_number_id text not null,
  contact_id uuid not null,
  recipient_kind public.whatsapp_identity_kind,
  recipient_value text,
  message_type text not null,
  payload jsonb not null,
  fallback_template jsonb,
  category text,
  ordering public.whatsapp_ordering not null default 'fifo',
  may_resend boolean not null default true,
  priority private.work_priority not null default 5,
  state public.whatsapp_queue_state not null,
  place bigint,
  due_at timestamptz,
  expires_at timestamptz not null,
  attempt_count integer not null default 0,
  max_attempts integer not null default 5,
  lease_token bigint not null default 0,
  claimed_at timestamptz,
  unknown_at timestamptz,
  wait_reason public.whatsapp_wait_reason,
  failure_reason public.whatsapp_failure_reason,
  last_error jsonb,
  must_use_phone boolean not null default false,
  is_fallback boolean not null default false,
  wamid text,
  former_wamids text[] not null default '{}',
  message_id uuid,
  sent_at timestamptz,
  created_at timestamptz not null default now(),
  correlation_id text default private.correlation_id(),
  constraint whatsapp_message_queue_pkey primary key (id),
  constraint whatsapp_message_queue_contact_id_fkey foreign key (contact_id) references public.whatsapp_contacts (id),
  constraint whatsapp_message_queue_recipients_are_whole check ((recipient_kind is null) = (recipient_value is null)),
  constraint whatsapp_message_queue_expires_after_it_is_made check (expires_at > created_at),
  constraint whatsapp_message_queue_waiting_says_why check ((state = 'waiting') = (wait_reason is not null)),
  constraint whatsapp_message_queue_ready_and_blocked_have_no_time check ((state in ('ready', 'blocked')) = (due_at is null)),
  constraint whatsapp_message_queue_finished_ones_have_left check (state not in ('failed', 'cancelled'))
) with (
  fillfactor = 80,
  autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 2000, autovacuum_vacuum_cost_delay = 0
);

comment on table public.whatsapp_message_queue is
  'Messages to be sent that are not through yet; the others are in whatsapp_message_queue_history, under the same id.';
comment on column public.whatsapp_message_queue.id is
  'What Meta gives back in every status of the message (biz_opaque_callback_data), so that one of which nobody knows whether it was sent is found.';
comment on column public.whatsapp_message_queue.contact_id is 'Whose lane it stands in: to whom it goes, never a merged contact.';
comment on column public.whatsapp_message_queue.recipient_kind is
  'The name that it was addressed to, with recipient_value; null: to the contact, under whatever name it has when it is sent.';
comment on column public.whatsapp_message_queue.payload is 'The content, under the name of its type, and context if it quotes a message: as Meta''s send API has it.';
comment on column public.whatsapp_message_queue.fallback_template is 'The template that goes out instead, if the window is closed by then.';
comment on column public.whatsapp_message_queue.category is
  'The pricing category that the caller says a template has; what Meta has told us of it counts more.';
comment on column public.whatsapp_message_queue.may_resend is
  'Whether it may be sent again if nobody can tell whether it was sent; false where twice is worse than not at all.';
comment on column public.whatsapp_message_queue.place is 'Its place in the lane; null where it stands in none (scheduled, or ordering none).';
comment on column public.whatsapp_message_queue.due_at is
  'When it is looked at next: scheduled and waiting: then it may be ready; sending: the lease ends; unknown: it is decided; '
  'sent: its lane goes on without delivery.';
comment on column public.whatsapp_message_queue.expires_at is 'After that it is no use any more and fails (expired).';
comment on column public.whatsapp_message_queue.attempt_count is 'Requests that may have reached Meta; waiting and what never left us do not count.';
comment on column public.whatsapp_message_queue.lease_token is 'Rises with every claim: who comes with an earlier one has lost the lease.';
comment on column public.whatsapp_message_queue.last_error is 'What the sender reported last, or the errors of a failed status.';
comment on column public.whatsapp_message_queue.is_fallback is 'Whether the latest attempt sends the fallback template.';
comment on column public.whatsapp_message_queue.former_wamids is
  'Ids of earlier attempts that failed, and of copies that proved to have been sent beside wamid.';
comment on column public.whatsapp_message_queue.message_id is 'Its row in whatsapp_messages, once it is sent.';

-- Each serves one question, and holds only the rows that may be its answer.
create index whatsapp_message_queue_ready_idx on public.whatsapp_message_queue (phone_number_id, priority, id) where state = 'ready';
create index whatsapp_message_queue_due_at_idx on public.whatsapp_message_queue (due_at) where due_at is not null;
create index whatsapp_message_queue_expires_at_idx on public.whatsapp_message_queue (expires_at);
create index whatsapp_message_queue_contact_id_phone_number_id_place_idx on public.whatsapp_message_queue (contact_id, phone_number_id, place);
alter table public.whatsapp_message_queue enable row level security;
grant select on public.whatsapp_message_queue to service_role;

create table public.whatsapp_message_queue_history (
  like public.whatsapp_message_queue including defaults including comments,
  finished_at timestamptz not null default now(),
  constraint whatsapp_message_queue_history_pkey primary key (id),
  constraint whatsapp_message_queue_history_failures_say_why check ((state = 'failed') = (failure_reason is not null))
) partition by range (id);

comment on table public.whatsapp_message_queue_history is
  'Messages that are through: sent, failed or cancelled. By the id that they had in the queue, so by when they were enqueued.';
comment on column public.whatsapp_message_queue_history.finished_at is 'When it left the queue.';
alter table public.whatsapp_message_queue_history enable row level security;
grant select on public.whatsapp_message_queue_history to service_role;
select private.manage_partitions('whatsapp_message_queue_history', interval '3 months', interval '6 months');

create table private.whatsapp_enqueue_keys (
  key text not null,
  fingerprint bytea not null,
  message_id uuid not null,
  kept_until timestamptz not null default now() + interval '35 days',
  constraint whatsapp_enqueue_keys_pkey primary key (key),
  constraint whatsapp_enqueue_keys_key_is_short check (length(key) between 1 and 255)
);

comment on table private.whatsapp_enqueue_keys is 'The idempotency keys of enqueued messages: the same key again is the same message.';
comment on column private.whatsapp_enqueue_keys.fingerprint is 'sha256 of recipient and content: the same key with others is refused.';
create index whatsapp_enqueue_keys_kept_until_idx on private.whatsapp_enqueue_keys (kept_until);
alter table private.whatsapp_enqueue_keys enable row level security;

create function private.whatsapp_sending_rules(
  out window_margin interval,
  out pair_interval interval,
  out pair_burst integer,
  out delivery_timeout interval,
  out quiet_period interval,
  out longest_unknown interval,
  out usable_throughput numeric
)
language plpgsql
immutable
set search_path = ''
as $$
begin
  window_margin := interval '2 minutes';
  pair_interval := interval '6 seconds';
  pair_burst := 40;
  delivery_timeout := interval '1 minute';
  quiet_period := interval '10 minutes';
  longest_unknown := interval '1 hour';
  usable_throughput := 0.9;
end;
$$;

comment on function private.whatsapp_sending_rules is
  'The figures that sending keeps to. window_margin: how long a window must still be open, because a claimed message leaves within its lease. '
  'pair_interval, pair_burst: Meta takes one message to a person every 6 s and lends up to 45 in advance; five are left for what arrives '
  'closer together than it was claimed. delivery_timeout: how long after_delivered waits. quiet_period, longest_unknown: when a message that '
  'may have been sent is decided. usable_throughput: the share of a number''s throughput for sending, because what comes in counts too.';

commit;
