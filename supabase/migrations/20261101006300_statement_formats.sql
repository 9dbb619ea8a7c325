begin;

create table public.statement_formats (
  format text not null,
  columns jsonb not null,
  settled_statuses text[],
  outgoing_types text[] not null default '{}',
  fee_types text[] not null default '{}',
  time_zone text not null default 'UTC',
  match_seconds integer not null default 3600,
  constraint statement_formats_pkey primary key (format),
  constraint statement_formats_format_is_a_word check (format ~ '^[a-z][a-z0-9_]{0,31}$'),
  constraint statement_formats_columns_say_when_and_how_much check (columns ?& '{amount,occurred_at}'),
  constraint statement_formats_columns_are_known check (
    columns - '{line_id,provider_id,reference,occurred_at,amount,fee,currency,status,type,phone}'::text[] = '{}'
  ),
  constraint statement_formats_match_seconds_is_at_most_a_day check (match_seconds between 0 and 86400)
);

comment on table public.statement_formats is
  'How providers write their statements: which headings say what. A new export, or a heading that a provider renames, is a row and no code.';
comment on column public.statement_formats.format is 'A provider''s name, which is then its usual format, or a name of its own.';
comment on column public.statement_formats.columns is
  'Our names for columns and the headings to look for: {"amount": ["amount", "gross"]}. Headings are compared in lower case, everything but letters and digits as _. '
  'Of provider_id and reference all that are there are read; of the others the first that is there and not empty.';
comment on column public.statement_formats.settled_statuses is 'The statuses (lower case) of lines that moved money; others are passed over. Null: all did.';
comment on column public.statement_formats.outgoing_types is 'The types (lower case) of lines that took money away though their amount bears no sign.';
comment on column public.statement_formats.fee_types is 'The types (lower case) of lines that are a provider''s charge and nothing else.';
comment on column public.statement_formats.time_zone is 'What times without a zone mean.';
comment on column public.statement_formats.match_seconds is 'How long after we asked a line may say that it was paid, if nothing but amount and number tell whose it is.';
alter table public.statement_formats enable row level security;
grant select, insert, update on public.statement_formats to service_role;

insert into public.statement_formats (format, columns, settled_statuses, outgoing_types, fee_types, time_zone) values
  (
    'plain',
    '{
      "line_id": ["line_id"], "provider_id": ["provider_id"], "reference": ["reference", "external_id", "attempt_id"], "occurred_at": ["occurred_at"],
      "amount": ["amount"], "fee": ["fee"], "currency": ["currency"], "status": ["status"], "type": ["type"], "phone": ["phone"]
    }',
    '{succeeded}', '{}', '{fee}', 'UTC'
  ),
  -- The merchant portal's transaction history. externalId is the reference that people read.
  (
    'mtn_momo',
    '{
      "provider_id": ["id", "transaction_id", "financial_transaction_id"],
      "reference": ["external_id", "external_transaction_id", "reference_id", "x_reference_id"],
      "occurred_at": ["date", "transaction_date", "date_time"], "amount": ["amount"], "fee": ["fee", "fees"], "currency": ["currency"],
      "status": ["status"], "type": ["type", "transaction_type"], "phone": ["from", "from_msisdn", "msisdn", "payer", "payee"]
    }',
    '{successful,completed,success}', '{transfer,disbursement,refund,cash out,withdrawal}', '{fee,charge}', 'Africa/Kigali'
  ),
  -- The itemised report "Balance change from activity".
  (
    'stripe',
    '{
      "line_id": ["balance_transaction_id"], "provider_id": ["payment_intent_id", "source_id", "charge_id"],
      "reference": ["payment_metadata_attempt_id", "refund_metadata_attempt_id"], "occurred_at": ["created_utc", "created"],
      "amount": ["gross"], "fee": ["fee"], "currency": ["currency"], "type": ["reporting_category"]
    }',
    null, '{}', '{fee,network_cost}', 'UTC'
  );

select private.audit_table('public.statement_formats');

commit;
