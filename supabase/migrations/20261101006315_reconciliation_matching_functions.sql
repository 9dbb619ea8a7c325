begin;

create function private.find_statement_attempt(item public.reconciliation_items, run public.reconciliations, out attempt_id uuid, out matched_by text)
language plpgsql
stable
set search_path = ''
as $$
declare
  v_item constant public.reconciliation_items := find_statement_attempt.item;
  v_run constant public.reconciliations := find_statement_attempt.run;
  v_kinds constant public.payment_attempt_kind[] := case when v_item.amount > 0 then '{charge}' else '{refund,payout}' end;
  v_window interval;
  v_found uuid[];
begin
  select attempt.id, 'provider_id' into attempt_id, matched_by from public.payment_attempts as attempt
  where attempt.provider = v_run.provider and attempt.kind = any(v_kinds) and attempt.provider_id = any(v_item.provider_ids)
  limit 1;
  if found then
    return;
  end if;

  select attempt.id, 'review' into attempt_id, matched_by from public.payment_reviews as review
  join public.payment_attempts as attempt on attempt.transaction_id = review.transaction_id
  where review.id = v_item.review_id and review.resolution = 'match';
  if found then
    return;
  end if;

  select attempt.id, 'reference' into attempt_id, matched_by
  from unnest(v_item.reference_words || v_item.provider_ids) as said (word)
  left join public.transaction_references as known on known.reference = upper(said.word)
  join public.payment_attempts as attempt
    on attempt.id = case when pg_input_is_valid(said.word, 'uuid') then said.word::uuid end
    or attempt.transaction_id = coalesce(known.transaction_id, case when pg_input_is_valid(said.word, 'uuid') then said.word::uuid end)
  where attempt.provider = v_run.provider and attempt.kind = any(v_kinds)
  limit 1;
  if found or v_item.phone_suffix is null then
    return;
  end if;

  select make_interval(secs => known.match_seconds) into strict v_window from public.statement_formats as known where known.format = v_run.format;
  v_found := array(
    select attempt.id from public.payment_attempts as attempt
    where attempt.provider = v_run.provider and attempt.amount = abs(v_item.amount) and attempt.currency = v_run.currency
      and attempt.created_at between v_item.occurred_at - v_window and v_item.occurred_at + interval '5 minutes' -- clocks differ
      and right(attempt.phone, 3) = v_item.phone_suffix and attempt.kind = any(v_kinds)
      and (attempt.provider_id is null or v_item.provider_ids = '{}')
      and not exists (select from public.reconciliation_items as other where other.attempt_id = attempt.id and other.id <> v_item.id and other.class <> 'missing_external')
    limit 2
  );
  if cardinality(v_found) = 1 then
    attempt_id := v_found[1];
    matched_by := 'amount';
  end if;
end;
$$;

comment on function private.find_statement_attempt is
  'Whose a line is: by the provider''s id, else as a person has decided, else by our reference or id, else by amount, time and the last digits of the number, if there is exactly one that it could be.';

create function private.explain_posting(item public.reconciliation_items, run public.reconciliations, wallet_transaction_id uuid)
returns void
language plpgsql
set search_path = ''
as $$
declare
  v_review_id uuid;
begin
  insert into public.reconciliation_postings (wallet_transaction_id, reconciliation_id, item_id, amount, currency)
  select entry.transaction_id, (explain_posting.run).id, (explain_posting.item).id, -sum(entry.amount), (explain_posting.run).currency
  from public.wallet_entries as entry
  where entry.transaction_id = explain_posting.wallet_transaction_id
    and entry.account_id = private.get_platform_account('settlement:' || (explain_posting.run).provider, (explain_posting.run).currency)
  group by entry.transaction_id
  on conflict on constraint reconciliation_postings_pkey do nothing;
  -- It was missing, in this statement or in the one before it.
  delete from public.reconciliation_items as other
  where other.class = 'missing_external' and other.wallet_transaction_id = explain_posting.wallet_transaction_id
  returning other.review_id into v_review_id;
  perform private.close_payment_review(review.id, 'dismiss', 'a statement has it after all')
  from public.payment_reviews as review where review.id = v_review_id and review.status = 'open';
end;
$$;

comment on function private.explain_posting is 'Ties what a posting did to the settlement account to a line of a statement; what was missing is no longer.';

commit;
