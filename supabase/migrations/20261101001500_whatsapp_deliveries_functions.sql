begin;

create type public.whatsapp_delivery_receipt as (
  delivery_id uuid,
  is_copy boolean,
  item_count integer,
  stored_count integer,
  duplicate_count integer,
  stale_count integer,
  unroutable_count integer,
  dead_letter_count integer
);

comment on type public.whatsapp_delivery_receipt is
  'What became of a delivery: its items, by outcome. is_copy: these bytes had been received before, so nothing was done.';

create function private.whatsapp_items_of(delivery_id uuid)
returns setof public.whatsapp_delivery_items
language plpgsql
stable
rows 10
set search_path = ''
as $$
declare
  v_received_at timestamptz := private.uuid_v7_time(whatsapp_items_of.delivery_id);
begin
  return query
  select item.* from public.whatsapp_delivery_items as item
  where item.id >= private.uuid_v7_floor(v_received_at)
    and item.id < private.uuid_v7_floor(v_received_at + interval '1 millisecond')
    and item.delivery_id = whatsapp_items_of.delivery_id;
end;
$$;

comment on function private.whatsapp_items_of is 'The item rows of a delivery, out of the one partition that can hold them.';
grant execute on function private.whatsapp_items_of to service_role;

create function private.whatsapp_delivery_receipt(delivery_id uuid, is_copy boolean)
returns public.whatsapp_delivery_receipt
language plpgsql
stable
set search_path = ''
as $$
declare
  v_receipt public.whatsapp_delivery_receipt;
begin
  select whatsapp_delivery_receipt.delivery_id, whatsapp_delivery_receipt.is_copy, count(*),
    count(*) filter (where item.outcome = 'stored'), count(*) filter (where item.outcome = 'duplicate'),
    count(*) filter (where item.outcome = 'stale'), count(*) filter (where item.outcome = 'unroutable'),
    count(*) filter (where item.outcome = 'dead_letter')
  into v_receipt
  from private.whatsapp_items_of(whatsapp_delivery_receipt.delivery_id) as item;
  return v_receipt;
end;
$$;

comment on function private.whatsapp_delivery_receipt is 'Counts what became of a delivery''s items.';

create function private.whatsapp_items_or_dead_letter(body jsonb)
returns private.whatsapp_item[]
language plpgsql
stable
set search_path = ''
as $$
declare
  v_unreadable private.whatsapp_item;
begin
  if whatsapp_items_or_dead_letter.body is not null then
    return array(select item from private.whatsapp_items(whatsapp_items_or_dead_letter.body) as item);
  end if;
  v_unreadable.position := 1;
  v_unreadable.path := '';
  v_unreadable.kind := 'unknown';
  v_unreadable.outcome := 'dead_letter';
  v_unreadable.reason := 'not_json';
  return array[v_unreadable];
end;
$$;

comment on function private.whatsapp_items_or_dead_letter is 'The items of a body; one dead letter if it could not be read as JSON (null).';

create function private.is_transient(state text)
returns boolean
language plpgsql
immutable
set search_path = ''
as $$
begin
  return left(is_transient.state, 2) in ('08', '40', '53', '55', '57', '58', 'XX');
end;
$$;

comment on function private.is_transient is
  'Whether an SQLSTATE speaks of the moment (connection, conflict, resources, shutdown) and not of the data.';

create function private.settle_whatsapp_items(delivery_id uuid, items private.whatsapp_item[])
returns void
language plpgsql
set search_path = ''
as $$
declare
  v_item private.whatsapp_item := settle_whatsapp_items.items[1];
begin
  insert into public.whatsapp_delivery_items (id, delivery_id, path, kind, outcome, reason, target_id)
  select private.uuid_v7(private.uuid_v7_time(settle_whatsapp_items.delivery_id)), settle_whatsapp_items.delivery_id,
    item.path, item.kind, coalesce(item.outcome, settlement.outcome), item.reason, settlement.target_id
  from unnest(settle_whatsapp_items.items) as item
  left join private.store_whatsapp_items(settle_whatsapp_items.delivery_id, settle_whatsapp_items.items) as settlement
    on settlement.item_position = item.position;
