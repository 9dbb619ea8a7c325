begin;

create table public.payment_methods (
  id uuid not null default private.uuid_v7(),
  profile_id uuid not null,
  kind text not null,
  label text,
  masked_number text not null,
  phone text,
  provider_token text,
  is_verified boolean not null default false,
  is_default boolean not null default false,
  created_at timestamptz not null default now(),
  constraint payment_methods_pkey primary key (id),
  constraint payment_methods_profile_id_fkey foreign key (profile_id) references public.profiles (id),
  constraint payment_methods_kind_fkey foreign key (kind) references public.payment_channels (method),
  constraint payment_methods_profile_id_kind_phone_key unique (profile_id, kind, phone),
  constraint payment_methods_profile_id_provider_token_key unique (profile_id, provider_token),
  constraint payment_methods_have_a_number_or_a_token check (num_nonnulls(phone, provider_token) = 1),
  constraint payment_methods_phone_is_e164 check (phone ~ '^\+[1-9]\d{6,14}$'),
  constraint payment_methods_numbers_are_masked check (masked_number ~ '^\*+[0-9]{3,4}$'),
  constraint payment_methods_label_is_short check (length(label) between 1 and 50)
);

comment on table public.payment_methods is
  'How a person pays: numbers and cards they have saved. Their owners see the masked number alone, and cannot say themselves that a method is verified.';
comment on column public.payment_methods.masked_number is 'The last digits: ***123 of a phone, ***4242 of a card.';
comment on column public.payment_methods.phone is 'E.164, of mobile money. Personal, and not for clients.';
comment on column public.payment_methods.provider_token is 'What a provider calls a saved card. Not for clients; card numbers themselves are never here.';
comment on column public.payment_methods.is_verified is 'It is the owner''s confirmed number, or the service has seen a proof.';
create unique index payment_methods_default_key on public.payment_methods (profile_id) where is_default;
create index payment_methods_kind_idx on public.payment_methods (kind);
alter table public.payment_methods enable row level security;
grant select on public.payment_methods to service_role;
grant select (id, profile_id, kind, label, masked_number, is_verified, is_default, created_at) on public.payment_methods to authenticated;

create policy "People read their own payment methods"
on public.payment_methods
for select
to authenticated
using (profile_id = (select profile.id from public.profiles as profile where profile.user_id = (select auth.uid())));

create function private.payment_method_answer(method public.payment_methods)
returns jsonb
language plpgsql
immutable
set search_path = ''
as $$
begin
  return to_jsonb(payment_method_answer.method) - '{profile_id,phone,provider_token}'::text[];
end;
$$;

comment on function private.payment_method_answer is 'A payment method as its owner sees it.';

create function private.add_payment_method(profile_id uuid, kind text, phone text, provider_token text, last_digits text, label text)
returns jsonb
language plpgsql
security definer -- no role may write payment methods
set search_path = ''
as $$
declare
  v_profile public.profiles;
  v_method public.payment_methods;
begin
  select * into v_profile from public.profiles as profile
  where profile.id = case when private.is_wallet_user() then private.my_profile_id() else add_payment_method.profile_id end
  -- One at a time of a person, so that one of them is the default.
  for no key update;
  if not found or coalesce(add_payment_method.profile_id, v_profile.id) <> v_profile.id then
    perform private.refuse('profile_not_found');
  end if;
  if not exists (
    select from public.payment_channels as channel
    where channel.method = add_payment_method.kind and channel.is_enabled and channel.method <> 'wallet'
  ) then
    perform private.refuse('payment_method_unavailable', jsonb_build_object('method', add_payment_method.kind));
  end if;
  insert into public.payment_methods (profile_id, kind, label, masked_number, phone, provider_token, is_verified, is_default)
  values (
    v_profile.id, add_payment_method.kind, add_payment_method.label,
    '***' || coalesce(right(add_payment_method.phone, 3), add_payment_method.last_digits),
    add_payment_method.phone, add_payment_method.provider_token,
    add_payment_method.phone is not distinct from v_profile.phone,
    not exists (select from public.payment_methods as other where other.profile_id = v_profile.id and other.is_default)
  )
  on conflict do nothing;
  update public.payment_methods as stored set label = coalesce(add_payment_method.label, stored.label)
  where stored.profile_id = v_profile.id
    and (stored.kind = add_payment_method.kind and stored.phone = add_payment_method.phone or stored.provider_token = add_payment_method.provider_token)
  returning stored.* into v_method;
  return private.payment_method_answer(v_method);
end;
$$;

comment on function private.add_payment_method is
  'The work of public.add_payment_method() and public.save_payment_card(). Refuses: profile_not_found, payment_method_unavailable.';

create function public.add_payment_method(kind text, phone text, label text default null, profile_id uuid default null)
returns jsonb
language plpgsql
set search_path = ''
set statement_timeout = '2s'
as $$
begin
  if (add_payment_method.phone ~ '^\+[1-9]\d{6,14}$' and length(coalesce(add_payment_method.label, 'a')) between 1 and 50) is not true then
    perform private.refuse('invalid_argument');
  end if;
  return private.add_payment_method(
    add_payment_method.profile_id, add_payment_method.kind, add_payment_method.phone, null, null, add_payment_method.label
  );
end;
$$;

