begin;

create function private.open_reconciliation(run public.reconciliations)
returns public.reconciliations
language plpgsql
set search_path = ''
as $$
declare
  v_run public.reconciliations := open_reconciliation.run;
begin
  perform pg_advisory_xact_lock(hashtextextended('reconciliation ' || v_run.provider || ' ' || v_run.currency, 0));
  if exists (
    select from public.reconciliations as other
    where other.provider = v_run.provider and other.currency = v_run.currency
      and other.period_from < v_run.period_to and other.period_to > v_run.period_from
      and (other.period_from, other.period_to) <> (v_run.period_from, v_run.period_to)
  ) then
    perform private.refuse('reconciliation_overlaps');
  end if;
  insert into public.reconciliations as stored (provider, currency, period_from, period_to, format, opening_balance, closing_balance, run_count)
  values (v_run.provider, v_run.currency, v_run.period_from, v_run.period_to, v_run.format, v_run.opening_balance, v_run.closing_balance, 1)
  on conflict on constraint reconciliations_provider_currency_period_from_key do update set
    opening_balance = coalesce(excluded.opening_balance, stored.opening_balance),
    closing_balance = coalesce(excluded.closing_balance, stored.closing_balance),
    run_count = stored.run_count + 1,
    updated_at = now()
  returning stored.* into v_run;
  return v_run;
end;
$$;

comment on function private.open_reconciliation is
  'The reconciliation of a period, one at a time for each provider and currency. Refuses: reconciliation_overlaps.';

create function private.read_statement(run public.reconciliations, csv text, lines jsonb)
returns void
language plpgsql
set search_path = ''
as $$
declare
  v_run constant public.reconciliations := read_statement.run;
  v_format public.statement_formats;
  v_sha256 constant bytea := sha256(convert_to(coalesce(read_statement.csv, read_statement.lines::text), 'UTF8'));
  v_read integer;
  v_new record;
begin
  if exists (select from public.reconciliation_files as file where file.reconciliation_id = v_run.id and file.sha256 = v_sha256) then
    return;
  end if;
  select * into strict v_format from public.statement_formats as known where known.format = v_run.format;
  with source as materialized (
    select source.line_number, source.fields from private.csv_objects(read_statement.csv, v_format) as source where read_statement.csv is not null
    union all
    select place::integer, line from jsonb_array_elements(read_statement.lines) with ordinality as given (line, place) where read_statement.csv is null
  ),
  line as materialized (
    select parsed.* from source
    cross join lateral private.statement_line(source.line_number, source.fields, v_format, v_run.currency) as parsed
  ),
  numbered as (
    select line.*, row_number() over (partition by line.line_key order by line.line_number) - 1 as occurrence
    from line
    where line.occurred_at >= v_run.period_from and line.occurred_at < v_run.period_to
  ),
  added as (
    insert into public.reconciliation_items as item (
      reconciliation_id, line_number, line_key, occurrence, provider_ids, reference_words, phone_suffix, occurred_at, amount, fee, currency
    )
    select
      v_run.id, numbered.line_number, numbered.line_key, numbered.occurrence, numbered.provider_ids, numbered.reference_words,
      numbered.phone_suffix, numbered.occurred_at, numbered.amount, numbered.fee, v_run.currency
    from numbered
    order by numbered.line_number
    on conflict on constraint reconciliation_items_reconciliation_id_line_key_occurrence_key do nothing
    returning item.amount, item.fee
  )
  select count(*) as count, coalesce(sum(added.amount), 0) as amount, coalesce(sum(added.fee), 0) as fee, (select count(*) from source) as read
  into v_new
  from added;
  insert into public.reconciliation_files (reconciliation_id, sha256, line_count, passed_over_count, amount, fee, currency)
  values (v_run.id, v_sha256, v_new.count, v_new.read - v_new.count, v_new.amount, v_new.fee, v_run.currency);
end;
$$;

comment on function private.read_statement is
  'Keeps the lines of a file that are of the period and new; the same file again adds nothing. Refuses: statement_unreadable.';

create function private.judge_statement(run public.reconciliations)
returns void
language plpgsql
set search_path = ''
as $$
declare
  v_item public.reconciliation_items;
