begin;

create function private.wallet_position(account_id uuid, transaction_id uuid, leg integer)
returns bigint
language plpgsql
stable
set search_path = ''
set timezone = 'UTC'
as $$
declare
  v_until constant uuid := wallet_position.transaction_id;
  v_month constant timestamptz := date_trunc('month', private.uuid_v7_time(v_until));
  v_opening record;
  v_balance bigint;
  v_sum bigint := 0;
begin
  for v_opening in
    -- Of each shard the last month in which it has entries.
    select head.shard, opening.month, opening.opening_balance
    from public.wallet_balances as head
    cross join lateral (
      select month.month, month.opening_balance from public.wallet_months as month
      where month.account_id = head.account_id and month.shard = head.shard and month.month <= v_month
      order by month.month desc
      limit 1
    ) as opening
    where head.account_id = wallet_position.account_id
  loop
    select entry.balance into v_balance from public.wallet_entries as entry
    where entry.account_id = wallet_position.account_id and entry.shard = v_opening.shard
      and entry.transaction_id >= private.uuid_v7_floor(v_opening.month)
      and entry.transaction_id < private.uuid_v7_floor(v_opening.month + interval '1 month')
      and (entry.transaction_id, entry.leg) <= (v_until, wallet_position.leg)
    order by entry.transaction_id desc, entry.leg desc
    limit 1;
    v_sum := v_sum + coalesce(v_balance, v_opening.opening_balance);
  end loop;
  return v_sum;
end;
$$;

comment on function private.wallet_position is
  'Credits less debits of an account after that leg of that transaction, or what came before it. Looks into one month of each shard.';

create function private.wallet_sign(side public.wallet_side)
returns integer
language plpgsql
immutable
set search_path = ''
as $$
begin
  return case wallet_sign.side when 'debit' then -1 else 1 end;
end;
$$;

comment on function private.wallet_sign is
  'What turns credits less debits into a balance on that side, and back.';

create type public.wallet_standing as (
  account_id uuid,
  currency text,
  balance bigint,
  held bigint,
  available bigint,
  at timestamptz
);
comment on type public.wallet_standing is
  'What an account has, on its normal side: the balance, what open holds have set aside, and what is available. Of the past only the balance is known.';

create function private.wallet_balance(account_id uuid, at timestamptz)
returns public.wallet_standing
language plpgsql
stable
security definer -- reads entries, which clients may not; who asks is checked first
set search_path = ''
as $$
declare
  v_account public.wallet_accounts;
  v_sign integer;
  v_standing public.wallet_standing;
begin
  perform private.require_wallet_reader(wallet_balance.account_id);
  select * into v_account from public.wallet_accounts as account where account.id = wallet_balance.account_id;
  if not found then
    perform private.refuse('wallet_account_not_found', jsonb_build_object('account_id', wallet_balance.account_id));
  end if;

  v_sign := private.wallet_sign(v_account.normal_side);
  v_standing := (v_account.id, v_account.currency, null, null, null, coalesce(wallet_balance.at, now()))::public.wallet_standing;
  if wallet_balance.at is not null then
    v_standing.balance := v_sign * private.wallet_position(
      v_account.id, private.uuid_v7_floor(wallet_balance.at + interval '1 microsecond'), 0
    );
    return v_standing;
  end if;
  select v_sign * sum(head.balance), sum(head.held) into v_standing.balance, v_standing.held
  from public.wallet_balances as head
  where head.account_id = v_account.id;
  -- Holds that are over count no longer, swept or not.
  v_standing.held := v_standing.held - coalesce((
    select sum(hold.amount) from public.wallet_holds as hold
    where hold.account_id = v_account.id and hold.status = 'held' and hold.expires_at <= now()
  ), 0);
  v_standing.available := v_standing.balance - v_standing.held;
  return v_standing;
end;
$$;

comment on function private.wallet_balance is 'The work of public.wallet_balance(). Refuses: wallet_account_not_found.';

create function public.wallet_balance(account_id uuid, at timestamptz default null)
returns public.wallet_standing
language plpgsql
stable
set search_path = ''
set statement_timeout = '5s'
as $$
begin
  if wallet_balance.at not between '1970-01-01Z' and '3000-01-01Z' then
    perform private.refuse('invalid_argument', '{"argument": "at", "range": "1970 to 3000"}');
  end if;
  return private.wallet_balance(wallet_balance.account_id, wallet_balance.at);
end;
$$;

comment on function public.wallet_balance is
  'What an account has now, or had at any time: all that was booked at or before it. For its owner, operators and the service. '
  'A moment that is over can still gain what is being posted just then. Refuses: wallet_account_not_found, invalid_argument.';
grant execute on function public.wallet_balance, private.wallet_balance to authenticated, service_role;

commit;
