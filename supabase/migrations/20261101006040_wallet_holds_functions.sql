begin;

create function private.free_wallet_funds(account_id uuid, held bigint, spent bigint, payments integer, held_at timestamptz)
returns void
language plpgsql
set search_path = ''
as $$
declare
  v_day constant date := free_wallet_funds.held_at at time zone 'Africa/Kigali';
begin
  update public.wallet_balances as head set
    held = head.held - free_wallet_funds.held,
    spent_today = case when head.spent_on = v_day then head.spent_today - free_wallet_funds.spent else head.spent_today end,
    payments_today = case when head.spent_on = v_day then head.payments_today - free_wallet_funds.payments else head.payments_today end,
    spent_this_month =
      head.spent_this_month - case when date_trunc('month', head.spent_on) = date_trunc('month', v_day) then free_wallet_funds.spent else 0 end,
    payments_this_month =
      head.payments_this_month - case when date_trunc('month', head.spent_on) = date_trunc('month', v_day) then free_wallet_funds.payments else 0 end
  where head.account_id = free_wallet_funds.account_id and head.shard = 0;
end;
$$;

comment on function private.free_wallet_funds is
  'Lets go what is held, and takes back that it was counted as spent, as far as its day and month are still counted.';

create function private.expire_wallet_holds_of(account_id uuid)
returns integer
language plpgsql
set search_path = ''
as $$
declare
  v_hold public.wallet_holds;
  v_count integer := 0;
begin
  if not exists (
    select from public.wallet_holds as hold
    where hold.account_id = expire_wallet_holds_of.account_id and hold.status = 'held' and hold.expires_at <= now()
  ) then
    return 0;
  end if;
  perform from public.wallet_balances as head where head.account_id = expire_wallet_holds_of.account_id for no key update;
  for v_hold in
    update public.wallet_holds as hold set status = 'expired', ended_at = now()
    where hold.account_id = expire_wallet_holds_of.account_id and hold.status = 'held' and hold.expires_at <= now()
    returning hold.*
  loop
    perform private.free_wallet_funds(v_hold.account_id, v_hold.amount, v_hold.amount, 1, v_hold.created_at);
    insert into private.wallet_news (event_type, hold_id) values ('wallet_hold.expired', v_hold.id);
    v_count := v_count + 1;
  end loop;
  return v_count;
end;
$$;

comment on function private.expire_wallet_holds_of is 'Lets go the holds of an account that are over; says how many. Locks the account if there are any.';

create function private.expire_wallet_holds(max_count integer default 1000)
returns bigint
language plpgsql
set search_path = ''
as $$
declare
  v_head record;
  v_count bigint := 0;
begin
  for v_head in
    -- Whoever is being paid just now is left for the next run.
    select head.account_id from public.wallet_balances as head
    where head.shard = 0 and head.account_id = any(array(
      select hold.account_id from public.wallet_holds as hold
      where hold.status = 'held' and hold.expires_at <= now()
      order by hold.expires_at
      limit expire_wallet_holds.max_count
    ))
    order by head.account_id
    for no key update skip locked
  loop
    v_count := v_count + private.expire_wallet_holds_of(v_head.account_id);
  end loop;
  return v_count;
end;
$$;

comment on function private.expire_wallet_holds is 'Lets go holds that are over; says how many. Run by the schedule.';

insert into private.schedule (name, cron, command) values
  ('expire-wallet-holds', '* * * * *', 'select private.expire_wallet_holds()');

create function private.set_wallet_funds_aside(account_id uuid, amount bigint)
returns public.wallet_balances
language plpgsql
set search_path = ''
as $$
declare
  v_today constant date := now() at time zone 'Africa/Kigali';
  v_first_of_month constant date := date_trunc('month', v_today);
  v_head public.wallet_balances;
  v_is_retry boolean := false;
begin
  loop
    update public.wallet_balances as head set
      held = head.held + set_wallet_funds_aside.amount,
      spent_on = greatest(head.spent_on, v_today),
      spent_today = set_wallet_funds_aside.amount + case when head.spent_on >= v_today then head.spent_today else 0 end,
      payments_today = 1 + case when head.spent_on >= v_today then head.payments_today else 0 end,
      spent_this_month =
        set_wallet_funds_aside.amount + case when head.spent_on >= v_first_of_month then head.spent_this_month else 0 end,
      payments_this_month = 1 + case when head.spent_on >= v_first_of_month then head.payments_this_month else 0 end
    where head.account_id = set_wallet_funds_aside.account_id and head.shard = 0
      and head.balance - head.held - set_wallet_funds_aside.amount >= head.lowest
      and head.frozen_side is distinct from 'debit'
    returning head.* into v_head;
    exit when found;
    perform private.unblock_wallet_leg(
      (set_wallet_funds_aside.account_id, -set_wallet_funds_aside.amount, null)::private.wallet_leg, false, v_is_retry
    );
    v_is_retry := true;
  end loop;
  if v_head.tier is not null then
    perform private.require_wallet_limits(v_head, set_wallet_funds_aside.amount);
  end if;
  return v_head;
end;
$$;

comment on function private.set_wallet_funds_aside is
  'Locks an account and makes so much of it unavailable, as private.post_wallet_transaction() would take it. '
  'Refuses: as private.unblock_wallet_leg() and private.require_wallet_limits().';

create function private.hold_wallet_funds(
  account_id uuid,
  amount bigint,
  source text,
  reference text,
  request jsonb,
  to_account_id uuid default null,
  lasts interval default interval '7 days',
  description text default null,
  metadata jsonb default '{}'
)
returns public.wallet_holds
language plpgsql
security definer -- the only writer of holds: no role may write the table itself
set search_path = ''
as $$
declare
  v_hold public.wallet_holds;
  v_account public.wallet_accounts;
begin
  select * into v_hold from public.wallet_holds as hold
  where hold.source = hold_wallet_funds.source and hold.reference = hold_wallet_funds.reference;
  if found then
    if v_hold.request <> hold_wallet_funds.request then
      perform private.refuse('idempotency_key_reused');
    end if;
    return v_hold;
  end if;
  select * into v_account from public.wallet_accounts as account where account.id = hold_wallet_funds.account_id;
  if v_account.normal_side = 'debit' or v_account.shard_count > 1 then
    perform private.refuse('invalid_argument', '{"argument": "account_id", "range": "an account whose money can be held"}');
  end if;

  perform private.set_wallet_funds_aside(hold_wallet_funds.account_id, hold_wallet_funds.amount);
  insert into public.wallet_holds (
    account_id, currency, amount, to_account_id, source, reference, request, description, metadata, expires_at
  ) values (
    v_account.id, v_account.currency, hold_wallet_funds.amount, hold_wallet_funds.to_account_id, hold_wallet_funds.source,
    hold_wallet_funds.reference, hold_wallet_funds.request, hold_wallet_funds.description, hold_wallet_funds.metadata,
    now() + hold_wallet_funds.lasts
  )
  on conflict on constraint wallet_holds_source_reference_key do nothing
  returning * into v_hold;
  if not found then
    perform private.refuse('idempotency_key_in_use', '{"retry_after": 1}');
  end if;
  insert into private.wallet_news (event_type, hold_id) values ('wallet_hold.created', v_hold.id);
  return v_hold;
end;
$$;

comment on function private.hold_wallet_funds is
  'Sets money of an account aside, once per (source, reference). Checks no permission: its caller has. '
  'Refuses: wallet_account_not_found, wallet_account_closed, wallet_account_frozen, insufficient_funds, wallet_limit_exceeded, '
  'invalid_argument, idempotency_key_reused, idempotency_key_in_use.';

commit;
