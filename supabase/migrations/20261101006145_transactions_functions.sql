begin;

create function private.get_transaction(transaction_id uuid)
returns jsonb
language plpgsql
stable
security definer -- operators see all of them, under no policy
set search_path = ''
as $$
declare
  v_transaction public.transactions;
begin
  select * into v_transaction from public.transactions as stored where stored.id = get_transaction.transaction_id;
  if not found or private.is_wallet_user() and not private.is_operator() and not exists (
    select from public.profiles as profile where profile.id = v_transaction.profile_id and profile.user_id = (select auth.uid())
  ) then
    perform private.refuse('transaction_not_found');
  end if;
  return private.transaction_answer(v_transaction);
end;
$$;

comment on function private.get_transaction is 'The work of public.get_transaction().';

create function public.get_transaction(transaction_id uuid)
returns jsonb
language plpgsql
stable
set search_path = ''
set statement_timeout = '2s'
as $$
begin
  return private.get_transaction(get_transaction.transaction_id);
end;
$$;

comment on function public.get_transaction is
  'A transaction: one''s own, or for operators and the service any. Those of others do not exist. Refuses: transaction_not_found.';
grant execute on function public.get_transaction, private.get_transaction to authenticated, service_role;

create function private.list_transactions(
  before_id uuid,
  max_count integer,
  profile_id uuid,
  type public.transaction_type,
  status public.transaction_status,
  method text
)
returns setof jsonb
language plpgsql
stable
security definer -- operators see all of them, under no policy
set search_path = ''
as $$
declare
  v_profile_id uuid := list_transactions.profile_id;
  v_before uuid := coalesce(list_transactions.before_id, private.uuid_v7_floor(now() + interval '1 minute'));
  v_oldest constant uuid := private.uuid_v7_floor(now() - interval '25 months');
  v_floor uuid;
  v_left integer := list_transactions.max_count;
  v_found integer;
begin
  if private.is_wallet_user() and not private.is_operator() then
    v_profile_id := private.my_profile_id();
  end if;
  -- Two months at a time, so that the newest page opens few partitions whatever the age of the system.
  while v_left > 0 and v_before > v_oldest loop
    v_floor := greatest(v_oldest, private.uuid_v7_floor(date_trunc('month', private.uuid_v7_time(v_before) - interval '1 month', 'UTC')));
    return query
    select private.transaction_answer(stored)
    from public.transactions as stored
    where stored.id >= v_floor and stored.id < v_before
      and (v_profile_id is null or stored.profile_id = v_profile_id)
      and (list_transactions.type is null or stored.type = list_transactions.type)
      and (list_transactions.status is null or stored.status = list_transactions.status)
      and (list_transactions.method is null or stored.method = list_transactions.method)
    order by stored.id desc
    limit v_left;
    get diagnostics v_found = row_count;
    v_left := v_left - v_found;
    v_before := v_floor;
  end loop;
end;
$$;

comment on function private.list_transactions is 'The work of public.list_transactions(). Refuses: profile_not_found.';

create function public.list_transactions(
  before_id uuid default null,
  max_count integer default 20,
  profile_id uuid default null,
  type public.transaction_type default null,
  status public.transaction_status default null,
  method text default null
)
returns setof jsonb
language plpgsql
stable
set search_path = ''
set statement_timeout = '5s'
as $$
begin
  if (list_transactions.max_count between 1 and 100) is not true then
    perform private.refuse('invalid_argument', '{"argument": "max_count", "range": "1..100"}');
  end if;
  return query select private.list_transactions(
    list_transactions.before_id, list_transactions.max_count, list_transactions.profile_id, list_transactions.type, list_transactions.status,
    list_transactions.method
  );
end;
$$;

comment on function public.list_transactions is
  'One''s own transactions of the last 25 months, or for operators and the service anybody''s, the newest first; the next page is the one before the last id. '
  'profile_id is for those who see all. Refuses: invalid_argument, profile_not_found.';
grant execute on function public.list_transactions, private.list_transactions to authenticated, service_role;

create function private.close_payment_attempt(transaction_id uuid)
returns void
language plpgsql
set search_path = ''
as $$
begin
  -- Whoever had begun may have asked: then it is only asked about from now on, as the payer may still approve.
  update public.payment_attempts as attempt set
    status = case when attempt.status = 'created' and attempt.started_at is null then 'ended'::public.payment_attempt_status
      when attempt.status = 'created' then 'unknown' else attempt.status end,
    next_check_at = case when attempt.status = 'created' and attempt.started_at is null then null else attempt.next_check_at end
  where attempt.transaction_id = close_payment_attempt.transaction_id;
