begin;

create type public.notified as (
  notification_id uuid,
  is_duplicate boolean,
  state public.notification_state,
  scheduled_at timestamptz
);

comment on type public.notified is
  'What notify() did. state not_sent: it is in the inbox only, because the person wants it on no channel. scheduled_at: when it goes out at the earliest.';

create function private.notification_recipient(user_id uuid, profile_id uuid)
returns public.profiles
language plpgsql
stable
set search_path = ''
as $$
declare
  v_profile public.profiles;
begin
  if num_nonnulls(notification_recipient.user_id, notification_recipient.profile_id) <> 1 then
    perform private.refuse('invalid_argument', '{"argument": "user_id", "range": "one of user_id and profile_id"}');
  end if;
  select profile.* into v_profile
  from public.profiles as profile
  where profile.user_id = notification_recipient.user_id or profile.id = notification_recipient.profile_id;
  if not found then
    perform private.refuse('profile_not_found');
  end if;
  return v_profile;
end;
$$;

comment on function private.notification_recipient is 'The person meant. Refuses: invalid_argument, profile_not_found.';

create function private.check_notification_parameters(template text, parameters jsonb)
returns void
language plpgsql
stable
set search_path = ''
as $$
declare
  v_missing text;
begin
  if jsonb_typeof(check_notification_parameters.parameters) is distinct from 'object' then
    perform private.refuse('invalid_argument', '{"argument": "parameters", "range": "an object"}');
  end if;
  if not exists (select from public.notification_templates as known where known.name = check_notification_parameters.template) then
    perform private.refuse('invalid_argument', '{"argument": "template", "range": "a name in notification_templates"}');
  end if;
  select needed into v_missing
  from public.notification_templates as known
  cross join lateral unnest(private.template_parameters(concat_ws(' ', known.title, known.body))) as needed
  where known.name = check_notification_parameters.template
    and check_notification_parameters.parameters ->> needed is null
  order by needed
  limit 1;
  if v_missing is not null then
    perform private.refuse('invalid_argument', jsonb_build_object('argument', 'parameters', 'missing', v_missing));
  end if;
end;
$$;

comment on function private.check_notification_parameters is
  'Wants every parameter that the template''s words name in any language and on any channel. Refuses: invalid_argument.';

create function private.notification_from(request jsonb, recipient public.profiles, category public.notification_categories)
returns public.notifications
language plpgsql
set search_path = ''
as $$
declare
  v_request constant jsonb := notification_from.request;
  v_locale constant text := coalesce(v_request ->> 'locale', (notification_from.recipient).locale);
  v_template public.notification_templates;
  v_notification public.notifications;
begin
  v_notification := jsonb_populate_record(null::public.notifications, v_request);
  v_notification.id := private.uuid_v7();
  v_notification.profile_id := (notification_from.recipient).id;
  v_notification.locale := v_locale;
  v_notification.is_critical := v_notification.is_critical or (notification_from.category).is_critical;
  v_notification.correlation_id := private.correlation_id();
  if v_notification.template is not null then
    perform private.check_notification_parameters(v_notification.template, v_notification.parameters);
    v_template := private.notification_template(v_notification.template, 'inbox', v_locale);
    v_notification.title := private.render_template(v_template.title, v_notification.parameters);
    v_notification.body := private.render_template(v_template.body, v_notification.parameters);
  end if;
  return v_notification;
end;
$$;

comment on function private.notification_from is 'The notification that a request asks for, with its words in the person''s language. Refuses: invalid_argument.';

create function private.refuse_bad_notification(request jsonb)
returns void
language plpgsql
stable
set search_path = ''
as $$
declare
  v_request constant jsonb := refuse_bad_notification.request;
  v_fault jsonb;
begin
  v_fault := case
    when num_nonnulls(v_request ->> 'template', v_request ->> 'body') <> 1
      then '{"argument": "template", "range": "one of template and body"}'
    when v_request ->> 'template' is not null and v_request ->> 'title' is not null
      then '{"argument": "title", "range": "not beside a template"}'
    when length(v_request ->> 'body') not between 1 and 4000 then '{"argument": "body", "range": "1..4000 characters"}'
    when length(v_request ->> 'title') not between 1 and 200 then '{"argument": "title", "range": "1..200 characters"}'
    when (jsonb_typeof(v_request -> 'data') = 'object' and pg_column_size(v_request -> 'data') <= 16384) is not true
      then '{"argument": "data", "range": "an object of at most 16 KiB"}'
    when ((v_request ->> 'priority')::integer between 0 and 9) is not true then '{"argument": "priority", "range": "0..9"}'
    when length(v_request ->> 'idempotency_key') not between 1 and 255
      then '{"argument": "idempotency_key", "range": "1..255 characters"}'
    when v_request ->> 'locale' !~ '^[a-z]{2,3}(-[A-Z]{2})?$' then '{"argument": "locale", "range": "a language tag such as rw or en-GB"}'
    when v_request -> 'channels' @> '["inbox"]' or v_request -> 'channels' = '[]'
      then '{"argument": "channels", "range": "push, whatsapp, sms, email; null for those of the category"}'
    when (v_request ->> 'expires_at')::timestamptz <= now() then '{"argument": "expires_at", "range": "in the future"}'
  end;
  if v_fault is not null then
    perform private.refuse('invalid_argument', v_fault);
  end if;
end;
$$;

comment on function private.refuse_bad_notification is 'Checks a request of notify(). Refuses: invalid_argument.';

