begin;

create function private.record_service_event()
returns trigger
language plpgsql
security definer -- events are appended by no role but through functions
set search_path = ''
as $$
declare
  v_service public.service_registry;
  v_details jsonb := '{}';
begin
  if tg_op = 'DELETE' then
    v_service := old;
    v_details := jsonb_build_object('reason', case when old.expired_at is null then 'requested' else 'silence' end);
  else
    v_service := new;
  end if;
  if tg_argv[0] = 'service.status_changed' then
    v_details := jsonb_build_object('from', old.status, 'reason', case
      when old.expired_at is null and new.expired_at is not null then 'silence'
      when old.maintenance_reason is distinct from new.maintenance_reason then 'maintenance'
      when old.check_status is distinct from new.check_status then 'check'
      else 'heartbeat'
    end);
  end if;
  perform private.record_events(array[row(
    'service', v_service.service_name, tg_argv[0],
    jsonb_build_object(
      'service_name', v_service.service_name, 'instance_id', v_service.instance_id, 'service_type', v_service.service_type,
      'version', v_service.version, 'status', v_service.status
    ) || v_details,
    null, null, null, null, null
  )::private.new_event]);
  return null;
end;
$$;

comment on function private.record_service_event is
  'The change feed of the registry: service.registered, service.changed (registered again, as something else), service.status_changed (from, status, '
  'reason: heartbeat, check, silence, maintenance), service.deregistered (reason: requested, silence). Deferred to the commit, because streams are locked last.';

create constraint trigger record_registration
after insert on public.service_registry
deferrable initially deferred
for each row execute function private.record_service_event('service.registered');

create constraint trigger record_change
after update on public.service_registry
deferrable initially deferred
for each row when (
  (old.service_type, old.version, old.endpoint, old.health_check_url, old.capabilities, old.dependencies, old.ttl_seconds)
  is distinct from
  (new.service_type, new.version, new.endpoint, new.health_check_url, new.capabilities, new.dependencies, new.ttl_seconds)
)
execute function private.record_service_event('service.changed');

create constraint trigger record_status
after update on public.service_registry
deferrable initially deferred
for each row when (old.status is distinct from new.status)
execute function private.record_service_event('service.status_changed');

create constraint trigger record_deregistration
after delete on public.service_registry
deferrable initially deferred
for each row execute function private.record_service_event('service.deregistered');

commit;
