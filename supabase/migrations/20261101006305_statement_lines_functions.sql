begin;

create type private.csv_row as (row_number integer, fields text[]);
comment on type private.csv_row is 'A record of a CSV file, counted from 1, with its fields.';

create function private.csv_rows(csv text)
returns setof private.csv_row
language plpgsql
immutable
set search_path = ''
as $$
declare
  -- Without the byte order mark, and with one end of line at the end, whatever there was.
  v_csv constant text := rtrim(ltrim(csv_rows.csv, e'\ufeff'), e'\r\n') || e'\r\n';
  v_read bigint;
begin
  -- Every character belongs to a field or ends one; where it does not, a quote stands where none may.
  select sum(coalesce(length(token[1]) + 2, 0) + coalesce(length(token[2]), 0) + length(token[3])) into v_read
  from regexp_matches(v_csv, '(?:"((?:[^"]|"")*)"|([^",\r\n]*))(,|\r\n|\n|\r)', 'g') as token;
  if v_read is distinct from length(v_csv) then
    perform private.refuse('statement_unreadable', '{"reason": "a quote is not closed, or stands inside a field that is not quoted"}');
  end if;
  return query
  select (row_number() over (order by line.number))::integer, line.fields
  from (
    select field.line_number as number, array_agg(field.content order by field.place) as fields
    from (
      select
        place,
        coalesce(replace(token[1], '""', '"'), token[2]) as content,
        count(*) filter (where token[3] <> ',') over (order by place rows between unbounded preceding and current row)
          - (token[3] <> ',')::integer as line_number
      from regexp_matches(v_csv, '(?:"((?:[^"]|"")*)"|([^",\r\n]*))(,|\r\n|\n|\r)', 'g') with ordinality as found (token, place)
    ) as field
    group by field.line_number
  ) as line
  where line.fields <> '{""}';
end;
$$;

comment on function private.csv_rows is
  'The records of a CSV file (RFC 4180; ends of line of any kind, a byte order mark, blank lines are passed over). Refuses: statement_unreadable.';

create function private.statement_amount(content text, currency text)
returns bigint
language plpgsql
stable
set search_path = ''
as $$
declare
  v_content text := regexp_replace(statement_amount.content, '\s|' || statement_amount.currency, '', 'gi');
  v_amount numeric;
begin
  if v_content ~ '^\(.*\)$' then
    v_content := '-' || btrim(v_content, '()');
  end if;
  if v_content !~ '^[+-]?(\d{1,3}(,\d{3})+|\d{1,16})(\.\d{1,18})?$' then
    return null;
  end if;
  select replace(v_content, ',', '')::numeric * 10::numeric ^ known.exponent into strict v_amount
  from public.currencies as known where known.code = statement_amount.currency;
  return case when v_amount = trunc(v_amount) and abs(v_amount) <= 9007199254740991 then v_amount end;
end;
$$;

comment on function private.statement_amount is
  'An amount as people write it (1,000.50; (12.00) below zero) in minor units, exactly; null, if it is none, or finer than its currency.';

create function private.statement_time(content text, time_zone text)
returns timestamptz
language plpgsql
stable
set search_path = ''
set datestyle = 'ISO, DMY'
as $$
begin
  if statement_time.content !~ '^\d{1,4}[-/.]\d{1,2}[-/.]\d{1,4}' or not pg_input_is_valid(statement_time.content, 'timestamptz') then
    return null;
  end if;
  if statement_time.content ~ '(Z|UTC|GMT|[+-]\d{2}(:?\d{2})?)$' and statement_time.content ~ ':' then
    return statement_time.content::timestamptz;
  end if;
  return statement_time.content::timestamp at time zone statement_time.time_zone;
end;
$$;

comment on function private.statement_time is
  'A time as statements write it: ISO 8601, or the day first (31/12/2026 23:59), in the zone that is given unless it says one; null, if it is none.';

create type private.statement_line as (
  line_number integer,
  line_key text,
  provider_ids text[],
  reference_words text[],
  occurred_at timestamptz,
  amount bigint,
  fee bigint,
  phone_suffix text
);
comment on type private.statement_line is
  'A line of a provider''s statement: what it brought in (below zero: took out), what was charged for it, and all that may tell whose it is. '
  'line_key: the same for the same line, in whatever file it stands.';

create function private.statement_words(fields jsonb, headings jsonb)
returns text[]
language plpgsql
immutable
set search_path = ''
as $$
begin
  return array(
    select btrim(statement_words.fields ->> heading)
    from jsonb_array_elements_text(coalesce(statement_words.headings, '[]')) with ordinality as known (heading, place)
    where btrim(statement_words.fields ->> heading) <> ''
    order by place
  );
