begin;

create view public.provider_float
with (security_invoker = on)
as
select
  split_part(account.code, ':', 2) as provider,
  account.currency,
  -(select sum(head.balance) from public.wallet_balances as head where head.account_id = account.id)::bigint as books_amount,
  statement.closing_balance as statement_amount,
  statement.period_to as statement_at,
  pending.amount as incoming_amount,
  pending.payout_amount as outgoing_amount
from public.wallet_accounts as account
left join lateral (
  select run.closing_balance, run.period_to from public.reconciliations as run
  where run.provider::text = split_part(account.code, ':', 2) and run.currency = account.currency and run.closing_balance is not null
  order by run.period_from desc
  limit 1
) as statement on true
cross join lateral (
  select
    coalesce(sum(attempt.amount) filter (where attempt.kind = 'charge'), 0)::bigint as amount,
    coalesce(sum(attempt.amount) filter (where attempt.kind <> 'charge'), 0)::bigint as payout_amount
  from public.payment_attempts as attempt
  where attempt.status <> 'ended' and attempt.provider::text = split_part(account.code, ':', 2) and attempt.currency = account.currency
) as pending
where account.profile_id is null and account.code like 'settlement:%';

comment on view public.provider_float is
  'What each provider should hold for us by our books, what it said last, and what is under way: charges that may come in, payouts and refunds that may go out.';

create view public.open_payment_work
with (security_invoker = on)
as
select 'review' as work, review.kind::text as kind, count(*) as item_count, min(review.created_at) as oldest_at
from public.payment_reviews as review
where review.status = 'open'
group by review.kind
union all
select 'attempt', attempt.status::text, count(*), min(attempt.created_at)
from public.payment_attempts as attempt
where attempt.status <> 'ended' and not attempt.is_blocked and attempt.created_at < now() - interval '15 minutes'
group by attempt.status
union all
select 'payout_approval', 'waiting', count(*), min(approval.created_at)
from public.payout_approvals as approval
join public.payment_attempts as attempt on attempt.transaction_id = approval.transaction_id and attempt.is_blocked
where approval.status = 'waiting'
having count(*) > 0;

comment on view public.open_payment_work is
  'What waits for a person or hangs, how many and since when: reviews by kind, attempts that nobody has ended for a quarter of an hour by status, payouts to approve.';
grant select on public.provider_float, public.open_payment_work to service_role;

create function private.list_open_payment_work()
returns setof public.open_payment_work
language plpgsql
stable
security definer -- operators read under no policy
set search_path = ''
as $$
begin
  if private.is_wallet_user() then
    perform private.require_operator();
  end if;
  return query select * from public.open_payment_work;
end;
$$;

comment on function private.list_open_payment_work is 'The work of public.list_open_payment_work(). Refuses: operator_required.';

create function public.list_open_payment_work()
returns setof public.open_payment_work
language plpgsql
stable
set search_path = ''
set statement_timeout = '5s'
as $$
begin
  return query select * from private.list_open_payment_work();
end;
$$;

comment on function public.list_open_payment_work is 'The view open_payment_work, for operators and the service. Refuses: operator_required.';

create function private.list_provider_float()
returns setof public.provider_float
language plpgsql
stable
security definer -- operators read under no policy
set search_path = ''
as $$
begin
  if private.is_wallet_user() then
    perform private.require_operator();
  end if;
  return query select * from public.provider_float;
end;
$$;

comment on function private.list_provider_float is 'The work of public.list_provider_float(). Refuses: operator_required.';

create function public.list_provider_float()
returns setof public.provider_float
language plpgsql
stable
set search_path = ''
set statement_timeout = '5s'
as $$
begin
  return query select * from private.list_provider_float();
end;
$$;

comment on function public.list_provider_float is 'The view provider_float, for operators and the service. Refuses: operator_required.';
grant execute on function
  public.list_open_payment_work, private.list_open_payment_work, public.list_provider_float, private.list_provider_float
to authenticated, service_role;

commit;
