-- Fills a migrated database with `bench.people` contacts and `bench.messages` messages of the last 90 days, one delivery each.

select private.create_partition(managed.table_name, month)
from private.partitioned_tables as managed
cross join generate_series(
  date_trunc('month', now(), 'UTC') - interval '3 months', date_trunc('month', now(), 'UTC') - interval '1 month',
  interval '1 month', 'UTC'
) as month
where managed.table_name like 'whatsapp%';

create temp table people as
select number, private.uuid_v7() as contact_id, (250788000100 + number)::text as wa_id
from generate_series(0, current_setting('bench.people')::bigint - 1) as number;
create unique index on people (number);

insert into public.whatsapp_contacts (id, display_name, last_seen_at)
select contact_id, 'Rider ' || right(wa_id, 4), now() - interval '90 days' from people;
insert into public.whatsapp_identities (kind, value, contact_id)
select 'wa_id', wa_id, contact_id from people;

create temp table history as
select
  delivery_id, private.uuid_v7(sent_at) as message_id, contact_id, wa_id, wamid, sent_at, payload,
  convert_to(jsonb_build_object(
    'object', 'whatsapp_business_account',
    'entry', jsonb_build_array(jsonb_build_object('id', '200000000000001', 'changes', jsonb_build_array(jsonb_build_object(
      'field', 'messages',
      'value', jsonb_build_object(
        'messaging_product', 'whatsapp',
        'metadata', '{"display_phone_number": "250788000001", "phone_number_id": "100000000000001"}'::jsonb,
        'contacts', jsonb_build_array(jsonb_build_object('wa_id', wa_id, 'profile', jsonb_build_object('name', 'Rider ' || right(wa_id, 4)))),
        'messages', jsonb_build_array(payload)
      )
    ))))
  )::text, 'UTF8') as body
from (
  select
    private.uuid_v7(sent_at) as delivery_id, sent_at, contact_id, wa_id, wamid,
    jsonb_build_object(
      'from', wa_id, 'id', wamid, 'timestamp', extract(epoch from sent_at)::bigint::text, 'type', 'text',
      'text', jsonb_build_object('body', 'Muraho, nshaka moto iva Nyabugogo ijya Kimironko saa mbiri za mugitondo.')
    ) as payload
  from (
    select
      now() - interval '90 days' * (1 - message.number::double precision / current_setting('bench.messages')::bigint) as sent_at,
      contact_id, wa_id,
      'wamid.' || encode(
        '\x1d180c'::bytea || wa_id::bytea || '\x150200121814'::bytea || upper(left(md5(message.number::text), 20))::bytea || '\x00'::bytea, 'base64'
      ) as wamid
    from generate_series(1, current_setting('bench.messages')::bigint) as message (number)
    join people on people.number = message.number * 7919 % current_setting('bench.people')::bigint
  ) as written
) as sent
order by sent_at;

insert into public.whatsapp_deliveries (id, sha256, body, item_count)
select delivery_id, sha256(body), body, 1 from history;
insert into public.whatsapp_delivery_keys (sha256, delivery_id, last_received_at)
select sha256(body), delivery_id, sent_at from history;
insert into public.whatsapp_delivery_items (id, delivery_id, path, kind, outcome, target_id)
select private.uuid_v7(sent_at), delivery_id, '/entry/0/changes/0/value/messages/0', 'message', 'stored', message_id from history;
insert into public.whatsapp_messages (
  id, phone_number_id, wamid, contact_id, direction, origin, type, sent_at, payload, delivery_id, correlation_id
)
select message_id, '100000000000001', wamid, contact_id, 'inbound', 'live', 'text', date_trunc('second', sent_at), payload, delivery_id,
  replace(delivery_id::text, '-', '')
from history;
insert into public.whatsapp_message_keys (phone_number_id, wamid, message_id, precedence, kept_until)
select '100000000000001', wamid, message_id, 4, sent_at + interval '35 days' from history;

drop table history, people;
