begin;

create table public.wallet_refunds (
  transaction_id uuid not null,
  paid_amount bigint not null,
  refunded_amount bigint not null default 0,
  refunded_parts bigint[] not null,
  refund_ids uuid[] not null default '{}',
  constraint wallet_refunds_pkey primary key (transaction_id),
  constraint wallet_refunds_stay_within_the_transaction check (refunded_amount between 0 and paid_amount)
);

comment on table public.wallet_refunds is
  'What has been given back of a transaction. Refunds and the reversal of one wait for each other on its row, so together they never exceed it.';
comment on column public.wallet_refunds.paid_amount is 'What was paid: the sum of what its payers paid, fees on top included.';
comment on column public.wallet_refunds.refunded_parts is 'How much each party has given or been given back, in the order of private.wallet_parties().';
comment on column public.wallet_refunds.refund_ids is 'The refunds, or the reversal.';
alter table public.wallet_refunds enable row level security;
grant select on public.wallet_refunds to service_role;
create trigger refuse_delete
before delete on public.wallet_refunds
for each row execute function private.refuse_change();
create trigger refuse_truncate
before truncate on public.wallet_refunds
execute function private.refuse_truncate();

create function private.wallet_parties(transaction_id uuid)
returns table (place integer, account_id uuid, currency text, amount bigint)
language plpgsql
stable
set search_path = ''
as $$
begin
  return query
  select
    row_number() over (order by min(entry.leg))::integer, entry.account_id, min(entry.currency)::text, sum(entry.amount)::bigint
  from public.wallet_entries as entry
  where entry.transaction_id = wallet_parties.transaction_id
  group by entry.account_id
  having sum(entry.amount) <> 0;
end;
$$;

comment on function private.wallet_parties is
  'Who got and who paid in a transaction, and how much on the whole: a receiver who bore the fee got so much less.';

create function private.lock_wallet_refunds(transaction_id uuid)
returns public.wallet_refunds
language plpgsql
set search_path = ''
as $$
declare
  v_transaction public.wallet_transactions;
  v_refunds public.wallet_refunds;
begin
  select * into v_transaction from public.wallet_transactions as posted where posted.id = lock_wallet_refunds.transaction_id;
  if not found then
    perform private.refuse('wallet_transaction_not_found');
  end if;
  if v_transaction.original_id is not null then
    perform private.refuse('wallet_refund_exceeded', '{"remaining": 0}');
  end if;
  insert into public.wallet_refunds (transaction_id, paid_amount, refunded_parts)
  select
    v_transaction.id, coalesce(sum(party.amount) filter (where party.amount > 0), 0), array_fill(0::bigint, array[count(*)::integer])
  from private.wallet_parties(v_transaction.id) as party
  on conflict on constraint wallet_refunds_pkey do nothing;
  select * into v_refunds from public.wallet_refunds as refunds where refunds.transaction_id = v_transaction.id for no key update;
  return v_refunds;
end;
$$;

comment on function private.lock_wallet_refunds is
  'What has been given back of a transaction, locked until the end. A refund itself cannot be given back. '
  'Refuses: wallet_transaction_not_found, wallet_refund_exceeded.';

create function private.wallet_refund_parts(refunds public.wallet_refunds, amount bigint)
returns bigint[]
language plpgsql
stable
set search_path = ''
as $$
declare
  v_debits bigint[];
  v_credits bigint[];
begin
  -- Each side in proportion to what is left of its parts, so that nothing is left when all of it has been given back.
  select
    private.split_wallet_amount(wallet_refund_parts.amount, array_agg(case when party.amount < 0 then remaining else 0 end order by party.place)),
    private.split_wallet_amount(wallet_refund_parts.amount, array_agg(case when party.amount > 0 then remaining else 0 end order by party.place))
  into v_debits, v_credits
  from private.wallet_parties((wallet_refund_parts.refunds).transaction_id) as party
  cross join lateral (values (abs(party.amount) - (wallet_refund_parts.refunds).refunded_parts[party.place])) as due (remaining)
  having count(distinct party.currency) = 1;
  if not found then
    perform private.refuse('invalid_argument', '{"argument": "amount", "range": "all of it, as it is in several currencies"}');
  end if;
  return array(select debit + credit from unnest(v_debits, v_credits) with ordinality as part (debit, credit, place) order by part.place);
end;
$$;

comment on function private.wallet_refund_parts is
  'How much each party gives or gets of a refund of so much, in whole minor units: exact in sum on both sides, and of no part more than is left. Refuses: invalid_argument.';

create function private.refund_wallet_transaction(
  transaction_id uuid,
  amount bigint,
  kind public.wallet_transaction_kind,
  source text,
  reference text,
  request jsonb,
  description text default null,
  metadata jsonb default '{}'
)
returns private.wallet_posting
language plpgsql
security definer -- as private.post_wallet_transaction()
set search_path = ''
as $$
declare
  v_refunds constant public.wallet_refunds := private.lock_wallet_refunds(refund_wallet_transaction.transaction_id);
  v_posting private.wallet_posting :=
    private.find_wallet_posting(refund_wallet_transaction.source, refund_wallet_transaction.reference, refund_wallet_transaction.request);
  v_remaining bigint;
  v_amount bigint;
  v_parts bigint[];
begin
  if v_posting.transaction_id is not null then
    return v_posting;
  end if;
  v_remaining := v_refunds.paid_amount - v_refunds.refunded_amount;
  v_amount := coalesce(refund_wallet_transaction.amount, v_remaining);
  if v_amount not between 1 and v_remaining or refund_wallet_transaction.kind = 'reversal' and v_amount < v_refunds.paid_amount then
    perform private.refuse('wallet_refund_exceeded', jsonb_build_object('remaining', v_remaining));
  end if;
  v_parts := case
    when v_amount = v_refunds.paid_amount then array(
      select abs(party.amount) from private.wallet_parties(v_refunds.transaction_id) as party order by party.place
    )
    else private.wallet_refund_parts(v_refunds, v_amount)
  end;
  v_posting := private.post_wallet_transaction(
    kind => refund_wallet_transaction.kind,
    legs => array(
      select (party.account_id, case when party.amount > 0 then -v_parts[party.place] else v_parts[party.place] end, null)::private.wallet_leg
      from private.wallet_parties(v_refunds.transaction_id) as party
      where v_parts[party.place] > 0
      order by party.place
    ),
    source => refund_wallet_transaction.source,
    reference => refund_wallet_transaction.reference,
    request => refund_wallet_transaction.request,
    original_id => v_refunds.transaction_id,
    description => refund_wallet_transaction.description,
    metadata => refund_wallet_transaction.metadata
  );
  update public.wallet_refunds as refunds set
    refunded_amount = refunds.refunded_amount + v_amount,
    refunded_parts = array(
      select given + part from unnest(refunds.refunded_parts, v_parts) with ordinality as party (given, part, place) order by party.place
    ),
    refund_ids = refunds.refund_ids || v_posting.transaction_id
  where refunds.transaction_id = v_refunds.transaction_id;
  return v_posting;
end;
$$;

comment on function private.refund_wallet_transaction is
  'Gives back a transaction, or a part of it, to the accounts that it came from, from those that it went to: a refund, as often as something is left, or the reversal of all of it. '
  'Without an amount, all that is left. Checks no permission: its caller has. '
  'Refuses: wallet_transaction_not_found, wallet_refund_exceeded (with what remains), invalid_argument, and as private.post_wallet_transaction().';

commit;
