begin;

create view public.wallet_health
with (security_invoker = on)
as
select
  (select count(*) from public.wallet_drift) as drift_count,
  (
    select count(*) from public.wallet_trial_balance as total where total.code is null and total.debit <> total.credit
  ) as unbalanced_currency_count,
  run.finished_at as verified_at,
  run.entry_count as verified_entry_count,
  coalesce(run.finding_count, 0) as finding_count,
  (
    select count(*) from public.wallet_holds as hold where hold.status = 'held' and hold.expires_at < now() - interval '5 minutes'
  ) as overdue_hold_count,
  private.oldest_wallet_news() as oldest_unrecorded_at
from (values (true)) as one (row)
left join lateral (select * from public.wallet_verifications as latest order by latest.id desc limit 1) as run on true;

comment on view public.wallet_health is
  'One row to alert on: drift, currencies whose sides differ, what the last verification found and when, holds that nobody swept, and since when events wait to be recorded.';
grant select on public.wallet_health to service_role;

commit;
