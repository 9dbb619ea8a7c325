begin;

create table private.wallet_checkpoints (
  account_id uuid not null,
  shard smallint not null,
  balance bigint not null,
  version bigint not null,
  constraint wallet_checkpoints_pkey primary key (account_id, shard)
);

comment on table private.wallet_checkpoints is
  'What each account has by its entries alone, as of the last verification. The drift since then is looked for from here.';
alter table private.wallet_checkpoints enable row level security;
grant select on private.wallet_checkpoints to service_role;

create table public.wallet_verifications (
  id bigint not null generated always as identity,
  started_at timestamptz not null,
  finished_at timestamptz not null,
  entry_count bigint not null,
  finding_count bigint not null,
  findings jsonb not null,
  constraint wallet_verifications_pkey primary key (id)
);

comment on table public.wallet_verifications is
  'Each replay of the whole ledger by private.verify_wallet_ledger(): how many entries it read, and what did not fit (the first hundred).';
alter table public.wallet_verifications enable row level security;
grant select on public.wallet_verifications to service_role;
create trigger refuse_change
before update or delete on public.wallet_verifications
for each row execute function private.refuse_change();

create type private.wallet_finding as (problem text, account_id uuid, shard integer, transaction_id uuid, expected bigint, actual bigint);
comment on type private.wallet_finding is
  'What does not fit. unbalanced: a transaction''s entries; orphaned: entries without a transaction, or one without entries; chain: an entry does not follow from the one before it; '
  'opening: a month does not begin as the one before it ended; balance, version: what the account says is not what its entries say; held: nor what its holds say; '
  'guard: the account is beyond its bounds.';

create function private.wallet_month_findings(month timestamptz)
returns setof private.wallet_finding
language plpgsql
stable
set search_path = ''
set timezone = 'UTC'
set plan_cache_mode = 'force_custom_plan'
as $$
declare
  v_from constant uuid := private.uuid_v7_floor(wallet_month_findings.month);
  v_to constant uuid := private.uuid_v7_floor(wallet_month_findings.month + interval '1 month');
begin
  return query
  select 'unbalanced', null::uuid, null::integer, entry.transaction_id, 0::bigint, sum(entry.amount)::bigint
  from public.wallet_entries as entry
  where entry.transaction_id >= v_from and entry.transaction_id < v_to
  group by entry.transaction_id, entry.currency
  having sum(entry.amount) <> 0 or count(*) < 2;

  return query
  select 'orphaned', null::uuid, null::integer, coalesce(posted.id, entry.transaction_id), null::bigint, null::bigint
  from (select * from public.wallet_transactions as one where one.id >= v_from and one.id < v_to) as posted
  full join (
    select distinct one.transaction_id from public.wallet_entries as one where one.transaction_id >= v_from and one.transaction_id < v_to
  ) as entry on entry.transaction_id = posted.id
  where posted.id is null or entry.transaction_id is null;

  return query
  select 'chain', entry.account_id, entry.shard::integer, entry.transaction_id, entry.previous_balance + entry.amount, entry.balance
  from (
    select
      one.*,
      coalesce(lag(one.balance) over chain, opening.opening_balance) as previous_balance,
      coalesce(lag(one.version) over chain, opening.opening_version) as previous_version
    from public.wallet_entries as one
    left join public.wallet_months as opening
      on opening.account_id = one.account_id and opening.shard = one.shard and opening.month = wallet_month_findings.month
    where one.transaction_id >= v_from and one.transaction_id < v_to
    window chain as (partition by one.account_id, one.shard order by one.transaction_id, one.leg)
  ) as entry
  where (entry.balance, entry.version) is distinct from (entry.previous_balance + entry.amount, entry.previous_version + 1);

  return query
  select 'opening', next.account_id, next.shard::integer, null::uuid, closing.balance::bigint, next.opening_balance
  from (
    select opening.*, lag(opening.month) over (partition by opening.account_id, opening.shard order by opening.month) as previous_month
    from public.wallet_months as opening
    where opening.month >= wallet_month_findings.month
  ) as next
  join public.wallet_months as opening
    on opening.account_id = next.account_id and opening.shard = next.shard and opening.month = next.previous_month
  cross join lateral (
    select opening.opening_balance + coalesce(sum(entry.amount), 0) as balance
    from public.wallet_entries as entry
    where entry.account_id = next.account_id and entry.shard = next.shard and entry.transaction_id >= v_from and entry.transaction_id < v_to
  ) as closing
  where next.previous_month = wallet_month_findings.month and closing.balance <> next.opening_balance;
end;
$$;

comment on function private.wallet_month_findings is 'What does not fit in a month of the ledger. Reads all of it.';

create function private.verify_wallet_ledger()
returns bigint
language plpgsql
set search_path = ''
set timezone = 'UTC'
as $$
declare
  v_started_at constant timestamptz := clock_timestamp();
  v_findings private.wallet_finding[] := '{}';
  v_month timestamptz;
  v_count bigint;
begin
  for v_month in
    select leaf.month from private.partition_leaves as leaf
    where leaf.table_name = 'wallet_entries' and leaf.month is not null
    order by leaf.month
  loop
    v_findings := v_findings || array(select finding from private.wallet_month_findings(v_month) as finding limit 100);
  end loop;

  -- By the entries, not by what the heads say: those are compared with it (wallet_drift).
  insert into private.wallet_checkpoints as checkpoint (account_id, shard, balance, version)
  select entry.account_id, entry.shard, sum(entry.amount), max(entry.version)
  from public.wallet_entries as entry
  group by entry.account_id, entry.shard
  on conflict on constraint wallet_checkpoints_pkey do update set balance = excluded.balance, version = excluded.version;
  select coalesce(sum(checkpoint.version), 0) into v_count from private.wallet_checkpoints as checkpoint;

  insert into public.wallet_verifications (started_at, finished_at, entry_count, finding_count, findings)
  values (v_started_at, clock_timestamp(), v_count, cardinality(v_findings), to_jsonb(v_findings[1:100]));
  return cardinality(v_findings);
