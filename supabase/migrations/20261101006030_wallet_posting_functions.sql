begin;

create type private.wallet_posting as (
  transaction_id uuid,
  booked_at timestamptz,
  is_replay boolean,
  entries public.wallet_entries[]
);
comment on type private.wallet_posting is
  'A posted transaction with its entries, and so the balances after it. is_replay: it had been posted before.';

create function private.wallet_key(source text, reference text)
returns uuid
language plpgsql
immutable
set search_path = ''
as $$
begin
  return encode(substr(sha256(convert_to(wallet_key.source || e'\n' || wallet_key.reference, 'UTF8')), 1, 16), 'hex')::uuid;
end;
$$;

comment on function private.wallet_key is 'What stands for a reference in wallet_transaction_keys: 128 bits, which nobody meets by chance or by trying.';

create function private.replay_wallet_posting(key public.wallet_transaction_keys)
returns private.wallet_posting
language plpgsql
stable
set search_path = ''
as $$
declare
  v_known public.wallet_transaction_keys;
begin
  select * into strict v_known from public.wallet_transaction_keys as known where known.id = (replay_wallet_posting.key).id;
  if v_known.fingerprint <> (replay_wallet_posting.key).fingerprint then
    perform private.refuse('idempotency_key_reused');
  end if;
  return (
    v_known.transaction_id,
    private.uuid_v7_time(v_known.transaction_id),
    true,
    array(select entry from public.wallet_entries as entry where entry.transaction_id = v_known.transaction_id order by entry.leg)
  )::private.wallet_posting;
end;
$$;

comment on function private.replay_wallet_posting is
  'What was posted under a reference that is known. Refuses: idempotency_key_reused, if it was for another request.';

create function private.find_wallet_posting(source text, reference text, request jsonb)
returns private.wallet_posting
language plpgsql
stable
set search_path = ''
as $$
declare
  v_key constant public.wallet_transaction_keys := (
    private.wallet_key(find_wallet_posting.source, find_wallet_posting.reference), hashtextextended(find_wallet_posting.request::text, 0), null
  );
begin
  if exists (select from public.wallet_transaction_keys as key where key.id = v_key.id) then
    return private.replay_wallet_posting(v_key);
  end if;
  return null;
end;
$$;

comment on function private.find_wallet_posting is
  'What was posted under a reference, or null. Refuses: idempotency_key_reused, if it was for another request.';

create function private.require_balanced_legs(entries public.wallet_entries[])
returns void
language plpgsql
stable
set search_path = ''
as $$
declare
  v_currencies integer;
  v_is_balanced boolean;
begin
  select count(*), bool_and(side.sum = 0 and side.count > 1) into v_currencies, v_is_balanced
  from (
    select sum(entry.amount), count(*) from unnest(require_balanced_legs.entries) as entry group by entry.currency
  ) as side;
  if v_is_balanced is true then
    return;
  end if;
  if v_currencies > 1 then
    perform private.refuse('currency_mismatch');
  end if;
  perform private.refuse('wallet_legs_unbalanced');
end;
$$;

comment on function private.require_balanced_legs is
  'Refuses legs that do not sum to zero in every currency. Refuses: currency_mismatch, wallet_legs_unbalanced.';

create function private.open_wallet_months(entries public.wallet_entries[], at timestamptz)
returns void
language plpgsql
set search_path = ''
as $$
declare
  v_month constant timestamptz := date_trunc('month', open_wallet_months.at, 'UTC');
begin
  insert into public.wallet_months (account_id, shard, month, opening_balance, opening_version)
  select entry.account_id, entry.shard, v_month, entry.balance - entry.amount, entry.version - 1
  from unnest(open_wallet_months.entries) as entry
  join public.wallet_balances as head on head.account_id = entry.account_id and head.shard = entry.shard
  where head.month is distinct from v_month
  order by entry.leg
  on conflict on constraint wallet_months_pkey do nothing;

  update public.wallet_balances as head set month = v_month
  from unnest(open_wallet_months.entries) as entry
  where head.account_id = entry.account_id and head.shard = entry.shard and head.month is distinct from v_month;