create function private.notified_before(key text, fingerprint bytea)
returns public.notified
language plpgsql
stable
set search_path = ''
as $$
declare
  v_known private.notification_keys;
  v_notified public.notified;
begin
  select known.* into strict v_known from private.notification_keys as known where known.key = notified_before.key;
  if v_known.fingerprint <> notified_before.fingerprint then
    perform private.refuse('idempotency_key_reused');
  end if;
  select notification.id, true, notification.state, v_known.scheduled_at into v_notified
  from public.notifications as notification
  where notification.id = v_known.notification_id;
  return v_notified;
end;
$$;

comment on function private.notified_before is 'What the same request made the first time. Refuses: idempotency_key_reused.';

create function private.store_notification(notification public.notifications, channels public.notification_channel[])
returns public.notifications
language plpgsql
set search_path = ''
as $$
declare
  v_new public.notifications := store_notification.notification;
begin
  v_new.state := case when store_notification.channels = '{}' then 'not_sent' else 'waiting' end;
  v_new.outcomes := case when store_notification.channels = '{}' then '{"inbox": {"state": "kept", "reason": "unwanted"}}' else '{}' end;
  insert into public.notifications (
    id, profile_id, category, title, body, data, template, parameters, locale, priority, is_critical, expires_at, state, outcomes, correlation_id
  ) values (
    v_new.id, v_new.profile_id, v_new.category, v_new.title, v_new.body, v_new.data, v_new.template, v_new.parameters, v_new.locale,
    v_new.priority, v_new.is_critical, v_new.expires_at, v_new.state, v_new.outcomes, v_new.correlation_id
  );
  return v_new;
end;
$$;

comment on function private.store_notification is 'Puts a notification into the inbox; where there is no channel to carry it further, that is all.';

create function private.notify(request jsonb)
returns public.notified
language plpgsql
security definer -- the only writer of inboxes and deliveries
set search_path = ''
as $$
declare
  v_request constant jsonb := (select jsonb_object_agg(field.key, field.value) from jsonb_each(notify.request) as field where field.value <> 'null');
  v_fingerprint constant bytea := sha256(convert_to((v_request - 'idempotency_key')::text, 'UTF8'));
  v_category public.notification_categories;
  v_recipient public.profiles;
  v_notification public.notifications;
  v_channels public.notification_channel[];
  v_at timestamptz;
begin
  perform private.refuse_bad_notification(v_request);
  select category.* into v_category from public.notification_categories as category where category.category = v_request ->> 'category';
  if not found then
    perform private.refuse('invalid_argument', '{"argument": "category", "range": "a name in notification_categories"}');
  end if;
  v_recipient := private.notification_recipient((v_request ->> 'user_id')::uuid, (v_request ->> 'profile_id')::uuid);
  v_notification := private.notification_from(v_request, v_recipient, v_category);
  v_at := private.notification_time(v_notification, v_category, (v_request ->> 'scheduled_at')::timestamptz);

  if v_request ? 'idempotency_key' then
    insert into private.notification_keys (key, fingerprint, notification_id, scheduled_at)
    values (v_request ->> 'idempotency_key', v_fingerprint, v_notification.id, v_at)
    on conflict on constraint notification_keys_pkey do nothing;
    if not found then
      return private.notified_before(v_request ->> 'idempotency_key', v_fingerprint);
    end if;
  end if;

  v_channels := private.wanted_channels(v_notification, v_category, case when v_request ? 'channels' then
    array(select jsonb_array_elements_text(v_request -> 'channels')::public.notification_channel) end);
  v_notification := private.store_notification(v_notification, v_channels);
  if v_notification.state = 'waiting' then
    perform private.deliver_notification(
      v_notification, v_channels, private.digest_window_of(v_notification, v_category) is not null, v_at
    );
  end if;
  return row(v_notification.id, false, v_notification.state, v_at);
end;
$$;

comment on function private.notify is 'The work of public.notify().';

create function public.notify(
  user_id uuid,
  category text,
  template text default null,
  parameters jsonb default '{}',
  title text default null,
  body text default null,
  channels public.notification_channel[] default null,
  priority integer default 5,
  idempotency_key text default null,
  scheduled_at timestamptz default null,
  expires_at timestamptz default null,
  data jsonb default '{}',
  is_critical boolean default false,
  locale text default null,
  profile_id uuid default null
)
returns public.notified
language plpgsql
set search_path = ''
set statement_timeout = '5s'
as $$
begin
  return private.notify(jsonb_build_object(
    'user_id', notify.user_id, 'profile_id', notify.profile_id, 'category', notify.category, 'template', notify.template,
    'parameters', notify.parameters, 'title', notify.title, 'body', notify.body, 'channels', notify.channels, 'priority', notify.priority,
    'idempotency_key', notify.idempotency_key, 'scheduled_at', notify.scheduled_at, 'expires_at', notify.expires_at, 'data', notify.data,
    'is_critical', notify.is_critical, 'locale', notify.locale
  ));
end;
$$;

comment on function public.notify is
  'Tells a person something: by a template with parameters, or by title and body. It is in their inbox at once and goes out by the first of '
  'the channels (those of the category, unless some are asked for) that takes it: after quiet hours, with the digest of its category, by their '
  'preferences; what is critical at once and by any. The person is a user, or a profile where there is none yet. '
  'The same idempotency key again gives the first answer. Refuses: invalid_argument, profile_not_found, idempotency_key_reused.';
grant execute on function public.notify, private.notify to service_role;

commit;
