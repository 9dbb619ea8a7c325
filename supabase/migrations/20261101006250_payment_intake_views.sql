begin;

create view public.payment_event_outcomes
with (security_invoker = on)
as
select
  event.provider,
  event.outcome,
  event.reason,
  count(*) as event_count,
  count(*) filter (where event.id >= private.uuid_v7_floor(now() - interval '24 hours')) as last_day_count,
  sum(event.copy_count - 1) as copy_count,
  count(event.contradicted_at) as contradicted_count,
  max(event.received_at) as latest_at
from public.payment_webhook_events as event
where event.id >= private.uuid_v7_floor(now() - interval '7 days')
group by event.provider, event.outcome, event.reason;

comment on view public.payment_event_outcomes is
  'What became of what providers told us in the last 7 days, and why. A rise of `unreadable` means that MTN has changed its words; '
  'contradicted events came again with other money.';
grant select on public.payment_event_outcomes to service_role;

create view public.momo_chain_gaps
with (security_invoker = on)
as
select
  receipt.receiving_number,
  receipt.event_id,
  receipt.occurred_at,
  receipt.template,
  receipt.change,
  receipt.currency,
  receipt.balance,
  trusted.balance as trusted_balance,
  trusted.occurred_at as trusted_at,
  receipt.balance_before - trusted.balance as missing_change
from public.momo_receipts as receipt
left join lateral (
  select earlier.balance, earlier.occurred_at from public.momo_receipts as earlier
  where earlier.receiving_number = receipt.receiving_number and earlier.chain <> 'broken' and earlier.occurred_at <= receipt.occurred_at
  order by earlier.occurred_at desc, earlier.event_id desc
  limit 1
) as trusted on true
where receipt.chain = 'broken';

comment on view public.momo_chain_gaps is
  'Receipts whose balance does not follow from a trusted one: a message is missing before them, or they are forged. missing_change: what would have to have moved in between.';
grant select on public.momo_chain_gaps to service_role;

create function private.payment_intake_report()
returns jsonb
language plpgsql
stable
security definer -- operators see what no client may
set search_path = ''
as $$
begin
  if private.is_wallet_user() then
    perform private.require_operator();
  end if;
  return jsonb_build_object(
    'outcomes', (
      select coalesce(jsonb_agg(to_jsonb(total) order by total.provider, total.outcome, total.reason), '[]')
      from public.payment_event_outcomes as total
    ),
    'momo_chain_gaps', (
      select coalesce(jsonb_agg(to_jsonb(gap) order by gap.occurred_at), '[]')
      from (
        select * from public.momo_chain_gaps as gap where gap.occurred_at > now() - interval '7 days' order by gap.occurred_at limit 200
      ) as gap
    )
  );
end;
$$;

comment on function private.payment_intake_report is 'The work of public.payment_intake_report(). Refuses: operator_required.';

create function public.payment_intake_report()
returns jsonb
language plpgsql
stable
set search_path = ''
set statement_timeout = '5s'
as $$
begin
  return private.payment_intake_report();
end;
$$;

comment on function public.payment_intake_report is
  'For operators and the service: payment_event_outcomes, and the momo_chain_gaps of the last 7 days (at most 200). Refuses: operator_required.';
grant execute on function public.payment_intake_report, private.payment_intake_report to authenticated, service_role;

create type public.payment_event_summary as (
  id uuid,
  received_at timestamptz,
  provider public.payment_provider,
  event_id text,
  event_type text,
  outcome public.payment_event_outcome,
  reason text,
  amount bigint,
  currency text,
  transaction_id uuid,
  review_id uuid,
  copy_count integer,
  contradicted_at timestamptz,
  replayed_at timestamptz
);
comment on type public.payment_event_summary is 'An event without what it tells of persons.';

create function private.list_payment_events(
  provider public.payment_provider,
  outcome public.payment_event_outcome,
  before_id uuid,
  max_count integer
)
returns setof public.payment_event_summary
language plpgsql
stable
security definer -- operators see what no client may
set search_path = ''
as $$
begin
  if private.is_wallet_user() then
    perform private.require_operator();
  end if;
  return query
  select event.id, event.received_at, event.provider, event.event_id, event.event_type, event.outcome, event.reason,
    (event.signal ->> 'amount')::bigint, event.signal ->> 'currency', event.transaction_id, event.review_id, event.copy_count,
    event.contradicted_at, event.replayed_at
  from public.payment_webhook_events as event
  where (list_payment_events.before_id is null or event.id < list_payment_events.before_id)
    and (list_payment_events.provider is null or event.provider = list_payment_events.provider)
    and (list_payment_events.outcome is null or event.outcome = list_payment_events.outcome)
  order by event.id desc
  limit list_payment_events.max_count;
end;
$$;

comment on function private.list_payment_events is 'The work of public.list_payment_events(). Refuses: operator_required.';

create function public.list_payment_events(
  provider public.payment_provider default null,
  outcome public.payment_event_outcome default null,
  before_id uuid default null,
  max_count integer default 50
)
returns setof public.payment_event_summary
language plpgsql
stable
set search_path = ''
set statement_timeout = '5s'
as $$
begin
  if (list_payment_events.max_count between 1 and 200) is not true then
    perform private.refuse('invalid_argument', '{"argument": "max_count", "range": "1..200"}');
  end if;
  return query select * from private.list_payment_events(
    list_payment_events.provider, list_payment_events.outcome, list_payment_events.before_id, list_payment_events.max_count
  );
end;
$$;

comment on function public.list_payment_events is
  'For operators and the service: what providers have told us, the newest first; the next page is the one before the last id. Refuses: operator_required, invalid_argument.';
grant execute on function public.list_payment_events, private.list_payment_events to authenticated, service_role;

commit;
