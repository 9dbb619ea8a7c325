begin;

create view public.whatsapp_delivery_outcomes
with (security_invoker = on)
as
select
  delivery.id as delivery_id,
  delivery.created_at as received_at,
  coalesce(key.copy_count, 1) as copy_count,
  delivery.item_count,
  receipt.stored_count,
  receipt.duplicate_count,
  receipt.stale_count,
  receipt.unroutable_count,
  receipt.dead_letter_count,
  delivery.item_count = receipt.item_count as is_whole
from public.whatsapp_deliveries as delivery
cross join lateral private.whatsapp_delivery_receipt(delivery.id, false) as receipt
left join public.whatsapp_delivery_keys as key on key.sha256 = delivery.sha256 and key.delivery_id = delivery.id;

comment on view public.whatsapp_delivery_outcomes is
  'What went in (item_count, counted when the body was taken apart) and what came out, per delivery: is_whole must be true everywhere. '
  'Ask with `delivery_id >= private.uuid_v7_floor(...)`, so that few partitions are opened.';
grant execute on function private.whatsapp_delivery_receipt to service_role;
grant select on public.whatsapp_delivery_outcomes to service_role;

commit;
