begin;

create domain public.wallet_amount as bigint
  check (value between 1 and 9007199254740991);
comment on domain public.wallet_amount is
  'Money that moves: minor units, more than nothing, and exact in every JSON reader (RFC 8259, section 6).';

create table public.wallet_limits (
  tier text not null,
  currency char(3) not null,
  largest_amount public.wallet_amount not null,
  day_amount public.wallet_amount not null,
  day_count integer not null,
  month_amount public.wallet_amount not null,
  month_count integer not null,
  maximum_balance public.wallet_amount not null,
  constraint wallet_limits_pkey primary key (tier, currency),
  constraint wallet_limits_currency_fkey foreign key (currency) references public.currencies (code),
  constraint wallet_limits_tier_is_a_word check (tier ~ '^[a-z][a-z0-9_]{0,31}$'),
  constraint wallet_limits_counts_are_positive check (day_count > 0 and month_count > 0),
  constraint wallet_limits_rise check (largest_amount <= day_amount and day_amount <= month_amount and day_count <= month_count)
);

comment on table public.wallet_limits is
  'What an account of a tier may spend at once, in a day and in a month of Kigali, and have at most. Set by set_wallet_limit().';
comment on column public.wallet_limits.tier is 'How well its owner is known: basic, verified, business, or what operators add.';
comment on column public.wallet_limits.day_count is
  'How many payments. A hold counts when it is made; what is given free again counts no longer. Fees, and what is paid back or corrected, never count.';
create index wallet_limits_currency_idx on public.wallet_limits (currency);
alter table public.wallet_limits enable row level security;
grant select on public.wallet_limits to authenticated, service_role;

create policy "People who sign in read the limits"
on public.wallet_limits
for select
to authenticated
using (true);

create trigger refuse_delete
before delete on public.wallet_limits
for each row execute function private.refuse_change();

-- To begin with. What compliance asks for is set by operators.
insert into public.wallet_limits (tier, currency, largest_amount, day_amount, day_count, month_amount, month_count, maximum_balance)
select
  tier.name,
  unit.currency,
  tier.largest * unit.amount,
  tier.daily * unit.amount,
  tier.day_count,
  tier.monthly * unit.amount,
  tier.month_count,
  tier.balance * unit.amount
from (
  values
    ('basic', 200, 500, 50, 2000, 500, 1000),
    ('verified', 2000, 5000, 200, 20000, 2000, 10000),
    ('business', 20000, 100000, 5000, 1000000, 100000, 500000)
) as tier (name, largest, daily, day_count, monthly, month_count, balance)
cross join (
  -- About a thousand francs each, in minor units.
  values
    ('BIF', 2000::bigint), ('CDF', 200000), ('EUR', 60), ('GBP', 50), ('KES', 9000), ('RWF', 1000), ('TZS', 180000), ('UGX', 2500), ('USD', 70)
) as unit (currency, amount);

select private.audit_table('public.wallet_limits');

commit;
