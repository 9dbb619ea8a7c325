begin;

create table public.currencies (
  code char(3) not null,
  exponent smallint not null,
  constraint currencies_pkey primary key (code),
  constraint currencies_code_is_iso_4217 check (code ~ '^[A-Z]{3}$'),
  constraint currencies_exponent_is_small check (exponent between 0 and 4)
);

comment on table public.currencies is 'The currencies that we serve (ISO 4217). Amounts are whole numbers of their minor units everywhere.';
comment on column public.currencies.exponent is 'How many decimals people write: 0 for francs, 2 where there are cents.';
alter table public.currencies enable row level security;
grant select on public.currencies to anon, authenticated, service_role;

create policy "Everybody reads currencies"
on public.currencies
for select
to anon, authenticated, service_role
using (true);

insert into public.currencies (code, exponent) values
  ('BIF', 0),
  ('CDF', 2),
  ('EUR', 2),
  ('GBP', 2),
  ('KES', 2),
  ('RWF', 0),
  ('TZS', 2),
  ('UGX', 0),
  ('USD', 2);

commit;
