begin;

create type public.reconciliation_report_line as (section text, name text, item_count bigint, amount bigint, currency text);
comment on type public.reconciliation_report_line is 'A line of a report: of which sum it is a part, how many items it counts, and what they come to in minor units.';

create function private.reconciliation_differences(run public.reconciliations)
returns setof public.reconciliation_report_line
language plpgsql
stable
set search_path = ''
as $$
declare
  v_run constant public.reconciliations := reconciliation_differences.run;
  v_from constant uuid := private.uuid_v7_floor(v_run.period_from);
  v_to constant uuid := private.uuid_v7_floor(v_run.period_to);
begin
  return query
  select 'difference', part.name, part.item_count, coalesce(part.amount, 0)::bigint, v_run.currency::text
  from (
    select 'not_booked', count(*), sum(item.booked_amount - item.amount) from public.reconciliation_items as item
    where item.reconciliation_id = v_run.id and item.line_key is not null and item.booked_amount <> item.amount
    union all
    select 'fees_not_booked', count(*), sum(item.fee) from public.reconciliation_items as item
    where item.reconciliation_id = v_run.id and item.fee <> 0 and not item.is_fee_booked
    union all
    select 'booked_before_the_period', count(*), -sum(known.amount) from public.reconciliation_postings as known
    where known.reconciliation_id = v_run.id and known.wallet_transaction_id < v_from
    union all
    select 'booked_after_the_period', count(*), -sum(known.amount) from public.reconciliation_postings as known
    where known.reconciliation_id = v_run.id and known.wallet_transaction_id >= v_to
    union all
    select 'on_another_statement', count(*), sum(known.amount) from public.reconciliation_postings as known
    join public.reconciliations as other on other.id = known.reconciliation_id
    where known.wallet_transaction_id >= v_from and known.wallet_transaction_id < v_to
      and other.id <> v_run.id and other.provider = v_run.provider and other.currency = v_run.currency
    union all
    select 'missing_external', count(*), sum(item.amount) from public.reconciliation_items as item
    where item.reconciliation_id = v_run.id and item.class = 'missing_external'
  ) as part (name, item_count, amount);
end;
$$;

comment on function private.reconciliation_differences is 'Why the settlement account moved otherwise than the statement: each reason with its sum.';

create function private.settlement_position(run public.reconciliations, at timestamptz)
returns bigint
language plpgsql
stable
set search_path = ''
as $$
begin
  return coalesce((
    select -private.wallet_position(account.id, private.uuid_v7_floor(settlement_position.at), 0) from public.wallet_accounts as account
    where account.profile_id is null and account.code = 'settlement:' || (settlement_position.run).provider
      and account.currency = (settlement_position.run).currency
  ), 0);
end;
$$;

comment on function private.settlement_position is 'What by our books the provider held for us at a time.';

create function private.reconciliation_report(reconciliation_id uuid)
returns setof public.reconciliation_report_line
language plpgsql
stable
security definer -- operators read under no policy
set search_path = ''
as $$
declare
  v_run public.reconciliations;
  v_opening bigint;
  v_closing bigint;
  v_statement bigint;
  v_classes bigint;
  v_differences bigint;
  v_line public.reconciliation_report_line;
