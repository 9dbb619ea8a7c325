-- So many transfers more between the accounts that there are, spread over the last six months: each one transaction,
-- two entries and its key. Running balances are not kept up: what they cost to write and find is the same.
with moment as (
  select now() - interval '170 days' * random() as at, gen_random_uuid() as key
  from generate_series(1, $1::int)
),
account as (
  select array_agg(head.account_id) as ids from public.wallet_balances as head where head.shard = 0 and head.tier is not null
),
drawn as materialized (
  select
    private.uuid_v7(moment.at) as id, moment.at, moment.key,
    account.ids[1 + floor(random() * cardinality(account.ids))] as one,
    account.ids[1 + floor(random() * cardinality(account.ids))] as other
  from moment cross join account
),
posted as (
  insert into public.wallet_transactions (id, created_at, effective_at, kind, source, reference, metadata, actor)
  select drawn.id, drawn.at, drawn.at, 'transfer', 'wallet_transfer:service_role', drawn.key::text, '{}', 'service_role' from drawn
),
keyed as (
  insert into public.wallet_transaction_keys (id, fingerprint, transaction_id) select drawn.key, 0, drawn.id from drawn
)
insert into public.wallet_entries (transaction_id, account_id, shard, leg, currency, amount, balance, version)
select drawn.id, leg.account_id, 0, leg.place, 'RWF', leg.amount, 0, 0
from drawn
cross join lateral (values (drawn.one, 1, -1), (drawn.other, 2, 1)) as leg (account_id, place, amount)