exception when others then
  if private.is_transient(sqlstate) or v_item.reason = sqlstate then
    raise;
  end if;
  if cardinality(settle_whatsapp_items.items) = 1 then
    v_item.outcome := 'dead_letter';
    v_item.reason := sqlstate;
    perform private.settle_whatsapp_items(settle_whatsapp_items.delivery_id, array[v_item]);
    return;
  end if;
  foreach v_item in array settle_whatsapp_items.items loop
    perform private.settle_whatsapp_items(settle_whatsapp_items.delivery_id, array[v_item]);
  end loop;
end;
$$;

comment on function private.settle_whatsapp_items is
  'Stores items and writes down what became of each. It catches, because one bad item must not hold back the rest (a refused delivery '
  'is sent again, whole, for seven days): the items are then tried one by one, and the bad one becomes a dead letter with its SQLSTATE.';

create function private.ingest_whatsapp_delivery(body bytea, sanitised_body jsonb)
returns public.whatsapp_delivery_receipt
language plpgsql
security definer -- the only writer of the journal and of what comes in
set search_path = ''
as $$
declare
  v_delivery_id uuid := private.uuid_v7();
  v_sha256 bytea := sha256(ingest_whatsapp_delivery.body);
  v_items private.whatsapp_item[];
  v_journaled_id uuid;
begin
  -- Read from the request's headers once, not for every row.
  perform private.continue_correlation(private.correlation_id());
  -- A concurrent copy waits here until this one has committed.
  insert into public.whatsapp_delivery_keys as key (sha256, delivery_id)
  values (v_sha256, v_delivery_id)
  on conflict on constraint whatsapp_delivery_keys_pkey do update
    set copy_count = key.copy_count + 1, last_received_at = now()
  returning key.delivery_id into v_journaled_id;
  if v_journaled_id <> v_delivery_id then
    return private.whatsapp_delivery_receipt(v_journaled_id, true);
  end if;

  v_items := private.whatsapp_items_or_dead_letter(
    coalesce(ingest_whatsapp_delivery.sanitised_body, private.jsonb_or_null(ingest_whatsapp_delivery.body))
  );
  insert into public.whatsapp_deliveries (id, sha256, body, sanitised_body, item_count)
  values (v_delivery_id, v_sha256, ingest_whatsapp_delivery.body, ingest_whatsapp_delivery.sanitised_body, cardinality(v_items));
  perform private.settle_whatsapp_items(v_delivery_id, v_items);
  return private.whatsapp_delivery_receipt(v_delivery_id, false);
end;
$$;

comment on function private.ingest_whatsapp_delivery is 'The work of public.ingest_whatsapp_delivery().';

create function public.ingest_whatsapp_delivery(body_base64 text, sanitised_body jsonb default null)
returns public.whatsapp_delivery_receipt
language plpgsql
set search_path = ''
set statement_timeout = '8s'
as $$
begin
  return private.ingest_whatsapp_delivery(
    decode(ingest_whatsapp_delivery.body_base64, 'base64'), ingest_whatsapp_delivery.sanitised_body
  );
end;
$$;

comment on function public.ingest_whatsapp_delivery is
  'Journals one signed delivery and stores every item of it once, in one transaction. The same body again only counts a copy. '
  'The caller has checked Meta''s signature. sanitised_body stands in for a body that jsonb cannot hold as sent. Never refuses content.';
grant execute on function public.ingest_whatsapp_delivery, private.ingest_whatsapp_delivery to service_role;

create function private.replay_whatsapp_delivery(delivery_id uuid)
returns public.whatsapp_delivery_receipt
language plpgsql
security definer -- writes what only the journal's writer writes
set search_path = ''
as $$
declare
  v_delivery public.whatsapp_deliveries;
  v_unsettled uuid[];
