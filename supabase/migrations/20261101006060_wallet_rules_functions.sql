begin;

create function private.set_wallet_status(
  account_id uuid,
  status public.wallet_account_status,
  reason text
)
returns public.wallet_accounts
language plpgsql
security definer -- no role may write accounts
set search_path = ''
as $$
declare
  v_account public.wallet_accounts;
begin
  perform private.require_wallet_manager();
  -- private.apply_wallet_rules(), its trigger, refuses to close what is not empty.
  update public.wallet_accounts as account set
    status = set_wallet_status.status
  where account.id = set_wallet_status.account_id
  returning account.* into v_account;
  if not found then
    perform private.refuse('wallet_account_not_found', jsonb_build_object('account_id', set_wallet_status.account_id));
  end if;
  perform private.log_audit_event(
    actor.actor_type, actor.actor_identifier, 'set_wallet_status', 'wallet_accounts', v_account.id::text,
    jsonb_build_object('status', v_account.status, 'reason', set_wallet_status.reason)
  )
  from private.current_actor() as actor;
  return v_account;
end;
$$;

comment on function private.set_wallet_status is 'The work of public.set_wallet_status(). Refuses: operator_required, wallet_account_not_found, wallet_account_not_empty.';

create function public.set_wallet_status(
  account_id uuid,
  status public.wallet_account_status,
  reason text
)
returns public.wallet_accounts
language plpgsql
set search_path = ''
set statement_timeout = '5s'
as $$
begin
  if (length(set_wallet_status.reason) between 1 and 500 and set_wallet_status.status is not null) is not true then
    perform private.refuse('invalid_argument');
  end if;
  return private.set_wallet_status(set_wallet_status.account_id, set_wallet_status.status, set_wallet_status.reason);
end;
$$;

comment on function public.set_wallet_status is
  'For registered operators and the service: freezes an account (nothing goes out), closes it (it must be empty) or opens it again, and audits why. '
  'Refuses: operator_required, wallet_account_not_found, wallet_account_not_empty, invalid_argument (a reason of 1 to 500 characters is needed).';
grant execute on function public.set_wallet_status, private.set_wallet_status to authenticated, service_role;

create function private.set_wallet_guards(
  account_id uuid,
  minimum_balance bigint,
  maximum_balance bigint
)
returns public.wallet_accounts
language plpgsql
security definer -- no role may write accounts
set search_path = ''
as $$
declare
  v_account public.wallet_accounts;
begin
  perform private.require_wallet_manager();
  -- private.apply_wallet_rules(), its trigger, refuses what the account does not keep now.
  update public.wallet_accounts as account set
    minimum_balance = set_wallet_guards.minimum_balance,
    maximum_balance = set_wallet_guards.maximum_balance
  where account.id = set_wallet_guards.account_id
  returning account.* into v_account;
  if not found then
    perform private.refuse('wallet_account_not_found', jsonb_build_object('account_id', set_wallet_guards.account_id));
  end if;
  return v_account;
end;
$$;

comment on function private.set_wallet_guards is 'The work of public.set_wallet_guards(). Refuses: operator_required, wallet_account_not_found, wallet_guard_broken.';

create function public.set_wallet_guards(
  account_id uuid,
  minimum_balance bigint default null,
  maximum_balance bigint default null
)
returns public.wallet_accounts
language plpgsql
set search_path = ''
set statement_timeout = '5s'
as $$
begin
  if (
    coalesce(abs(set_wallet_guards.minimum_balance) <= 9007199254740991, true)
    and coalesce(abs(set_wallet_guards.maximum_balance) <= 9007199254740991, true)
    and coalesce(set_wallet_guards.minimum_balance <= set_wallet_guards.maximum_balance, true)
  ) is not true then
    perform private.refuse('invalid_argument');
  end if;
  return private.set_wallet_guards(set_wallet_guards.account_id, set_wallet_guards.minimum_balance, set_wallet_guards.maximum_balance);
end;
$$;

comment on function public.set_wallet_guards is
  'For registered operators and the service: what must stay available on an account, and what it may have at most, on its normal side; null takes a guard away. '
  'Refuses: operator_required, wallet_account_not_found, wallet_guard_broken (the account does not keep it now), invalid_argument.';
grant execute on function public.set_wallet_guards, private.set_wallet_guards to authenticated, service_role;

