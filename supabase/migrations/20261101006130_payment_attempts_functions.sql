begin;

create function private.payment_attempt_view(attempt public.payment_attempts)
returns jsonb
language plpgsql
stable
set search_path = ''
as $$
declare
  v_attempt constant public.payment_attempts := payment_attempt_view.attempt;
  v_transaction public.transactions;
  v_original public.payment_attempts;
begin
  select * into strict v_transaction from public.transactions as stored where stored.id = v_attempt.transaction_id;
  select * into v_original from public.payment_attempts as original where original.transaction_id = v_transaction.original_id;
  return jsonb_build_object(
    'id', v_attempt.id,
    'transaction_id', v_attempt.transaction_id,
    'kind', v_attempt.kind,
    'provider', v_attempt.provider,
    'status', v_attempt.status,
    'amount', v_attempt.amount,
    'currency', v_attempt.currency,
    'phone', v_attempt.phone,
    'reference', v_transaction.reference,
    'provider_id', v_attempt.provider_id,
    'original_attempt_id', v_original.id,
    'original_provider_id', v_original.provider_id,
    'description', v_transaction.description,
    'check_count', v_attempt.check_count,
    'asked_at', v_attempt.asked_at,
    'created_at', v_attempt.created_at,
    'is_open', v_transaction.status in ('pending', 'processing', 'unknown'),
    'correlation_id', v_attempt.correlation_id
  );
end;
$$;

comment on function private.payment_attempt_view is
  'All that a provider''s client needs of an attempt. is_open: whether it is still wanted; else it may be asked about, but not asked for.';

create function private.next_payment_check(age interval, check_count integer)
returns interval
language plpgsql
immutable
set search_path = ''
as $$
begin
  return case
    when next_payment_check.age < interval '10 minutes' then
      make_interval(secs => (array[5, 10, 20, 30, 60])[least(next_payment_check.check_count + 1, 5)])
    when next_payment_check.age < interval '1 hour' then interval '5 minutes'
    when next_payment_check.age < interval '24 hours' then interval '15 minutes'
    when next_payment_check.age < interval '72 hours' then interval '1 hour'
  end;
end;
$$;

comment on function private.next_payment_check is
  'How long to wait before a provider is asked again about an attempt of that age: soon at first, hourly to the third day, then no more (null).';

create function private.start_payment_attempt(transaction_id uuid)
returns jsonb
language plpgsql
security definer -- no role may write attempts
set search_path = ''
as $$
declare
  v_transaction constant public.transactions := private.lock_transaction(start_payment_attempt.transaction_id);
  v_attempt public.payment_attempts;
begin
  select * into v_attempt from public.payment_attempts as attempt where attempt.transaction_id = v_transaction.id for no key update;
  if not found or v_attempt.is_blocked or v_attempt.kind = 'charge' and not (
    select channel.needs_request from public.payment_channels as channel where channel.method = v_transaction.method
  ) then
    return '{"answer": null}';
  end if;
  if v_attempt.status <> 'created' or v_transaction.status <> 'pending' then
    update public.payment_attempts as attempt set answer = coalesce(attempt.answer, private.transaction_answer(v_transaction))
    where attempt.id = v_attempt.id
    returning attempt.* into v_attempt;
    return jsonb_build_object('answer', v_attempt.answer);
  end if;
  if v_attempt.leased_until > now() then
    perform private.refuse('idempotency_key_in_use', '{"retry_after": 1}');
  end if;
  update public.payment_attempts as attempt set
    started_at = coalesce(attempt.started_at, now()),
    lease_token = attempt.lease_token + 1,
    leased_until = now() + interval '60 seconds',
    next_check_at = now() + interval '60 seconds'
  where attempt.id = v_attempt.id
  returning attempt.* into v_attempt;
  return jsonb_build_object('attempt', private.payment_attempt_view(v_attempt), 'lease_token', v_attempt.lease_token);
end;
$$;

comment on function private.start_payment_attempt is 'The work of public.start_payment_attempt().';

create function public.start_payment_attempt(transaction_id uuid)
returns jsonb
language plpgsql
set search_path = ''
set statement_timeout = '5s'
as $$
begin
  return private.start_payment_attempt(start_payment_attempt.transaction_id);
end;
$$;

