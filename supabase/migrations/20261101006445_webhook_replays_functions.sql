begin;

-- So that a replay passes over whatever else has happened. Only these events pay for it.
create index event_store_transactions_idx on public.event_store (id) where aggregate_type = 'transaction';

create function private.replay_webhook_event(endpoint public.webhook_endpoints, event public.event_store)
returns boolean
language plpgsql
set search_path = ''
as $$
declare
  v_event constant public.event_store := replay_webhook_event.event;
  v_data constant jsonb := private.webhook_data(replay_webhook_event.endpoint, v_event);
begin
  if v_data is null then
    return false;
  end if;
  insert into public.webhook_deliveries as delivery (endpoint_id, event_id, event_type, occurred_at, data, correlation_id)
  values (
    (replay_webhook_event.endpoint).id, v_event.id, v_event.event_type, v_event.occurred_at, v_data, v_event.correlation_id
  )
  -- What waits already is tried now, with as many attempts as a new one; what is being sent is left alone.
  on conflict on constraint webhook_deliveries_endpoint_id_event_id_key do update set due_at = now(), attempt_count = 0
  where delivery.leased_until is null;
  return true;
end;
$$;

comment on function private.replay_webhook_event is 'Sends an event to an endpoint, once more or for the first time; says whether it is meant for it.';

create function private.replay_webhook_deliveries(
  endpoint_id uuid,
  since timestamptz,
  after_event_id uuid,
  event_id uuid,
  max_count integer
)
returns jsonb
language plpgsql
security definer -- the only writer of deliveries; reads events that operators may not
set search_path = ''
as $$
declare
  v_endpoint public.webhook_endpoints := private.require_enabled_webhook_endpoint(replay_webhook_deliveries.endpoint_id);
  v_from uuid := coalesce(
    replay_webhook_deliveries.event_id, replay_webhook_deliveries.after_event_id, private.uuid_v7_floor(replay_webhook_deliveries.since)
  );
  v_event public.event_store;
  v_last uuid;
  v_scanned integer := 0;
  v_replayed integer := 0;
begin
  for v_event in
    select event.* from public.event_store as event
    where event.aggregate_type = 'transaction' and event.id >= v_from and event.id > coalesce(replay_webhook_deliveries.after_event_id, private.uuid_v7_floor('epoch'))
      and (replay_webhook_deliveries.event_id is null or event.id = replay_webhook_deliveries.event_id)
    order by event.id
    limit replay_webhook_deliveries.max_count
  loop
    v_scanned := v_scanned + 1;
    v_last := v_event.id;
    v_replayed := v_replayed + private.replay_webhook_event(v_endpoint, v_event)::integer;
  end loop;
  if replay_webhook_deliveries.event_id is not null and v_replayed = 0 then
    perform private.refuse('webhook_event_not_found');
  end if;
  perform private.note_webhook_operation('replay', v_endpoint.id, jsonb_build_object(
    'since', replay_webhook_deliveries.since, 'event_id', replay_webhook_deliveries.event_id, 'count', v_replayed
  ));
  perform private.kick_worker();
  return jsonb_build_object(
    'replayed', v_replayed, 'next_event_id', case when v_scanned = replay_webhook_deliveries.max_count
      and replay_webhook_deliveries.event_id is null then v_last end
  );
end;
$$;

comment on function private.replay_webhook_deliveries is 'The work of public.replay_webhook_deliveries().';

create function public.replay_webhook_deliveries(
  endpoint_id uuid,
  since timestamptz default null,
  after_event_id uuid default null,
  event_id uuid default null,
  max_count integer default 5000
)
returns jsonb
language plpgsql
set search_path = ''
set statement_timeout = '30s'
as $$
declare
  v_since timestamptz := coalesce(replay_webhook_deliveries.since, private.uuid_v7_time(replay_webhook_deliveries.after_event_id));
begin
  if num_nonnulls(replay_webhook_deliveries.since, replay_webhook_deliveries.after_event_id, replay_webhook_deliveries.event_id) <> 1 then
    perform private.refuse('invalid_argument', '{"argument": "since", "range": "one of since, after_event_id, event_id"}');
  end if;
  if v_since < now() - interval '31 days' then
    perform private.refuse('invalid_argument', '{"argument": "since", "range": "the last 31 days"}');
  end if;
  if (replay_webhook_deliveries.max_count between 1 and 10000) is not true then
    perform private.refuse('invalid_argument', '{"argument": "max_count", "range": "1..10000"}');
  end if;
  return private.replay_webhook_deliveries(
    replay_webhook_deliveries.endpoint_id, replay_webhook_deliveries.since, replay_webhook_deliveries.after_event_id,
    replay_webhook_deliveries.event_id, replay_webhook_deliveries.max_count
  );
end;
$$;

comment on function public.replay_webhook_deliveries is
  'For registered operators and the service: sends an endpoint what happened since then (31 days at most), or one event of any age, whether it had it before or not: '
  'its filters of today count, and every event keeps its webhook-id. Looks through max_count events of payments and answers {"replayed", "next_event_id"}: '
  'unless that is null, call again with it as after_event_id. Audited. Refuses: operator_required, webhook_endpoint_not_found, webhook_endpoint_disabled, '
  'webhook_event_not_found, invalid_argument.';
grant execute on function public.replay_webhook_deliveries, private.replay_webhook_deliveries to authenticated, service_role;

commit;
