begin;

create type public.payment_attempt_kind as enum ('charge', 'refund', 'payout');
comment on type public.payment_attempt_kind is 'What a provider is asked to do.';

create type public.payment_attempt_status as enum ('created', 'asked', 'unknown', 'ended');
comment on type public.payment_attempt_status is
  'created: the provider has not answered a request yet; asked: it has taken it; unknown: it may have; ended: nothing more is expected.';

create table public.payment_attempts (
  id uuid not null default gen_random_uuid(),
  transaction_id uuid not null,
  kind public.payment_attempt_kind not null,
  provider public.payment_provider not null,
  status public.payment_attempt_status not null default 'created',
  is_blocked boolean not null default false,
  provider_id text,
  amount public.wallet_amount not null,
  currency char(3) not null,
  phone text,
  lease_token bigint not null default 0,
  leased_until timestamptz,
  started_at timestamptz,
  asked_at timestamptz,
  checked_at timestamptz,
  check_count integer not null default 0,
  next_check_at timestamptz,
  answer jsonb,
  last_signal jsonb,
  created_at timestamptz not null default now(),
  correlation_id text default private.correlation_id(),
  constraint payment_attempts_pkey primary key (id),
  constraint payment_attempts_transaction_id_key unique (transaction_id),
  constraint payment_attempts_ids_are_version_4 check (substr(id::text, 15, 1) = '4'),
  constraint payment_attempts_ended_ones_are_not_due check (status <> 'ended' or next_check_at is null)
);

comment on table public.payment_attempts is
  'The provider''s side of transactions, committed before anybody is called: the id is what the provider knows the request by, so asking twice asks for the same thing.';
comment on column public.payment_attempts.id is 'UUIDv4: MTN''s X-Reference-Id, Stripe''s Idempotency-Key, the reference at the others.';
comment on column public.payment_attempts.is_blocked is 'Waits for an approval: it is neither started nor claimed.';
comment on column public.payment_attempts.created_at is 'Since when the provider may be asked: of one that waited for an approval, since that.';
comment on column public.payment_attempts.provider_id is 'What the provider calls it: financialTransactionId, payment intent, charge.';
comment on column public.payment_attempts.phone is 'Personal: cleared when its person is erased.';
comment on column public.payment_attempts.lease_token is 'Rises with each start and claim.';
comment on column public.payment_attempts.next_check_at is 'When it is to be asked for, or asked about; null: never, unless somebody tells us of it.';
comment on column public.payment_attempts.answer is 'What whoever started it was answered, and is answered again.';
comment on column public.payment_attempts.last_signal is 'What the provider said last, without names.';
create unique index payment_attempts_provider_provider_id_key on public.payment_attempts (provider, provider_id) where provider_id is not null;
create index payment_attempts_next_check_at_idx on public.payment_attempts (next_check_at) where next_check_at is not null and not is_blocked;
alter table public.payment_attempts enable row level security;
grant select on public.payment_attempts to service_role;

create type public.payment_event_outcome as enum ('applied', 'unchanged', 'unconfirmed', 'review', 'unmatched', 'ignored');
comment on type public.payment_event_outcome is
  'What became of what a provider said. applied: it moved a transaction; unchanged: nothing new; unconfirmed: we ask the provider ourselves; '
  'review: a person must look; unmatched: we know nothing of it; ignored: it is not about our money.';

create type public.payment_review_kind as enum (
  'amount_mismatch', 'currency_mismatch', 'unmatched', 'ambiguous', 'evidence_too_weak', 'stuck', 'dispute',
  'missing_external'
);
comment on type public.payment_review_kind is
  'Why a person must look. unmatched: money that belongs to nothing; ambiguous: it may belong to several, or came twice; '
  'stuck: nobody could tell for days, or the books would not take it; missing_external: the provider''s statement does not have it.';

create type public.payment_review_resolution as enum ('match', 'refund', 'write_off', 'dismiss');
comment on type public.payment_review_resolution is
  'match: it belongs to a transaction; refund: it was given back outside; write_off: it stays with us, or is lost; dismiss: it is nothing.';

create table public.payment_reviews (
  id uuid not null default private.uuid_v7(),
  kind public.payment_review_kind not null,
  provider public.payment_provider not null,
  event_id uuid,
  attempt_id uuid,
  transaction_id uuid,
  provider_id text,
  amount bigint,
  currency char(3),
  wallet_transaction_id uuid,
  details jsonb not null default '{}',
  status text not null default 'open',
  resolution public.payment_review_resolution,
  note text,
  resolved_by text,
  resolved_at timestamptz,
  created_at timestamptz not null default now(),
  correlation_id text default private.correlation_id(),
  constraint payment_reviews_pkey primary key (id),
  constraint payment_reviews_subject_key unique nulls not distinct (kind, provider, event_id, attempt_id, provider_id),
  constraint payment_reviews_status_is_known check (status in ('open', 'resolved')),
  constraint payment_reviews_end_with_a_resolution check ((status = 'resolved') = (resolution is not null and resolved_at is not null and resolved_by is not null))
);

comment on table public.payment_reviews is 'What a person must decide about money: worked off by resolve_payment_review().';
comment on constraint payment_reviews_subject_key on public.payment_reviews is 'The same thing asks for one review.';
comment on column public.payment_reviews.amount is 'What came in; below zero, what went out.';
comment on column public.payment_reviews.wallet_transaction_id is 'How it was booked to suspense, if it was.';
create index payment_reviews_open_idx on public.payment_reviews (created_at) where status = 'open';
create index payment_reviews_transaction_id_idx on public.payment_reviews (transaction_id) where transaction_id is not null;
alter table public.payment_reviews enable row level security;
grant select on public.payment_reviews to service_role;

commit;
