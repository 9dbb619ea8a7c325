begin;

create function private.scan_subscription(
  subscription public.event_subscriptions,
  max_count integer,
  out events public.event_store[],
  out until_transaction_id bigint,
  out until_position bigint
)
language plpgsql
set search_path = ''
as $$
declare
  c_most_bytes constant integer := 8388608;
  v_subscription public.event_subscriptions := scan_subscription.subscription;
  v_is_filtered boolean := num_nonnulls(v_subscription.aggregate_types, v_subscription.event_types) > 0;
  v_event public.event_store;
  v_bytes integer := 0;
begin
  events := '{}';
  for v_event in
    select event.* from private.read_events(
      v_subscription.after_transaction_id,
      v_subscription.after_position,
      -- Who wants few of them looks through more at once.
      greatest(scan_subscription.max_count, case when v_is_filtered then 1000 else 0 end)
    ) as event
  loop
    if coalesce(v_event.aggregate_type = any(v_subscription.aggregate_types), true)
      and coalesce(v_event.event_type = any(v_subscription.event_types), true) then
      v_bytes := v_bytes + pg_column_size(v_event.payload);
      exit when cardinality(events) = scan_subscription.max_count or v_bytes > c_most_bytes and events <> '{}';
      events := events || private.upcast_event(v_event);
    end if;
    until_transaction_id := v_event.transaction_id;
    until_position := v_event.position;
  end loop;
end;
$$;

comment on function private.scan_subscription is
  'The next events for a subscription, in their newest shapes, and the place up to which it has then seen all; that is null if there is nothing to see. '
  'At most 8 MiB of payloads, or one event.';

commit;
