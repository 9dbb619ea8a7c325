begin;

create function private.transaction_answer(transaction public.transactions)
returns jsonb
language plpgsql
stable
set search_path = ''
as $$
declare
  v_transaction constant public.transactions := transaction_answer.transaction;
begin
  return jsonb_build_object(
    'id', v_transaction.id,
    'type', v_transaction.type,
    'status', v_transaction.status,
    'method', v_transaction.method,
    'amount', v_transaction.amount,
    'currency', v_transaction.currency,
    'refunded_amount', v_transaction.refunded_amount,
    'reference', v_transaction.reference,
    'original_id', v_transaction.original_id,
    'from_account_id', v_transaction.from_account_id,
    'to_account_id', v_transaction.to_account_id,
    'phone', '***' || right(v_transaction.phone, 3),
    'description', v_transaction.description,
    'metadata', v_transaction.metadata,
    'failure_code', v_transaction.failure_code,
    'created_at', v_transaction.created_at,
    'updated_at', v_transaction.updated_at,
    'expires_at', v_transaction.expires_at,
    'next_action', case when v_transaction.status in ('pending', 'processing', 'unknown') then v_transaction.next_action end
  );
end;
$$;

comment on function private.transaction_answer is 'A transaction as those see it whose it is: the number masked, and nothing of how we work.';

create function private.record_transaction_event(
  transaction public.transactions,
  from_status public.transaction_status,
  reason text default null
)
returns void
language plpgsql
security definer -- no role may write events
set search_path = ''
as $$
declare
  v_transaction constant public.transactions := record_transaction_event.transaction;
  v_name constant text := case when record_transaction_event.from_status is null then 'created' else v_transaction.status::text end;
begin
  insert into public.transaction_events (transaction_id, from_status, to_status, evidence, failure_code, reason)
  values (
    v_transaction.id, record_transaction_event.from_status, v_transaction.status, v_transaction.evidence, v_transaction.failure_code,
    record_transaction_event.reason
  );
  -- Its own stream, whose only writers hold the transaction's row: nobody else is made to wait.
  perform private.record_events(array[row(
    'transaction', v_transaction.id::text, v_transaction.type || '.' || v_name,
    jsonb_build_object(
      'transaction_id', v_transaction.id, 'type', v_transaction.type, 'status', v_transaction.status, 'amount', v_transaction.amount,
      'currency', v_transaction.currency, 'method', v_transaction.method, 'reference', v_transaction.reference,
      'original_id', v_transaction.original_id, 'failure_code', v_transaction.failure_code, 'profile_id', v_transaction.profile_id,
      'refunded_amount', v_transaction.refunded_amount, 'from_account_id', v_transaction.from_account_id, 'to_account_id', v_transaction.to_account_id
    ),
    null, null, v_transaction.correlation_id, null, null
  )::private.new_event]);
end;
$$;

comment on function private.record_transaction_event is 'Writes a move down, and tells of it: ids and amounts, nothing of persons.';

create function private.move_transaction(
  transaction public.transactions,
  to_status public.transaction_status,
  evidence public.payment_evidence default null,
  failure_code text default null,
  wallet_transaction_id uuid default null,
  reason text default null
)
returns public.transactions
language plpgsql
security definer -- the only writer of statuses: no role may write the table itself
set search_path = ''
as $$
declare
  v_from constant public.transaction_status := (move_transaction.transaction).status;
  v_transaction public.transactions;
begin
  if not exists (
    select from public.transaction_moves as move
    where move.from_status = v_from and move.to_status = move_transaction.to_status
      and (move_transaction.evidence is not null or not move.evidence_needed)
  ) then
    perform private.refuse('transaction_state_conflict', jsonb_build_object('from', v_from, 'to', move_transaction.to_status));
  end if;
  update public.transactions as stored set
    status = move_transaction.to_status,
    evidence = move_transaction.evidence,
    failure_code = move_transaction.failure_code,
    wallet_transaction_id = move_transaction.wallet_transaction_id,
    updated_at = now()
  where stored.id = (move_transaction.transaction).id and stored.status = v_from
  returning stored.* into strict v_transaction;
  perform private.record_transaction_event(v_transaction, v_from, move_transaction.reason);
  return v_transaction;
end;
$$;

comment on function private.move_transaction is
  'The one place where a transaction changes its status, by the rows of transaction_moves. Its caller holds the lock of its row. Refuses: transaction_state_conflict.';

create function private.lock_transaction(transaction_id uuid)
returns public.transactions
language plpgsql
security definer -- no role may lock the rows
set search_path = ''
as $$
declare
  v_transaction public.transactions;
begin
  select * into v_transaction from public.transactions as stored where stored.id = lock_transaction.transaction_id for no key update;
  if not found then
    perform private.refuse('transaction_not_found');
  end if;
  return v_transaction;
end;
$$;

comment on function private.lock_transaction is 'A transaction, locked to the end: whoever changes it or its attempt begins here. Refuses: transaction_not_found.';

create function private.has_freed_funds(transaction public.transactions)
returns boolean
language plpgsql
stable
set search_path = ''
as $$
begin
  return exists (
    select from public.wallet_holds as hold where hold.id = (has_freed_funds.transaction).hold_id and hold.status = 'released'
  );
end;
$$;

comment on function private.has_freed_funds is
  'Whether a payout or refund was given up before: then neither is its money set aside, nor its part of the original taken.';

create function private.end_transaction(
  transaction public.transactions,
  to_status public.transaction_status,
  evidence public.payment_evidence default null,
  failure_code text default null,
  reason text default null
)
returns public.transactions
language plpgsql
security definer -- no role may write the tables itself
set search_path = ''
as $$
declare
  v_transaction public.transactions :=
    private.move_transaction(end_transaction.transaction, end_transaction.to_status, end_transaction.evidence, end_transaction.failure_code, null, end_transaction.reason);
begin
  if v_transaction.hold_id is null or private.has_freed_funds(v_transaction) then
    return v_transaction;
  end if;
  if v_transaction.type = 'refund' then
    update public.transactions as original set
      refunded_amount = original.refunded_amount - v_transaction.amount,
      updated_at = now()
    where original.id = v_transaction.original_id;
  end if;
  perform private.release_wallet_hold(v_transaction.hold_id);
  return v_transaction;
end;
$$;

comment on function private.end_transaction is
  'Ends a transaction without success: what was set aside is free again, and what was to be given back may be asked for again. Refuses: transaction_state_conflict.';

commit;
