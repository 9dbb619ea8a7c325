-- A small believable data set for development: two people, and a morning's traffic at our WhatsApp number,
-- brought in the way Meta brings it.

insert into public.profiles (phone, full_name, locale) values
  ('+250788000001', 'Aline Uwase', 'rw'),
  ('+250788000002', 'Jean-Paul Habimana', 'fr'),
  ('+250788000003', 'Eric Mugisha', 'rw'),
  ('+250788000004', 'Diane Ingabire', 'en')
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

-- Two services that others have registered; in a day nobody has heard of them any more.
select
  public.register_service(
    'maps', 'http', '2.1.0', 'https://maps.example.com', capabilities => '{routing,geocoding}', ttl_seconds => 86400
  ),
  public.register_service(
    'trip-matching', 'http', '1.4.2', 'https://matching.example.com', capabilities => '{matching,pooling}', ttl_seconds => 86400,
    dependencies => '{maps}'
  );

-- What services are told, some of it to their apps too, and a flag in a state of growing.
select public.set_config('all', 'support_phone', '"+250788000000"', is_public => true, description => 'Shown in every app');
select public.set_config('trips', 'search_radius_meters', '3000', value_schema => '{"type": "integer", "minimum": 100, "maximum": 20000}');
select public.set_config('trips', 'search_radius_meters', '5000', 'production');
select public.set_config('payments', 'receipt_footer', '"Murakoze!"', is_public => true);
select public.create_feature_flag('trips.scheduled', is_client_visible => true, description => 'Trips that are booked for later')
where not exists (select from public.feature_flags as flag where flag.flag_key = 'trips.scheduled');
select public.set_feature_flag_rules(
  'trips.scheduled', 'development', '[{"id": "half", "variant": "on", "rollout": {"percentage": 50}}]', default_variant => 'off', off_variant => 'off'
);
select public.set_feature_flag_enabled('trips.scheduled', 'development', true);

-- Where Aline lives and works, what anybody may look for, and Jean-Paul on his moto.
select public.save_location(place.label, place.lat, place.lng, owner_id => profile.id)
from public.profiles as profile, (values ('home', -1.9578, 30.1123), ('work', -1.9536, 30.0925)) as place (label, lat, lng)
where profile.phone = '+250788000001';
select public.save_location('Pharmacie Conseil, Nyarugenge', -1.9447, 30.0588, 'pharmacy', 'KN 4 Ave, Kigali');
select public.update_driver_position(profile.id, -1.9501, 30.0914, heading => 90, location_type => 'driver_moto')
from public.profiles as profile where profile.phone = '+250788000002';

-- Two moto drivers who take trips, and one who has only applied.
select public.apply_driver('moto', driver.plate, profile.id)
from (values ('+250788000002', 'RE417C'), ('+250788000003', 'RF208K'), ('+250788000004', 'RG905M')) as driver (phone, plate)
join public.profiles as profile on profile.phone = driver.phone
where not exists (select from public.drivers as known where known.profile_id = profile.id);
select public.set_driver_state(profile.id, 'approved'), public.set_driver_online(true, profile.id),
  public.report_driver_position(-1.9441, 30.0619, null, null, profile.id)
from public.profiles as profile where profile.phone in ('+250788000002', '+250788000003');

-- The bot answers at our development number.
select public.set_conversation_number('100000000000001', true);