begin
  for v_item in
    select item.* from public.reconciliation_items as item
    where item.reconciliation_id = (judge_statement.run).id and (item.class is null or item.class = 'missing_internal')
    order by item.line_number, item.id
  loop
    v_item := private.judge_statement_line(v_item, judge_statement.run);
    update public.reconciliation_items as item set
      class = v_item.class, matched_by = v_item.matched_by, attempt_id = v_item.attempt_id, transaction_id = v_item.transaction_id,
      review_id = v_item.review_id, wallet_transaction_id = v_item.wallet_transaction_id, updated_at = now(),
      booked_amount = (select coalesce(sum(known.amount), 0) from public.reconciliation_postings as known where known.item_id = item.id)
    where item.id = v_item.id;
  end loop;
end;
$$;

comment on function private.judge_statement is 'Judges the lines that are new, and once more those that were not ours. Refuses: as the ledger does.';

create function private.settlement_entries(run public.reconciliations)
returns table (wallet_transaction_id uuid, amount bigint)
language plpgsql
stable
set search_path = ''
as $$
declare
  v_account_id uuid;
  v_from constant uuid := private.uuid_v7_floor((settlement_entries.run).period_from);
  v_to constant uuid := private.uuid_v7_floor((settlement_entries.run).period_to);
begin
  select account.id into v_account_id from public.wallet_accounts as account
  where account.profile_id is null and account.code = 'settlement:' || (settlement_entries.run).provider and account.currency = (settlement_entries.run).currency;
  return query
  select entry.transaction_id, -sum(entry.amount)::bigint
  from public.wallet_balances as head
  cross join lateral (
    select mine.transaction_id, mine.amount from public.wallet_entries as mine
    where mine.account_id = head.account_id and mine.shard = head.shard and mine.transaction_id >= v_from and mine.transaction_id < v_to
  ) as entry
  where head.account_id = v_account_id
  group by entry.transaction_id;
end;
$$;

comment on function private.settlement_entries is 'What was booked on the provider''s settlement account within the period: what each transaction added.';

create function private.find_missing_external(run public.reconciliations)
returns void
language plpgsql
set search_path = ''
as $$
declare
  v_run constant public.reconciliations := find_missing_external.run;
begin
  insert into public.reconciliation_items (
    reconciliation_id, class, amount, booked_amount, currency, wallet_transaction_id, transaction_id, attempt_id, occurred_at, review_id
  )
  select
    v_run.id, 'missing_external', entry.amount, entry.amount, v_run.currency, entry.wallet_transaction_id, attempt.transaction_id, attempt.id,
    private.uuid_v7_time(entry.wallet_transaction_id),
    private.open_payment_review(
      kind => 'missing_external', provider => v_run.provider, attempt_id => attempt.id, transaction_id => attempt.transaction_id,
      provider_id => posted.source || ':' || posted.reference, amount => entry.amount, currency => v_run.currency,
      details => jsonb_build_object('reconciliation_id', v_run.id, 'wallet_transaction_id', entry.wallet_transaction_id)
    )
  from private.settlement_entries(v_run) as entry
  join lateral (
    -- One look-up for each, which opens one leaf: a join would read all months.
    select known.source, known.reference from public.wallet_transactions as known where known.id = entry.wallet_transaction_id limit 1
  ) as posted on true
  left join public.payment_attempts as attempt
    on posted.source = 'payment' and attempt.transaction_id = case when posted.source = 'payment' then posted.reference::uuid end
  where not exists (select from public.reconciliation_postings as known where known.wallet_transaction_id = entry.wallet_transaction_id)
    and not exists (
      select from public.reconciliation_items as item
      where item.class = 'missing_external' and item.wallet_transaction_id = entry.wallet_transaction_id
    );
end;
$$;

comment on function private.find_missing_external is 'What our books have of the period and no statement: an item and a review each.';

create function private.reconcile_provider_statement(run public.reconciliations, csv text, lines jsonb)
returns uuid
language plpgsql
security definer -- no role may write reconciliations or the ledger
set search_path = ''
as $$
declare
  v_run public.reconciliations := reconcile_provider_statement.run;
