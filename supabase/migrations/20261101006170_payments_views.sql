begin;

create view public.transaction_summary
with (security_invoker = on)
as
select
  date_trunc('day', stored.created_at, 'Africa/Kigali') as day,
  stored.type,
  stored.method,
  stored.currency,
  stored.status,
  count(*) as transaction_count,
  sum(stored.amount)::bigint as amount,
  sum(stored.refunded_amount)::bigint as refunded_amount
from public.transactions as stored
where stored.id >= private.uuid_v7_floor(now() - interval '31 days')
group by 1, 2, 3, 4, 5;

comment on view public.transaction_summary is 'What became of the last 31 days'' transactions, by day of Kigali, type, method and status.';
grant select on public.transaction_summary to service_role;

create view public.user_recent_transactions
with (security_invoker = on)
as
select
  stored.id,
  stored.type,
  stored.status,
  stored.method,
  stored.amount,
  stored.currency,
  stored.refunded_amount,
  stored.reference,
  stored.original_id,
  stored.description,
  stored.failure_code,
  stored.created_at,
  stored.updated_at
from public.transactions as stored
where stored.id >= private.uuid_v7_floor(now() - interval '31 days');

comment on view public.user_recent_transactions is 'The transactions of the last 31 days: one''s own, as the policies of the table have it.';
grant select on public.user_recent_transactions to authenticated, service_role;

create view public.payment_attempt_stats
with (security_invoker = on)
as
select
  attempt.provider,
  attempt.kind,
  attempt.status,
  count(*) as attempt_count,
  count(*) filter (where attempt.is_blocked) as blocked_count,
  count(*) filter (where attempt.next_check_at <= now() and not attempt.is_blocked) as due_count,
  min(attempt.next_check_at) filter (where not attempt.is_blocked) as oldest_due_at,
  min(attempt.created_at) as oldest_created_at
from public.payment_attempts as attempt
where attempt.status <> 'ended'
group by 1, 2, 3;

comment on view public.payment_attempt_stats is 'The attempts of which the end is not known, by provider and status, and since when the longest is due.';

create view public.payment_review_stats
with (security_invoker = on)
as
select
  review.kind,
  review.provider,
  review.currency,
  count(*) as review_count,
  sum(review.amount) filter (where review.wallet_transaction_id is not null)::bigint as suspended_amount,
  min(review.created_at) as oldest_created_at
from public.payment_reviews as review
where review.status = 'open'
group by 1, 2, 3;

comment on view public.payment_review_stats is 'The open reviews, by kind, and how much of the suspense account they explain.';
grant select on public.payment_attempt_stats, public.payment_review_stats to service_role;

create function private.erase_payment_data(profile_id uuid)
returns integer
language plpgsql
security definer -- no role may write transactions
set search_path = ''
as $$
declare
  v_count integer;
begin
  perform private.require_wallet_manager();
  delete from public.payment_methods as method where method.profile_id = erase_payment_data.profile_id;
  perform private.erase_payment_payloads(erase_payment_data.profile_id);
  with erased as (
    update public.transactions as stored set phone = null, description = null, metadata = '{}', next_action = null
    where stored.profile_id = erase_payment_data.profile_id and stored.status not in ('pending', 'processing', 'unknown')
    returning stored.id
  ),
  attempts as (
    update public.payment_attempts as attempt set phone = null, answer = null, last_signal = attempt.last_signal - '{payer_suffix}'::text[]
    from erased
    where attempt.transaction_id = erased.id
  )
  select count(*) into v_count from erased;
  perform private.log_audit_event(
    actor.actor_type, actor.actor_identifier, 'erase_payment_data', 'profiles', erase_payment_data.profile_id::text,
    jsonb_build_object('transactions', v_count)
  )
  from private.current_actor() as actor;
  return v_count;
end;
$$;

comment on function private.erase_payment_data is 'The work of public.erase_payment_data(). Refuses: operator_required.';

create function public.erase_payment_data(profile_id uuid)
returns integer
language plpgsql
set search_path = ''
set statement_timeout = '60s'
as $$
begin
  return private.erase_payment_data(erase_payment_data.profile_id);
end;
$$;

comment on function public.erase_payment_data is
  'For registered operators and the service: forgets the numbers, words and saved methods of a person, and what providers told of them; amounts, parties and dates stay, as the books must. '
  'Gives how many transactions it cleared. What is still open keeps its number until it has ended: call it again. Refuses: operator_required.';
grant execute on function public.erase_payment_data, private.erase_payment_data to authenticated, service_role;

commit;
