begin;

create table public.whatsapp_numbers (
  phone_number_id text not null,
  waba_id text,
  display_phone_number text,
  created_at timestamptz not null default now(),
  constraint whatsapp_numbers_pkey primary key (phone_number_id)
);

comment on table public.whatsapp_numbers is 'Our business numbers, learned from the deliveries that name them.';
alter table public.whatsapp_numbers enable row level security;
grant select on public.whatsapp_numbers to service_role;


create table public.whatsapp_contacts (
  id uuid not null default private.uuid_v7(),
  profile_id uuid,
  display_name text,
  username text,
  last_seen_at timestamptz,
  merged_into uuid,
  created_at timestamptz not null default now(),
  constraint whatsapp_contacts_pkey primary key (id),
  constraint whatsapp_contacts_profile_id_fkey foreign key (profile_id) references public.profiles (id) on delete set null,
  constraint whatsapp_contacts_merged_into_fkey foreign key (merged_into) references public.whatsapp_contacts (id)
);

comment on table public.whatsapp_contacts is
  'People who write to us. Keyed by an id of our own, because Meta may name a person by phone, by business-scoped user id, or both.';
comment on column public.whatsapp_contacts.last_seen_at is 'Meta''s time of the latest message; display_name and username are as of then.';
comment on column public.whatsapp_contacts.merged_into is 'Set when two contacts proved to be one person: the contact that goes on, never itself merged.';
create index whatsapp_contacts_profile_id_idx on public.whatsapp_contacts (profile_id);
create index whatsapp_contacts_merged_into_idx on public.whatsapp_contacts (merged_into);
alter table public.whatsapp_contacts enable row level security;
grant select on public.whatsapp_contacts to service_role;

create table public.whatsapp_identities (
  kind public.whatsapp_identity_kind not null,
  value text not null,
  valid_from timestamptz not null default '-infinity',
  valid_to timestamptz,
  contact_id uuid not null,
  constraint whatsapp_identities_pkey primary key (kind, value, valid_from),
  constraint whatsapp_identities_contact_id_fkey foreign key (contact_id) references public.whatsapp_contacts (id),
  constraint whatsapp_identities_value_is_short check (length(value) between 1 and 256),
  constraint whatsapp_identities_end_after_they_begin check (valid_to > valid_from)
);

comment on table public.whatsapp_identities is
  'Whom Meta means by a name, from when (inclusive) to when (exclusive), by Meta''s times. Computed from whatsapp_identity_links alone.';
comment on column public.whatsapp_identities.value is 'wa_id: digits without plus. bsuid and parent_bsuid: as Meta writes them.';
comment on column public.whatsapp_identities.valid_from is '-infinity where nobody is known to have had the name before.';
comment on column public.whatsapp_identities.valid_to is 'Null while the name is still theirs.';
create unique index whatsapp_identities_current_key on public.whatsapp_identities (kind, value) where valid_to is null;
create index whatsapp_identities_contact_id_idx on public.whatsapp_identities (contact_id);
alter table public.whatsapp_identities enable row level security;
grant select on public.whatsapp_identities to service_role;


create table public.whatsapp_identity_links (
  kind public.whatsapp_identity_kind not null,
  value text not null,
  linked_kind public.whatsapp_identity_kind not null,
  linked_value text not null,
  is_change boolean not null,
  first_seen_at timestamptz not null,
  constraint whatsapp_identity_links_pkey primary key (kind, value, linked_kind, linked_value, is_change)
);

comment on table public.whatsapp_identity_links is
  'What Meta has said of names that belong together. A set with the earliest time of each, so the order in which it was learned cannot matter.';
comment on column public.whatsapp_identity_links.is_change is
  'False: both names stood on one message. True: who had the first name then has the second from then on.';
comment on column public.whatsapp_identity_links.first_seen_at is 'The earliest of Meta''s times at which this was said.';
create index whatsapp_identity_links_linked_kind_linked_value_idx on public.whatsapp_identity_links (linked_kind, linked_value);
alter table public.whatsapp_identity_links enable row level security;
grant select on public.whatsapp_identity_links to service_role;


