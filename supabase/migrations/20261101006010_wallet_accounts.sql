begin;

create type public.wallet_account_type as enum ('asset', 'liability', 'equity', 'income', 'expense');
comment on type public.wallet_account_type is
  'What an account is in our books. What people have with us is a liability; what providers hold for us is an asset.';

create type public.wallet_side as enum ('debit', 'credit');
comment on type public.wallet_side is 'The two sides of the books.';

create type public.wallet_account_status as enum ('open', 'frozen', 'closed');
comment on type public.wallet_account_status is
  'frozen: nothing goes out, except by a correction or a withdrawal that was held before; money still comes in. closed: nothing moves, and nothing is left.';

create table public.wallet_accounts (
  id uuid not null default private.uuid_v7(),
  profile_id uuid,
  code text not null,
  currency char(3) not null,
  type public.wallet_account_type not null,
  normal_side public.wallet_side not null
    generated always as (case when type in ('asset', 'expense') then 'debit'::public.wallet_side else 'credit' end) stored,
  status public.wallet_account_status not null default 'open',
  tier text,
  minimum_balance bigint,
  maximum_balance bigint,
  shard_count smallint not null default 1,
  created_at timestamptz not null default now(),
  constraint wallet_accounts_pkey primary key (id),
  constraint wallet_accounts_profile_id_code_currency_key unique nulls not distinct (profile_id, code, currency),
  constraint wallet_accounts_profile_id_fkey foreign key (profile_id) references public.profiles (id),
  constraint wallet_accounts_currency_fkey foreign key (currency) references public.currencies (code),
  constraint wallet_accounts_tier_currency_fkey foreign key (tier, currency) references public.wallet_limits (tier, currency),
  constraint wallet_accounts_code_is_a_path check (code ~ '^[a-z][a-z0-9_]*(:[a-z0-9_-]+)*$' and length(code) <= 63),
  constraint wallet_accounts_people_have_liabilities check (profile_id is null or type = 'liability'),
  constraint wallet_accounts_limited_ones_are_liabilities check (tier is null or type = 'liability'),
  constraint wallet_accounts_guards_are_exact check (abs(minimum_balance) <= 9007199254740991 and abs(maximum_balance) <= 9007199254740991),
  constraint wallet_accounts_guards_leave_room check (minimum_balance <= maximum_balance),
  constraint wallet_accounts_sharded_ones_have_no_guards check (
    shard_count = 1 or shard_count between 2 and 256 and minimum_balance is null and maximum_balance is null and tier is null
  ),
  constraint wallet_accounts_sharded_ones_come_last check (shard_count = 1 or id >= private.uuid_v7_floor('9999-12-31Z'))
);

comment on table public.wallet_accounts is
  'Who has money, and by which rules: one account per owner, code and currency. A profile''s, or, without one, the platform''s own.';
comment on column public.wallet_accounts.id is
  'Accounts are locked in the order of their ids. Those that many payments meet have the last ones (UUIDv7s of a far year), so that they are locked the shortest.';
comment on column public.wallet_accounts.code is
  'What it is for: main for a person''s wallet; fees, suspense, settlement:mtn_momo ... for the platform''s (the chart of accounts).';
comment on column public.wallet_accounts.normal_side is 'The side on which the account grows, and on which its balance is shown.';
comment on column public.wallet_accounts.tier is 'Which limits hold for it; null: none.';
comment on column public.wallet_accounts.minimum_balance is
  'A guard: what must be available (balance less holds, on the normal side) after whatever lessens it. Null: no guard.';
comment on column public.wallet_accounts.maximum_balance is
  'A guard: what the balance may not go above, on the normal side. Null: none but the tier''s.';
comment on column public.wallet_accounts.shard_count is
  'Over how many rows of wallet_balances the entries are spread, so that payments to a busy account do not wait for each other.';
create index wallet_accounts_currency_idx on public.wallet_accounts (currency);
create index wallet_accounts_tier_currency_idx on public.wallet_accounts (tier, currency);
alter table public.wallet_accounts enable row level security;
grant select on public.wallet_accounts to authenticated, service_role;

create policy "Owners read their accounts"
on public.wallet_accounts
for select
to authenticated
using (profile_id = (select profile.id from public.profiles as profile where profile.user_id = (select auth.uid())));

create trigger refuse_change
before delete or update of id, profile_id, code, currency, type, shard_count on public.wallet_accounts
for each row execute function private.refuse_change();
create trigger refuse_truncate
before truncate on public.wallet_accounts
execute function private.refuse_truncate();

select private.audit_table('public.wallet_accounts');

commit;
