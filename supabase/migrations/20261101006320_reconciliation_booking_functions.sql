begin;

create function private.suspend_statement_line(
  item public.reconciliation_items,
  run public.reconciliations,
  kind public.payment_review_kind,
  amount bigint,
  transaction_id uuid default null
)
returns public.reconciliation_items
language plpgsql
set search_path = ''
as $$
declare
  v_item public.reconciliation_items := suspend_statement_line.item;
  v_run constant public.reconciliations := suspend_statement_line.run;
  v_name text := coalesce(v_item.provider_ids[1], 'line ' || v_item.id);
  v_request constant jsonb := jsonb_build_array(suspend_statement_line.amount, v_run.currency);
begin
  -- A webhook may have put the same money there, under the same name; other money of that name has one of its own.
  if exists (
    select from public.wallet_transaction_keys as key
    where key.id = private.wallet_key('payment_suspense', v_run.provider || ':' || v_name)
      and (key.fingerprint <> hashtextextended(v_request::text, 0)
        or exists (select from public.reconciliation_postings as known where known.wallet_transaction_id = key.transaction_id))
  ) then
    v_name := 'line ' || v_item.id;
  end if;
  v_item.wallet_transaction_id := private.suspend_payment(
    v_run.provider, v_name, suspend_statement_line.amount, v_run.currency, jsonb_build_object('reconciliation_id', v_run.id)
  );
  v_item.review_id := private.open_payment_review(
    kind => suspend_statement_line.kind,
    provider => v_run.provider,
    attempt_id => v_item.attempt_id,
    transaction_id => suspend_statement_line.transaction_id,
    provider_id => v_name,
    amount => suspend_statement_line.amount,
    currency => v_run.currency,
    wallet_transaction_id => v_item.wallet_transaction_id,
    details => jsonb_build_object('reconciliation_id', v_run.id, 'line', v_item.line_number)
  );
  perform private.explain_posting(v_item, v_run, v_item.wallet_transaction_id);
  return v_item;
end;
$$;

comment on function private.suspend_statement_line is 'Books what a statement has and we do not to suspense, once, and asks a person to look.';

create function private.settle_statement_line(item public.reconciliation_items, run public.reconciliations, transaction public.transactions)
returns void
language plpgsql
set search_path = ''
as $$
declare
  v_item constant public.reconciliation_items := settle_statement_line.item;
  v_transaction constant public.transactions := settle_statement_line.transaction;
  -- A refund's line names the charge as well, whose id is the charge's for good.
  v_provider_id constant text := (
    select said.word from unnest(v_item.provider_ids) with ordinality as said (word, place)
    where not exists (
      select from public.payment_attempts as other
      where other.provider = (settle_statement_line.run).provider and other.provider_id = said.word and other.id <> v_item.attempt_id
    )
    order by said.place
    limit 1
  );
begin
  if v_item.review_id is null then
    perform private.record_payment_signal(v_item.attempt_id, jsonb_build_object(
      'kind', (select attempt.kind from public.payment_attempts as attempt where attempt.id = v_item.attempt_id),
      'status', 'succeeded', 'provider_id', v_provider_id, 'amount', abs(v_item.amount), 'currency', v_item.currency,
      'occurred_at', v_item.occurred_at, 'evidence', 'operator'
    ), null, null);
  elsif v_transaction.amount = abs(v_item.amount) and v_transaction.currency = v_item.currency and exists (
    select from public.payment_reviews as review where review.id = v_item.review_id and review.status = 'open'
  ) then
    perform private.resolve_payment_review(v_item.review_id, 'match', v_transaction.id, 'found by a later reconciliation');
  end if;
end;
$$;

comment on function private.settle_statement_line is
  'Believes a statement that a transaction has succeeded of which we did not know: from suspense, if the money waits there, else as any provider''s word. Refuses: as the ledger does.';

create function private.match_statement_line(item public.reconciliation_items, run public.reconciliations)
returns public.reconciliation_items
language plpgsql
set search_path = ''
as $$
declare
  v_item public.reconciliation_items := match_statement_line.item;
  v_run constant public.reconciliations := match_statement_line.run;
  v_transaction public.transactions;
  v_attempt public.payment_attempts;
  v_posting_id uuid;
