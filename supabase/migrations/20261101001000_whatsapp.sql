begin;

create type public.whatsapp_item_kind as enum ('message', 'echo', 'history', 'status', 'event', 'unknown');
create type public.whatsapp_item_outcome as enum ('stored', 'duplicate', 'stale', 'unroutable', 'dead_letter');
create type public.whatsapp_message_direction as enum ('inbound', 'outbound');
create type public.whatsapp_message_origin as enum ('live', 'standby', 'echo', 'history');
create type public.whatsapp_delivery_status as enum ('sent', 'delivered', 'read', 'played', 'failed');
create type public.whatsapp_identity_kind as enum ('wa_id', 'bsuid', 'parent_bsuid');

comment on type public.whatsapp_item_kind is
  'What an item of a delivery is. echo: sent from the phone app; history: from before the number joined; unknown: nobody has described it yet.';
comment on type public.whatsapp_item_outcome is
  'What became of an item. stale: older than the keys that would tell a copy; unroutable: names none of our numbers; dead_letter: cannot be stored.';
comment on type public.whatsapp_message_direction is 'Inbound: to us; outbound: from us.';
comment on type public.whatsapp_message_origin is 'How we came to know of a message. standby: another app of ours holds the conversation.';
comment on type public.whatsapp_delivery_status is 'How far a message got.';
comment on type public.whatsapp_identity_kind is
  'What kind of name Meta gives a person: phone digits, the business-scoped user id, or that of the parent business.';

create table public.whatsapp_deliveries (
  id uuid not null default private.uuid_v7(),
  created_at timestamptz not null generated always as (private.uuid_v7_time(id)) stored,
  sha256 bytea not null,
  body bytea not null,
  sanitised_body jsonb,
  item_count integer not null,
  correlation_id text default private.correlation_id(),
  constraint whatsapp_deliveries_pkey primary key (id),
  constraint whatsapp_deliveries_hold_an_item check (item_count > 0)
) partition by range (id);

comment on table public.whatsapp_deliveries is
  'Every signed POST from Meta, byte for byte, journaled before anything else is made of it. A copy of a body is counted in whatsapp_delivery_keys, not kept twice.';
comment on column public.whatsapp_deliveries.sanitised_body is
  'What jsonb can hold of a body that it cannot hold as sent (NUL, lone surrogates become U+FFFD); null when the body itself can be read.';
comment on column public.whatsapp_deliveries.item_count is 'How many items the body carries; each has a row in whatsapp_delivery_items.';
alter table public.whatsapp_deliveries enable row level security;
grant select on public.whatsapp_deliveries to service_role;
select private.manage_partitions('whatsapp_deliveries', interval '3 months', interval '6 months');

create table public.whatsapp_delivery_keys (
  sha256 bytea not null,
  delivery_id uuid not null,
  copy_count integer not null default 1,
  last_received_at timestamptz not null default now(),
  kept_until timestamptz not null default now() + interval '35 days',
  constraint whatsapp_delivery_keys_pkey primary key (sha256)
);

comment on table public.whatsapp_delivery_keys is
  'The bodies received lately: the same bytes again are a copy (Meta retries for 7 days; signatures do not expire).';
create index whatsapp_delivery_keys_kept_until_idx on public.whatsapp_delivery_keys (kept_until);
alter table public.whatsapp_delivery_keys enable row level security;
grant select on public.whatsapp_delivery_keys to service_role;

create table public.whatsapp_delivery_items (
  id uuid not null,
  created_at timestamptz not null generated always as (private.uuid_v7_time(id)) stored,
  delivery_id uuid not null,
  path text not null,
  kind public.whatsapp_item_kind not null,
  outcome public.whatsapp_item_outcome not null,
  reason text,
  target_id uuid,
  settled_at timestamptz not null default now(),
  constraint whatsapp_delivery_items_pkey primary key (id),
  constraint whatsapp_delivery_items_dead_letters_say_why check (outcome <> 'dead_letter' or reason is not null),
  constraint whatsapp_delivery_items_settled_point_somewhere check (outcome not in ('stored', 'duplicate') or target_id is not null)
) partition by range (id);

comment on table public.whatsapp_delivery_items is
  'What became of each item of each delivery. Ids carry the time of the delivery, so that its items lie in one partition.';
comment on column public.whatsapp_delivery_items.path is 'RFC 6901 pointer into the body.';
comment on column public.whatsapp_delivery_items.reason is 'For dead letters: not_json, not_an_object, invalid_id, invalid_timestamp, or the SQLSTATE that storing it raised.';
comment on column public.whatsapp_delivery_items.target_id is 'The message, status or event that holds the item (for a duplicate: the one that was there first).';
create index whatsapp_delivery_items_delivery_id_idx on public.whatsapp_delivery_items (delivery_id);
create index whatsapp_delivery_items_unsettled_idx on public.whatsapp_delivery_items (id) where outcome in ('dead_letter', 'unroutable');
alter table public.whatsapp_delivery_items enable row level security;
grant select on public.whatsapp_delivery_items to service_role;
select private.manage_partitions('whatsapp_delivery_items', interval '3 months', interval '6 months');

commit;
