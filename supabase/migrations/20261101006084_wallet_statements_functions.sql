begin;

create type public.wallet_statement_line as (
  transaction_id uuid,
  leg integer,
  booked_at timestamptz,
  effective_at timestamptz,
  kind public.wallet_transaction_kind,
  description text,
  amount bigint,
  balance bigint,
  currency text,
  original_id uuid,
  hold_id uuid,
  metadata jsonb
);
comment on type public.wallet_statement_line is
  'An entry of an account with its transaction: what it added to the account (or took, below zero) on its normal side, and the balance after it.';

create type private.wallet_range as (from_id uuid, from_leg integer, to_id uuid, to_leg integer);
comment on type private.wallet_range is 'Entries after one leg and before another.';

create function private.wallet_entries_of_month(
  account_id uuid, month timestamptz, bounds private.wallet_range, is_newest_first boolean, max_count integer
)
returns setof public.wallet_entries
language plpgsql
stable
set search_path = ''
set timezone = 'UTC'
as $$
declare
  v_first_id constant uuid := private.uuid_v7_floor(wallet_entries_of_month.month);
  v_next_id constant uuid := private.uuid_v7_floor(wallet_entries_of_month.month + interval '1 month');
  v_from_id constant uuid := (wallet_entries_of_month.bounds).from_id;
  v_from_leg constant integer := (wallet_entries_of_month.bounds).from_leg;
  v_to_id constant uuid := (wallet_entries_of_month.bounds).to_id;
  v_to_leg constant integer := (wallet_entries_of_month.bounds).to_leg;
begin
  -- Of each shard as many as are asked for, because all of them may be one shard's. The month's bounds are what rules out partitions.
  if wallet_entries_of_month.is_newest_first then
    return query
    select entry.* from public.wallet_balances as head
    cross join lateral (
      select mine.* from public.wallet_entries as mine
      where mine.account_id = head.account_id and mine.shard = head.shard
        and mine.transaction_id >= v_first_id and mine.transaction_id < v_next_id
        and (mine.transaction_id, mine.leg) > (v_from_id, v_from_leg) and (mine.transaction_id, mine.leg) < (v_to_id, v_to_leg)
      order by mine.transaction_id desc, mine.leg desc
      limit wallet_entries_of_month.max_count
    ) as entry
    where head.account_id = wallet_entries_of_month.account_id
    order by entry.transaction_id desc, entry.leg desc
    limit wallet_entries_of_month.max_count;
  else
    return query
    select entry.* from public.wallet_balances as head
    cross join lateral (
      select mine.* from public.wallet_entries as mine
      where mine.account_id = head.account_id and mine.shard = head.shard
        and mine.transaction_id >= v_first_id and mine.transaction_id < v_next_id
        and (mine.transaction_id, mine.leg) > (v_from_id, v_from_leg) and (mine.transaction_id, mine.leg) < (v_to_id, v_to_leg)
      order by mine.transaction_id, mine.leg
      limit wallet_entries_of_month.max_count
    ) as entry
    where head.account_id = wallet_entries_of_month.account_id
    order by entry.transaction_id, entry.leg
    limit wallet_entries_of_month.max_count;
  end if;
end;
$$;

comment on function private.wallet_entries_of_month is 'The first entries of an account in a range within a month, all shards together.';

create function private.wallet_statement(account_id uuid, bounds private.wallet_range, is_newest_first boolean, max_count integer)
returns setof public.wallet_statement_line
language plpgsql
stable
security definer -- reads entries, which clients may not; who asks is checked first
set search_path = ''
set timezone = 'UTC'
as $$
declare
  v_bounds private.wallet_range := wallet_statement.bounds;
  v_sign integer;
  v_balance bigint;
  v_left integer := wallet_statement.max_count;
  v_month timestamptz;
  v_entry public.wallet_entries;
  v_line public.wallet_statement_line;
