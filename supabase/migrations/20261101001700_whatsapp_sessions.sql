begin;

create type public.whatsapp_transition_reason as enum ('requested', 'expired', 'merged');
comment on type public.whatsapp_transition_reason is
  'Why a session changed. requested: by transition_whatsapp_session(); expired: by the schedule; merged: two contacts proved to be one person.';

create domain private.whatsapp_session_state as text
  check (value ~ '^[a-z][a-z0-9_.:-]{0,63}$');
comment on domain private.whatsapp_session_state is 'Where in a conversation somebody is: a short name of the bot''s own.';

create domain private.whatsapp_session_context as jsonb
  check (jsonb_typeof(value) = 'object' and octet_length(value::text) <= 8192);
comment on domain private.whatsapp_session_context is 'What the bot keeps in mind of a conversation: an object of at most 8 KiB as text.';

create table public.whatsapp_sessions (
  id uuid not null default private.uuid_v7(),
  phone_number_id text not null,
  contact_id uuid not null,
  state private.whatsapp_session_state not null default 'idle',
  version integer not null default 1,
  context private.whatsapp_session_context not null default '{}',
  expires_at timestamptz,
  locale text,
  last_inbound_at timestamptz,
  window_expires_at timestamptz,
  last_outbound_at timestamptz,
  noted_outbound_at timestamptz,
  referred_at timestamptz,
  free_entry_expires_at timestamptz,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  constraint whatsapp_sessions_pkey primary key (id),
  constraint whatsapp_sessions_contact_id_phone_number_id_key unique (contact_id, phone_number_id),
  constraint whatsapp_sessions_contact_id_fkey foreign key (contact_id) references public.whatsapp_contacts (id),
  constraint whatsapp_sessions_phone_number_id_is_short check (length(phone_number_id) between 1 and 64),
  constraint whatsapp_sessions_locale_is_served check (locale in ('en', 'fr', 'rw', 'sw')),
  constraint whatsapp_sessions_idle_does_not_expire check (state <> 'idle' or expires_at is null),
  constraint whatsapp_sessions_window_lasts_a_day check (window_expires_at is not distinct from last_inbound_at + interval '24 hours')
);

comment on table public.whatsapp_sessions is
  'The conversation of a contact with one of our numbers: where the bot is in it (state, version, context) and what Meta lets us send '
  '(the windows). '
  'The windows are computed from Meta''s timestamps and end the same whatever the order of deliveries. They only rise, unless what opened '
  'them proves to be another contact''s (private.recount_whatsapp_sessions). '
  'Times more than an hour ahead are not believed.';
comment on column public.whatsapp_sessions.version is
  'Counts the changes of state and context: transition_whatsapp_session() must name the one that it changes. Activity does not count.';
comment on column public.whatsapp_sessions.expires_at is
  'When the state is given up: the schedule makes it idle again, with an empty context. The session itself stays.';
comment on column public.whatsapp_sessions.locale is 'The language chosen in this conversation; null means the profile''s.';
comment on column public.whatsapp_sessions.last_inbound_at is
  'The contact''s latest message or call to us, or acceptance of a call of ours. What is no message of somebody''s own to us does not count: '
  'system notices, reactions, edits, revocations, a chat opened without a word, messages to a group, and copies (standby: another app''s '
  'conversation; history: from before the number joined).';
comment on column public.whatsapp_sessions.window_expires_at is
  'The customer service window, 24 hours from last_inbound_at; until then anything may be sent, later only templates (Meta, Service messages).';
comment on column public.whatsapp_sessions.last_outbound_at is
  'Our latest message: by the clock of the worker that sent it, or Meta''s for what the phone app sent.';
comment on column public.whatsapp_sessions.noted_outbound_at is
  'The latest of those that update_whatsapp_session_activity() noted. They belong to the contact that was named, whoever has its number later.';
comment on column public.whatsapp_sessions.referred_at is
  'The contact''s latest message that came from a click-to-WhatsApp ad or a Page''s button: an answer within 24 hours makes 72 hours free.';
comment on column public.whatsapp_sessions.free_entry_expires_at is
  'Until when messages are free at the least: 72 hours from the latest referred message that was answered within 24 hours, or as long as '
  'the status of a message says. Meta counts from the first answer, which one that is delivered late could still make earlier; the statuses '
  'of what we send bring the exact end.';
