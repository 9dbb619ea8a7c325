begin;

create type private.wallet_leg as (account_id uuid, amount bigint, held bigint);
comment on type private.wallet_leg is
  'What a transaction does to an account: credits an amount, or below zero debits it; and sets aside so much more, or below zero less. '
  'Only a debit that says nothing of that (null) counts for the limits: not one that was held before, nor a fee (0).';

create function private.require_wallet_limits(head public.wallet_balances, amount bigint)
returns void
language plpgsql
stable
set search_path = ''
as $$
declare
  v_head constant public.wallet_balances := require_wallet_limits.head;
  v_limit public.wallet_limits;
begin
  select * into v_limit from public.wallet_limits as bound
  where bound.tier = v_head.tier and bound.currency = v_head.currency;
  if require_wallet_limits.amount <= v_limit.largest_amount
    and v_head.spent_today <= v_limit.day_amount and v_head.payments_today <= v_limit.day_count
    and v_head.spent_this_month <= v_limit.month_amount and v_head.payments_this_month <= v_limit.month_count
  then
    return;
  end if;
  perform private.refuse('wallet_limit_exceeded', jsonb_build_object(
    'account_id', v_head.account_id,
    'limit', case
      when require_wallet_limits.amount > v_limit.largest_amount then 'largest_amount'
      when v_head.spent_today > v_limit.day_amount then 'day_amount'
      when v_head.payments_today > v_limit.day_count then 'day_count'
      when v_head.spent_this_month > v_limit.month_amount then 'month_amount'
      else 'month_count'
    end
  ));
end;
$$;

comment on function private.require_wallet_limits is
  'Checks a payment that the head has counted already. Refuses: wallet_limit_exceeded, with the name of the limit.';

create function private.pick_wallet_shard(account_id uuid)
returns smallint
language plpgsql
volatile
set search_path = ''
as $$
begin
  -- Only the accounts that come last may have shards: nobody else pays for the look.
  if pick_wallet_shard.account_id < private.uuid_v7_floor('9999-12-31Z') then
    return 0;
  end if;
  return (
    select case account.shard_count when 1 then 0 else 1 + floor(random() * account.shard_count) end
    from public.wallet_accounts as account
    where account.id = pick_wallet_shard.account_id
  );
end;
$$;

comment on function private.pick_wallet_shard is 'Which row of wallet_balances a transaction is booked on: any of a sharded account''s.';

create function private.unblock_wallet_leg(leg private.wallet_leg, is_exempt boolean, is_retry boolean)
returns void
language plpgsql
set search_path = ''
as $$
declare
  v_leg constant private.wallet_leg := unblock_wallet_leg.leg;
  v_details constant jsonb := jsonb_build_object('account_id', v_leg.account_id);
  v_account public.wallet_accounts;
begin
  select * into v_account from public.wallet_accounts as account where account.id = v_leg.account_id;
  if not found then
    perform private.refuse('wallet_account_not_found', v_details);
  end if;
  if not unblock_wallet_leg.is_retry then
    -- Judged once more under the lock: somebody else may just have let go what was over.
    perform from public.wallet_balances as head
    where head.account_id = v_leg.account_id and head.shard = 0
    for no key update;
    perform private.expire_wallet_holds_of(v_leg.account_id);
    return;
  end if;

  if v_account.status = 'closed' then
    perform private.refuse('wallet_account_closed', v_details);
  end if;
  if (v_leg.amount < 0) = (v_account.normal_side = 'debit') then
    perform private.refuse('wallet_balance_too_high', v_details);
  end if;
  if v_account.status = 'frozen' and not unblock_wallet_leg.is_exempt then
    perform private.refuse('wallet_account_frozen', v_details);
  end if;
  perform private.refuse('insufficient_funds', v_details);
end;
$$;

comment on function private.unblock_wallet_leg is
  'Why a leg could not be booked, once it was tried again under the lock and without holds that are over: for which it returns the first time. '
  'Refuses: wallet_account_not_found, wallet_account_closed, wallet_balance_too_high, wallet_account_frozen, insufficient_funds.';

commit;
