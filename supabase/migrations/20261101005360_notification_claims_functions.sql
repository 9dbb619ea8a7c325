begin;

create type public.claimed_notification as (
  delivery_id uuid,
  lease_token bigint,
  channel public.notification_channel,
  address jsonb,
  title text,
  body text,
  data jsonb,
  notification_id uuid,
  locale text,
  is_critical boolean,
  expires_at timestamptz,
  attempt_count integer,
  correlation_id text
);

comment on type public.claimed_notification is
  'A delivery to make: whom to reach on that channel (sms: {"phone"}, email: {"email"}, push: {"endpoints": [{"id", "service", "address"}]}) and what to say. notification_id is null for a digest.';

create function private.notification_address(profile_id uuid, channel public.notification_channel)
returns jsonb
language plpgsql
stable
set search_path = ''
as $$
declare
  v_address jsonb;
begin
  case notification_address.channel
    when 'sms' then
      select jsonb_build_object('phone', profile.phone) into v_address
      from public.profiles as profile
      where profile.id = notification_address.profile_id and profile.phone is not null;
    when 'email' then
      select jsonb_build_object('email', account.email) into v_address
      from public.profiles as profile
      join auth.users as account on account.id = profile.user_id
      where profile.id = notification_address.profile_id and account.email <> '' and account.email_confirmed_at is not null;
    when 'push' then
      select jsonb_build_object('endpoints', jsonb_agg(
        jsonb_build_object('id', endpoint.id, 'service', endpoint.service, 'address', endpoint.address) order by endpoint.last_seen_at desc
      )) into v_address
      from public.push_endpoints as endpoint
      where endpoint.profile_id = notification_address.profile_id
      having count(*) > 0;
    when 'whatsapp' then
      select jsonb_build_object('contact_id', contact.id) into v_address
      from public.whatsapp_contacts as contact
      where contact.profile_id = notification_address.profile_id and contact.merged_into is null
      order by contact.id desc
      limit 1;
  end case;
  return v_address;
end;
$$;

comment on function private.notification_address is
  'Where a person is reached on a channel, or null: the confirmed phone, the confirmed e-mail address, the devices, the WhatsApp contact.';

create function private.notification_words_of(delivery public.notification_deliveries)
returns private.notification_words
language plpgsql
stable
set search_path = ''
as $$
declare
  v_notifications public.notifications[] := '{}';
  v_notification public.notifications;
  v_id uuid;
begin
  -- One by one, so that each opens one partition.
  foreach v_id in array (notification_words_of.delivery).notification_ids loop
    select notification.* into v_notification from public.notifications as notification where notification.id = v_id;
    if found then
      v_notifications := v_notifications || v_notification;
    end if;
  end loop;
  if cardinality(v_notifications) = 1 then
    return private.words_of_notification(v_notifications[1], (notification_words_of.delivery).channel);
  end if;
  return private.words_of_digest(v_notifications, (notification_words_of.delivery).channel);
end;
$$;

comment on function private.notification_words_of is 'What a delivery says on the channel that is tried: a digest if it brings several.';

create function private.lease_notifications(channel public.notification_channel, max_count integer, lease_seconds integer)
returns setof public.notification_deliveries
language plpgsql
set search_path = ''
as $$
begin
  return query
  with taken as materialized (
    select due.id
    from generate_series(0, 9) as level
    cross join lateral (
      select delivery.id, delivery.scheduled_at
      from public.notification_deliveries as delivery
      where delivery.channel = lease_notifications.channel and delivery.priority = level
        and delivery.state in ('collecting', 'ready') and delivery.scheduled_at <= now()
      order by delivery.scheduled_at, delivery.id
      limit lease_notifications.max_count
      for update skip locked
    ) as due
    order by level, due.scheduled_at, due.id
    limit lease_notifications.max_count
  )
  update public.notification_deliveries as delivery set
    state = 'sending', lease_token = delivery.lease_token + 1, attempt_count = delivery.attempt_count + 1,
    lease_expires_at = now() + make_interval(secs => lease_notifications.lease_seconds)
  from taken
  where delivery.id = taken.id
  returning delivery.*;
end;
$$;

comment on function private.lease_notifications is 'Takes due deliveries of a channel, the most urgent first.';

create function private.postpone_notification(delivery public.notification_deliveries)
returns boolean
language plpgsql
set search_path = ''
as $$
declare
  v_quiet_until timestamptz;
begin
  if (postpone_notification.delivery).is_critical then
    return false;
  end if;
  v_quiet_until := private.quiet_until(private.notification_settings_of((postpone_notification.delivery).profile_id), now());
  if v_quiet_until is null then
    return false;
  end if;
  update public.notification_deliveries as waiting set
    state = 'ready', scheduled_at = v_quiet_until, lease_expires_at = null, attempt_count = waiting.attempt_count - 1
  where waiting.id = (postpone_notification.delivery).id;
  return true;
end;
$$;

