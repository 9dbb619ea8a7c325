begin;

create function private.rotate_webhook_endpoint_secret(endpoint_id uuid, overlap_seconds integer)
returns jsonb
language plpgsql
security definer -- the only writer of secrets
set search_path = ''
as $$
declare
  v_endpoint public.webhook_endpoints := private.locked_webhook_endpoint(rotate_webhook_endpoint_secret.endpoint_id);
  v_overlap constant interval := make_interval(secs => rotate_webhook_endpoint_secret.overlap_seconds);
begin
  perform private.note_webhook_operation('rotate', v_endpoint.id, jsonb_build_object('overlap', v_overlap));
  return jsonb_build_object(
    'secret', private.rotate_webhook_secret(v_endpoint.id, v_overlap), 'former_expires_at', now() + v_overlap
  );
end;
$$;

comment on function private.rotate_webhook_endpoint_secret is 'The work of public.rotate_webhook_secret().';

create function public.rotate_webhook_secret(endpoint_id uuid, overlap_seconds integer default 86400)
returns jsonb
language plpgsql
set search_path = ''
set statement_timeout = '5s'
as $$
begin
  if (rotate_webhook_secret.overlap_seconds between 0 and 604800) is not true then
    perform private.refuse('invalid_argument', '{"argument": "overlap_seconds", "range": "0..604800"}');
  end if;
  return private.rotate_webhook_endpoint_secret(rotate_webhook_secret.endpoint_id, rotate_webhook_secret.overlap_seconds);
end;
$$;

comment on function public.rotate_webhook_secret is
  'For registered operators and the service: gives an endpoint a new secret and shows it once: {"secret", "former_expires_at"}. Until then (a day, at most a week; 0 after a leak) '
  'the former one signs too, so that a receiver changes over when it likes. Two sign at most: one that was still in its overlap ends. Audited. '
  'Refuses: operator_required, webhook_endpoint_not_found, invalid_argument.';
grant execute on function public.rotate_webhook_secret, private.rotate_webhook_endpoint_secret to authenticated, service_role;

create function private.steer_webhook_endpoint(endpoint_id uuid, action text)
returns public.webhook_endpoints
language plpgsql
security definer -- the only writer of endpoints
set search_path = ''
as $$
declare
  v_endpoint public.webhook_endpoints := private.locked_webhook_endpoint(steer_webhook_endpoint.endpoint_id);
  v_event private.new_event;
begin
  if steer_webhook_endpoint.action = 'disable' and v_endpoint.status = 'enabled' then
    v_event := private.disable_webhook_endpoint(v_endpoint, 'operator');
  elsif steer_webhook_endpoint.action = 'enable' and v_endpoint.status = 'disabled' then
    update public.webhook_endpoints as endpoint set
      status = 'enabled', disabled_reason = null, disabled_at = null, failing_from = null, failure_told_at = null,
      paused_until = '-infinity', concurrency = 1
    where endpoint.id = v_endpoint.id;
    v_event := private.webhook_endpoint_event(v_endpoint, 'webhook_endpoint.enabled', jsonb_build_object('disabled_at', v_endpoint.disabled_at));
  else
    return v_endpoint;
  end if;
  perform private.note_webhook_operation(steer_webhook_endpoint.action, v_endpoint.id);
  perform private.record_events(array[v_event]);
  return (select endpoint from public.webhook_endpoints as endpoint where endpoint.id = v_endpoint.id);
end;
$$;

comment on function private.steer_webhook_endpoint is 'The work of public.disable_webhook_endpoint() and public.enable_webhook_endpoint().';

create function public.disable_webhook_endpoint(endpoint_id uuid)
returns public.webhook_endpoints
language plpgsql
set search_path = ''
set statement_timeout = '5s'
as $$
begin
  return private.steer_webhook_endpoint(disable_webhook_endpoint.endpoint_id, 'disable');
end;
$$;

comment on function public.disable_webhook_endpoint is
  'For registered operators and the service: sends an endpoint nothing any more. What waits for it is cancelled. Again: the same. Audited. '
  'Refuses: operator_required, webhook_endpoint_not_found.';

create function public.enable_webhook_endpoint(endpoint_id uuid)
returns public.webhook_endpoints
language plpgsql
set search_path = ''
set statement_timeout = '5s'
as $$
begin
  return private.steer_webhook_endpoint(enable_webhook_endpoint.endpoint_id, 'enable');
end;
$$;

comment on function public.enable_webhook_endpoint is
  'For registered operators and the service: sends a disabled endpoint events again. What it has missed since disabled_at comes by replay_webhook_deliveries(). Again: the same. '
  'Audited. Refuses: operator_required, webhook_endpoint_not_found.';
grant execute on function public.disable_webhook_endpoint, public.enable_webhook_endpoint, private.steer_webhook_endpoint
to authenticated, service_role;

create function private.delete_webhook_endpoint(endpoint_id uuid)
returns void
language plpgsql
security definer -- the only writer of endpoints
set search_path = ''
as $$
declare
  v_endpoint public.webhook_endpoints := private.locked_webhook_endpoint(delete_webhook_endpoint.endpoint_id);
begin
  -- Stronger than that lock: no delivery is made for it meanwhile.
  perform from public.webhook_endpoints as endpoint where endpoint.id = v_endpoint.id for update;
  perform private.note_webhook_operation('delete', v_endpoint.id);
  perform private.cancel_webhook_deliveries(null, v_endpoint.id);
  perform private.forget_webhook_secrets(array(
    select secret.id from private.webhook_secrets as secret where secret.endpoint_id = v_endpoint.id
  ));
  delete from public.webhook_endpoints as endpoint where endpoint.id = v_endpoint.id;
end;
$$;

comment on function private.delete_webhook_endpoint is 'The work of public.delete_webhook_endpoint().';

create function public.delete_webhook_endpoint(endpoint_id uuid)
returns void
language plpgsql
set search_path = ''
set statement_timeout = '30s'
as $$
begin
  perform private.delete_webhook_endpoint(delete_webhook_endpoint.endpoint_id);
end;
$$;

comment on function public.delete_webhook_endpoint is
  'For registered operators and the service: forgets an endpoint and its secrets; what waits for it is cancelled, its history stays. Audited. '
  'Refuses: operator_required, webhook_endpoint_not_found.';
grant execute on function public.delete_webhook_endpoint, private.delete_webhook_endpoint to authenticated, service_role;

commit;