create table public.whatsapp_contact_moves (
  id uuid not null default private.uuid_v7(),
  kind public.whatsapp_identity_kind not null,
  value text not null,
  valid_from timestamptz not null,
  valid_to timestamptz,
  from_contact_id uuid not null,
  into_contact_id uuid not null,
  is_followed boolean not null default false,
  created_at timestamptz not null default now(),
  constraint whatsapp_contact_moves_pkey primary key (id),
  constraint whatsapp_contact_moves_from_contact_id_fkey foreign key (from_contact_id) references public.whatsapp_contacts (id),
  constraint whatsapp_contact_moves_into_contact_id_fkey foreign key (into_contact_id) references public.whatsapp_contacts (id)
);

comment on table public.whatsapp_contact_moves is
  'The history of names that proved to be another contact''s, for that stretch of Meta''s time.';
comment on column public.whatsapp_contact_moves.is_followed is
  'Whether messages and what hangs on the contact have moved too; true at the end of every transaction.';
create index whatsapp_contact_moves_pending_idx on public.whatsapp_contact_moves (id) where not is_followed;
create index whatsapp_contact_moves_from_contact_id_idx on public.whatsapp_contact_moves (from_contact_id);
create index whatsapp_contact_moves_into_contact_id_idx on public.whatsapp_contact_moves (into_contact_id);
alter table public.whatsapp_contact_moves enable row level security;
grant select on public.whatsapp_contact_moves to service_role;


create table public.whatsapp_messages (
  id uuid not null default private.uuid_v7(),
  created_at timestamptz not null generated always as (private.uuid_v7_time(id)) stored,
  phone_number_id text not null,
  wamid text not null,
  contact_id uuid,
  direction public.whatsapp_message_direction not null,
  origin public.whatsapp_message_origin not null,
  type text not null,
  sent_at timestamptz not null,
  group_id text,
  reply_to_wamid text,
  payload jsonb not null,
  delivery_id uuid,
  correlation_id text default private.correlation_id(),
  constraint whatsapp_messages_pkey primary key (id),
  constraint whatsapp_messages_contact_id_fkey foreign key (contact_id) references public.whatsapp_contacts (id)
) partition by range (id);

comment on table public.whatsapp_messages is 'Every message, whole: live, seen as a standby app, echoed from the phone app, or from its history.';
comment on column public.whatsapp_messages.sent_at is 'Meta''s timestamp: whole seconds.';
comment on column public.whatsapp_messages.contact_id is 'Who wrote it (inbound) or got it (outbound); null when Meta names nobody.';
comment on column public.whatsapp_messages.payload is 'The message object as Meta sent it.';
create index whatsapp_messages_contact_id_id_idx on public.whatsapp_messages (contact_id, id);
alter table public.whatsapp_messages enable row level security;
grant select on public.whatsapp_messages to service_role;
select private.manage_partitions('whatsapp_messages', interval '13 months', interval '25 months');

create table public.whatsapp_message_keys (
  phone_number_id text not null,
  wamid text not null,
  message_id uuid,
  precedence integer not null default 0,
  kept_until timestamptz not null,
  constraint whatsapp_message_keys_pkey primary key (phone_number_id, wamid)
);

comment on table public.whatsapp_message_keys is
  'One row per message id lately seen, whichever came first: the message or a status of it (message_id is null until the message comes).';
comment on column public.whatsapp_message_keys.precedence is
  'Of which copy the stored message is: history placeholder 1, history 2, standby 3, live and echo 4. A higher one replaces it.';
comment on column public.whatsapp_message_keys.kept_until is 'Older items are stale, so the key is no longer needed; infinity where age cannot be told.';
create index whatsapp_message_keys_kept_until_idx on public.whatsapp_message_keys (kept_until);
alter table public.whatsapp_message_keys enable row level security;
grant select on public.whatsapp_message_keys to service_role;