comment on function private.postpone_notification is
  'Lets a delivery wait if quiet hours have begun since it was planned, or were changed; says whether it did.';

create function private.prepare_notification(delivery public.notification_deliveries)
returns public.claimed_notification
language plpgsql
set search_path = ''
as $$
declare
  v_delivery constant public.notification_deliveries := prepare_notification.delivery;
  v_address jsonb;
  v_words private.notification_words;
  v_locale text;
begin
  if v_delivery.expires_at <= now() then
    perform private.finish_notification_delivery(private.with_outcome(v_delivery, 'not_sent', 'expired'), 'not_sent');
    return null;
  end if;
  if private.postpone_notification(v_delivery) then
    return null;
  end if;
  v_address := private.notification_address(v_delivery.profile_id, v_delivery.channel);
  if v_address is null then
    perform private.try_next_channel(private.with_outcome(v_delivery, 'failed', 'no_address'));
    return null;
  end if;
  v_words := private.notification_words_of(v_delivery);
  select profile.locale into v_locale from public.profiles as profile where profile.id = v_delivery.profile_id;
  return row(
    v_delivery.id, v_delivery.lease_token, v_delivery.channel, v_address, v_words.title, v_words.body, v_words.data,
    case when cardinality(v_delivery.notification_ids) = 1 then v_delivery.notification_ids[1] end, v_locale,
    v_delivery.is_critical, v_delivery.expires_at, v_delivery.attempt_count, v_delivery.correlation_id
  );
end;
$$;

comment on function private.prepare_notification is
  'What to send for a leased delivery. Null if it is not to be sent now: expired, in quiet hours, or without an address on this channel.';

create function private.claim_notifications(channel public.notification_channel, max_count integer, lease_seconds integer)
returns setof public.claimed_notification
language plpgsql
security definer -- the only writer of inboxes and deliveries
set search_path = ''
as $$
declare
  v_delivery public.notification_deliveries;
  v_claimed public.claimed_notification;
begin
  for v_delivery in
    select leased.*
    from private.lease_notifications(claim_notifications.channel, claim_notifications.max_count, claim_notifications.lease_seconds) as leased
    order by leased.priority, leased.scheduled_at, leased.id
  loop
    v_claimed := private.prepare_notification(v_delivery);
    if v_claimed.delivery_id is not null then
      return next v_claimed;
    end if;
  end loop;
end;
$$;

comment on function private.claim_notifications is 'The work of public.claim_notifications().';

create function public.claim_notifications(channel public.notification_channel, max_count integer default 50, lease_seconds integer default 60)
returns setof public.claimed_notification
language plpgsql
set search_path = ''
set statement_timeout = '10s'
as $$
begin
  if (claim_notifications.max_count between 1 and 500) is not true then
    perform private.refuse('invalid_argument', '{"argument": "max_count", "range": "1..500"}');
  end if;
  if (claim_notifications.lease_seconds between 1 and 3600) is not true then
    perform private.refuse('invalid_argument', '{"argument": "lease_seconds", "range": "1..3600"}');
  end if;
  if claim_notifications.channel in ('inbox', 'whatsapp') is not false then
    perform private.refuse('invalid_argument', '{"argument": "channel", "range": "push, sms, email"}');
  end if;
  return query select * from private.claim_notifications(
    claim_notifications.channel, claim_notifications.max_count, claim_notifications.lease_seconds
  );
end;
$$;

comment on function public.claim_notifications is
  'Leases due deliveries of a channel to a worker, which says how each ended by complete_notification() or fail_notification() before the lease runs out. '
  'WhatsApp is not claimed: run_notifications() hands those to its own queue. Refuses: invalid_argument.';
grant execute on function public.claim_notifications, private.claim_notifications to service_role;

create function private.reap_notifications(max_count integer)
returns integer
language plpgsql
set search_path = ''
as $$
declare
  v_delivery public.notification_deliveries;
  v_count integer := 0;
begin
  for v_delivery in
    select lost.*
    from public.notification_deliveries as lost
    where lost.state = 'sending' and lost.lease_expires_at <= now()
    order by lost.lease_expires_at
    limit reap_notifications.max_count
    for update skip locked
  loop
    v_count := v_count + 1;
    -- E-mail and push are sent with the delivery's id as their key, so a second time does no harm; a text message may have gone out.
    if v_delivery.channel = 'sms' or v_delivery.attempt_count >= 5 then
      perform private.try_next_channel(private.with_outcome(v_delivery, 'failed', 'unknown'));
    else
      update public.notification_deliveries as delivery set state = 'ready', scheduled_at = now(), lease_expires_at = null
      where delivery.id = v_delivery.id;
    end if;
  end loop;
  return v_count;
end;
$$;

comment on function private.reap_notifications is 'Takes back deliveries whose worker did not say how they ended; says how many.';

insert into private.schedule (name, cron, command) values
  ('reap-notifications', '10 seconds', 'select private.reap_notifications(500)');

commit;