end;
$$;

comment on function private.open_wallet_months is 'For the few transactions that are an account''s first in a month: keeps what it had before.';

create function private.post_wallet_transaction(
  kind public.wallet_transaction_kind,
  legs private.wallet_leg[],
  source text,
  reference text,
  request jsonb default null,
  original_id uuid default null,
  hold_id uuid default null,
  effective_at timestamptz default null,
  description text default null,
  metadata jsonb default '{}',
  actor text default private.caller()
)
returns private.wallet_posting
language plpgsql
security definer -- the only writer of balances and entries: no role may write the tables itself
set search_path = ''
as $$
declare
  v_key public.wallet_transaction_keys := (
    private.wallet_key(post_wallet_transaction.source, post_wallet_transaction.reference),
    hashtextextended(coalesce(post_wallet_transaction.request, to_jsonb(post_wallet_transaction.legs))::text, 0), null
  );
  v_started_at timestamptz := clock_timestamp();
  v_at timestamptz := v_started_at;
  v_first_at timestamptz;
  v_today date := v_started_at at time zone 'Africa/Kigali';
  v_first_of_month date := date_trunc('month', v_today);
  v_oldest_month timestamptz := 'infinity';
  -- Corrections, and what has happened outside already: no freeze, limit or tier undoes it.
  v_is_exempt boolean := post_wallet_transaction.kind in ('refund', 'reversal', 'adjustment', 'deposit')
    or post_wallet_transaction.kind = 'withdrawal' and post_wallet_transaction.hold_id is not null;
  v_entries public.wallet_entries[];
  v_leg private.wallet_leg;
  v_head public.wallet_balances;
  v_shard smallint;
  v_is_retry boolean;
  v_spent bigint;
  v_sum bigint := 0;
  v_is_one_currency boolean := true;
