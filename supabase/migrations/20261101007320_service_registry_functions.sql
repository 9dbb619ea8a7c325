begin;

create function private.require_service_scope(service_name text)
returns void
language plpgsql
stable
set search_path = ''
as $$
declare
  v_actor constant text := private.caller();
begin
  if v_actor like 'service\_role:svc\_%' and v_actor <> 'service_role:svc_' || replace(require_service_scope.service_name, '-', '_') then
    perform private.refuse('service_out_of_scope');
  end if;
end;
$$;

comment on function private.require_service_scope is
  'A secret key named svc_<service> (hyphens as underscores) speaks for that service alone. Refuses: service_out_of_scope.';

create function private.service_fault(draft public.service_registry)
returns text
language plpgsql
immutable
set search_path = ''
as $$
declare
  v_draft constant public.service_registry := service_fault.draft;
begin
  return case
    when (v_draft.service_name ~ '^[a-z][a-z0-9-]{0,62}$') is not true then 'service_name'
    when (v_draft.instance_id ~ '^[A-Za-z0-9][A-Za-z0-9_.:-]{0,99}$') is not true then 'instance_id'
    when (v_draft.service_type ~ '^[a-z][a-z0-9_-]{0,62}$') is not true then 'service_type'
    when (length(v_draft.version) between 1 and 100) is not true then 'version'
    when not private.is_service_url(v_draft.endpoint) or v_draft.endpoint ~ '[?]' then 'endpoint'
    when not private.is_service_url(v_draft.health_check_url) then 'health_check_url'
    when private.are_service_labels(v_draft.capabilities) is not true then 'capabilities'
    when private.are_service_labels(v_draft.dependencies) is not true then 'dependencies'
    when (v_draft.ttl_seconds between 5 and 86400) is not true then 'ttl_seconds'
  end;
end;
$$;

comment on function private.service_fault is 'The first argument of a registration that is not as the table has it; null when all are.';

create function private.register_service(draft public.service_registry)
returns jsonb
language plpgsql
security definer -- the registry is written by its functions only
set search_path = ''
as $$
declare
  c_most_instances constant integer := 1000;
  v_draft constant public.service_registry := register_service.draft;
  v_former public.service_registry;
  v_service public.service_registry;
begin
  select * into v_former from public.service_registry as former
  where former.service_name = v_draft.service_name and former.instance_id = v_draft.instance_id
  for no key update;
  if not found and c_most_instances <= (
    select count(*) from public.service_registry as other where other.service_name = v_draft.service_name
  ) then
    perform private.refuse('too_many_service_instances', jsonb_build_object('most', c_most_instances));
  end if;
  insert into public.service_registry as service (
    service_name, instance_id, service_type, version, endpoint, health_check_url, capabilities, dependencies, ttl_seconds, check_status
  ) values (
    v_draft.service_name, v_draft.instance_id, v_draft.service_type, v_draft.version, v_draft.endpoint, v_draft.health_check_url,
    v_draft.capabilities, v_draft.dependencies, v_draft.ttl_seconds, case when v_draft.health_check_url is not null then 'critical' end::public.service_status
  )
  on conflict on constraint service_registry_service_name_instance_id_key do update set
    service_type = excluded.service_type, version = excluded.version, endpoint = excluded.endpoint,
    health_check_url = excluded.health_check_url, capabilities = excluded.capabilities, dependencies = excluded.dependencies,
    ttl_seconds = excluded.ttl_seconds, reported_status = 'passing', expired_at = null,
    -- What is known of an address stays known.
    check_status = case when service.health_check_url = excluded.health_check_url then service.check_status else excluded.check_status end,
    last_heartbeat_at = greatest(service.last_heartbeat_at, now()), registered_by = excluded.registered_by, registered_at = now()
  returning * into v_service;
  if v_service.health_check_url is null then
    delete from public.service_checks as checked where checked.service_id = v_service.id;
  elsif v_former.health_check_url is distinct from v_service.health_check_url then
    perform private.plan_service_check(v_service.id);
  end if;
  return private.service_lease(v_service) || jsonb_build_object('is_new', v_former.id is null);
end;
$$;

comment on function private.register_service is 'The work of public.register_service().';

create function private.service_lease(service public.service_registry)
returns jsonb
language plpgsql
immutable
set search_path = ''
as $$
begin
  return jsonb_build_object(
    'service_name', (service_lease.service).service_name,
    'instance_id', (service_lease.service).instance_id,
    'status', (service_lease.service).status,
    'ttl_seconds', (service_lease.service).ttl_seconds,
    'expires_at', (service_lease.service).last_heartbeat_at + make_interval(secs => (service_lease.service).ttl_seconds)
  );
end;
$$;

comment on function private.service_lease is 'What an instance is told: how it is seen, and until when it must beat again.';

create function public.register_service(
  service_name text,
  service_type text,
  version text,
  endpoint text default null,
  health_check_url text default null,
  capabilities text[] default '{}',
  ttl_seconds integer default 30,
  instance_id text default 'default',
  dependencies text[] default '{}'
)
returns jsonb
language plpgsql
set search_path = ''
set statement_timeout = '5s'
as $$
declare
  v_draft public.service_registry;
  v_fault text;
begin
  v_draft.service_name := register_service.service_name;
  v_draft.service_type := register_service.service_type;
  v_draft.version := register_service.version;
  v_draft.endpoint := register_service.endpoint;
  v_draft.health_check_url := register_service.health_check_url;
  v_draft.capabilities := register_service.capabilities;
  v_draft.ttl_seconds := register_service.ttl_seconds;
  v_draft.instance_id := register_service.instance_id;
  v_draft.dependencies := register_service.dependencies;
  v_fault := private.service_fault(v_draft);
  if v_fault is not null then
    perform private.refuse('invalid_argument', jsonb_build_object('argument', v_fault));
  end if;
  perform private.require_service_scope(register_service.service_name);
  return private.register_service(v_draft);