comment on function public.add_payment_method is
  'Saves a number that one pays with; for the service, anybody''s. The number that is confirmed as theirs is verified at once, another one is not. The first is the default. '
  'The same number again is the same method, with the new label. Refuses: profile_not_found, payment_method_unavailable, invalid_argument.';
grant execute on function public.add_payment_method, private.add_payment_method to authenticated, service_role;

create function public.save_payment_card(profile_id uuid, provider_token text, last_digits text, label text default null)
returns jsonb
language plpgsql
set search_path = ''
set statement_timeout = '2s'
as $$
begin
  if (
    length(save_payment_card.provider_token) between 1 and 255 and save_payment_card.last_digits ~ '^[0-9]{4}$'
    and length(coalesce(save_payment_card.label, 'a')) between 1 and 50
  ) is not true then
    perform private.refuse('invalid_argument');
  end if;
  return private.add_payment_method(
    save_payment_card.profile_id, 'card', null, save_payment_card.provider_token, save_payment_card.last_digits, save_payment_card.label
  );
end;
$$;

comment on function public.save_payment_card is
  'For the service: saves what a provider calls a person''s card, and its last four digits. Refuses: profile_not_found, payment_method_unavailable, invalid_argument.';
grant execute on function public.save_payment_card to service_role;

create function private.lock_payment_method(payment_method_id uuid)
returns public.payment_methods
language plpgsql
security definer -- no role may lock the rows
set search_path = ''
as $$
declare
  v_method public.payment_methods;
begin
  select stored.* into v_method from public.payment_methods as stored
  join public.profiles as profile on profile.id = stored.profile_id
  where stored.id = lock_payment_method.payment_method_id and (profile.user_id = (select auth.uid()) or not private.is_wallet_user())
  for no key update of profile;
  if not found then
    perform private.refuse('payment_method_not_found');
  end if;
  return v_method;
end;
$$;

comment on function private.lock_payment_method is
  'A payment method of one''s own, or for the service any, and its owner locked, so that one is the default. Refuses: payment_method_not_found.';

create function private.set_default_payment_method(payment_method_id uuid)
returns jsonb
language plpgsql
security definer -- no role may write payment methods
set search_path = ''
as $$
declare
  v_method public.payment_methods := private.lock_payment_method(set_default_payment_method.payment_method_id);
begin
  update public.payment_methods as stored set is_default = false where stored.profile_id = v_method.profile_id and stored.is_default;
  update public.payment_methods as stored set is_default = true where stored.id = v_method.id returning stored.* into v_method;
  return private.payment_method_answer(v_method);
end;
$$;

comment on function private.set_default_payment_method is 'The work of public.set_default_payment_method().';

create function public.set_default_payment_method(payment_method_id uuid)
returns jsonb
language plpgsql
set search_path = ''
set statement_timeout = '2s'
as $$
begin
  return private.set_default_payment_method(set_default_payment_method.payment_method_id);
end;
$$;

comment on function public.set_default_payment_method is 'Makes a method the one that its owner pays with unless told. Refuses: payment_method_not_found.';
grant execute on function public.set_default_payment_method, private.set_default_payment_method to authenticated, service_role;

create function private.remove_payment_method(payment_method_id uuid)
returns void
language plpgsql
security definer -- no role may write payment methods
set search_path = ''
as $$
declare
  v_method constant public.payment_methods := private.lock_payment_method(remove_payment_method.payment_method_id);
begin
  delete from public.payment_methods as stored where stored.id = v_method.id;
  if v_method.is_default then
    update public.payment_methods as stored set is_default = true
    where stored.id = (select other.id from public.payment_methods as other where other.profile_id = v_method.profile_id order by other.id limit 1);
  end if;
end;
$$;

comment on function private.remove_payment_method is 'The work of public.remove_payment_method().';

create function public.remove_payment_method(payment_method_id uuid)
returns void
language plpgsql
set search_path = ''
set statement_timeout = '2s'
as $$
begin
  perform private.remove_payment_method(remove_payment_method.payment_method_id);
end;
$$;

comment on function public.remove_payment_method is 'Forgets a method; the oldest of the others is the default then. Refuses: payment_method_not_found.';
grant execute on function public.remove_payment_method, private.remove_payment_method to authenticated, service_role;

create function public.verify_payment_method(payment_method_id uuid, is_verified boolean default true)
returns jsonb
language plpgsql
set search_path = ''
set statement_timeout = '2s'
as $$
begin
  return private.verify_payment_method(verify_payment_method.payment_method_id, coalesce(verify_payment_method.is_verified, false));
end;
$$;

comment on function public.verify_payment_method is 'For the service: says whether a proof was seen that a method is its owner''s. Refuses: payment_method_not_found.';

create function private.verify_payment_method(payment_method_id uuid, is_verified boolean)
returns jsonb
language plpgsql
security definer -- no role may write payment methods
set search_path = ''
as $$
declare
  v_method public.payment_methods := private.lock_payment_method(verify_payment_method.payment_method_id);
begin
  update public.payment_methods as stored set is_verified = verify_payment_method.is_verified where stored.id = v_method.id
  returning stored.* into v_method;
  return private.payment_method_answer(v_method);
end;
$$;

comment on function private.verify_payment_method is 'The work of public.verify_payment_method().';
grant execute on function public.verify_payment_method, private.verify_payment_method to service_role;

commit;