end;
$$;

comment on function private.statement_words is 'What a line has under some headings, as far as it is not empty.';

create function private.statement_heading(content text)
returns text
language plpgsql
immutable
set search_path = ''
as $$
begin
  return btrim(regexp_replace(lower(statement_heading.content), '[^a-z0-9]+', '_', 'g'), '_');
end;
$$;

comment on function private.statement_heading is 'A heading as formats name it: "External ID" is external_id.';

create function private.csv_objects(csv text, format public.statement_formats)
returns table (line_number integer, fields jsonb)
language plpgsql
stable
set search_path = ''
as $$
declare
  v_rows constant private.csv_row[] := array(select csv_row from private.csv_rows(csv_objects.csv) as csv_row order by csv_row.row_number);
  v_head private.csv_row;
  v_headings text[];
begin
  -- Some exports have a title above the headings.
  foreach v_head in array v_rows[1:20] loop
    v_headings := array(select private.statement_heading(field) from unnest(v_head.fields) with ordinality as head (field, place) order by place);
    exit when v_headings && array(select jsonb_array_elements_text((csv_objects.format).columns -> 'amount'))
      and v_headings && array(select jsonb_array_elements_text((csv_objects.format).columns -> 'occurred_at'));
    v_headings := null;
  end loop;
  if v_headings is null then
    perform private.refuse('statement_unreadable', '{"reason": "no line has the headings of this format"}');
  end if;
  return query
  select line.row_number, (
    -- The first of those that bear the same heading.
    select jsonb_object_agg(heading, field order by place desc)
    from unnest(v_headings, line.fields) with ordinality as named (heading, field, place)
    where heading is not null
  )
  from unnest(v_rows) as line
  where line.row_number > v_head.row_number;
end;
$$;

comment on function private.csv_objects is 'The lines of a CSV file below its headings, by heading. Refuses: statement_unreadable.';

create function private.statement_line(line_number integer, fields jsonb, format public.statement_formats, currency text)
returns private.statement_line
language plpgsql
stable
set search_path = ''
as $$
declare
  v_fields constant jsonb := statement_line.fields;
  v_columns constant jsonb := (statement_line.format).columns;
  v_type constant text := lower((private.statement_words(v_fields, v_columns -> 'type'))[1]);
  v_line private.statement_line := (
    statement_line.line_number, (private.statement_words(v_fields, v_columns -> 'line_id'))[1],
    private.statement_words(v_fields, v_columns -> 'provider_id'), private.statement_words(v_fields, v_columns -> 'reference'),
    private.statement_time((private.statement_words(v_fields, v_columns -> 'occurred_at'))[1], (statement_line.format).time_zone),
    private.statement_amount((private.statement_words(v_fields, v_columns -> 'amount'))[1], statement_line.currency),
    private.statement_amount(coalesce((private.statement_words(v_fields, v_columns -> 'fee'))[1], '0'), statement_line.currency),
    right(regexp_replace((private.statement_words(v_fields, v_columns -> 'phone'))[1], '\D', '', 'g'), 3)
  )::private.statement_line;
begin
  if lower(coalesce((private.statement_words(v_fields, v_columns -> 'currency'))[1], statement_line.currency)) <> lower(statement_line.currency)
    or lower(coalesce((private.statement_words(v_fields, v_columns -> 'status'))[1], (statement_line.format).settled_statuses[1]))
      <> all((statement_line.format).settled_statuses)
  then
    return null;
  end if;
  if v_line.occurred_at is null or v_line.amount is null or v_line.fee is null then
    perform private.refuse('statement_unreadable', jsonb_build_object('line', v_line.line_number, 'column', case
      when v_line.occurred_at is null then 'occurred_at' when v_line.amount is null then 'amount' else 'fee'
    end));
  end if;
  if v_type = any((statement_line.format).outgoing_types) then
    v_line.amount := -abs(v_line.amount);
  end if;
  if v_type = any((statement_line.format).fee_types) then
    v_line.fee := v_line.fee - v_line.amount;
    v_line.amount := 0;
  end if;
  v_line.line_key := concat_ws(
    ' ', coalesce(v_line.line_key, v_line.provider_ids[1], md5(concat_ws(' ', v_line.occurred_at, v_line.reference_words, v_line.phone_suffix))), v_line.amount, v_line.fee
  );
  return v_line;
end;
$$;

comment on function private.statement_line is
  'A line of a statement in our words; null, if it is of another currency or did not settle. Refuses: statement_unreadable (with the line and the column).';

commit;