comment on function public.start_payment_attempt is
  'Leases a transaction''s attempt for a minute to whoever is about to ask the provider: {"attempt", "lease_token"}. If it was asked, {"answer"}: what the first who did was answered, '
  'always the same. {"answer": null}, if nothing is to be asked, or not before an approval. Whoever dies in between is followed by the worker or the next to start, with the same attempt, which the provider takes as the same. '
  'Refuses: transaction_not_found, idempotency_key_in_use (somebody is at it).';
grant execute on function public.start_payment_attempt, private.start_payment_attempt to service_role;

create function private.claim_payment_attempts(max_count integer, lease_seconds integer)
returns table (id uuid, lease_token bigint, action text, attempt jsonb, correlation_id text)
language plpgsql
security definer -- no role may write attempts
set search_path = ''
as $$
begin
  return query
  with due as materialized (
    select waiting.id from public.payment_attempts as waiting
    where waiting.next_check_at <= now() and not waiting.is_blocked and (waiting.leased_until is null or waiting.leased_until <= now())
    order by waiting.next_check_at
    limit claim_payment_attempts.max_count
    for no key update skip locked
  ),
  claimed as (
    update public.payment_attempts as stored set
      started_at = coalesce(stored.started_at, now()),
      lease_token = stored.lease_token + 1,
      leased_until = now() + make_interval(secs => claim_payment_attempts.lease_seconds),
      checked_at = now(),
      check_count = stored.check_count + 1,
      next_check_at = now() + private.next_payment_check(now() - stored.created_at, stored.check_count)
    from due
    where stored.id = due.id
    returning stored as claimed_attempt
  )
  select
    (claimed.claimed_attempt).id, (claimed.claimed_attempt).lease_token,
    case (claimed.claimed_attempt).status when 'created' then 'ask' else 'check' end,
    private.payment_attempt_view(claimed.claimed_attempt), (claimed.claimed_attempt).correlation_id
  from claimed;
end;
$$;

comment on function private.claim_payment_attempts is 'The work of public.claim_payment_attempts().';

create function public.claim_payment_attempts(max_count integer default 20, lease_seconds integer default 60)
returns table (id uuid, lease_token bigint, action text, attempt jsonb, correlation_id text)
language plpgsql
set search_path = ''
set statement_timeout = '10s'
as $$
begin
  if (claim_payment_attempts.max_count between 1 and 500 and claim_payment_attempts.lease_seconds between 1 and 600) is not true then
    perform private.refuse('invalid_argument');
  end if;
  return query select * from private.claim_payment_attempts(claim_payment_attempts.max_count, claim_payment_attempts.lease_seconds);
end;
$$;

comment on function public.claim_payment_attempts is
  'Leases the attempts that are due, the longest due first. action: ask (charge, refund or pay out; once more is harmless, the id is the same) '
  'or check (what became of it). What the provider says goes to record_payment_signal(). Refuses: invalid_argument (1..500 attempts, 1..600 seconds).';
grant execute on function public.claim_payment_attempts, private.claim_payment_attempts to service_role;

create function private.release_payment_attempts(attempt_ids uuid[], lease_tokens bigint[])
returns setof uuid
language plpgsql
security definer -- no role may write attempts
set search_path = ''
as $$
begin
  return query
  update public.payment_attempts as stored set
    leased_until = null,
    next_check_at = now() + private.next_payment_check(now() - stored.created_at, stored.check_count)
  from unnest(release_payment_attempts.attempt_ids, release_payment_attempts.lease_tokens) as leased (id, token)
  where stored.id = leased.id and stored.lease_token = leased.token and stored.leased_until is not null
  returning stored.id;
end;
$$;

comment on function private.release_payment_attempts is 'The work of public.release_payment_attempts().';

create function public.release_payment_attempts(attempt_ids uuid[], lease_tokens bigint[])
returns setof uuid
language plpgsql
set search_path = ''
set statement_timeout = '5s'
as $$
begin
  if cardinality(release_payment_attempts.attempt_ids) is distinct from cardinality(release_payment_attempts.lease_tokens) then
    perform private.refuse('invalid_argument');
  end if;
  return query select private.release_payment_attempts(release_payment_attempts.attempt_ids, release_payment_attempts.lease_tokens);
end;
$$;

comment on function public.release_payment_attempts is
  'Gives attempts back about which the provider could not be asked; gives the ids of those whose lease was still held. They are due again after a while. Refuses: invalid_argument.';
grant execute on function public.release_payment_attempts, private.release_payment_attempts to service_role;

commit;