create table public.whatsapp_message_statuses (
  id uuid not null default private.uuid_v7(),
  created_at timestamptz not null generated always as (private.uuid_v7_time(id)) stored,
  phone_number_id text not null,
  wamid text not null,
  participant text not null default '',
  message_id uuid,
  observed jsonb not null,
  status public.whatsapp_delivery_status not null generated always as (
    case
      when observed ? 'played' then 'played'::public.whatsapp_delivery_status
      when observed ? 'read' then 'read'::public.whatsapp_delivery_status
      when observed ? 'delivered' then 'delivered'::public.whatsapp_delivery_status
      when observed ? 'failed' then 'failed'::public.whatsapp_delivery_status
      else 'sent'::public.whatsapp_delivery_status
    end
  ) stored,
  sent_at timestamptz generated always as (to_timestamp((observed -> 'sent' ->> 'timestamp')::double precision)) stored,
  delivered_at timestamptz generated always as (to_timestamp((observed -> 'delivered' ->> 'timestamp')::double precision)) stored,
  read_at timestamptz generated always as (to_timestamp((observed -> 'read' ->> 'timestamp')::double precision)) stored,
  played_at timestamptz generated always as (to_timestamp((observed -> 'played' ->> 'timestamp')::double precision)) stored,
  failed_at timestamptz generated always as (to_timestamp((observed -> 'failed' ->> 'timestamp')::double precision)) stored,
  correlation_id text default private.correlation_id(),
  constraint whatsapp_message_statuses_pkey primary key (id)
) partition by range (id);

comment on table public.whatsapp_message_statuses is
  'How far each message got, per participant. The status only rises: a failure counts only where nothing says that the message arrived.';
comment on column public.whatsapp_message_statuses.participant is 'In groups, who: each participant has a row. Empty otherwise.';
comment on column public.whatsapp_message_statuses.message_id is 'Null for an orphan: a status that came before its message, joined when it comes.';
comment on column public.whatsapp_message_statuses.observed is 'The first status object received of each status, pricing and errors included.';
alter table public.whatsapp_message_statuses enable row level security;
grant select on public.whatsapp_message_statuses to service_role;
select private.manage_partitions('whatsapp_message_statuses', interval '13 months', interval '25 months');

create table public.whatsapp_status_keys (
  phone_number_id text not null,
  wamid text not null,
  participant text not null,
  status_id uuid not null,
  kept_until timestamptz not null,
  constraint whatsapp_status_keys_pkey primary key (phone_number_id, wamid, participant)
);

comment on table public.whatsapp_status_keys is 'Where the status row of a message and participant is.';
create index whatsapp_status_keys_kept_until_idx on public.whatsapp_status_keys (kept_until);
alter table public.whatsapp_status_keys enable row level security;
grant select on public.whatsapp_status_keys to service_role;


create table public.whatsapp_events (
  id uuid not null default private.uuid_v7(),
  created_at timestamptz not null generated always as (private.uuid_v7_time(id)) stored,
  is_known boolean not null,
  field text,
  collection text,
  waba_id text,
  phone_number_id text,
  occurred_at timestamptz,
  payload jsonb not null,
  delivery_id uuid not null,
  correlation_id text default private.correlation_id(),
  constraint whatsapp_events_pkey primary key (id)
) partition by range (id);

comment on table public.whatsapp_events is
  'Whatever is neither message nor status: calls, groups, preferences, identities, templates, account. What nobody has described yet has is_known false.';
comment on column public.whatsapp_events.field is 'Meta''s change field.';
comment on column public.whatsapp_events.collection is 'The array of the change that the item stood in; null when the change as a whole is the item.';
create index whatsapp_events_field_id_idx on public.whatsapp_events (field, id);
alter table public.whatsapp_events enable row level security;
grant select on public.whatsapp_events to service_role;
select private.manage_partitions('whatsapp_events', interval '13 months', interval '25 months');

create table public.whatsapp_event_keys (
  key bytea not null,
  event_id uuid not null,
  kept_until timestamptz not null,
  constraint whatsapp_event_keys_pkey primary key (key)
);

comment on table public.whatsapp_event_keys is 'sha256 over what makes an event the same event again.';
create index whatsapp_event_keys_kept_until_idx on public.whatsapp_event_keys (kept_until);
alter table public.whatsapp_event_keys enable row level security;
grant select on public.whatsapp_event_keys to service_role;

commit;
