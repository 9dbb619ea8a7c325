begin;

create function private.release_notification(delivery_id uuid, lease_token bigint)
returns void
language plpgsql
security definer -- the only writer of inboxes and deliveries
set search_path = ''
as $$
declare
  v_delivery public.notification_deliveries := private.locked_notification_delivery(
    release_notification.delivery_id, release_notification.lease_token
  );
begin
  update public.notification_deliveries as delivery set
    state = 'ready', lease_expires_at = null, attempt_count = delivery.attempt_count - 1
  where delivery.id = v_delivery.id;
end;
$$;

comment on function private.release_notification is 'The work of public.release_notification().';

create function public.release_notification(delivery_id uuid, lease_token bigint)
returns void
language plpgsql
set search_path = ''
set statement_timeout = '5s'
as $$
begin
  perform private.release_notification(release_notification.delivery_id, release_notification.lease_token);
end;
$$;

comment on function public.release_notification is
  'Gives a claimed delivery back that nothing was done for, so that it does not count as an attempt. Refuses: lease_lost.';
grant execute on function public.release_notification, private.release_notification to service_role;

commit;
