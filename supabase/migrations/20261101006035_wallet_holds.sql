begin;

create type public.wallet_hold_status as enum ('held', 'captured', 'released', 'expired');
comment on type public.wallet_hold_status is 'A hold ends once: captured (in whole or in part), released, or expired.';

create table public.wallet_holds (
  id uuid not null default private.uuid_v7(),
  account_id uuid not null,
  currency char(3) not null,
  amount public.wallet_amount not null,
  status public.wallet_hold_status not null default 'held',
  captured_amount bigint not null default 0,
  to_account_id uuid,
  source text not null,
  reference text not null,
  request jsonb not null,
  description text,
  metadata jsonb not null default '{}',
  transaction_id uuid,
  created_at timestamptz not null default now(),
  expires_at timestamptz not null,
  ended_at timestamptz,
  correlation_id text default private.correlation_id(),
  actor text not null default private.caller(),
  constraint wallet_holds_pkey primary key (id),
  constraint wallet_holds_source_reference_key unique (source, reference),
  constraint wallet_holds_account_id_fkey foreign key (account_id) references public.wallet_accounts (id),
  constraint wallet_holds_to_account_id_fkey foreign key (to_account_id) references public.wallet_accounts (id),
  constraint wallet_holds_expire_after_they_start check (expires_at > created_at),
  constraint wallet_holds_capture_no_more_than_they_hold check (captured_amount between 0 and amount),
  constraint wallet_holds_end_once check (
    (status = 'held') = (ended_at is null) and (status = 'captured') = (captured_amount > 0) and (status = 'captured') = (transaction_id is not null)
  )
);

comment on table public.wallet_holds is
  'Money set aside for a payment to come: it stays in the account and is no longer available. Changed under the lock of the account.';
comment on column public.wallet_holds.to_account_id is 'Whom a capture pays unless it says otherwise.';
comment on column public.wallet_holds.reference is 'With the source known for good: the same again gives the hold that there is.';
comment on column public.wallet_holds.expires_at is 'From then on it can no longer be captured; the schedule, or whoever needs the money first, lets it go.';
create index wallet_holds_account_id_idx on public.wallet_holds (account_id);
create index wallet_holds_to_account_id_idx on public.wallet_holds (to_account_id);
create index wallet_holds_open_idx on public.wallet_holds (account_id, expires_at) where status = 'held';
create index wallet_holds_expiring_idx on public.wallet_holds (expires_at) where status = 'held';
alter table public.wallet_holds enable row level security;
grant select on public.wallet_holds to authenticated, service_role;

create policy "Owners read what is held of theirs"
on public.wallet_holds
for select
to authenticated
using (account_id in (
  select account.id from public.wallet_accounts as account
  where account.profile_id = (select profile.id from public.profiles as profile where profile.user_id = (select auth.uid()))
));

create function private.keep_wallet_hold()
returns trigger
language plpgsql
set search_path = ''
as $$
begin
  if tg_op = 'DELETE' or old.status <> 'held'
    or (new.id, new.account_id, new.amount, new.source, new.reference) is distinct from (old.id, old.account_id, old.amount, old.source, old.reference)
  then
    raise exception 'a hold ends once, and nothing else of it changes' using errcode = 'insufficient_privilege';
  end if;
  return new;
end;
$$;

comment on function private.keep_wallet_hold is 'Lets a hold change once, when it ends.';

create trigger keep_wallet_hold
before update or delete on public.wallet_holds
for each row execute function private.keep_wallet_hold();
create trigger refuse_truncate
before truncate on public.wallet_holds
execute function private.refuse_truncate();

commit;
