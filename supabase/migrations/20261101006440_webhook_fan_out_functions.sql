begin;

create function private.is_webhook_party(profile_id uuid, payload jsonb)
returns boolean
language plpgsql
stable
set search_path = ''
as $$
begin
  return is_webhook_party.payload ->> 'profile_id' = is_webhook_party.profile_id::text or exists (
    select from public.wallet_accounts as account
    where account.profile_id = is_webhook_party.profile_id
      and account.id::text in (is_webhook_party.payload ->> 'from_account_id', is_webhook_party.payload ->> 'to_account_id')
  );
end;
$$;

comment on function private.is_webhook_party is 'Whether a payment is a profile''s own, or goes out of or into an account of theirs.';

create function private.webhook_data(endpoint public.webhook_endpoints, event public.event_store)
returns jsonb
language plpgsql
stable
set search_path = ''
as $$
declare
  v_payload constant jsonb := (webhook_data.event).payload;
  v_type constant text := (webhook_data.event).event_type;
  v_owner constant uuid := (webhook_data.endpoint).profile_id;
begin
  if (webhook_data.event).aggregate_type <> 'transaction'
    or not (webhook_data.endpoint).event_types && array['*', split_part(v_type, '.', 1) || '.*', v_type]
    or not private.are_webhook_event_types(array[v_type]) then
    return null;
  end if;
  if v_owner is null then
    return v_payload;
  end if;
  -- Who the other side is, is not theirs to know.
  return case when private.is_webhook_party(v_owner, v_payload)
    then case when v_payload ->> 'profile_id' = v_owner::text then v_payload else v_payload - 'profile_id' end end;
end;
$$;

comment on function private.webhook_data is 'What an endpoint is told of an event; null if the event is not meant for it.';

create function private.fan_out_webhooks(events public.event_store[])
returns void
language plpgsql
set search_path = ''
as $$
begin
  insert into public.webhook_deliveries as delivery (endpoint_id, event_id, event_type, occurred_at, data, correlation_id)
  select endpoint.id, event.id, event.event_type, event.occurred_at, told.data, event.correlation_id
  from unnest(fan_out_webhooks.events) as event
  -- Who came later hears of what came later.
  join public.webhook_endpoints as endpoint on endpoint.status = 'enabled' and endpoint.created_at <= event.created_at
  cross join lateral private.webhook_data(endpoint, event) as told (data)
  where told.data is not null
  order by event.id, endpoint.id
  on conflict on constraint webhook_deliveries_endpoint_id_event_id_key do nothing;
  if found then
    perform private.kick_worker();
  end if;
end;
$$;

comment on function private.fan_out_webhooks is
  'The outbox: makes a delivery of each event of a payment for each endpoint that is to hear of it, in the transaction that moves the checkpoint.';

select private.register_subscription(
  'webhooks', 'private.fan_out_webhooks(public.event_store[])', aggregate_types => '{transaction}', is_from_start => false
);

create function private.require_enabled_webhook_endpoint(endpoint_id uuid)
returns public.webhook_endpoints
language plpgsql
set search_path = ''
as $$
declare
  v_endpoint public.webhook_endpoints := private.locked_webhook_endpoint(require_enabled_webhook_endpoint.endpoint_id);
begin
  if v_endpoint.status <> 'enabled' then
    perform private.refuse('webhook_endpoint_disabled');
  end if;
  return v_endpoint;
end;
$$;

comment on function private.require_enabled_webhook_endpoint is
  'As private.locked_webhook_endpoint(), of one that events are sent to. Refuses: operator_required, webhook_endpoint_not_found, webhook_endpoint_disabled.';

create function private.send_test_webhook(endpoint_id uuid)
returns uuid
language plpgsql
security definer -- the only writer of deliveries
set search_path = ''
as $$
declare
  v_endpoint public.webhook_endpoints := private.require_enabled_webhook_endpoint(send_test_webhook.endpoint_id);
  v_id uuid;
begin
  insert into public.webhook_deliveries as delivery (endpoint_id, event_id, event_type, occurred_at, data)
  values (v_endpoint.id, private.uuid_v7(), 'webhook.test', now(), jsonb_build_object('endpoint_id', v_endpoint.id))
  returning delivery.id into v_id;
  perform private.note_webhook_operation('test', v_endpoint.id);
  perform private.kick_worker();
  return v_id;
end;
$$;

comment on function private.send_test_webhook is 'The work of public.send_test_webhook().';

create function public.send_test_webhook(endpoint_id uuid)
returns uuid
language plpgsql
set search_path = ''
set statement_timeout = '5s'
as $$
begin
  return private.send_test_webhook(send_test_webhook.endpoint_id);
end;
$$;

comment on function public.send_test_webhook is
  'For registered operators and the service: sends the event webhook.test, whatever the filters, in one attempt that neither disables the endpoint nor counts as a failure of it; '
  'gives the delivery''s id, by which list_webhook_deliveries() tells what became of it. Audited. '
  'Refuses: operator_required, webhook_endpoint_not_found, webhook_endpoint_disabled.';
grant execute on function public.send_test_webhook, private.send_test_webhook to authenticated, service_role;

commit;
