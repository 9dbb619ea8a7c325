begin;

create type public.transaction_type as enum ('payment', 'top_up', 'payout', 'refund');
comment on type public.transaction_type is
  'payment: somebody pays an account; top_up: into the payer''s own wallet; payout: out of a wallet to a phone; refund: gives back a payment or top_up.';

create type public.transaction_status as enum ('pending', 'processing', 'succeeded', 'failed', 'cancelled', 'expired', 'unknown');
comment on type public.transaction_status is
  'pending: nobody has asked a provider; processing: a provider is at it; unknown: one was asked and nobody can tell yet; the others are ends (transaction_moves).';

create type public.payment_provider as enum ('mtn_momo', 'momo_sms', 'stripe', 'flutterwave', 'paystack', 'standard_webhooks');
comment on type public.payment_provider is 'Who tells us of money: a provider''s interface, or a phone that forwards its receipts.';

create type public.payment_evidence as enum ('ledger', 'api', 'webhook', 'sms', 'operator');
comment on type public.payment_evidence is
  'What a status rests on: our own books, the provider''s answer to our question, its signed message, a receipt by SMS, an operator''s word.';

create table public.payment_channels (
  method text not null,
  provider public.payment_provider,
  is_enabled boolean not null default true,
  needs_request boolean not null,
  can_check boolean not null,
  can_refund boolean not null,
  can_pay_out boolean not null,
  webhooks_prove boolean not null,
  lasts_seconds integer not null,
  minimum_amount public.wallet_amount not null,
  maximum_amount public.wallet_amount not null,
  currencies char(3)[] not null,
  merchant_code text,
  constraint payment_channels_pkey primary key (method),
  constraint payment_channels_method_is_a_word check (method ~ '^[a-z][a-z0-9_]{0,31}$'),
  constraint payment_channels_requests_have_a_provider check (provider is not null or not (needs_request or can_check or can_pay_out)),
  constraint payment_channels_lasts_at_most_a_day check (lasts_seconds between 60 and 86400),
  constraint payment_channels_amounts_rise check (minimum_amount <= maximum_amount),
  constraint payment_channels_merchant_code_is_dialled check (merchant_code ~ '^[0-9]{3,10}$'),
  constraint payment_channels_dialled_ones_have_a_code check (method <> 'momo_ussd' or not is_enabled or merchant_code is not null)
);

comment on table public.payment_channels is 'The methods of payment: who stands behind each, what it can do and for what amounts. Set by set_payment_channel().';
comment on column public.payment_channels.provider is 'Null: the wallet, which needs nobody.';
comment on column public.payment_channels.needs_request is 'Whether we ask the provider; else the payer does, and we hear of it.';
comment on column public.payment_channels.can_check is 'Whether the provider can be asked what became of an attempt.';
comment on column public.payment_channels.webhooks_prove is 'Whether its messages are signed well enough to move money; else they make us ask.';
comment on column public.payment_channels.lasts_seconds is 'How long a payer may take. Money that comes later is still taken (a late success).';
comment on column public.payment_channels.minimum_amount is 'In minor units, whatever the currency.';
comment on column public.payment_channels.merchant_code is 'What payers dial, of momo_ussd.';
create trigger refuse_delete
before delete on public.payment_channels
for each row execute function private.refuse_change();
alter table public.payment_channels enable row level security;
grant select on public.payment_channels to authenticated, service_role;

create policy "People who sign in read the methods of payment"
on public.payment_channels
for select
to authenticated
using (true);

insert into public.payment_channels (
  method, provider, is_enabled, needs_request, can_check, can_refund, can_pay_out, webhooks_prove, lasts_seconds, minimum_amount, maximum_amount, currencies
) values
  ('wallet', null, true, false, false, true, false, false, 900, 1, 9007199254740991, '{BIF,CDF,EUR,GBP,KES,RWF,TZS,UGX,USD}'),
  -- EUR is the currency of MTN's sandbox.
  ('mtn_momo', 'mtn_momo', true, true, true, true, true, false, 600, 100, 5000000, '{RWF,EUR}'),
  ('momo_ussd', 'momo_sms', false, false, false, false, false, true, 3600, 100, 5000000, '{RWF}'),
  ('card', 'stripe', true, true, true, true, false, true, 3600, 50, 100000000, '{RWF,USD,EUR,GBP,KES,TZS,UGX}'),
  ('flutterwave', 'flutterwave', true, false, true, false, false, false, 3600, 100, 100000000, '{RWF,USD,EUR,GBP,KES,TZS,UGX}'),
  ('paystack', 'paystack', true, false, true, false, false, true, 3600, 100, 100000000, '{RWF,USD,KES}'),
  ('standard_webhooks', 'standard_webhooks', true, false, false, false, false, true, 3600, 1, 100000000, '{BIF,CDF,EUR,GBP,KES,RWF,TZS,UGX,USD}');

select private.audit_table('public.payment_channels');

create table public.transaction_moves (
  from_status public.transaction_status not null,
  to_status public.transaction_status not null,
  evidence_needed boolean not null,
  constraint transaction_moves_pkey primary key (from_status, to_status),
  constraint transaction_moves_go_somewhere check (from_status <> to_status),
  constraint transaction_moves_success_is_final check (from_status <> 'succeeded'),
  constraint transaction_moves_success_needs_evidence check (evidence_needed or to_status <> 'succeeded')
);

comment on table public.transaction_moves is
  'The state machine of transactions: which status may follow which. Whatever is not here is refused (private.move_transaction).';
comment on column public.transaction_moves.evidence_needed is 'Whether somebody must have told us; else operators and the clock may do it on their own.';
alter table public.transaction_moves enable row level security;
grant select on public.transaction_moves to authenticated, service_role;

create policy "People who sign in read the state machine"
on public.transaction_moves
for select
to authenticated
using (true);

insert into public.transaction_moves (from_status, to_status, evidence_needed) values
  ('pending', 'processing', true),
  ('pending', 'succeeded', true),
  ('pending', 'failed', false),
  ('pending', 'cancelled', false),
  ('pending', 'expired', false),
  ('pending', 'unknown', true),
  ('processing', 'succeeded', true),
  ('processing', 'failed', false),
  ('processing', 'cancelled', false),
  ('processing', 'expired', false),
  ('processing', 'unknown', true),
  ('unknown', 'processing', true),
  ('unknown', 'succeeded', true),
  ('unknown', 'failed', false),
  ('unknown', 'cancelled', false),
  ('unknown', 'expired', true),
  -- Late: the payer approved after we had stopped waiting.
  ('failed', 'succeeded', true),
  ('cancelled', 'succeeded', true),
  ('expired', 'succeeded', true),
  -- And so much else came that a person must look.
  ('failed', 'unknown', true),
  ('cancelled', 'unknown', true),
  ('expired', 'unknown', true);

commit;