begin
  if exists (select from public.wallet_transaction_keys as key where key.id = v_key.id) then
    return private.replay_wallet_posting(v_key);
  end if;

  -- In the order of ids, so that no two transactions wait for each other; the busiest accounts have the last ones.
  -- An account is given before it is taken from: what counts is what it comes to.
  foreach v_leg in array array(
    select leg::private.wallet_leg from unnest(post_wallet_transaction.legs) as leg order by leg.account_id, least(leg.held, 0), leg.amount desc
  ) loop
    if v_leg.account_id is distinct from v_head.account_id then
      v_shard := private.pick_wallet_shard(v_leg.account_id);
    end if;
    v_is_retry := false;
    v_spent := case when v_leg.amount < 0 and v_leg.held is null and not v_is_exempt then -v_leg.amount else 0 end;
    loop
      -- One statement reads, judges and writes: it sees what the one before it in the queue for the lock has left.
      update public.wallet_balances as head set
        balance = head.balance + v_leg.amount,
        held = head.held + coalesce(v_leg.held, 0),
        version = head.version + 1,
        last_entry_at = greatest(head.last_entry_at + interval '1 microsecond', v_at),
        spent_on = greatest(head.spent_on, v_today),
        spent_today = v_spent + case when head.spent_on >= v_today then head.spent_today else 0 end,
        payments_today = (v_spent > 0)::integer + case when head.spent_on >= v_today then head.payments_today else 0 end,
        spent_this_month = v_spent + case when head.spent_on >= v_first_of_month then head.spent_this_month else 0 end,
        payments_this_month = (v_spent > 0)::integer + case when head.spent_on >= v_first_of_month then head.payments_this_month else 0 end
      where head.account_id = v_leg.account_id and head.shard = v_shard and case
        when v_leg.amount < 0 then
          head.balance - head.held + v_leg.amount - coalesce(v_leg.held, 0) >= head.lowest
          and (v_is_exempt or head.frozen_side is distinct from 'debit')
        when v_is_exempt then head.balance + v_leg.amount <= head.highest
        else head.balance + v_leg.amount <= head.tier_highest and head.frozen_side is distinct from 'credit'
      end
      returning head.* into v_head;
      exit when found;
      perform private.unblock_wallet_leg(v_leg, v_is_exempt, v_is_retry);
      v_is_retry := true;
    end loop;
    if v_spent > 0 and v_head.tier is not null then
      perform private.require_wallet_limits(v_head, v_spent);
    end if;
    v_entries := v_entries || (
      null, v_head.account_id, v_head.shard, coalesce(cardinality(v_entries), 0) + 1, v_head.currency, v_leg.amount, v_head.balance, v_head.version
    )::public.wallet_entries;
    v_sum := v_sum + v_leg.amount;
    v_is_one_currency := v_is_one_currency and v_head.currency = v_entries[1].currency;
    v_at := v_head.last_entry_at;
    v_first_at := coalesce(v_first_at, v_at);
    v_oldest_month := least(v_oldest_month, coalesce(v_head.month, '-infinity'));
  end loop;
  if v_sum <> 0 or not v_is_one_currency or cardinality(v_entries) > 1 is not true then
    perform private.require_balanced_legs(v_entries);
  end if;
  if v_oldest_month < date_trunc('month', v_at, 'UTC') then
    perform private.open_wallet_months(v_entries, v_at);
  end if;
  if v_first_at < v_at then
    -- It waited for one of them, whose last entry is younger than its own beginning.
    update public.wallet_balances as head set last_entry_at = v_at
    from unnest(v_entries) as entry
    where head.account_id = entry.account_id and head.shard = entry.shard and head.last_entry_at < v_at;
  end if;

  v_key.transaction_id := private.uuid_v7(v_at);
  with posted as (
    insert into public.wallet_transactions (
      id, created_at, effective_at, kind, source, reference, original_id, hold_id, description, metadata, actor
    ) values (
      v_key.transaction_id, v_at, coalesce(post_wallet_transaction.effective_at, v_at), post_wallet_transaction.kind,
      post_wallet_transaction.source, post_wallet_transaction.reference, post_wallet_transaction.original_id,
      post_wallet_transaction.hold_id, post_wallet_transaction.description, post_wallet_transaction.metadata,
      post_wallet_transaction.actor
    )
  ),
  entered as (
    insert into public.wallet_entries (transaction_id, account_id, shard, leg, currency, amount, balance, version)
    select v_key.transaction_id, entry.account_id, entry.shard, entry.leg, entry.currency, entry.amount, entry.balance, entry.version
    from unnest(v_entries) as entry
  ),
  told as (
    insert into private.wallet_news (event_type, transaction_id) values ('wallet_transaction.posted', v_key.transaction_id)
  )
  insert into public.wallet_transaction_keys select v_key.*
  on conflict on constraint wallet_transaction_keys_pkey do nothing;
  if not found then
    perform private.refuse('idempotency_key_in_use', '{"retry_after": 1}');
  end if;
  return (v_key.transaction_id, v_at, false, v_entries);
end;
$$;

comment on function private.post_wallet_transaction is
  'The one door to the ledger: books a transaction of two or more legs that balance in every currency, once per (source, reference), for good. '
  'The same again, however late, gives what was posted then. `request` tells the same from another; without it the legs do. '
  'A freeze or the tier of an account does not refuse a refund, reversal or adjustment, nor a deposit or a captured withdrawal, which have happened outside already. '
  'Checks no permission: its caller has. Locks the accounts until the transaction ends, so call it late, once in a transaction, and record_events() after it. '
  'Refuses: wallet_account_not_found, wallet_account_closed, wallet_account_frozen, insufficient_funds, wallet_balance_too_high, '
  'wallet_limit_exceeded, currency_mismatch, wallet_legs_unbalanced, idempotency_key_reused, idempotency_key_in_use.';

commit;