create function private.set_wallet_tier(
  account_id uuid,
  tier text
)
returns public.wallet_accounts
language plpgsql
security definer -- no role may write accounts
set search_path = ''
as $$
declare
  v_account public.wallet_accounts;
begin
  perform private.require_wallet_manager();
  if not exists (
    select from public.wallet_accounts as account
    join public.wallet_limits as bound on bound.currency = account.currency
    where account.id = set_wallet_tier.account_id and bound.tier = set_wallet_tier.tier
  ) then
    perform private.refuse('wallet_account_not_found', jsonb_build_object('account_id', set_wallet_tier.account_id, 'tier', set_wallet_tier.tier));
  end if;
  update public.wallet_accounts as account set
    tier = set_wallet_tier.tier
  where account.id = set_wallet_tier.account_id
  returning account.* into v_account;
  if not found then
    perform private.refuse('wallet_account_not_found', jsonb_build_object('account_id', set_wallet_tier.account_id));
  end if;
  return v_account;
end;
$$;

comment on function private.set_wallet_tier is 'The work of public.set_wallet_tier(). Refuses: operator_required, wallet_account_not_found.';

create function public.set_wallet_tier(
  account_id uuid,
  tier text
)
returns public.wallet_accounts
language plpgsql
set search_path = ''
set statement_timeout = '5s'
as $$
begin
  return private.set_wallet_tier(set_wallet_tier.account_id, set_wallet_tier.tier);
end;
$$;

comment on function public.set_wallet_tier is
  'For registered operators and the service: puts an account under the limits of another tier. Refuses: operator_required, wallet_account_not_found (or the tier has no limits in its currency).';
grant execute on function public.set_wallet_tier, private.set_wallet_tier to authenticated, service_role;

create function private.set_wallet_limit(bound public.wallet_limits)
returns public.wallet_limits
language plpgsql
security definer -- no role may write limits
set search_path = ''
as $$
declare
  v_bound public.wallet_limits := set_wallet_limit.bound;
begin
  perform private.require_wallet_manager();
  insert into public.wallet_limits as stored select v_bound.*
  on conflict on constraint wallet_limits_pkey do update set
    largest_amount = excluded.largest_amount, day_amount = excluded.day_amount, day_count = excluded.day_count,
    month_amount = excluded.month_amount, month_count = excluded.month_count, maximum_balance = excluded.maximum_balance
  returning stored.* into v_bound;
  return v_bound;
end;
$$;

comment on function private.set_wallet_limit is 'The work of public.set_wallet_limit(). Refuses: operator_required.';

create function public.set_wallet_limit(
  tier text,
  currency text,
  largest_amount bigint,
  day_amount bigint,
  day_count integer,
  month_amount bigint,
  month_count integer,
  maximum_balance bigint
)
returns public.wallet_limits
language plpgsql
set search_path = ''
set statement_timeout = '60s'
as $$
begin
  if (
    set_wallet_limit.tier ~ '^[a-z][a-z0-9_]{0,31}$'
    and exists (select from public.currencies as known where known.code = set_wallet_limit.currency)
    and set_wallet_limit.largest_amount between 1 and set_wallet_limit.day_amount
    and set_wallet_limit.day_amount <= set_wallet_limit.month_amount and set_wallet_limit.month_amount <= 9007199254740991
    and set_wallet_limit.day_count between 1 and set_wallet_limit.month_count
    and set_wallet_limit.maximum_balance between 1 and 9007199254740991
  ) is not true then
    perform private.refuse('invalid_argument');
  end if;
  return private.set_wallet_limit((
    set_wallet_limit.tier, set_wallet_limit.currency, set_wallet_limit.largest_amount, set_wallet_limit.day_amount,
    set_wallet_limit.day_count, set_wallet_limit.month_amount, set_wallet_limit.month_count, set_wallet_limit.maximum_balance
  )::public.wallet_limits);
end;
$$;

comment on function public.set_wallet_limit is
  'For registered operators and the service: sets what accounts of a tier and currency may spend and have, at once for all of them. '
  'Refuses: operator_required, invalid_argument (limits rise from one payment to the day to the month).';
grant execute on function public.set_wallet_limit, private.set_wallet_limit to authenticated, service_role;

commit;
