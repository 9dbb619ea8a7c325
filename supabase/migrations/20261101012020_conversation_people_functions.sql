begin;

create function private.conversation_phone(contact_id uuid)
returns text
language plpgsql
stable
set search_path = ''
as $$
declare
  v_phone text;
begin
  select '+' || identity.value into v_phone
  from public.whatsapp_identities as identity
  where identity.contact_id = conversation_phone.contact_id and identity.kind = 'wa_id' and identity.valid_to is null
  order by identity.value
  limit 1;
  return v_phone;
end;
$$;

comment on function private.conversation_phone is 'The number of a contact in E.164; null for who is known by a user id only.';

create function private.conversation_profile(contact_id uuid)
returns uuid
language plpgsql
stable
set search_path = ''
as $$
declare
  v_profile_id uuid;
begin
  select profile.id into v_profile_id
  from public.profiles as profile
  where profile.phone = private.conversation_phone(conversation_profile.contact_id);
  return v_profile_id;
end;
$$;

comment on function private.conversation_profile is 'The person behind a contact: whose phone it is. WhatsApp has proved that the number is theirs.';

create function private.require_conversation_profile(contact_id uuid)
returns uuid
language plpgsql
set search_path = ''
as $$
declare
  v_phone constant text := private.conversation_phone(require_conversation_profile.contact_id);
  v_profile_id uuid := private.conversation_profile(require_conversation_profile.contact_id);
begin
  if v_phone is null then
    perform private.refuse('profile_not_found');
  end if;
  if v_profile_id is null then
    insert into public.profiles (phone) values (v_phone)
    on conflict on constraint profiles_phone_key do nothing;
    v_profile_id := private.conversation_profile(require_conversation_profile.contact_id);
  end if;
  return v_profile_id;
end;
$$;

comment on function private.require_conversation_profile is
  'The person behind a contact, made if we do not know them yet. Refuses: profile_not_found (no phone is known).';

create function private.conversation_person(contact_id uuid)
returns jsonb
language plpgsql
stable
set search_path = ''
as $$
declare
  v_profile_id constant uuid := private.conversation_profile(conversation_person.contact_id);
begin
  return jsonb_build_object(
    'has_phone', private.conversation_phone(conversation_person.contact_id) is not null,
    'driver', (
      select jsonb_build_object('is_approved', driver.state = 'approved', 'is_online', driver.is_online)
      from public.drivers as driver
      where driver.profile_id = v_profile_id
    ),
    'places', (
      select coalesce(jsonb_agg(jsonb_build_object('id', place.id, 'label', place.label, 'lat', place.lat, 'lng', place.lng)), '[]')
      from (
        select saved.* from public.locations as saved
        where saved.owner_id = v_profile_id and saved.location_type = 'saved'
        order by saved.updated_at desc
        limit 10
      ) as place
    )
  );
end;
$$;

comment on function private.conversation_person is 'What the dialogue must know of somebody.';

commit;
