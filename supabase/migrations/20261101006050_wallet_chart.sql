begin;

create table public.wallet_chart (
  code text not null,
  type public.wallet_account_type not null,
  shard_count smallint not null default 1,
  about text not null,
  constraint wallet_chart_pkey primary key (code),
  constraint wallet_chart_code_is_a_word check (code ~ '^[a-z][a-z0-9_]{0,31}$'),
  constraint wallet_chart_shard_count_is_small check (shard_count between 1 and 256)
);

comment on table public.wallet_chart is
  'The chart of accounts: what accounts the platform has. Each is opened in a currency when it is first needed (private.get_platform_account).';
comment on column public.wallet_chart.code is 'The first word of the accounts'' codes: settlement of settlement:mtn_momo.';
comment on column public.wallet_chart.shard_count is 'Of the accounts that are opened from now on.';
alter table public.wallet_chart enable row level security;
grant select on public.wallet_chart to service_role;

insert into public.wallet_chart (code, type, shard_count, about) values
  ('settlement', 'asset', 16, 'What a provider holds for us, one account each: settlement:mtn_momo'),
  ('payouts', 'liability', 16, 'On its way out through a provider, one account each: payouts:mtn_momo'),
  ('suspense', 'liability', 1, 'Money whose owner is not known yet'),
  ('trips', 'liability', 16, 'Fares that a provider took in, until they are split between driver and commission'),
  ('fees', 'income', 16, 'What we earn for payments'),
  ('commission', 'income', 16, 'What we earn for trips'),
  ('provider_fees', 'expense', 16, 'What providers charge us'),
  ('promotions', 'expense', 16, 'What we give away'),
  ('exchange', 'asset', 1, 'Our position in a currency'),
  ('losses', 'expense', 1, 'What is written off'),
  ('capital', 'equity', 1, 'What the owners put in');

select private.audit_table('public.wallet_chart');

create function private.get_platform_account(code text, currency text)
returns uuid
language plpgsql
security definer -- opens what is missing; no role may write accounts
set search_path = ''
as $$
declare
  v_id uuid;
  v_chart public.wallet_chart;
begin
  select account.id into v_id from public.wallet_accounts as account
  where account.profile_id is null and account.code = get_platform_account.code and account.currency = get_platform_account.currency;
  if found then
    return v_id;
  end if;

  select * into v_chart from public.wallet_chart as chart where chart.code = split_part(get_platform_account.code, ':', 1);
  if not found or not exists (select from public.currencies as known where known.code = get_platform_account.currency) then
    perform private.refuse('wallet_account_not_found', jsonb_build_object('code', get_platform_account.code));
  end if;
  insert into public.wallet_accounts (id, code, currency, type, shard_count)
  values (
    private.busy_wallet_account_id(), get_platform_account.code, get_platform_account.currency, v_chart.type, v_chart.shard_count
  )
  on conflict on constraint wallet_accounts_profile_id_code_currency_key do nothing;
  return private.get_platform_account(get_platform_account.code, get_platform_account.currency);
end;
$$;

comment on function private.get_platform_account is
  'The platform''s account of that code and currency, opened if need be: settlement:<provider>, payouts:<provider>, suspense, fees ... '
  'Refuses: wallet_account_not_found (the chart does not have it).';

create function private.busy_wallet_account_id()
returns uuid
language plpgsql
volatile
set search_path = ''
as $$
begin
  return private.uuid_v7('9999-12-31Z');
end;
$$;

comment on function private.busy_wallet_account_id is
  'The id of an account that many payments meet: behind the others'', so that it is locked last and shortest.';

commit;