end;
$$;

comment on function private.verify_wallet_ledger is
  'Replays the whole ledger: that every transaction balances, that every entry follows from the one before it, that every month begins as the one before it ended. '
  'Keeps what it found and from where wallet_drift goes on; says how much did not fit. Run by the schedule at night.';

insert into private.schedule (name, cron, command) values
  ('verify-wallet-ledger', '30 2 * * *', 'select private.verify_wallet_ledger()');

create function private.wallet_verified_until()
returns uuid
language plpgsql
stable
security definer -- for the views of those who may not read it
set search_path = ''
as $$
begin
  -- A day for those who were still posting when it began.
  return private.uuid_v7_floor(coalesce(
    (select max(run.started_at) - interval '1 day' from public.wallet_verifications as run), '1970-01-01Z'
  ));
end;
$$;

comment on function private.wallet_verified_until is 'An id before all entries that the last verification had not seen.';
grant execute on function private.wallet_verified_until to service_role;

create function private.oldest_wallet_news()
returns timestamptz
language plpgsql
stable
security definer -- for the views of those who may not read it
set search_path = ''
as $$
begin
  return (
    select coalesce(private.uuid_v7_time(news.transaction_id), hold.created_at)
    from private.wallet_news as news
    left join public.wallet_holds as hold on hold.id = news.hold_id
    order by news.id
    limit 1
  );
end;
$$;

comment on function private.oldest_wallet_news is 'Since when something waits to be told to the event store; null: nothing does.';
grant execute on function private.oldest_wallet_news to service_role;

create view public.wallet_drift
with (security_invoker = on)
as
with entry as materialized (
  select one.* from public.wallet_entries as one where one.transaction_id >= (select private.wallet_verified_until())
),
replayed as (
  select
    head.account_id,
    head.shard,
    coalesce(checkpoint.balance, 0) + coalesce(since.amount, 0) as balance,
    coalesce(checkpoint.version, 0) + coalesce(since.count, 0) as version
  from public.wallet_balances as head
  left join private.wallet_checkpoints as checkpoint on checkpoint.account_id = head.account_id and checkpoint.shard = head.shard
  left join (
    select entry.account_id, entry.shard, sum(entry.amount) as amount, count(*) as count
    from entry
    left join private.wallet_checkpoints as verified on verified.account_id = entry.account_id and verified.shard = entry.shard
    where entry.version > coalesce(verified.version, 0)
    group by entry.account_id, entry.shard
  ) as since on since.account_id = head.account_id and since.shard = head.shard
)
select
  difference.problem,
  head.account_id,
  head.shard::integer,
  null::uuid as transaction_id,
  difference.expected::bigint as expected,
  difference.actual
from public.wallet_balances as head
join replayed on replayed.account_id = head.account_id and replayed.shard = head.shard
cross join lateral (
  values
    ('balance', replayed.balance, head.balance),
    ('version', replayed.version, head.version),
    ('guard', greatest(head.lowest, head.balance - head.held), head.balance - head.held),
    ('guard', least(head.highest, head.balance), head.balance)
) as difference (problem, expected, actual)
where difference.expected <> difference.actual
union all
select 'held', head.account_id, head.shard::integer, null, coalesce(held.amount, 0)::bigint, head.held
from public.wallet_balances as head
left join (
  select hold.account_id, sum(hold.amount) as amount from public.wallet_holds as hold where hold.status = 'held' group by hold.account_id
) as held on held.account_id = head.account_id
where head.shard = 0 and head.held <> coalesce(held.amount, 0)
union all
select 'unbalanced', null, null, entry.transaction_id, 0, sum(entry.amount)::bigint
from entry
group by entry.transaction_id, entry.currency
having sum(entry.amount) <> 0 or count(*) < 2
union all
select found.problem, found.account_id, found.shard, found.transaction_id, found.expected, found.actual
from (select run.findings from public.wallet_verifications as run order by run.id desc limit 1) as latest
cross join lateral jsonb_populate_recordset(null::private.wallet_finding, latest.findings) as found;

comment on view public.wallet_drift is
  'Must be empty. Where accounts, holds and entries do not say the same (problem: see the type private.wallet_finding): '
  'since the last verification as things are now, before it as it found them.';
grant select on public.wallet_drift to service_role;

create view public.wallet_trial_balance
with (security_invoker = on)
as
select
  line.currency,
  line.type,
  line.code,
  count(*) as account_count,
  sum(greatest(-line.balance, 0))::bigint as debit,
  sum(greatest(line.balance, 0))::bigint as credit
from (
  select
    account.currency,
    account.type,
    case when account.profile_id is null then account.code else 'people:' || account.code end as code,
    sum(head.balance) as balance
  from public.wallet_accounts as account
  join public.wallet_balances as head on head.account_id = account.id
  group by account.id
) as line
group by grouping sets ((line.currency, line.type, line.code), (line.currency));

comment on view public.wallet_trial_balance is
  'Per currency every account of the platform, those of people together, on the side on which they stand, and a line without a code with the totals: debit and credit are equal.';
grant select on public.wallet_trial_balance to service_role;

commit;
