begin;

create function private.csv_field(content text)
returns text
language plpgsql
immutable
set search_path = ''
as $$
declare
  -- What spreadsheets would run as a formula is marked as text (OWASP, CSV injection). A number keeps its sign.
  v_content constant text := case
    when csv_field.content ~ '^[=+@\t\r-]' and csv_field.content !~ '^-?\d+(\.\d+)?$' then '''' || csv_field.content
    else coalesce(csv_field.content, '')
  end;
begin
  return case when v_content ~ '[",\r\n]' then '"' || replace(v_content, '"', '""') || '"' else v_content end;
end;
$$;

comment on function private.csv_field is 'A field of a CSV file (RFC 4180), safe to open in a spreadsheet.';

create function private.csv_line(fields text[])
returns text
language plpgsql
immutable
set search_path = ''
as $$
begin
  return (select string_agg(private.csv_field(field), ',' order by place) || e'\r\n' from unnest(csv_line.fields) with ordinality as line (field, place));
end;
$$;

comment on function private.csv_line is 'A line of a CSV file (RFC 4180).';

create function private.decimal_amount(amount bigint, currency text)
returns text
language plpgsql
stable
set search_path = ''
as $$
declare
  v_exponent smallint;
begin
  select known.exponent into strict v_exponent from public.currencies as known where known.code = decimal_amount.currency;
  return round(decimal_amount.amount / 10::numeric ^ v_exponent, v_exponent)::text;
end;
$$;

comment on function private.decimal_amount is 'An amount as people write it, with its currency''s decimals: 1250 US cents are 12.50.';
grant execute on function private.csv_field, private.csv_line, private.decimal_amount to authenticated, service_role;

create function public.wallet_statement_csv(
  account_id uuid,
  since timestamptz,
  until timestamptz
)
returns text
language plpgsql
stable
set search_path = ''
set statement_timeout = '30s'
as $$
declare
  c_most constant integer := 10000;
  v_standing public.wallet_standing := public.wallet_balance(wallet_statement_csv.account_id, wallet_statement_csv.since - interval '1 microsecond');
  v_balance bigint := v_standing.balance;
  v_line public.wallet_statement_line;
  v_lines text[] := array[
    private.csv_line('{booked_at,effective_at,transaction_id,kind,description,amount,balance,currency}'),
    private.csv_line(array[wallet_statement_csv.since::text, null, null, 'opening', null, null, private.decimal_amount(v_balance, v_standing.currency), v_standing.currency])
  ];
begin
  for v_line in
    select * from private.wallet_statement(
      wallet_statement_csv.account_id,
      (private.uuid_v7_floor(wallet_statement_csv.since), 0, private.uuid_v7_floor(wallet_statement_csv.until), 0)::private.wallet_range,
      false, c_most + 1
    )
  loop
    v_lines := v_lines || private.csv_line(array[
      v_line.booked_at::text, v_line.effective_at::text, v_line.transaction_id::text, v_line.kind::text, v_line.description,
      private.decimal_amount(v_line.amount, v_line.currency), private.decimal_amount(v_line.balance, v_line.currency), v_line.currency
    ]);
    v_balance := v_line.balance;
  end loop;
  if cardinality(v_lines) > c_most + 2 or wallet_statement_csv.until < wallet_statement_csv.since then
    perform private.refuse('invalid_argument', '{"argument": "until", "range": "at most 10000 entries after since"}');
  end if;
  return array_to_string(v_lines, '') || private.csv_line(
    array[wallet_statement_csv.until::text, null, null, 'closing', null, null, private.decimal_amount(v_balance, v_standing.currency), v_standing.currency]
  );
end;
$$;

comment on function public.wallet_statement_csv is
  'A statement as a CSV file: the opening balance, the entries in their order, the closing balance. Amounts have the currency''s decimals, times are of the caller''s time zone. '
  'For the account''s owner, operators and the service. Refuses: wallet_account_not_found, invalid_argument (at most 10000 entries: ask for a shorter time).';
grant execute on function public.wallet_statement_csv to authenticated, service_role;

commit;
