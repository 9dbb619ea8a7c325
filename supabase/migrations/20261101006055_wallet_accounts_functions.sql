begin;

create function private.is_wallet_user(caller text default private.caller())
returns boolean
language plpgsql
stable
set search_path = ''
as $$
begin
  return split_part(is_wallet_user.caller, ':', 1) = 'authenticated';
end;
$$;

comment on function private.is_wallet_user is
  'Whether somebody who signed in is asking, who may do what is their own; else it is the service, whose callers have checked.';

create function private.require_wallet_owner(account_id uuid)
returns void
language plpgsql
stable
security definer -- reads accounts whoever asks
set search_path = ''
as $$
begin
  if private.is_wallet_user() and not exists (
    select from public.wallet_accounts as account
    join public.profiles as profile on profile.id = account.profile_id
    where account.id = require_wallet_owner.account_id and profile.user_id = (select auth.uid())
  ) then
    perform private.refuse('wallet_account_not_found', jsonb_build_object('account_id', require_wallet_owner.account_id));
  end if;
end;
$$;

comment on function private.require_wallet_owner is
  'Refuses accounts of others as if they did not exist. Refuses: wallet_account_not_found.';

create function private.require_wallet_reader(account_id uuid)
returns void
language plpgsql
stable
set search_path = ''
as $$
begin
  if not private.is_operator() then
    perform private.require_wallet_owner(require_wallet_reader.account_id);
  end if;
end;
$$;

comment on function private.require_wallet_reader is 'Owners, operators and the service may look. Refuses: wallet_account_not_found.';

create function private.require_wallet_manager()
returns void
language plpgsql
stable
set search_path = ''
as $$
begin
  if private.is_wallet_user() then
    perform private.require_registered_operator();
  end if;
end;
$$;

comment on function private.require_wallet_manager is
  'First line of what moves or governs others'' money: registered operators may, and the service. Refuses: operator_required.';

create function private.open_wallet_account(currency text, profile_id uuid, code text, is_busy boolean)
returns public.wallet_accounts
language plpgsql
security definer -- no role may write accounts
set search_path = ''
as $$
declare
  v_account public.wallet_accounts;
  v_profile_id uuid := open_wallet_account.profile_id;
begin
  if private.is_wallet_user() then
    select profile.id into v_profile_id from public.profiles as profile where profile.user_id = (select auth.uid());
  end if;
  if v_profile_id is null or v_profile_id <> open_wallet_account.profile_id
    or not exists (select from public.profiles as profile where profile.id = v_profile_id)
  then
    perform private.refuse('profile_not_found');
  end if;
  if not exists (select from public.currencies as known where known.code = open_wallet_account.currency) then
    perform private.refuse('invalid_argument', '{"argument": "currency", "range": "one of public.currencies"}');
  end if;

  insert into public.wallet_accounts (id, profile_id, code, currency, type, tier, minimum_balance)
  values (
    case when open_wallet_account.is_busy and not private.is_wallet_user() then private.busy_wallet_account_id() else private.uuid_v7() end,
    v_profile_id, open_wallet_account.code, open_wallet_account.currency, 'liability', 'basic', 0
  )
  on conflict on constraint wallet_accounts_profile_id_code_currency_key do nothing;
  select * into strict v_account from public.wallet_accounts as account
  where account.profile_id = v_profile_id and account.code = open_wallet_account.code and account.currency = open_wallet_account.currency;
  return v_account;
end;
$$;

comment on function private.open_wallet_account is 'The work of public.open_wallet_account(). Refuses: profile_not_found, invalid_argument.';

create function public.open_wallet_account(
  currency text default 'RWF',
  profile_id uuid default null,
  code text default 'main',
  is_busy boolean default false
)
returns public.wallet_accounts
language plpgsql
set search_path = ''
set statement_timeout = '5s'
as $$
begin
  if (
    open_wallet_account.currency ~ '^[A-Z]{3}$' and open_wallet_account.code ~ '^[a-z][a-z0-9_]{0,31}$'
    and open_wallet_account.is_busy is not null
  ) is not true then
    perform private.refuse('invalid_argument');
  end if;
  return private.open_wallet_account(
    open_wallet_account.currency, open_wallet_account.profile_id, open_wallet_account.code, open_wallet_account.is_busy
  );
end;
$$;

comment on function public.open_wallet_account is
  'Opens an account for one''s own profile, or, for the service, for any: of the tier basic, never below zero. If there is one of that code and currency it is given. '
  'is_busy, for the service: an account that many payments meet at once. '
  'Refuses: profile_not_found, invalid_argument (an unknown currency, a code that is no word).';
grant execute on function public.open_wallet_account, private.open_wallet_account to authenticated, service_role;

commit;