end;
$$;

comment on function public.register_service is
  'Makes an instance of a service known, and counts as its first heartbeat: passing, unless there is a health_check_url, which must answer once first. '
  'Again with the same service_name and instance_id it replaces what was registered. Says status, ttl_seconds, expires_at and is_new. '
  'Refuses: invalid_argument, service_out_of_scope, too_many_service_instances (1000 of a service).';
grant execute on function
  public.register_service, private.register_service, private.require_service_scope, private.service_fault, private.service_lease,
  private.is_service_url, private.are_service_labels
to service_role;

create function private.service_heartbeat(service_name text, instance_id text, status public.service_status, metrics jsonb)
returns jsonb
language plpgsql
security definer -- the registry is written by its functions only
set search_path = ''
as $$
declare
  v_service public.service_registry;
begin
  -- One row by its key, no indexed column: a HOT update, whose triggers are only called if the status is another.
  update public.service_registry as service set
    last_heartbeat_at = greatest(service.last_heartbeat_at, now()),
    reported_status = service_heartbeat.status,
    metrics = coalesce(service_heartbeat.metrics, service.metrics),
    expired_at = null
  where service.service_name = service_heartbeat.service_name and service.instance_id = service_heartbeat.instance_id
  returning * into v_service;
  if not found then
    perform private.refuse('service_not_found');
  end if;
  return private.service_lease(v_service);
end;
$$;

comment on function private.service_heartbeat is 'The work of public.service_heartbeat().';

create function public.service_heartbeat(
  service_name text,
  status public.service_status default 'passing',
  metrics jsonb default null,
  instance_id text default 'default'
)
returns jsonb
language plpgsql
set search_path = ''
set statement_timeout = '5s'
as $$
begin
  if service_heartbeat.status is null then
    perform private.refuse('invalid_argument', '{"argument": "status"}');
  end if;
  if jsonb_typeof(service_heartbeat.metrics) <> 'object' or octet_length(service_heartbeat.metrics::text) > 8192 then
    perform private.refuse('invalid_argument', '{"argument": "metrics", "range": "an object of at most 8 KiB"}');
  end if;
  perform private.require_service_scope(service_heartbeat.service_name);
  return private.service_heartbeat(
    service_heartbeat.service_name, service_heartbeat.instance_id, service_heartbeat.status, service_heartbeat.metrics
  );
end;
$$;

comment on function public.service_heartbeat is
  'An instance says that it lives, how it is, and what it measures (the last is kept). Beat at a third of ttl_seconds. Says status, ttl_seconds and expires_at. Who was '
  'deregistered meanwhile is refused with service_not_found, and registers again. Refuses: invalid_argument, service_out_of_scope, service_not_found.';
grant execute on function public.service_heartbeat, private.service_heartbeat to service_role;

create function private.deregister_service(service_name text, instance_id text)
returns void
language plpgsql
security definer -- the registry is written by its functions only
set search_path = ''
as $$
begin
  delete from public.service_registry as service
  where service.service_name = deregister_service.service_name and service.instance_id = deregister_service.instance_id;
  if not found then
    perform private.refuse('service_not_found');
  end if;
end;
$$;

comment on function private.deregister_service is 'The work of public.deregister_service().';

create function public.deregister_service(service_name text, instance_id text default 'default')
returns void
language plpgsql
set search_path = ''
set statement_timeout = '5s'
as $$
begin
  perform private.require_service_scope(deregister_service.service_name);
  perform private.deregister_service(deregister_service.service_name, deregister_service.instance_id);
end;
$$;

comment on function public.deregister_service is
  'Takes an instance out of the registry, as it stops. Refuses: service_out_of_scope, service_not_found.';
grant execute on function public.deregister_service, private.deregister_service to service_role;

create function private.set_service_maintenance(service_name text, instance_id text, reason text)
returns jsonb
language plpgsql
security definer -- the registry is written by its functions only
set search_path = ''
as $$
declare
  v_service public.service_registry;
begin
  perform private.require_service_or_registered_operator();
  update public.service_registry as service set maintenance_reason = set_service_maintenance.reason
  where service.service_name = set_service_maintenance.service_name and service.instance_id = set_service_maintenance.instance_id
  returning * into v_service;
  if not found then
    perform private.refuse('service_not_found');
  end if;
  return private.service_lease(v_service);
end;
$$;

comment on function private.set_service_maintenance is 'The work of public.set_service_maintenance().';

create function public.set_service_maintenance(service_name text, instance_id text, reason text)
returns jsonb
language plpgsql
set search_path = ''
set statement_timeout = '5s'
as $$
begin
  if length(set_service_maintenance.reason) not between 1 and 500 then
    perform private.refuse('invalid_argument', '{"argument": "reason", "range": "1..500 characters"}');
  end if;
  perform private.require_service_scope(set_service_maintenance.service_name);
  return private.set_service_maintenance(
    set_service_maintenance.service_name, set_service_maintenance.instance_id, set_service_maintenance.reason
  );
end;
$$;

comment on function public.set_service_maintenance is
  'Takes an instance out of discovery, fallback included, whatever it reports; null puts it back. For services and registered operators. '
  'Refuses: invalid_argument, operator_required, service_out_of_scope, service_not_found.';
grant execute on function public.set_service_maintenance, private.set_service_maintenance, private.require_service_scope to authenticated, service_role;

commit;
