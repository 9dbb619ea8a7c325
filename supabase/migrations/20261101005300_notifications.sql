begin;

create type public.notification_channel as enum ('inbox', 'push', 'whatsapp', 'sms', 'email');
create type public.notification_state as enum ('waiting', 'sent', 'failed', 'not_sent');

comment on type public.notification_channel is 'How a notification reaches a person. Every one is in the inbox; the others carry it to them.';
comment on type public.notification_state is
  'How far a notification is. sent: one channel took it; failed: none did; not_sent: none was to, by the person''s wish or because its time was over.';

create table public.notification_categories (
  category text not null,
  description text not null,
  channels public.notification_channel[] not null,
  is_critical boolean not null default false,
  digest_window interval,
  whatsapp_category text not null default 'utility',
  constraint notification_categories_pkey primary key (category),
  constraint notification_categories_category_is_a_name check (category ~ '^[a-z][a-z0-9_]{0,62}$'),
  constraint notification_categories_are_carried_outside check (not channels && '{inbox}'),
  constraint notification_categories_critical_do_not_wait check (not (is_critical and digest_window is not null)),
  constraint notification_categories_whatsapp_category_is_known check (
    whatsapp_category in ('service', 'utility', 'authentication', 'marketing')
  )
);

comment on table public.notification_categories is 'What notifications are about, and how each kind is carried. Rows are added by migrations and operators, in SQL.';
comment on column public.notification_categories.channels is 'Which channels are tried, one after the other, until one has taken it.';
comment on column public.notification_categories.is_critical is 'Goes out at once whatever the person has set: quiet hours, preferences and digests do not hold it.';
comment on column public.notification_categories.digest_window is 'How long notifications are collected into one message; null sends each by itself.';
comment on column public.notification_categories.whatsapp_category is 'Meta''s category, by which consent is judged.';
alter table public.notification_categories enable row level security;
grant select on public.notification_categories to authenticated, service_role;

create policy "Everybody signed in reads the categories"
on public.notification_categories
for select
to authenticated
using (true);

insert into public.notification_categories (category, description, channels, is_critical, digest_window, whatsapp_category) values
  ('security', 'Codes and warnings about the account', '{whatsapp,sms,email}', true, null, 'utility'),
  ('payment', 'Payments, refunds and the wallet', '{whatsapp,push,sms}', false, null, 'utility'),
  ('trip', 'Requests, offers and the course of a trip', '{push,whatsapp,sms}', false, null, 'utility'),
  ('service', 'News about the service', '{push,whatsapp,email}', false, interval '1 hour', 'utility'),
  ('promotion', 'Offers', '{push,whatsapp,email}', false, interval '1 day', 'marketing');

create table public.notification_templates (
  name text not null,
  channel public.notification_channel not null,
  locale text not null,
  title text,
  body text not null,
  whatsapp_template jsonb,
  updated_at timestamptz not null default now(),
  constraint notification_templates_pkey primary key (name, channel, locale),
  constraint notification_templates_name_is_a_name check (name ~ '^[a-z][a-z0-9_]{0,62}$'),
  constraint notification_templates_locale_is_a_tag check (locale ~ '^[a-z]{2,3}(-[A-Z]{2})?$'),
  constraint notification_templates_title_is_short check (length(title) <= 200),
  constraint notification_templates_body_is_short check (length(body) between 1 and 4000),
  constraint notification_templates_whatsapp_template_is_named check (
    whatsapp_template is null
    or (channel = 'whatsapp' and jsonb_typeof(whatsapp_template -> 'name') = 'string'
      and jsonb_typeof(coalesce(whatsapp_template -> 'parameters', '[]')) = 'array') is true
  )
);

comment on table public.notification_templates is
  'The words of a notification by channel and language, with {{parameters}}. A channel without words of its own uses those of the inbox.';
comment on column public.notification_templates.whatsapp_template is
  'The approved template to use outside of the service window: {"name", "language"?, "parameters"?: names in the order of its variables}.';
alter table public.notification_templates enable row level security;
grant select, insert, update, delete on public.notification_templates to service_role;

create trigger touch_updated_at
before update on public.notification_templates
for each row execute function private.touch_updated_at();

-- The digest's own words; {{items}} are the titles or bodies of what it brings, a line each.
insert into public.notification_templates (name, channel, locale, title, body) values
  ('digest', 'inbox', 'en', '{{count}} new notifications', E'You have {{count}} new notifications:\n{{items}}'),
  ('digest', 'inbox', 'fr', '{{count}} nouvelles notifications', E'Vous avez {{count}} nouvelles notifications :\n{{items}}'),
  ('digest', 'inbox', 'rw', 'Ubutumwa bushya {{count}}', E'Ufite ubutumwa bushya {{count}}:\n{{items}}'),
  ('digest', 'inbox', 'sw', 'Arifa mpya {{count}}', E'Una arifa mpya {{count}}:\n{{items}}');

create table public.notifications (
  id uuid not null default private.uuid_v7(),
  created_at timestamptz not null generated always as (private.uuid_v7_time(id)) stored,
  profile_id uuid not null,
  category text not null,
  title text,
  body text not null,
  data jsonb not null default '{}',
  template text,
  parameters jsonb not null default '{}',
  locale text not null,
  priority private.work_priority not null,
  is_critical boolean not null,
  expires_at timestamptz,
  state public.notification_state not null default 'waiting',
  outcomes jsonb not null default '{}',
  read_at timestamptz,
  correlation_id text default private.correlation_id(),
  constraint notifications_pkey primary key (id),
  constraint notifications_title_is_short check (length(title) <= 500),
  constraint notifications_body_is_short check (length(body) between 1 and 8000),
  constraint notifications_data_is_a_small_object check (jsonb_typeof(data) = 'object' and pg_column_size(data) <= 16384)
) partition by range (id);

comment on table public.notifications is 'The inbox: everything that people were told, with its words as they were then, and how it reached them.';
comment on column public.notifications.profile_id is 'Whose it is. The inbox of a person who signs in later has what came before.';
comment on column public.notifications.data is 'For the app: where a tap leads, for instance.';
comment on column public.notifications.outcomes is
  'What became of each channel that was tried: {"sms": {"state": "failed", "reason": "not_configured", "at": ...}}. While it is waiting, notification_deliveries knows more.';
create index notifications_profile_id_id_idx on public.notifications (profile_id, id);
create index notifications_unread_idx on public.notifications (profile_id, id) where read_at is null;
alter table public.notifications enable row level security;
grant select on public.notifications to authenticated, service_role;

create policy "People read their own inbox"
on public.notifications
for select
to authenticated
using (profile_id in (select profile.id from public.profiles as profile where profile.user_id = (select auth.uid())));

select private.manage_partitions('notifications', interval '13 months', interval '25 months');

create table private.notification_keys (
  key text not null,
  fingerprint bytea not null,
  notification_id uuid not null,
  scheduled_at timestamptz not null,
  kept_until timestamptz not null default now() + interval '35 days',
  constraint notification_keys_pkey primary key (key),
  constraint notification_keys_key_is_short check (length(key) between 1 and 255)
);

comment on table private.notification_keys is 'The idempotency keys of notify(), for 35 days.';
create index notification_keys_kept_until_idx on private.notification_keys (kept_until);
alter table private.notification_keys enable row level security;

insert into private.schedule (name, cron, command) values
  ('purge-notification-keys', '35 1 * * *', 'delete from private.notification_keys where kept_until < now()');

commit;
