begin;

create table public.wallet_balances (
  account_id uuid not null,
  shard smallint not null,
  currency char(3) not null,
  balance bigint not null default 0,
  held bigint not null default 0,
  version bigint not null default 0,
  last_entry_at timestamptz,
  month timestamptz,
  lowest bigint not null,
  highest bigint not null,
  tier_highest bigint not null,
  frozen_side public.wallet_side,
  tier text,
  spent_on date not null default '-infinity',
  spent_today bigint not null default 0,
  spent_this_month bigint not null default 0,
  payments_today integer not null default 0,
  payments_this_month integer not null default 0,
  constraint wallet_balances_pkey primary key (account_id, shard),
  constraint wallet_balances_account_id_fkey foreign key (account_id) references public.wallet_accounts (id)
) with (fillfactor = 50);

comment on table public.wallet_balances is
  'The head of each account''s entries, or of each of its shards''. Whoever posts to it holds its lock to the end, so its entries have neither gaps nor doubles. '
  'It repeats the account''s rules, so that one update reads, judges and writes (private.apply_wallet_rules). '
  'Written by private.post_wallet_transaction() and the functions of holds alone.';
comment on column public.wallet_balances.shard is '0; of a sharded account 1, 2, 3 ...';
comment on column public.wallet_balances.balance is 'Credits less debits: the sum of the entries.';
comment on column public.wallet_balances.held is 'What open holds have set aside.';
comment on column public.wallet_balances.version is 'How many entries there are; the number of the last one.';
comment on column public.wallet_balances.last_entry_at is 'When the last one was booked: the next one is later, whatever the clock says.';
comment on column public.wallet_balances.month is 'The month (UTC) of the last one, the latest in wallet_months.';
comment on column public.wallet_balances.lowest is 'What balance less held may not fall below.';
comment on column public.wallet_balances.highest is 'What balance may not rise above.';
comment on column public.wallet_balances.tier_highest is 'The same for what may be refused: the tier''s maximum, if that is less.';
comment on column public.wallet_balances.frozen_side is 'The side on which nothing is booked that may be refused.';
comment on column public.wallet_balances.spent_on is 'The day in Kigali that spent_today and payments_today count; the others count its month. It never goes back, so that nobody spends a day''s amount twice around midnight.';
alter table public.wallet_balances enable row level security;
grant select on public.wallet_balances to authenticated, service_role;

create policy "Owners read their balances"
on public.wallet_balances
for select
to authenticated
using (account_id in (
  select account.id from public.wallet_accounts as account
  where account.profile_id = (select profile.id from public.profiles as profile where profile.user_id = (select auth.uid()))
));

create trigger refuse_delete
before delete on public.wallet_balances
for each row execute function private.refuse_change();
create trigger refuse_truncate
before truncate on public.wallet_balances
execute function private.refuse_truncate();

create function private.wallet_rules(
  account public.wallet_accounts,
  out lowest bigint,
  out highest bigint,
  out tier_highest bigint,
  out frozen_side public.wallet_side
)
language plpgsql
stable
set search_path = ''
as $$
declare
  c_most constant bigint := 9007199254740991;
  v_account constant public.wallet_accounts := wallet_rules.account;
  v_minimum constant bigint := case when v_account.status = 'closed' then 0 else coalesce(v_account.minimum_balance, -c_most) end;
  v_maximum constant bigint := case when v_account.status = 'closed' then 0 else coalesce(v_account.maximum_balance, c_most) end;
begin
  if v_account.normal_side = 'debit' then
    lowest := -v_maximum;
    highest := -v_minimum;
  else
    lowest := v_minimum;
    highest := v_maximum;
  end if;
  tier_highest := least(highest, (
    select bound.maximum_balance from public.wallet_limits as bound
    where bound.tier = v_account.tier and bound.currency = v_account.currency
  ));
  if v_account.status = 'frozen' then
    frozen_side := case v_account.normal_side when 'debit' then 'credit' else 'debit' end;
  end if;
end;
$$;

comment on function private.wallet_rules is
  'An account''s rules as wallet_balances has them: for credits less debits, and within what JSON readers keep exact.';

create function private.apply_wallet_rules()
returns trigger
language plpgsql
security definer -- no role may write balances
set search_path = ''
as $$
declare
  v_rules record;
begin
  select * into v_rules from private.wallet_rules(new);
  if tg_op = 'INSERT' then
    insert into public.wallet_balances (account_id, shard, currency, lowest, highest, tier_highest, frozen_side, tier)
    select new.id, shard, new.currency, v_rules.lowest, v_rules.highest, v_rules.tier_highest, v_rules.frozen_side, new.tier
    from generate_series((new.shard_count > 1)::integer, new.shard_count - (new.shard_count = 1)::integer) as shard;
    return null;
  end if;

  -- Waits for whoever is posting; whoever comes next sees the new rules.
  update public.wallet_balances as head set
    lowest = v_rules.lowest,
    highest = v_rules.highest,
    tier_highest = v_rules.tier_highest,
    frozen_side = v_rules.frozen_side,
    tier = new.tier
  where head.account_id = new.id;
  if new.status = 'closed' and exists (
    select from public.wallet_balances as head where head.account_id = new.id and (head.balance <> 0 or head.held <> 0)
  ) then
    perform private.refuse('wallet_account_not_empty', jsonb_build_object('account_id', new.id));
  end if;
  if exists (
    select from public.wallet_balances as head
    where head.account_id = new.id and (head.balance - head.held < v_rules.lowest or head.balance > v_rules.highest)
  ) then
    perform private.refuse('wallet_guard_broken', jsonb_build_object('account_id', new.id));
  end if;
  return null;
end;
$$;

comment on function private.apply_wallet_rules is
  'Gives an account its rows of wallet_balances, and brings them its rules. '
  'Refuses: wallet_guard_broken (the account does not keep them now), wallet_account_not_empty (when it is closed).';

create trigger apply_wallet_rules
after insert or update of status, tier, minimum_balance, maximum_balance on public.wallet_accounts
for each row execute function private.apply_wallet_rules();

create function private.apply_wallet_limits()
returns trigger
language plpgsql
security definer -- no role may write balances
set search_path = ''
as $$
begin
  update public.wallet_balances as head set
    tier_highest = least(head.highest, new.maximum_balance)
  from (
    select locked.account_id from public.wallet_balances as locked
    join public.wallet_accounts as account on account.id = locked.account_id
    where account.tier = new.tier and account.currency = new.currency
    order by locked.account_id
    for no key update of locked
  ) as concerned
  where head.account_id = concerned.account_id;
  return null;
end;
$$;

comment on function private.apply_wallet_limits is
  'Brings a tier''s new maximum to its accounts. Those that have more may still spend.';

create trigger apply_wallet_limits
after update of maximum_balance on public.wallet_limits
for each row execute function private.apply_wallet_limits();

commit;