end;
$$;

comment on function private.close_payment_attempt is 'Sees to it that nobody asks a provider any more for what was given up.';

create function private.cancel_transaction(transaction_id uuid)
returns jsonb
language plpgsql
security definer -- no role may write transactions
set search_path = ''
as $$
declare
  v_transaction public.transactions;
begin
  perform private.get_transaction(cancel_transaction.transaction_id);
  v_transaction := private.lock_transaction(cancel_transaction.transaction_id);
  if v_transaction.status = 'cancelled' then
    return private.transaction_answer(v_transaction);
  end if;
  if v_transaction.status <> 'pending' or v_transaction.type = 'refund' or v_transaction.type = 'payout' and exists (
    select from public.payment_attempts as attempt where attempt.transaction_id = v_transaction.id and attempt.started_at is not null
  ) then
    perform private.refuse('transaction_state_conflict', jsonb_build_object('status', v_transaction.status));
  end if;
  v_transaction := private.end_transaction(v_transaction, 'cancelled', null, 'cancelled_by_payer');
  perform private.close_payment_attempt(v_transaction.id);
  return private.transaction_answer(v_transaction);
end;
$$;

comment on function private.cancel_transaction is 'The work of public.cancel_transaction(). Refuses: transaction_state_conflict.';

create function public.cancel_transaction(transaction_id uuid)
returns jsonb
language plpgsql
set search_path = ''
set statement_timeout = '5s'
as $$
begin
  return private.cancel_transaction(cancel_transaction.transaction_id);
end;
$$;

comment on function public.cancel_transaction is
  'Gives up a payment that is still pending, or a payout that nobody has asked a provider for; what was set aside is free again. Twice is the same as once. '
  'Should the payer''s money come all the same, it is taken. Refuses: transaction_not_found, transaction_state_conflict.';
grant execute on function public.cancel_transaction, private.cancel_transaction to authenticated, service_role;

create function private.update_transaction_status(transaction_id uuid, new_status public.transaction_status, reason text)
returns jsonb
language plpgsql
security definer -- no role may write transactions
set search_path = ''
as $$
declare
  v_transaction public.transactions;
begin
  perform private.require_wallet_manager();
  v_transaction := private.lock_transaction(update_transaction_status.transaction_id);
  -- Money on its way out is the provider's to judge, until it cannot tell any more.
  if v_transaction.type in ('payout', 'refund') and v_transaction.status <> 'unknown' and exists (
    select from public.payment_attempts as attempt where attempt.transaction_id = v_transaction.id and attempt.started_at is not null
  ) then
    perform private.refuse('transaction_state_conflict', jsonb_build_object('status', v_transaction.status));
  end if;
  v_transaction := private.end_transaction(v_transaction, update_transaction_status.new_status, null, 'operator', update_transaction_status.reason);
  perform private.close_payment_attempt(v_transaction.id);
  perform private.log_audit_event(
    actor.actor_type, actor.actor_identifier, 'update_transaction_status', 'transactions', v_transaction.id::text,
    jsonb_build_object('status', v_transaction.status, 'reason', update_transaction_status.reason)
  )
  from private.current_actor() as actor;
  return private.transaction_answer(v_transaction);
end;
$$;

comment on function private.update_transaction_status is
  'The work of public.update_transaction_status(). Refuses: operator_required, transaction_state_conflict.';

create function public.update_transaction_status(transaction_id uuid, new_status public.transaction_status, reason text)
returns jsonb
language plpgsql
set search_path = ''
set statement_timeout = '5s'
as $$
begin
  if (length(update_transaction_status.reason) between 1 and 500 and update_transaction_status.new_status in ('failed', 'cancelled', 'expired')) is not true then
    perform private.refuse('invalid_argument');
  end if;
  return private.update_transaction_status(
    update_transaction_status.transaction_id, update_transaction_status.new_status, update_transaction_status.reason
  );
end;
$$;

comment on function public.update_transaction_status is
  'For registered operators and the service: ends a transaction that is open (failed, cancelled or expired) and audits why. Success only ever comes from evidence: see resolve_payment_review(). '
  'Refuses: operator_required, transaction_not_found, transaction_state_conflict, invalid_argument (a reason of 1 to 500 characters is needed).';
grant execute on function public.update_transaction_status, private.update_transaction_status to authenticated, service_role;

commit;