begin
  select * into v_delivery
  from public.whatsapp_deliveries as delivery
  where delivery.id = replay_whatsapp_delivery.delivery_id
  for no key update;
  if not found then
    perform private.refuse('delivery_not_found');
  end if;

  v_unsettled := array(
    select item.id from private.whatsapp_items_of(v_delivery.id) as item where item.outcome in ('dead_letter', 'unroutable')
  );
  delete from public.whatsapp_delivery_items as item where item.id = any(v_unsettled);
  perform private.settle_whatsapp_items(v_delivery.id, array(
    select item
    from unnest(private.whatsapp_items_or_dead_letter(
      coalesce(v_delivery.sanitised_body, private.jsonb_or_null(v_delivery.body))
    )) as item
    where not exists (select from private.whatsapp_items_of(v_delivery.id) as settled where settled.path = item.path)
  ));
  update public.whatsapp_deliveries as delivery
  set item_count = (select count(*) from private.whatsapp_items_of(v_delivery.id))
  where delivery.id = v_delivery.id;
  return private.whatsapp_delivery_receipt(v_delivery.id, false);
end;
$$;

comment on function private.replay_whatsapp_delivery is 'The work of public.replay_whatsapp_delivery().';

create function public.replay_whatsapp_delivery(delivery_id uuid)
returns public.whatsapp_delivery_receipt
language plpgsql
set search_path = ''
set statement_timeout = '8s'
as $$
begin
  return private.replay_whatsapp_delivery(replay_whatsapp_delivery.delivery_id);
end;
$$;

comment on function public.replay_whatsapp_delivery is
  'Takes a journaled delivery apart again and stores what could not be stored before (dead letters, unroutable items, items that nobody '
  'knew how to find). What is stored stays as it is, so repeating it changes nothing. Refuses: delivery_not_found.';

create function public.replay_whatsapp_deliveries(
  received_from timestamptz,
  received_to timestamptz,
  max_count integer default 1000
)
returns setof public.whatsapp_delivery_receipt
language plpgsql
set search_path = ''
set statement_timeout = '60s'
as $$
begin
  if replay_whatsapp_deliveries.max_count not between 1 and 10000 then
    perform private.refuse('invalid_argument', '{"argument": "max_count", "range": "1..10000"}');
  end if;
  return query
  select (private.replay_whatsapp_delivery(unsettled.delivery_id)).*
  from (
    select distinct item.delivery_id
    from public.whatsapp_delivery_items as item
    where item.id >= private.uuid_v7_floor(replay_whatsapp_deliveries.received_from)
      and item.id < private.uuid_v7_floor(replay_whatsapp_deliveries.received_to)
      and item.outcome in ('dead_letter', 'unroutable')
    order by item.delivery_id
    limit replay_whatsapp_deliveries.max_count
  ) as unsettled;
end;
$$;

comment on function public.replay_whatsapp_deliveries is
  'Replays the deliveries received in that range (from inclusive, to exclusive) that have dead letters or unroutable items, oldest first. '
  'Refuses: invalid_argument.';
grant execute on function public.replay_whatsapp_delivery, private.replay_whatsapp_delivery, public.replay_whatsapp_deliveries
to service_role;

create function private.purge_whatsapp_keys()
returns bigint
language plpgsql
set search_path = ''
as $$
declare
  v_table text;
  v_purged bigint;
  v_total bigint := 0;
begin
  foreach v_table in array array[
    'whatsapp_delivery_keys', 'whatsapp_message_keys', 'whatsapp_status_keys', 'whatsapp_event_keys'
  ] loop
    execute format('delete from public.%I where kept_until < now()', v_table);
    get diagnostics v_purged = row_count;
    v_total := v_total + v_purged;
  end loop;
  return v_total;
end;
$$;

comment on function private.purge_whatsapp_keys is
  'Deletes keys whose items would be stale by now; says how many. Run by the schedule.';

insert into private.schedule (name, cron, command) values
  ('purge-whatsapp-keys', '50 0 * * *', 'select private.purge_whatsapp_keys()');

commit;
