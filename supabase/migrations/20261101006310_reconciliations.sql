begin;

create type public.reconciliation_class as enum ('matched', 'amount_mismatch', 'missing_internal', 'missing_external', 'duplicate');
comment on type public.reconciliation_class is
  'matched: theirs and ours; amount_mismatch: of another amount; missing_internal: theirs, not ours; missing_external: ours, not theirs; '
  'duplicate: a line that repeats another, or money that came twice.';

create table public.reconciliations (
  id uuid not null default private.uuid_v7(),
  provider public.payment_provider not null,
  currency char(3) not null,
  period_from timestamptz not null,
  period_to timestamptz not null,
  format text not null,
  opening_balance bigint,
  closing_balance bigint,
  run_count integer not null default 0,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  actor text not null default private.caller(),
  constraint reconciliations_pkey primary key (id),
  constraint reconciliations_provider_currency_period_from_key unique (provider, currency, period_from),
  constraint reconciliations_currency_fkey foreign key (currency) references public.currencies (code),
  constraint reconciliations_format_fkey foreign key (format) references public.statement_formats (format),
  constraint reconciliations_period_is_at_most_two_months check (period_from < period_to and period_to <= period_from + interval '62 days')
);

comment on table public.reconciliations is
  'A provider''s statement of a period beside our books, run by reconcile_provider_statement() as often as there is more of it. Periods of a provider and currency do not overlap.';
comment on column public.reconciliations.opening_balance is 'What the statement says, if it does, in minor units.';
create index reconciliations_currency_idx on public.reconciliations (currency);
create index reconciliations_format_idx on public.reconciliations (format);
alter table public.reconciliations enable row level security;
grant select on public.reconciliations to service_role;

create table public.reconciliation_files (
  reconciliation_id uuid not null,
  sha256 bytea not null,
  line_count integer not null,
  passed_over_count integer not null,
  amount bigint not null,
  fee bigint not null,
  currency char(3) not null,
  created_at timestamptz not null default now(),
  actor text not null default private.caller(),
  constraint reconciliation_files_pkey primary key (reconciliation_id, sha256),
  constraint reconciliation_files_reconciliation_id_fkey foreign key (reconciliation_id) references public.reconciliations (id)
);

comment on table public.reconciliation_files is 'The files of a statement that were read: the same once more adds nothing.';
comment on column public.reconciliation_files.line_count is 'The lines that no file before had.';
comment on column public.reconciliation_files.passed_over_count is 'Lines of other currencies, of other times, that did not settle, or that were known.';
comment on column public.reconciliation_files.amount is 'The sum of the new lines as the file has them, before anybody judged them.';
alter table public.reconciliation_files enable row level security;
grant select on public.reconciliation_files to service_role;

create table public.reconciliation_items (
  id uuid not null default private.uuid_v7(),
  reconciliation_id uuid not null,
  class public.reconciliation_class,
  line_number integer,
  line_key text,
  occurrence integer,
  provider_ids text[] not null default '{}',
  reference_words text[] not null default '{}',
  phone_suffix text,
  occurred_at timestamptz,
  amount bigint not null,
  fee bigint not null default 0,
  currency char(3) not null,
  is_fee_booked boolean not null default false,
  booked_amount bigint not null default 0,
  matched_by text,
  transaction_id uuid,
  attempt_id uuid,
  review_id uuid,
  wallet_transaction_id uuid,
  updated_at timestamptz not null default now(),
  constraint reconciliation_items_pkey primary key (id),
  constraint reconciliation_items_reconciliation_id_line_key_occurrence_key unique (reconciliation_id, line_key, occurrence),
  constraint reconciliation_items_reconciliation_id_fkey foreign key (reconciliation_id) references public.reconciliations (id),
  constraint reconciliation_items_review_id_fkey foreign key (review_id) references public.payment_reviews (id),
  constraint reconciliation_items_ours_have_no_line check ((class is not distinct from 'missing_external') = (line_key is null))
);

comment on table public.reconciliation_items is 'The lines of a statement, each with its class, and what is ours and on no statement.';
comment on column public.reconciliation_items.class is 'Null: not judged yet.';
comment on column public.reconciliation_items.occurrence is 'Counts equal lines of one file from 0.';
comment on column public.reconciliation_items.amount is 'What came in by the statement (missing_external: by our books); below zero, what went out.';
comment on column public.reconciliation_items.booked_amount is 'What of it stands on the settlement account.';
comment on column public.reconciliation_items.matched_by is 'What told whose it is: provider_id, review (a person''s decision), reference, amount, or fee (a charge, nobody''s).';
comment on column public.reconciliation_items.wallet_transaction_id is 'How it was booked to suspense here; missing_external: what is ours.';
create index reconciliation_items_attempt_id_idx on public.reconciliation_items (attempt_id) where attempt_id is not null;
create index reconciliation_items_line_key_idx on public.reconciliation_items (line_key);
create index reconciliation_items_review_id_idx on public.reconciliation_items (review_id);
create unique index reconciliation_items_missing_external_key on public.reconciliation_items (wallet_transaction_id) where class = 'missing_external';
alter table public.reconciliation_items enable row level security;
grant select on public.reconciliation_items to service_role;

create table public.reconciliation_postings (
  wallet_transaction_id uuid not null,
  reconciliation_id uuid not null,
  item_id uuid,
  amount bigint not null,
  currency char(3) not null,
  constraint reconciliation_postings_pkey primary key (wallet_transaction_id),
  constraint reconciliation_postings_reconciliation_id_fkey foreign key (reconciliation_id) references public.reconciliations (id),
  constraint reconciliation_postings_item_id_fkey foreign key (item_id) references public.reconciliation_items (id)
);

comment on table public.reconciliation_postings is 'Which postings on a settlement account a statement explains: each one line, or a run''s fees, and none twice.';
comment on column public.reconciliation_postings.amount is 'What it added to the settlement account.';
create index reconciliation_postings_reconciliation_id_idx on public.reconciliation_postings (reconciliation_id);
create index reconciliation_postings_item_id_idx on public.reconciliation_postings (item_id);
alter table public.reconciliation_postings enable row level security;
grant select on public.reconciliation_postings to service_role;

create index payment_attempts_provider_amount_created_at_idx on public.payment_attempts (provider, amount, created_at);

commit;
