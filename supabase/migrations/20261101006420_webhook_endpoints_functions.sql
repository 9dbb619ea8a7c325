begin;

create function private.note_webhook_operation(action text, endpoint_id uuid, metadata jsonb default '{}')
returns void
language plpgsql
set search_path = ''
as $$
declare
  v_actor record := private.current_actor();
begin
  perform private.log_audit_event(
    v_actor.actor_type, v_actor.actor_identifier, note_webhook_operation.action, 'webhook_endpoint',
    note_webhook_operation.endpoint_id::text, note_webhook_operation.metadata
  );
end;
$$;

comment on function private.note_webhook_operation is 'Keeps who did what to an endpoint. Its address stays out: it may hold a token.';

create function private.locked_webhook_endpoint(endpoint_id uuid)
returns public.webhook_endpoints
language plpgsql
set search_path = ''
as $$
declare
  v_endpoint public.webhook_endpoints;
begin
  perform private.require_service_or_registered_operator();
  select endpoint.* into v_endpoint
  from public.webhook_endpoints as endpoint
  where endpoint.id = locked_webhook_endpoint.endpoint_id
  for no key update;
  if not found then
    perform private.refuse('webhook_endpoint_not_found');
  end if;
  return v_endpoint;
end;
$$;

comment on function private.locked_webhook_endpoint is
  'First line of what the service and registered operators do to an endpoint. Refuses: operator_required, webhook_endpoint_not_found.';

create function private.require_webhook_arguments(url text, event_types text[], description text)
returns void
language plpgsql
immutable
set search_path = ''
as $$
declare
  v_fault text := case
    when private.is_webhook_url(require_webhook_arguments.url) is not true then 'url'
    when private.are_webhook_event_types(require_webhook_arguments.event_types) is not true then 'event_types'
    when length(require_webhook_arguments.description) > 500 then 'description'
  end;
begin
  if v_fault is not null then
    perform private.refuse('invalid_argument', jsonb_build_object('argument', v_fault));
  end if;
end;
$$;

comment on function private.require_webhook_arguments is 'Says which argument of an endpoint is none. Refuses: invalid_argument.';

create function private.create_webhook_endpoint(url text, event_types text[], profile_id uuid, description text)
returns jsonb
language plpgsql
security definer -- the only writer of endpoints and their secrets
set search_path = ''
as $$
declare
  v_endpoint public.webhook_endpoints;
begin
  perform private.require_service_or_registered_operator();
  perform private.require_webhook_arguments(
    create_webhook_endpoint.url, create_webhook_endpoint.event_types, create_webhook_endpoint.description
  );
  if create_webhook_endpoint.profile_id is not null and not exists (
    select from public.profiles as profile where profile.id = create_webhook_endpoint.profile_id
  ) then
    perform private.refuse('profile_not_found');
  end if;
  insert into public.webhook_endpoints as endpoint (profile_id, url, event_types, description)
  values (
    create_webhook_endpoint.profile_id, create_webhook_endpoint.url, create_webhook_endpoint.event_types,
    create_webhook_endpoint.description
  )
  on conflict on constraint webhook_endpoints_profile_id_url_key do nothing
  returning endpoint.* into v_endpoint;
  if not found then
    perform private.refuse('webhook_endpoint_exists');
  end if;
  perform private.note_webhook_operation('create', v_endpoint.id, jsonb_build_object('event_types', v_endpoint.event_types));
  return to_jsonb(v_endpoint) || jsonb_build_object('secret', private.make_webhook_secret(v_endpoint.id));
end;
$$;

comment on function private.create_webhook_endpoint is 'The work of public.create_webhook_endpoint().';

create function public.create_webhook_endpoint(
  url text,
  event_types text[] default '{*}',
  profile_id uuid default null,
  description text default null
)
returns jsonb
language plpgsql
set search_path = ''
set statement_timeout = '5s'
as $$
begin
  return private.create_webhook_endpoint(
    create_webhook_endpoint.url, create_webhook_endpoint.event_types, create_webhook_endpoint.profile_id,
    create_webhook_endpoint.description
  );
end;
$$;

