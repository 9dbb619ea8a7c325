begin;

create function private.count_trip_events(events public.event_store[])
returns void
language plpgsql
set search_path = ''
as $$
declare
  v_event public.event_store;
begin
  foreach v_event in array count_trip_events.events loop
    perform private.continue_correlation(v_event.correlation_id);
    perform private.store_analytics_events(jsonb_build_object(
      'source', 'sql', 'received_at', now(),
      'items', jsonb_build_array(jsonb_build_object(
        'index', 0, 'message_id', v_event.id, 'type', 'track',
        'event_name', v_event.event_type, 'event_category', 'trip', 'user_id', v_event.payload ->> 'rider_id',
        'properties', jsonb_strip_nulls(jsonb_build_object(
          'trip_id', v_event.payload -> 'trip_id', 'vehicle_type', v_event.payload -> 'vehicle_type',
          'payment_method', v_event.payload -> 'payment_method', 'fare_amount', v_event.payload -> 'fare_amount',
          'currency', v_event.payload -> 'currency', 'cancel_reason', v_event.payload -> 'cancel_reason'
        )),
        'timestamp', v_event.occurred_at
      ))
    ));
  end loop;
end;
$$;

comment on function private.count_trip_events is
  'Tells analytics of a rider''s trips, each event once by its id: how many were asked for, ended and paid. No places.';

select private.register_subscription(
  'trip_analytics', 'private.count_trip_events(public.event_store[])',
  event_types => '{trip.requested,trip.completed,trip.cancelled,trip.expired,trip.paid}'
);

commit;
