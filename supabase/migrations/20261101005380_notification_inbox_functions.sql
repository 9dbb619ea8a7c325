begin;

create type public.inbox_notification as (
  id uuid,
  category text,
  title text,
  body text,
  data jsonb,
  is_critical boolean,
  state public.notification_state,
  created_at timestamptz,
  read_at timestamptz
);

comment on type public.inbox_notification is 'A notification as its recipient sees it.';

create function private.my_profile_id()
returns uuid
language plpgsql
stable
security definer -- called before any policy could let the row be seen
set search_path = ''
as $$
declare
  v_id uuid;
begin
  select profile.id into v_id from public.profiles as profile where profile.user_id = (select auth.uid());
  if v_id is null then
    perform private.refuse('profile_not_found');
  end if;
  return v_id;
end;
$$;

comment on function private.my_profile_id is 'The caller''s own profile. Refuses: profile_not_found.';
grant execute on function private.my_profile_id to authenticated;

create function public.list_notifications(before_id uuid default null, max_count integer default 20, is_unread boolean default false)
returns setof public.inbox_notification
language plpgsql
stable
set search_path = ''
set statement_timeout = '2s'
as $$
declare
  v_profile_id constant uuid := private.my_profile_id();
  v_before uuid := coalesce(list_notifications.before_id, private.uuid_v7_floor(now() + interval '1 minute'));
  v_oldest constant uuid := private.uuid_v7_floor(now() - interval '13 months');
  v_floor uuid;
  v_left integer := list_notifications.max_count;
  v_found integer;
begin
  if (list_notifications.max_count between 1 and 100) is not true then
    perform private.refuse('invalid_argument', '{"argument": "max_count", "range": "1..100"}');
  end if;
  -- Two months at a time, so that the newest page of a person opens few partitions whatever the age of the system.
  while v_left > 0 and v_before > v_oldest loop
    v_floor := private.uuid_v7_floor(date_trunc('month', private.uuid_v7_time(v_before) - interval '1 month'));
    return query
    select notification.id, notification.category, notification.title, notification.body, notification.data, notification.is_critical,
      notification.state, notification.created_at, notification.read_at
    from public.notifications as notification
    where notification.profile_id = v_profile_id and notification.id >= greatest(v_floor, v_oldest) and notification.id < v_before
      and (list_notifications.is_unread is not true or notification.read_at is null)
    order by notification.id desc
    limit v_left;
    get diagnostics v_found = row_count;
    v_left := v_left - v_found;
    v_before := v_floor;
  end loop;
end;
$$;

comment on function public.list_notifications is
  'The caller''s inbox of the last 13 months, the newest first; the next page is the one before the last id. Refuses: invalid_argument, profile_not_found.';
grant execute on function public.list_notifications to authenticated;

create function public.count_unread_notifications()
returns bigint
language plpgsql
stable
set search_path = ''
set statement_timeout = '2s'
as $$
begin
  return (
    select count(*)
    from public.notifications as notification
    where notification.profile_id = private.my_profile_id() and notification.read_at is null
      and notification.id >= private.uuid_v7_floor(now() - interval '30 days')
  );
end;
$$;

comment on function public.count_unread_notifications is
  'How many of the caller''s notifications of the last 30 days are unread: for the badge. Refuses: profile_not_found.';
grant execute on function public.count_unread_notifications to authenticated;

create function private.mark_notifications_read(ids uuid[])
returns integer
language plpgsql
security definer -- clients may change nothing of a notification but this
set search_path = ''
as $$
declare
  v_profile_id constant uuid := private.my_profile_id();
  v_id uuid;
  v_count integer := 0;
begin
  if mark_notifications_read.ids is null then
    update public.notifications as notification set read_at = now()
    where notification.profile_id = v_profile_id and notification.read_at is null
      and notification.id >= private.uuid_v7_floor(now() - interval '30 days');
    get diagnostics v_count = row_count;
    return v_count;
  end if;
  -- One by one, so that each opens one partition; in id order, so that two callers cannot deadlock.
  for v_id in select distinct asked from unnest(mark_notifications_read.ids) as asked order by asked loop
    update public.notifications as notification set read_at = now()
    where notification.id = v_id and notification.profile_id = v_profile_id and notification.read_at is null;
    v_count := v_count + case when found then 1 else 0 end;
  end loop;
  return v_count;
end;
$$;

comment on function private.mark_notifications_read is 'The work of public.mark_notifications_read().';

create function public.mark_notifications_read(ids uuid[] default null)
returns integer
language plpgsql
set search_path = ''
set statement_timeout = '5s'
as $$
begin
  if cardinality(mark_notifications_read.ids) > 500 then
    perform private.refuse('invalid_argument', '{"argument": "ids", "range": "at most 500"}');
  end if;
  return private.mark_notifications_read(mark_notifications_read.ids);
end;
$$;

comment on function public.mark_notifications_read is
  'Marks notifications of the caller as read, or without ids all of the last 30 days; says how many were not yet. '
  'Refuses: invalid_argument, profile_not_found.';
grant execute on function public.mark_notifications_read, private.mark_notifications_read to authenticated;

commit;