create index whatsapp_sessions_expires_at_idx on public.whatsapp_sessions (expires_at) where expires_at is not null;
alter table public.whatsapp_sessions enable row level security;
grant select on public.whatsapp_sessions to service_role;

create trigger touch_updated_at
before update on public.whatsapp_sessions
for each row execute function private.touch_updated_at();

create table public.whatsapp_openings (
  kind public.whatsapp_identity_kind not null,
  value text not null,
  phone_number_id text not null,
  is_free_entry boolean not null,
  occurred_at timestamptz not null,
  expires_at timestamptz not null,
  kept_until timestamptz not null,
  constraint whatsapp_openings_pkey primary key (kind, value, phone_number_id, is_free_entry, occurred_at, expires_at)
);

comment on table public.whatsapp_openings is
  'What opened a window and is no message: calls, and statuses that tell of a free entry. By the name that it came with, so that the windows '
  'can be told anew when the name proves to have been somebody else''s.';
comment on column public.whatsapp_openings.expires_at is 'Until when the window is open on this account.';
create index whatsapp_openings_kept_until_idx on public.whatsapp_openings (kept_until);
alter table public.whatsapp_openings enable row level security;
grant select on public.whatsapp_openings to service_role;

create table public.whatsapp_session_transitions (
  id uuid not null default private.uuid_v7(),
  created_at timestamptz not null generated always as (private.uuid_v7_time(id)) stored,
  session_id uuid not null,
  reason public.whatsapp_transition_reason not null,
  from_state private.whatsapp_session_state not null,
  to_state private.whatsapp_session_state not null,
  version integer not null,
  context private.whatsapp_session_context not null,
  merged_session_id uuid,
  actor text not null default private.caller(),
  correlation_id text default private.correlation_id(),
  constraint whatsapp_session_transitions_pkey primary key (id),
  constraint whatsapp_session_transitions_mergers_name_the_other check ((reason = 'merged') = (merged_session_id is not null))
) partition by range (id);

comment on table public.whatsapp_session_transitions is
  'Every change of a session''s state or context. Append-only: nobody may write it but the functions that change sessions.';
comment on column public.whatsapp_session_transitions.from_state is 'The state before; in a merger, the one that gave way.';
comment on column public.whatsapp_session_transitions.version is 'The session''s version after the change; a merger leaves it as it is.';
comment on column public.whatsapp_session_transitions.context is 'The context after the change; emptied when the person is erased.';
comment on column public.whatsapp_session_transitions.merged_session_id is 'In a merger, the session that ended; its history stays under that id.';
comment on column public.whatsapp_session_transitions.actor is 'Who changed it, as private.caller() tells them.';
create index whatsapp_session_transitions_session_id_id_idx on public.whatsapp_session_transitions (session_id, id);
alter table public.whatsapp_session_transitions enable row level security;
grant select on public.whatsapp_session_transitions to service_role;
create trigger refuse_change
before delete or update of id, session_id, reason, from_state, to_state, version, merged_session_id, actor, correlation_id
on public.whatsapp_session_transitions
for each row execute function private.refuse_change();
create trigger refuse_rewriting
before update of context on public.whatsapp_session_transitions
for each row when (new.context <> '{}') execute function private.refuse_change();

select private.manage_partitions('whatsapp_session_transitions', interval '13 months', interval '25 months');

create view public.whatsapp_session_stats
with (security_invoker = on)
as
select
  session.phone_number_id,
  session.state,
  count(*) as session_count,
  count(*) filter (where session.window_expires_at > now()) as open_window_count,
  count(*) filter (where session.free_entry_expires_at > now()) as open_free_entry_count,
  count(*) filter (where activity.latest_at > now() - interval '1 hour') as active_last_hour_count,
  count(*) filter (where activity.latest_at > now() - interval '24 hours') as active_last_day_count
from public.whatsapp_sessions as session
cross join lateral (values (greatest(session.last_inbound_at, session.last_outbound_at))) as activity (latest_at)
group by session.phone_number_id, session.state;

comment on view public.whatsapp_session_stats is
  'Per number and state: sessions, those that may be written to freely, those where that is free of charge, and those with a message '
  'or call lately.';
grant select on public.whatsapp_session_stats to service_role;

commit;
