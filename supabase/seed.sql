-- A small believable data set for development: two people, and a morning's traffic at our WhatsApp number,
-- brought in the way Meta brings it.

insert into public.profiles (phone, full_name, locale) values
  ('+250788000001', 'Aline Uwase', 'rw'),
  ('+250788000002', 'Jean-Paul Habimana', 'fr')
on conflict on constraint profiles_phone_key do nothing;

with deliveries (field, value) as (
  values
    ('messages', jsonb_build_object(
      'contacts', jsonb_build_array(jsonb_build_object('profile', jsonb_build_object('name', 'Aline'), 'wa_id', '250788000001')),
      'messages', jsonb_build_array(jsonb_build_object(
        'id', 'wamid.seed1', 'from', '250788000001', 'timestamp', extract(epoch from now() - interval '3 hours')::bigint::text,
        'type', 'text', 'text', jsonb_build_object('body', 'Muraho, nkeneye moto kuri Kimironko')
      ))
    )),
    ('messages', jsonb_build_object(
      'contacts', jsonb_build_array(jsonb_build_object('profile', jsonb_build_object('name', 'JP'), 'user_id', 'RW.13491208655302741918')),
      'messages', jsonb_build_array(jsonb_build_object(
        'id', 'wamid.seed2', 'from_user_id', 'RW.13491208655302741918', 'timestamp', extract(epoch from now() - interval '2 hours')::bigint::text,
        'type', 'location', 'location', jsonb_build_object('latitude', -1.9441, 'longitude', 30.0619, 'name', 'Kigali Heights')
      ))
    )),
    ('messages', jsonb_build_object(
      'statuses', jsonb_build_array(jsonb_build_object(
        'id', 'wamid.seed3', 'status', 'delivered', 'timestamp', extract(epoch from now() - interval '1 hour')::bigint::text,
        'recipient_id', '250788000001'
      ))
    ))
)
select public.ingest_whatsapp_delivery(encode(convert_to(jsonb_build_object(
  'object', 'whatsapp_business_account',
  'entry', jsonb_build_array(jsonb_build_object('id', '102290129340398', 'changes', jsonb_build_array(jsonb_build_object(
    'field', deliveries.field,
    'value', deliveries.value || jsonb_build_object(
      'messaging_product', 'whatsapp',
      'metadata', jsonb_build_object('display_phone_number', '250788000000', 'phone_number_id', '100000000000001')
    )
  ))))
)::text, 'UTF8'), 'base64'))
from deliveries;

-- A number whose receipts by SMS are believed, and the code to dial for it.
select public.set_momo_receiver('+250788000000');
select public.set_payment_channel('momo_ussd', true, merchant_code => '123456');

-- Somebody looks around, signs in and books; the schedule makes one person of them.
select public.track_events(jsonb_build_object('source', 'sql', 'received_at', now(), 'items', jsonb_build_array(
  jsonb_build_object('index', 0, 'message_id', 'seed-1', 'type', 'page', 'event_name', 'Home', 'anonymous_id', 'seed-browser', 'timestamp', now() - interval '2 days'),
  jsonb_build_object('index', 1, 'message_id', 'seed-2', 'type', 'identify', 'event_name', '$identify', 'anonymous_id', 'seed-browser', 'user_id', 'seed-rider', 'timestamp', now() - interval '1 day'),
  jsonb_build_object('index', 2, 'message_id', 'seed-3', 'type', 'track', 'event_name', 'Trip Requested', 'user_id', 'seed-rider', 'properties', jsonb_build_object('vehicle', 'moto'), 'timestamp', now() - interval '1 day')
)));
