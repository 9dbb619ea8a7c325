begin;

create type public.notification_delivery_state as enum ('collecting', 'ready', 'sending', 'handed_over');

comment on type public.notification_delivery_state is
  'collecting: a digest that more may join; ready: to be sent when its time comes; sending: leased by a worker; handed_over: in the WhatsApp queue.';

create table public.notification_deliveries (
  id uuid not null default private.uuid_v7(),
  profile_id uuid not null,
  category text not null,
  notification_ids uuid[] not null,
  state public.notification_delivery_state not null,
  channel public.notification_channel not null,
  channels_left public.notification_channel[] not null,
  priority private.work_priority not null,
  is_critical boolean not null,
  scheduled_at timestamptz not null,
  expires_at timestamptz,
  attempt_count integer not null default 0,
  lease_token bigint not null default 0,
  lease_expires_at timestamptz,
  whatsapp_message_id uuid,
  outcomes jsonb not null default '{}',
  created_at timestamptz not null default now(),
  correlation_id text default private.correlation_id(),
  constraint notification_deliveries_pkey primary key (id),
  constraint notification_deliveries_bring_something check (cardinality(notification_ids) between 1 and 1000),
  constraint notification_deliveries_leases_end check ((state = 'sending') = (lease_expires_at is not null)),
  constraint notification_deliveries_critical_are_not_collected check (not (is_critical and state = 'collecting'))
) with (fillfactor = 80, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 2000);

comment on table public.notification_deliveries is
  'Notifications on their way to a person, one row each (a digest: one for all of it). A row goes when a channel has taken it or none is left; the inbox keeps the outcome.';
comment on column public.notification_deliveries.channel is 'The channel that is tried now; channels_left follow if it fails.';
comment on column public.notification_deliveries.attempt_count is 'How often this channel was tried.';
comment on column public.notification_deliveries.lease_token is 'Rises with each claim: who has an older one has lost the delivery.';
create index notification_deliveries_due_idx on public.notification_deliveries (channel, priority, scheduled_at, id) where state in ('collecting', 'ready');
create unique index notification_deliveries_collecting_key on public.notification_deliveries (profile_id, category) where state = 'collecting';
create index notification_deliveries_lease_expires_at_idx on public.notification_deliveries (lease_expires_at) where state = 'sending';
create index notification_deliveries_handed_over_idx on public.notification_deliveries (scheduled_at) where state = 'handed_over';
create unique index notification_deliveries_whatsapp_message_id_key on public.notification_deliveries (whatsapp_message_id) where state = 'handed_over';
alter table public.notification_deliveries enable row level security;
grant select on public.notification_deliveries to service_role;

create function private.wanted_channels(
  notification public.notifications,
  category public.notification_categories,
  channels public.notification_channel[]
)
returns public.notification_channel[]
language plpgsql
stable
set search_path = ''
as $$
begin
  return array(
    select asked.channel
    from unnest(coalesce(wanted_channels.channels, (wanted_channels.category).channels)) with ordinality as asked (channel, position)
    where (wanted_channels.notification).is_critical or not exists (
      select from public.notification_preferences as preference
      where preference.profile_id = (wanted_channels.notification).profile_id
        and preference.category = (wanted_channels.category).category
        and preference.channel = asked.channel and not preference.is_enabled
    )
    order by asked.position
  );
end;
$$;

comment on function private.wanted_channels is
  'The channels asked for, or else those of the category, but for those that the person has turned off; what is critical uses them all.';

create function private.notification_settings_of(profile_id uuid)
returns public.notification_settings
language plpgsql
stable
set search_path = ''
as $$
declare
  v_settings public.notification_settings;
begin
  select settings.* into v_settings
  from public.notification_settings as settings
  where settings.profile_id = notification_settings_of.profile_id;
  if not found then
    v_settings := row(
      notification_settings_of.profile_id, 'Africa/Kigali', time '22:00', time '07:00', '{1,2,3,4,5,6,7}'::smallint[], now()
    );
  end if;
  return v_settings;
end;
$$;

comment on function private.notification_settings_of is 'When a person may be disturbed: their own settings, else the columns'' defaults.';

create function private.digest_window_of(notification public.notifications, category public.notification_categories)
returns interval
language plpgsql
immutable
set search_path = ''
as $$
begin
  return case when not (digest_window_of.notification).is_critical and (digest_window_of.notification).expires_at is null
    then (digest_window_of.category).digest_window end;
end;
$$;

comment on function private.digest_window_of is
  'How long a notification is collected with others; null if it goes by itself: by its category, because it is critical, or because it expires.';

create function private.notification_time(
  notification public.notifications,
  category public.notification_categories,
  not_before timestamptz
)
returns timestamptz
language plpgsql
stable
set search_path = ''
as $$
declare
  v_at constant timestamptz := greatest(notification_time.not_before, now())
    + coalesce(private.digest_window_of(notification_time.notification, notification_time.category), interval '0');
begin
  if (notification_time.notification).is_critical then
    return v_at;
  end if;
  return coalesce(
    private.quiet_until(private.notification_settings_of((notification_time.notification).profile_id), v_at), v_at
  );
end;
$$;

comment on function private.notification_time is 'When a notification goes out at the earliest: not before it was asked to, at the end of its digest, and not in quiet hours.';

create function private.deliver_notification(
  notification public.notifications,
  channels public.notification_channel[],
  is_collected boolean,
  at timestamptz
)
returns void
language plpgsql
set search_path = ''
as $$
declare
  v_notification constant public.notifications := deliver_notification.notification;
begin
  insert into public.notification_deliveries as delivery (
    profile_id, category, notification_ids, state, channel, channels_left, priority, is_critical, scheduled_at, expires_at
  ) values (
    v_notification.profile_id, v_notification.category, array[v_notification.id],
    case when deliver_notification.is_collected then 'collecting' else 'ready' end::public.notification_delivery_state,
    deliver_notification.channels[1], deliver_notification.channels[2:], v_notification.priority, v_notification.is_critical,
    deliver_notification.at, v_notification.expires_at
  )
  -- The first of a digest says when and how it goes out; the most urgent, how urgent it is.
  on conflict (profile_id, category) where state = 'collecting' do update
    set notification_ids = delivery.notification_ids || excluded.notification_ids,
      priority = least(delivery.priority, excluded.priority);
  if deliver_notification.at <= now() then
    perform private.kick_worker();
  end if;
end;
$$;

comment on function private.deliver_notification is 'Puts a notification on its way: by itself, or collected with others of its category.';

commit;
