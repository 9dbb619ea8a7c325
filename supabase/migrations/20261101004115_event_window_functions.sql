begin;

create function private.event_window(
  after_transaction_id bigint,
  out from_id uuid,
  out until_id uuid,
  out until_transaction_id bigint
)
language plpgsql
stable
set search_path = ''
as $$
declare
  -- Far more than clocks are ever wrong, writers ever wait, or transactions ever last.
  c_tolerance constant interval := '7 days';
  v_from timestamptz;
  v_until timestamptz;
begin
  -- There was nothing before the first tick.
  select coalesce(
    (select max(tick.ticked_at) from private.event_ticks as tick where tick.next_transaction_id <= event_window.after_transaction_id),
    (select min(tick.ticked_at) from private.event_ticks as tick)
  ) into v_from;

  select tick.ticked_at, tick.ended_transaction_id into v_until, until_transaction_id
  from private.event_ticks as tick
  where tick.ended_transaction_id > event_window.after_transaction_id
    and tick.ticked_at >= v_from + interval '30 days'
  order by tick.ended_transaction_id
  limit 1;

  from_id := private.uuid_v7_floor(v_from - c_tolerance);
  until_id := coalesce(private.uuid_v7_floor(v_until + c_tolerance), 'ffffffff-ffff-ffff-ffff-ffffffffffff');
end;
$$;

comment on function private.event_window is
  'Which ids the events after a transaction_id have, up to until_transaction_id (not included), or to the end if that is null.';

commit;
