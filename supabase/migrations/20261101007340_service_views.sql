begin;

create view public.service_instances
with (security_invoker = on)
as
select
  service.id, service.service_name, service.instance_id, service.service_type, service.version, service.endpoint, service.health_check_url,
  service.capabilities, service.dependencies, broken.dependencies as broken_dependencies,
  -- Worst at warning, and of direct dependencies only: one outage takes nobody else out of discovery, and a circle ends.
  greatest(service.status, case when broken.dependencies <> '{}' then 'warning'::public.service_status end) as status,
  service.reported_status, service.check_status, service.maintenance_reason, service.status_changed_at,
  service.metrics, service.last_heartbeat_at, service.last_heartbeat_at + make_interval(secs => service.ttl_seconds) as expires_at,
  service.registered_at, checked.last_checked_at, checked.last_status as last_check_status, checked.last_error as last_check_error
from public.service_registry as service
left join public.service_checks as checked on checked.service_id = service.id
cross join lateral (
  select array(
    select needed from unnest(service.dependencies) as needed
    where not exists (
      select from public.service_registry as other where other.service_name = needed and other.status <> 'critical'
    )
    order by needed
  ) as dependencies
) as broken;

comment on view public.service_instances is
  'Every registered instance as it is seen: its own status, at least warning while a service that it depends on has no usable instance.';
grant select on public.service_instances to service_role;

create view public.service_health_overview
with (security_invoker = on)
as
select
  instance.service_name,
  -- As well as its best instance; a service with some that are not passing is not quite well.
  case when bool_or(instance.status <> 'passing') then greatest(min(instance.status), 'warning'::public.service_status) else 'passing' end as status,
  count(*) as instance_count,
  count(*) filter (where instance.status = 'passing') as passing_count,
  count(*) filter (where instance.status = 'warning') as warning_count,
  count(*) filter (where instance.status = 'critical') as critical_count,
  count(*) filter (where instance.maintenance_reason is not null) as maintenance_count,
  array_agg(distinct instance.version) as versions,
  array(
    select distinct needed
    from public.service_instances as member
    cross join unnest(member.broken_dependencies) as needed
    where member.service_name = instance.service_name
    order by needed
  ) as broken_dependencies,
  max(instance.last_heartbeat_at) as last_heartbeat_at,
  max(instance.status_changed_at) as status_changed_at
from public.service_instances as instance
group by instance.service_name;

comment on view public.service_health_overview is
  'Every registered service: critical if no instance is usable, passing if all are passing, otherwise warning.';
grant select on public.service_health_overview to service_role;

create function private.discover_services(
  service_name text,
  service_type text,
  capabilities text[],
  version text,
  include_unhealthy boolean,
  max_count integer
)
returns setof public.service_instances
language plpgsql
security definer -- operators read what no client may
set search_path = ''
as $$
begin
  perform private.require_service_or_operator();
  return query
  with matching as materialized (
    select instance as instance, bool_or(instance.status <> 'critical') over (partition by instance.service_name) as has_usable
    from public.service_instances as instance
    where coalesce(instance.service_name = discover_services.service_name, discover_services.service_name is null)
      and coalesce(instance.service_type = discover_services.service_type, discover_services.service_type is null)
      and coalesce(instance.version = discover_services.version, discover_services.version is null)
      and instance.capabilities @> discover_services.capabilities
  )
  select (matching.instance).*
  from matching
  where discover_services.include_unhealthy
    or (matching.instance).status <> 'critical'
    or not matching.has_usable and (matching.instance).maintenance_reason is null
  -- Who takes the first spreads the load; of those that may be dead, the last one heard of comes first.
  order by
    (matching.instance).service_name, (matching.instance).status,
    case when (matching.instance).status = 'critical' then (matching.instance).last_heartbeat_at end desc nulls last, random()
  limit discover_services.max_count;
end;
$$;

comment on function private.discover_services is 'The work of public.discover_services().';

create function public.discover_services(
  service_name text default null,
  service_type text default null,
  capabilities text[] default '{}',
  version text default null,
  include_unhealthy boolean default false,
  max_count integer default 100
)
returns setof public.service_instances
language plpgsql
set search_path = ''
set statement_timeout = '5s'
as $$
begin
  if (discover_services.max_count between 1 and 1000) is not true then
    perform private.refuse('invalid_argument', '{"argument": "max_count", "range": "1..1000"}');
  end if;
  if discover_services.capabilities is null or discover_services.include_unhealthy is null then
    perform private.refuse('invalid_argument');
  end if;
  return query select * from private.discover_services(
    discover_services.service_name, discover_services.service_type, discover_services.capabilities, discover_services.version,
    discover_services.include_unhealthy, discover_services.max_count
  );
end;
$$;

comment on function public.discover_services is
  'Where services are: passing instances first, then warning ones, equals in random order. Critical ones only where no other of that service matches (it may '
  'be us who cannot see them), the last one heard of first, or with include_unhealthy; those in maintenance only then. For services and operators. '
  'Refuses: invalid_argument, operator_required.';
grant execute on function public.discover_services, private.discover_services to authenticated, service_role;

create function private.list_service_health()
returns setof public.service_health_overview
language plpgsql
stable
security definer -- operators read what no client may
set search_path = ''
as $$
begin
  perform private.require_service_or_operator();
  return query select * from public.service_health_overview as overview order by overview.status desc, overview.service_name;
end;
$$;

comment on function private.list_service_health is 'The work of public.list_service_health().';

create function public.list_service_health()
returns setof public.service_health_overview
language plpgsql
stable
set search_path = ''
set statement_timeout = '5s'
as $$
begin
  return query select * from private.list_service_health();
end;
$$;

comment on function public.list_service_health is
  'The overview of all services, the worst first, for services and operators. Refuses: operator_required.';
grant execute on function public.list_service_health, private.list_service_health to authenticated, service_role;

commit;