begin
  perform private.require_wallet_manager();
  if not exists (select from public.currencies as known where known.code = v_run.currency)
    or not exists (select from public.statement_formats as known where known.format = v_run.format)
    or v_run.period_to > clock_timestamp()
  then
    perform private.refuse('invalid_argument', '{"argument": "currency, format or period_to", "range": "known ones; a period that is over"}');
  end if;
  v_run := private.open_reconciliation(v_run);
  if reconcile_provider_statement.csv is not null or reconcile_provider_statement.lines is not null then
    perform private.read_statement(v_run, reconcile_provider_statement.csv, reconcile_provider_statement.lines);
  end if;
  perform private.judge_statement(v_run);
  perform private.book_statement_fees(v_run);
  perform private.find_missing_external(v_run);
  perform private.log_audit_event(
    actor.actor_type, actor.actor_identifier, 'reconcile_provider_statement', 'reconciliations', v_run.id::text,
    jsonb_build_object('provider', v_run.provider, 'currency', v_run.currency, 'period_from', v_run.period_from, 'run', v_run.run_count)
  )
  from private.current_actor() as actor;
  return v_run.id;
end;
$$;

comment on function private.reconcile_provider_statement is 'The work of public.reconcile_provider_statement(). Refuses: operator_required, invalid_argument.';

create function public.reconcile_provider_statement(
  provider public.payment_provider,
  currency text,
  period_from timestamptz,
  period_to timestamptz,
  csv text default null,
  lines jsonb default null,
  format text default null,
  opening_balance bigint default null,
  closing_balance bigint default null
)
returns uuid
language plpgsql
set search_path = ''
set statement_timeout = '120s'
as $$
declare
  v_run public.reconciliations;
begin
  if (
    reconcile_provider_statement.provider is not null and reconcile_provider_statement.currency ~ '^[A-Z]{3}$'
    and reconcile_provider_statement.period_from < reconcile_provider_statement.period_to
    and reconcile_provider_statement.period_to <= reconcile_provider_statement.period_from + interval '62 days'
    and (reconcile_provider_statement.csv is null or reconcile_provider_statement.lines is null)
    and coalesce(octet_length(reconcile_provider_statement.csv), 0) <= 8388608
    and coalesce(jsonb_typeof(reconcile_provider_statement.lines), 'array') = 'array'
    and not jsonb_path_exists(coalesce(reconcile_provider_statement.lines, '[]'), '$[*] ? (@.type() != "object")')
  ) is not true then
    perform private.refuse('invalid_argument');
  end if;
  v_run.provider := reconcile_provider_statement.provider;
  v_run.currency := reconcile_provider_statement.currency;
  v_run.period_from := reconcile_provider_statement.period_from;
  v_run.period_to := reconcile_provider_statement.period_to;
  v_run.format := coalesce(
    reconcile_provider_statement.format,
    case when reconcile_provider_statement.csv is not null
      then (select known.format from public.statement_formats as known where known.format = reconcile_provider_statement.provider::text) end,
    'plain'
  );
  v_run.opening_balance := reconcile_provider_statement.opening_balance;
  v_run.closing_balance := reconcile_provider_statement.closing_balance;
  return private.reconcile_provider_statement(v_run, reconcile_provider_statement.csv, reconcile_provider_statement.lines);
end;
$$;

comment on function public.reconcile_provider_statement is
  'For registered operators and the service: puts a provider''s statement of a period that is over beside our books and gives the reconciliation''s id (reconciliation_report()). '
  'Lines come as a CSV file in one of statement_formats (by default the provider''s), or as an array of objects in the format plain, amounts as text with the currency''s decimals. '
  'What they have and we do not goes to suspense, what we have and they do not is shown, each with a review; their fees are booked. Run again, with more lines or none, it does only what is new: '
  'a line that has become ours in the meantime is matched. '
  'Refuses: operator_required, invalid_argument (at most 62 days and 8 MiB), reconciliation_overlaps, statement_unreadable, and as the ledger does.';
grant execute on function public.reconcile_provider_statement, private.reconcile_provider_statement to authenticated, service_role;

commit;
