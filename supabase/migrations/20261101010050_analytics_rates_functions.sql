begin;

create function private.require_analytics_rate(key text)
returns void
language plpgsql
set search_path = ''
as $$
declare
  c_burst constant interval := interval '1 minute';
  v_wait interval := (
    select stored.theoretical_arrival_at - now() - c_burst
    from private.rate_limits as stored
    where stored.key = require_analytics_rate.key
  );
begin
  if v_wait > interval '0' then
    perform private.refuse('rate_limited', jsonb_build_object('retry_after', ceil(extract(epoch from v_wait))::integer));
  end if;
end;
$$;

comment on function private.require_analytics_rate is
  'Asks, without a lock, whether a key may send events now: it may be ahead of its rate by a minute''s worth. Refuses: rate_limited.';

create function private.spend_analytics_rate(key text, event_count integer, events_per_minute integer)
returns void
language plpgsql
set search_path = ''
as $$
declare
  v_time interval := interval '1 minute' / spend_analytics_rate.events_per_minute * spend_analytics_rate.event_count;
begin
  insert into private.rate_limits as stored (key, theoretical_arrival_at)
  values (spend_analytics_rate.key, now() + v_time)
  on conflict on constraint rate_limits_pkey do update
    set theoretical_arrival_at = greatest(stored.theoretical_arrival_at, now()) + v_time;
end;
$$;

comment on function private.spend_analytics_rate is
  'Counts events against a key''s rate (GCRA). The last thing of a transaction, because all that use the key wait for the row. '
  'A batch is whole: a big one may go beyond, and is waited for afterwards.';

commit;