begin
  if private.is_wallet_user() then
    perform private.require_operator();
  end if;
  select * into v_run from public.reconciliations as run where run.id = reconciliation_report.reconciliation_id;
  if not found then
    perform private.refuse('reconciliation_not_found');
  end if;
  v_opening := private.settlement_position(v_run, v_run.period_from);
  v_closing := private.settlement_position(v_run, v_run.period_to);
  -- As the files have it, not as the items do: a line that got lost would show.
  select coalesce(sum(file.amount), 0) into v_statement from public.reconciliation_files as file where file.reconciliation_id = v_run.id;

  select coalesce(sum(item.amount), 0) into v_classes from public.reconciliation_items as item where item.reconciliation_id = v_run.id and item.line_key is not null;
  return query
  select 'statement', known.class::text, count(item.id), coalesce(sum(item.amount), 0)::bigint, v_run.currency::text
  from unnest(enum_range(null::public.reconciliation_class)) as known (class)
  left join public.reconciliation_items as item on item.reconciliation_id = v_run.id and item.class = known.class
  where known.class <> 'missing_external'
  group by known.class order by known.class;
  return next ('statement', 'total', null, v_statement, v_run.currency)::public.reconciliation_report_line;
  return next ('statement', 'unexplained', null, v_statement - v_classes, v_run.currency)::public.reconciliation_report_line;

  select v_statement - coalesce(sum(file.fee), 0) into v_statement from public.reconciliation_files as file where file.reconciliation_id = v_run.id;
  return next ('books', 'statement_less_fees', null, v_statement, v_run.currency)::public.reconciliation_report_line;
  v_differences := 0;
  for v_line in select * from private.reconciliation_differences(v_run) loop
    v_differences := v_differences + v_line.amount;
    return next v_line;
  end loop;
  return next ('books', 'settlement_account', null, v_closing - v_opening, v_run.currency)::public.reconciliation_report_line;
  return next ('books', 'unexplained', null, v_closing - v_opening - v_statement - v_differences, v_run.currency)::public.reconciliation_report_line;

  if v_run.opening_balance is not null then
    return next ('balance', 'opening_difference', null, v_run.opening_balance - v_opening, v_run.currency)::public.reconciliation_report_line;
  end if;
  if v_run.closing_balance is not null then
    return next ('balance', 'closing_difference', null, v_run.closing_balance - v_closing, v_run.currency)::public.reconciliation_report_line;
  end if;
  if v_run.opening_balance is not null and v_run.closing_balance is not null then
    return next ('balance', 'not_on_the_statement_s_lines', null, v_run.closing_balance - v_run.opening_balance - v_statement, v_run.currency)::public.reconciliation_report_line;
  end if;
end;
$$;

comment on function private.reconciliation_report is 'The work of public.reconciliation_report(). Refuses: operator_required, reconciliation_not_found.';

create function public.reconciliation_report(reconciliation_id uuid)
returns setof public.reconciliation_report_line
language plpgsql
stable
set search_path = ''
set statement_timeout = '30s'
as $$
begin
  return query select * from private.reconciliation_report(reconciliation_report.reconciliation_id);
end;
$$;

comment on function public.reconciliation_report is
  'For operators and the service. statement: the lines by class come to the total of the files; books: the statement less fees, and the named differences, come to what the settlement account has moved. '
  'Both `unexplained` are nought, or something is broken. balance: the statement''s opening and closing balances less ours, where given, and what its lines leave out. '
  'Refuses: operator_required, reconciliation_not_found.';
grant execute on function public.reconciliation_report, private.reconciliation_report to authenticated, service_role;

create function private.reconciliation_csv(reconciliation_id uuid)
returns text
language plpgsql
stable
security definer -- operators read under no policy
set search_path = ''
as $$
declare
  v_csv text;
begin
  if private.is_wallet_user() then
    perform private.require_operator();
  end if;
  if not exists (select from public.reconciliations as run where run.id = reconciliation_csv.reconciliation_id) then
    perform private.refuse('reconciliation_not_found');
  end if;
  select private.csv_line('{line,class,matched_by,occurred_at,provider_id,transaction_id,amount,fee,booked,difference,currency,review_id}')
    || coalesce(string_agg(private.csv_line(array[
      item.line_number::text, item.class::text, item.matched_by, item.occurred_at::text, item.provider_ids[1], item.transaction_id::text,
      private.decimal_amount(item.amount, item.currency), private.decimal_amount(item.fee, item.currency),
      private.decimal_amount(item.booked_amount, item.currency), private.decimal_amount(item.amount - item.booked_amount, item.currency),
      item.currency, item.review_id::text
    ]), '' order by item.line_number nulls last, item.id), '')
  into v_csv
  from public.reconciliation_items as item
  where item.reconciliation_id = reconciliation_csv.reconciliation_id;
  return v_csv;
end;
$$;

comment on function private.reconciliation_csv is 'The work of public.reconciliation_csv(). Refuses: operator_required, reconciliation_not_found.';

create function public.reconciliation_csv(reconciliation_id uuid)
returns text
language plpgsql
stable
set search_path = ''
set statement_timeout = '30s'
as $$
begin
  return private.reconciliation_csv(reconciliation_csv.reconciliation_id);
end;
$$;

comment on function public.reconciliation_csv is
  'For operators and the service: every line of a statement with its class, and what is ours and not on it, as a CSV file. Refuses: operator_required, reconciliation_not_found.';
grant execute on function public.reconciliation_csv, private.reconciliation_csv to authenticated, service_role;

commit;
