begin;

create table public.payment_webhook_events (
  id uuid not null default private.uuid_v7(),
  received_at timestamptz not null generated always as (private.uuid_v7_time(id)) stored,
  provider public.payment_provider not null,
  event_id text not null,
  event_type text not null,
  fingerprint bytea not null,
  payload jsonb,
  signal jsonb not null,
  outcome public.payment_event_outcome not null default 'ignored',
  reason text,
  transaction_id uuid,
  attempt_id uuid,
  profile_id uuid,
  review_id uuid,
  copy_count integer not null default 1,
  last_received_at timestamptz not null default now(),
  contradicted_at timestamptz,
  replayed_at timestamptz,
  correlation_id text default private.correlation_id(),
  constraint payment_webhook_events_pkey primary key (id),
  constraint payment_webhook_events_provider_event_id_key unique (provider, event_id),
  constraint payment_webhook_events_review_id_fkey foreign key (review_id) references public.payment_reviews (id),
  constraint payment_webhook_events_event_id_is_short check (length(event_id) between 1 and 255),
  constraint payment_webhook_events_event_type_is_short check (length(event_type) between 1 and 255),
  constraint payment_webhook_events_payload_is_an_object check (jsonb_typeof(payload) = 'object'),
  constraint payment_webhook_events_signal_is_an_object check (jsonb_typeof(signal) = 'object')
);

comment on table public.payment_webhook_events is
  'What providers have told us, each event once for good, and what became of it. Payloads are forgotten after a while (private.forget_payment_payloads), '
  'the rest is not: an event that comes again after a year is still a copy.';
comment on column public.payment_webhook_events.event_id is 'The provider''s; of a text message, the number that got it and what tells it from others.';
comment on column public.payment_webhook_events.fingerprint is 'sha256 of what the signal says of money: a copy that says something else is a contradiction.';
comment on column public.payment_webhook_events.payload is 'As the provider sent it, of a text message what it says. Personal; null once forgotten.';
comment on column public.payment_webhook_events.signal is 'What it says in our words. The payer''s name is in it only as long as a review may need it.';
comment on column public.payment_webhook_events.reason is
  'Why it was not applied: a word of ours (chain_broken, above_limit, several_candidates ...), or the code or SQLSTATE that booking it was refused with.';
comment on column public.payment_webhook_events.profile_id is 'Whose transaction it told of, so that the payload can be erased with its person.';
comment on column public.payment_webhook_events.contradicted_at is 'When the same id last came with other money: a mistake of the provider''s, or a forgery.';
comment on column public.payment_webhook_events.replayed_at is 'When it was last judged again.';
create index payment_webhook_events_review_id_idx on public.payment_webhook_events (review_id);
create index payment_webhook_events_transaction_id_idx on public.payment_webhook_events (transaction_id) where transaction_id is not null;
create index payment_webhook_events_profile_id_idx on public.payment_webhook_events (profile_id) where payload is not null;
create index payment_webhook_events_remembered_idx on public.payment_webhook_events (id) where payload is not null;
create index payment_webhook_events_unsettled_idx on public.payment_webhook_events (id) where outcome in ('unconfirmed', 'review', 'unmatched');
alter table public.payment_webhook_events enable row level security;
grant select on public.payment_webhook_events to service_role;
create trigger refuse_delete
before delete on public.payment_webhook_events
for each row execute function private.refuse_change();
create trigger refuse_truncate
before truncate on public.payment_webhook_events
execute function private.refuse_truncate();

create function private.payment_signal_fingerprint(signal jsonb)
returns bytea
language plpgsql
immutable
set search_path = ''
as $$
declare
  v_signal constant jsonb := payment_signal_fingerprint.signal;
begin
  return sha256(convert_to(jsonb_build_array(
    v_signal -> 'kind', v_signal -> 'status', v_signal -> 'attempt_id', v_signal -> 'provider_id', v_signal -> 'amount', v_signal -> 'currency'
  )::text, 'UTF8'));
end;
$$;

comment on function private.payment_signal_fingerprint is 'What a signal says of money, in 32 bytes.';

create function private.without_payer(signal jsonb)
returns jsonb
language plpgsql
immutable
set search_path = ''
as $$
begin
  return without_payer.signal - '{payer_name,payer_suffix}'::text[];
end;
$$;

comment on function private.without_payer is 'A signal that tells nothing of a person.';

create function private.without_payer_in(payload jsonb)
returns jsonb
language plpgsql
immutable
set search_path = ''
as $$
begin
  return case when without_payer_in.payload ? 'receipt'
    then jsonb_set(without_payer_in.payload, '{receipt}', (without_payer_in.payload -> 'receipt') - '{name,phone,payer_suffix,sender_message}'::text[])
    else without_payer_in.payload end;
end;
$$;

comment on function private.without_payer_in is 'A payload that tells nothing of a person, if it is a receipt by SMS; others are the provider''s.';

create function private.forget_payment_payloads(max_count integer default 10000)
returns integer
language plpgsql
set search_path = ''
as $$
declare
  v_settled integer;
  v_old integer;
begin
  update public.payment_webhook_events as event set
    payload = private.without_payer_in(event.payload), signal = private.without_payer(event.signal)
  where event.outcome in ('unconfirmed', 'review', 'unmatched') and event.signal ?| '{payer_name,payer_suffix}'
    and exists (select from public.payment_reviews as review where review.id = event.review_id and review.status = 'resolved');
  get diagnostics v_settled = row_count;

  with forgotten as materialized (
    select event.id from public.payment_webhook_events as event
    where event.payload is not null and event.id < private.uuid_v7_floor(now() - interval '90 days')
      -- A person still has to look.
      and not exists (select from public.payment_reviews as review where review.id = event.review_id and review.status = 'open')
    order by event.id
    limit forget_payment_payloads.max_count
    for update skip locked
  )
  update public.payment_webhook_events as event set payload = null, signal = private.without_payer(event.signal)
  from forgotten
  where event.id = forgotten.id;
  get diagnostics v_old = row_count;
  return v_settled + v_old;
end;
$$;

comment on function private.forget_payment_payloads is
  'Forgets the payers of reviews that are resolved, and payloads that are 90 days old; says of how many events. What a review is open for stays. Run by the schedule.';

create function private.erase_payment_payloads(profile_id uuid)
returns integer
language plpgsql
set search_path = ''
as $$
declare
  v_count integer;
begin
  update public.payment_webhook_events as event set payload = null, signal = private.without_payer(event.signal)
  where event.profile_id = erase_payment_payloads.profile_id and event.payload is not null
    and not exists (select from public.payment_reviews as review where review.id = event.review_id and review.status = 'open');
  get diagnostics v_count = row_count;
  return v_count;
end;
$$;

comment on function private.erase_payment_payloads is
  'Forgets at once what providers told of a person''s payments beyond ids and amounts, except under an open review; says of how many events. Part of erase_payment_data().';

insert into private.schedule (name, cron, command) values
  ('forget-payment-payloads', '25 1 * * *', 'select private.forget_payment_payloads()');

commit;