begin
  perform private.require_wallet_reader(wallet_statement.account_id);
  select private.wallet_sign(account.normal_side) into v_sign from public.wallet_accounts as account where account.id = wallet_statement.account_id;
  if not found then
    perform private.refuse('wallet_account_not_found', jsonb_build_object('account_id', wallet_statement.account_id));
  end if;
  v_balance := v_sign * case
    when wallet_statement.is_newest_first then private.wallet_position(wallet_statement.account_id, v_bounds.to_id, v_bounds.to_leg - 1)
    else private.wallet_position(wallet_statement.account_id, v_bounds.from_id, v_bounds.from_leg)
  end;

  for v_month in
    select known.month from public.wallet_months as known
    where known.account_id = wallet_statement.account_id
      and known.month >= date_trunc('month', private.uuid_v7_time(v_bounds.from_id))
      and known.month <= private.uuid_v7_time(v_bounds.to_id)
    group by known.month
    order by case when wallet_statement.is_newest_first then now() - known.month else known.month - now() end
  loop
    for v_entry in
      select * from private.wallet_entries_of_month(
        wallet_statement.account_id, v_month, v_bounds, wallet_statement.is_newest_first, v_left
      )
    loop
      v_balance := v_balance + case when wallet_statement.is_newest_first then 0 else v_sign * v_entry.amount end;
      select
        posted.id, v_entry.leg, posted.created_at, posted.effective_at, posted.kind, posted.description, v_sign * v_entry.amount,
        v_balance, v_entry.currency, posted.original_id, posted.hold_id, posted.metadata
      into v_line
      from public.wallet_transactions as posted
      where posted.id = v_entry.transaction_id;
      return next v_line;
      v_balance := v_balance - case when wallet_statement.is_newest_first then v_sign * v_entry.amount else 0 end;
      v_left := v_left - 1;
    end loop;
    exit when v_left = 0;
  end loop;
end;
$$;

comment on function private.wallet_statement is 'The work of public.wallet_statement(). Refuses: wallet_account_not_found.';

create function public.wallet_statement(
  account_id uuid,
  since timestamptz default now() - interval '30 days',
  until timestamptz default now() + interval '1 minute',
  after_transaction_id uuid default null,
  after_leg integer default 0,
  max_count integer default 100,
  is_newest_first boolean default false
)
returns setof public.wallet_statement_line
language plpgsql
stable
set search_path = ''
set statement_timeout = '10s'
as $$
declare
  v_bounds private.wallet_range := (
    private.uuid_v7_floor(wallet_statement.since), 0, private.uuid_v7_floor(wallet_statement.until), 0
  )::private.wallet_range;
begin
  if (
    wallet_statement.max_count between 1 and 1000 and wallet_statement.is_newest_first is not null and wallet_statement.after_leg >= 0
    and '1970-01-01Z' <= wallet_statement.since and wallet_statement.since <= wallet_statement.until and wallet_statement.until <= '3000-01-01Z'
  ) is not true then
    perform private.refuse('invalid_argument');
  end if;
  if wallet_statement.is_newest_first and wallet_statement.after_transaction_id < v_bounds.to_id then
    v_bounds.to_id := wallet_statement.after_transaction_id;
    v_bounds.to_leg := wallet_statement.after_leg;
  elsif not wallet_statement.is_newest_first and wallet_statement.after_transaction_id > v_bounds.from_id then
    v_bounds.from_id := wallet_statement.after_transaction_id;
    v_bounds.from_leg := wallet_statement.after_leg;
  end if;
  return query select * from private.wallet_statement(
    wallet_statement.account_id, v_bounds, wallet_statement.is_newest_first, wallet_statement.max_count
  );
end;
$$;

comment on function public.wallet_statement is
  'The entries of an account that were booked from `since` to before `until`, in their order or newest first, each with the balance after it. '
  'For its owner, operators and the service. The next page: after_transaction_id and after_leg of this one''s last line. '
  'A sharded account''s entries of the last moments may still come in between: its statements are read of times that are over. '
  'Refuses: wallet_account_not_found, invalid_argument (max_count 1 to 1000).';
grant execute on function public.wallet_statement, private.wallet_statement to authenticated, service_role;

commit;