comment on function public.create_webhook_endpoint is
  'For registered operators and the service: registers where events are posted to, of a profile''s payments or, without one, of all. Answers the endpoint and '
  'its secret (whsec_ and base64), which is not shown again. It gets what happens from now on. Audited. '
  'Refuses: operator_required, invalid_argument, profile_not_found, webhook_endpoint_exists.';
grant execute on function public.create_webhook_endpoint, private.create_webhook_endpoint to authenticated, service_role;

create function private.update_webhook_endpoint(endpoint_id uuid, url text, event_types text[], description text)
returns public.webhook_endpoints
language plpgsql
security definer -- the only writer of endpoints
set search_path = ''
as $$
declare
  v_endpoint public.webhook_endpoints := private.locked_webhook_endpoint(update_webhook_endpoint.endpoint_id);
begin
  v_endpoint.url := coalesce(update_webhook_endpoint.url, v_endpoint.url);
  v_endpoint.event_types := coalesce(update_webhook_endpoint.event_types, v_endpoint.event_types);
  v_endpoint.description := coalesce(update_webhook_endpoint.description, v_endpoint.description);
  perform private.require_webhook_arguments(v_endpoint.url, v_endpoint.event_types, v_endpoint.description);
  if exists (
    select from public.webhook_endpoints as other
    where other.url = v_endpoint.url and other.profile_id is not distinct from v_endpoint.profile_id and other.id <> v_endpoint.id
  ) then
    perform private.refuse('webhook_endpoint_exists');
  end if;
  update public.webhook_endpoints as endpoint set
    url = v_endpoint.url, event_types = v_endpoint.event_types, description = v_endpoint.description,
    -- What was true of the old address says nothing of a new one.
    failing_from = case when endpoint.url = v_endpoint.url then endpoint.failing_from end,
    paused_until = case when endpoint.url = v_endpoint.url then endpoint.paused_until else '-infinity' end
  where endpoint.id = v_endpoint.id
  returning endpoint.* into v_endpoint;
  perform private.note_webhook_operation(
    'update', v_endpoint.id,
    jsonb_build_object('event_types', v_endpoint.event_types, 'has_new_url', update_webhook_endpoint.url is not null)
  );
  return v_endpoint;
end;
$$;

comment on function private.update_webhook_endpoint is 'The work of public.update_webhook_endpoint().';

create function public.update_webhook_endpoint(
  endpoint_id uuid,
  url text default null,
  event_types text[] default null,
  description text default null
)
returns public.webhook_endpoints
language plpgsql
set search_path = ''
set statement_timeout = '5s'
as $$
begin
  return private.update_webhook_endpoint(
    update_webhook_endpoint.endpoint_id, update_webhook_endpoint.url, update_webhook_endpoint.event_types, update_webhook_endpoint.description
  );
end;
$$;

comment on function public.update_webhook_endpoint is
  'For registered operators and the service: changes what is given. What waits already goes to the new address; new filters hold for what happens from now on. '
  'Audited. Refuses: operator_required, webhook_endpoint_not_found, invalid_argument, webhook_endpoint_exists.';
grant execute on function public.update_webhook_endpoint, private.update_webhook_endpoint to authenticated, service_role;

create function private.list_webhook_endpoints()
returns setof public.webhook_endpoints
language plpgsql
stable
security definer -- operators read what no client may
set search_path = ''
as $$
begin
  perform private.require_service_or_registered_operator();
  return query select endpoint.* from public.webhook_endpoints as endpoint order by endpoint.id;
end;
$$;

comment on function private.list_webhook_endpoints is 'The work of public.list_webhook_endpoints().';

create function public.list_webhook_endpoints()
returns setof public.webhook_endpoints
language plpgsql
stable
set search_path = ''
set statement_timeout = '5s'
as $$
begin
  return query select * from private.list_webhook_endpoints();
end;
$$;

comment on function public.list_webhook_endpoints is
  'For registered operators and the service: all endpoints, the oldest first, without their secrets. Refuses: operator_required.';
grant execute on function public.list_webhook_endpoints, private.list_webhook_endpoints to authenticated, service_role;

commit;
