begin;

create function private.give_phone(user_id uuid, phone text, contact_id uuid)
returns void
language plpgsql
set search_path = ''
as $$
declare
  v_profile_id uuid;
begin
  select profile.id into v_profile_id
  from public.profiles as profile
  left join public.whatsapp_contacts as contact on contact.id = give_phone.contact_id
  where profile.user_id = give_phone.user_id
    or (profile.user_id is null and (profile.phone = give_phone.phone or profile.id = contact.profile_id))
  order by profile.user_id nulls last, profile.phone is null, profile.id
  limit 1;
  if v_profile_id is null then
    insert into public.profiles (user_id) values (give_phone.user_id) returning id into v_profile_id;
  end if;

  update public.profiles as former set phone = null where former.phone = give_phone.phone and former.id <> v_profile_id;
  update public.profiles as profile set user_id = give_phone.user_id, phone = give_phone.phone where profile.id = v_profile_id;
  update public.whatsapp_contacts as contact set profile_id = v_profile_id where contact.id = give_phone.contact_id;
end;
$$;

comment on function private.give_phone is
  'Makes a number, and the contact who writes from it, a user''s. A profile that has waited for its person under that number becomes theirs '
  'if they have none.';

create function private.link_phone(user_id uuid, phone text, proof public.phone_link_proof, decision public.phone_link_decision default null)
returns public.phone_link_status
language plpgsql
set search_path = ''
as $$
declare
  v_contact_id uuid := private.current_whatsapp_contact('wa_id', ltrim(link_phone.phone, '+'));
  v_holder_id uuid;
begin
  -- The contact before the rest, as a delivery does; then one claim to a number at a time.
  perform from public.whatsapp_contacts as contact where contact.id = v_contact_id for no key update;
  perform pg_advisory_xact_lock(hashtext('phone_links'), hashtext(link_phone.phone));

  select holder.user_id into v_holder_id
  from public.profiles as holder
  left join public.whatsapp_contacts as contact on contact.id = v_contact_id
  where holder.user_id <> link_phone.user_id and (holder.phone = link_phone.phone or holder.id = contact.profile_id)
  order by holder.phone = link_phone.phone desc nulls last
  limit 1;
  if v_holder_id is not null and link_phone.decision is null then
    insert into public.phone_link_reviews (phone, user_id, held_by_user_id, proof)
    values (link_phone.phone, link_phone.user_id, v_holder_id, link_phone.proof)
    on conflict do nothing;
    return 'under_review';
  end if;
  perform private.give_phone(link_phone.user_id, link_phone.phone, v_contact_id);
  return 'linked';
end;
$$;

comment on function private.link_phone is
  'Gives a number to a user who has proved that it is theirs. If another user holds it, nothing changes and the claim waits for an operator, '
  'unless one has approved it.';

create function private.link_confirmed_phone()
returns public.phone_link
language plpgsql
security definer -- sets what no client may set, from what only the auth schema knows
set search_path = ''
as $$
declare
  v_link public.phone_link;
begin
  select '+' || ltrim(account.phone, '+') into v_link.phone
  from auth.users as account
  where account.id = (select auth.uid()) and account.phone_confirmed_at is not null and '+' || ltrim(account.phone, '+') ~ '^\+[1-9]\d{6,14}$';
  if v_link.phone is null then
    perform private.refuse('phone_not_confirmed');
  end if;
  v_link.status := private.link_phone((select auth.uid()), v_link.phone, 'otp');
  return v_link;
end;
$$;

comment on function private.link_confirmed_phone is 'The work of public.link_confirmed_phone().';

create function public.link_confirmed_phone()
returns public.phone_link
language plpgsql
set search_path = ''
set statement_timeout = '2s'
as $$
begin
  return private.link_confirmed_phone();
end;
$$;

comment on function public.link_confirmed_phone is
  'Links the number that the caller has confirmed by OTP, and the WhatsApp contact who writes from it now, with the caller''s profile. '
  'Repeating it changes nothing, and links a contact that has come since. under_review: another user holds it, an operator decides. '
  'Refuses: phone_not_confirmed.';
grant execute on function public.link_confirmed_phone, private.link_confirmed_phone to authenticated;

create function private.phone_link_code_hash(user_id uuid, code text)
returns bytea
language plpgsql
immutable
set search_path = ''
as $$
begin
  return sha256(convert_to(concat_ws(' ', phone_link_code_hash.user_id, phone_link_code_hash.code), 'UTF8'));
end;
$$;

comment on function private.phone_link_code_hash is 'What is kept of a code.';

create function private.request_phone_link(phone text)
returns public.phone_link
language plpgsql
security definer -- writes codes, which nobody may see
set search_path = ''
as $$
declare
  v_user_id uuid := (select auth.uid());
  v_limit record;
  v_link public.phone_link;