begin
  select * into strict v_attempt from public.payment_attempts as attempt where attempt.id = v_item.attempt_id;
  v_transaction := private.lock_transaction(v_attempt.transaction_id);
  v_item.transaction_id := v_transaction.id;
  if v_transaction.status <> 'succeeded' then
    perform private.settle_statement_line(v_item, v_run, v_transaction);
    select * into strict v_transaction from public.transactions as stored where stored.id = v_transaction.id;
  end if;
  for v_posting_id in
    select v_transaction.wallet_transaction_id where v_transaction.wallet_transaction_id is not null
    union all
    select review.wallet_transaction_id from public.payment_reviews as review
    where review.transaction_id = v_transaction.id and review.wallet_transaction_id is not null
      and (review.provider_id = any(v_item.provider_ids) or review.provider_id = v_attempt.id::text)
  loop
    perform private.explain_posting(v_item, v_run, v_posting_id);
  end loop;

  v_item.class := case when v_transaction.status = 'succeeded' and v_transaction.amount = abs(v_item.amount) and v_transaction.currency = v_item.currency
    then 'matched'::public.reconciliation_class else 'amount_mismatch' end;
  select coalesce(sum(known.amount), 0) into v_item.booked_amount from public.reconciliation_postings as known where known.item_id = v_item.id;
  if v_item.booked_amount <> v_item.amount then
    -- The settlement account says what the provider says; what that leaves open waits for a person.
    v_item := private.suspend_statement_line(v_item, v_run, 'amount_mismatch', v_item.amount - v_item.booked_amount, v_transaction.id);
    v_item.class := 'amount_mismatch';
  end if;
  return v_item;
end;
$$;

comment on function private.match_statement_line is
  'A line whose transaction was found: settles it if it is open, and books a difference of amounts to suspense.';

create function private.judge_statement_line(item public.reconciliation_items, run public.reconciliations)
returns public.reconciliation_items
language plpgsql
set search_path = ''
as $$
declare
  v_item public.reconciliation_items := judge_statement_line.item;
  v_run constant public.reconciliations := judge_statement_line.run;
begin
  if v_item.occurrence > 0 or exists (
    select from public.reconciliation_items as other join public.reconciliations as known on known.id = other.reconciliation_id
    where other.line_key = v_item.line_key and other.reconciliation_id <> v_run.id and known.provider = v_run.provider and known.currency = v_run.currency
  ) then
    v_item.class := 'duplicate';
    return v_item;
  end if;
  if v_item.amount = 0 then
    v_item.class := 'matched';
    v_item.matched_by := 'fee';
    return v_item;
  end if;

  select found.attempt_id, found.matched_by into v_item.attempt_id, v_item.matched_by from private.find_statement_attempt(v_item, v_run) as found;
  if v_item.attempt_id is null then
    v_item.class := 'missing_internal';
    if v_item.review_id is null then
      v_item := private.suspend_statement_line(v_item, v_run, 'unmatched', v_item.amount);
    end if;
  elsif exists (select from public.reconciliation_items as other where other.attempt_id = v_item.attempt_id and other.id <> v_item.id and other.class <> 'missing_external') then
    v_item.class := 'duplicate';
    select attempt.transaction_id into v_item.transaction_id from public.payment_attempts as attempt where attempt.id = v_item.attempt_id;
    if v_item.review_id is null then
      v_item := private.suspend_statement_line(v_item, v_run, 'ambiguous', v_item.amount, v_item.transaction_id);
    end if;
  else
    v_item := private.match_statement_line(v_item, v_run);
  end if;
  return v_item;
end;
$$;

comment on function private.judge_statement_line is 'Gives a line its class and sees to its money: every line that moved some stands on the settlement account afterwards.';

create function private.book_statement_fees(run public.reconciliations)
returns void
language plpgsql
set search_path = ''
as $$
declare
  v_run constant public.reconciliations := book_statement_fees.run;
  v_fee bigint;
  v_posting private.wallet_posting;
begin
  with charged as (
    update public.reconciliation_items as item set is_fee_booked = true
    where item.reconciliation_id = v_run.id and item.fee <> 0 and not item.is_fee_booked
      and (item.class <> 'duplicate' or item.review_id is not null)
    returning item.fee
  )
  select sum(charged.fee) into v_fee from charged;
  if coalesce(v_fee, 0) = 0 then
    return;
  end if;
  -- One posting for all of them: the accounts are busy.
  v_posting := private.post_wallet_transaction(
    kind => 'settlement',
    legs => array[
      (private.get_platform_account('settlement:' || v_run.provider, v_run.currency), v_fee, 0)::private.wallet_leg,
      (private.get_platform_account('provider_fees', v_run.currency), -v_fee, 0)::private.wallet_leg
    ],
    source => 'provider_fees',
    reference => v_run.id || ':' || v_run.run_count,
    effective_at => v_run.period_to,
    description => 'fees of a statement'
  );
  insert into public.reconciliation_postings (wallet_transaction_id, reconciliation_id, amount, currency)
  values (v_posting.transaction_id, v_run.id, -v_fee, v_run.currency);
end;
$$;

comment on function private.book_statement_fees is 'Books what the provider charged for lines that are new, in one posting a run.';

commit;