begin
  if (v_user_id is not null and request_phone_link.phone ~ '^\+[1-9]\d{6,14}$') is not true then
    perform private.refuse('invalid_argument', '{"argument": "phone", "range": "E.164"}');
  end if;
  select * into v_limit from private.charge_rate_limit('phone_link ' || v_user_id, 5, interval '1 hour', 5);
  if not v_limit.is_allowed then
    perform private.refuse('rate_limited', jsonb_build_object('retry_after', v_limit.retry_after_seconds));
  end if;

  -- Six digits from a random source: 2^32 values leave them even to one in four thousand.
  v_link.code := lpad((('x' || encode(extensions.gen_random_bytes(4), 'hex'))::bit(32)::bigint % 1000000)::text, 6, '0');
  v_link.phone := request_phone_link.phone;
  v_link.status := 'code_expected';
  insert into private.phone_link_codes as stored (user_id, phone, code_hash)
  values (v_user_id, v_link.phone, private.phone_link_code_hash(v_user_id, v_link.code))
  on conflict on constraint phone_link_codes_pkey do update
    set phone = excluded.phone, code_hash = excluded.code_hash, wrong_count = 0,
      requested_at = excluded.requested_at, expires_at = excluded.expires_at
  returning stored.expires_at into v_link.expires_at;
  return v_link;
end;
$$;

comment on function private.request_phone_link is 'The work of public.request_phone_link().';

create function public.request_phone_link(phone text)
returns public.phone_link
language plpgsql
set search_path = ''
set statement_timeout = '2s'
as $$
begin
  return private.request_phone_link(request_phone_link.phone);
end;
$$;

comment on function public.request_phone_link is
  'Gives a code that the caller must send us by WhatsApp from that number within ten minutes, as a message of its own; '
  'get_phone_link() tells what became of it. A new code replaces the old one. The answer does not tell whether somebody has the number. '
  'Refuses: invalid_argument, rate_limited (5 an hour).';
grant execute on function public.request_phone_link, private.request_phone_link to authenticated;

create function private.get_phone_link()
returns public.phone_link
language plpgsql
stable
security definer -- reads codes and reviews, of which a client may know its own alone
set search_path = ''
as $$
declare
  v_link public.phone_link;
begin
  select told.status, told.phone, null, told.expires_at into v_link
  from (
    select 1 as rank, 'code_expected'::public.phone_link_status as status, code.phone, code.expires_at
    from private.phone_link_codes as code
    where code.user_id = (select auth.uid()) and code.expires_at > now() and code.wrong_count < 5
    union all
    select 2, 'under_review', review.phone, null
    from public.phone_link_reviews as review
    where review.user_id = (select auth.uid()) and review.decision is null and review.proof <> 'merged_contacts'
    union all
    select 3, 'linked', profile.phone, null
    from public.profiles as profile
    where profile.user_id = (select auth.uid()) and profile.phone is not null
    union all
    select 4, 'none', null, null
  ) as told
  order by told.rank, told.phone
  limit 1;
  return v_link;
end;
$$;

comment on function private.get_phone_link is 'The work of public.get_phone_link().';

create function public.get_phone_link()
returns public.phone_link
language plpgsql
stable
set search_path = ''
set statement_timeout = '2s'
as $$
begin
  return private.get_phone_link();
end;
$$;

comment on function public.get_phone_link is
  'How far the caller is with a phone number: a code of theirs is expected, a claim is under review, a number is linked, or none.';
grant execute on function public.get_phone_link, private.get_phone_link to authenticated;

create function private.answer_phone_links(items private.whatsapp_item[], settlements private.whatsapp_settlement[])
returns void
language plpgsql
set search_path = ''
as $$
declare
  v_answer record;
  v_user_id uuid;
begin
  for v_answer in
    select '+' || (item.person ->> 'wa_id') as phone, substring(item.payload -> 'text' ->> 'body' from '\d{6}') as code, item.occurred_at
    from unnest(answer_phone_links.items) as item
    join unnest(answer_phone_links.settlements) as settlement on settlement.item_position = item.position
    where settlement.outcome = 'stored' and item.kind = 'message' and item.field = 'messages' and not item.payload ? 'group_id'
      and item.payload ->> 'type' = 'text' and item.person ? 'wa_id'
      and item.payload -> 'text' ->> 'body' ~ '^\s*\d{6}\s*$'
    order by 1, item.occurred_at, item.position
  loop
    v_user_id := null;
    delete from private.phone_link_codes as code
    where code.phone = v_answer.phone and code.wrong_count < 5
      and code.code_hash = private.phone_link_code_hash(code.user_id, v_answer.code)
      and v_answer.occurred_at between code.requested_at - interval '1 minute' and code.expires_at
    returning code.user_id into v_user_id;
    if v_user_id is null then
      update private.phone_link_codes as code set wrong_count = code.wrong_count + 1 where code.phone = v_answer.phone;
    else
      perform private.link_phone(v_user_id, v_answer.phone, 'whatsapp_code');
    end if;
  end loop;
end;
$$;

comment on function private.answer_phone_links is
  'Links the number of whoever sends a code that a user was given for it. Only a message that is new and names the number itself counts; '
  'any other six digits are a wrong try.';

commit;
