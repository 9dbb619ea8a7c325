begin;

create table public.whatsapp_rates (
  recipient_prefix text not null,
  category text not null,
  first_on date not null,
  rate_micros bigint not null,
  currency char(3) not null,
  constraint whatsapp_rates_pkey primary key (recipient_prefix, category, first_on),
  constraint whatsapp_rates_prefix_is_short check (length(recipient_prefix) <= 16),
  constraint whatsapp_rates_rate_is_not_negative check (rate_micros >= 0),
  constraint whatsapp_rates_currency_is_a_code check (currency ~ '^[A-Z]{3}$')
);

comment on table public.whatsapp_rates is
  'What Meta charges for a delivered message, from its price list, which it publishes by market and month. Empty: no spend is told in money.';
comment on column public.whatsapp_rates.recipient_prefix is
  'What the recipient''s name begins with: a calling code (250), the country of a user id (RW.), or nothing, for everybody else. The longest counts.';
comment on column public.whatsapp_rates.category is 'As in Meta''s pricing objects: marketing, utility, authentication, service ...';
comment on column public.whatsapp_rates.first_on is 'From that day on, until the next rate of the same recipients and category.';
comment on column public.whatsapp_rates.rate_micros is 'Millionths of the currency''s unit for one message.';
alter table public.whatsapp_rates enable row level security;
grant select, insert, update, delete on public.whatsapp_rates to service_role;
select private.audit_table('public.whatsapp_rates');

create function private.whatsapp_rate(recipient text, category text, on_day date)
returns public.whatsapp_rates
language plpgsql
stable
set search_path = ''
as $$
declare
  v_rate public.whatsapp_rates;
begin
  select rate.* into v_rate
  from public.whatsapp_rates as rate
  where rate.category = whatsapp_rate.category and rate.first_on <= whatsapp_rate.on_day
    and starts_with(whatsapp_rate.recipient, rate.recipient_prefix)
  order by length(rate.recipient_prefix) desc, rate.first_on desc
  limit 1;
  return v_rate;
end;
$$;

comment on function private.whatsapp_rate is 'The rate that holds for a message; nulls if none is known.';
grant execute on function private.whatsapp_rate to service_role;

create view public.whatsapp_message_costs
with (security_invoker = on)
as
select
  status.id,
  status.phone_number_id,
  status.wamid,
  status.participant,
  status.message_id,
  arrived.at as delivered_at,
  told.pricing ->> 'category' as category,
  told.pricing ->> 'pricing_model' as pricing_model,
  told.pricing ->> 'type' as type,
  (told.pricing ->> 'billable')::boolean as billable,
  case
    when arrived.at is null then 'not_delivered'
    when told.pricing ->> 'type' in ('free_customer_service', 'free_entry_point') then told.pricing ->> 'type'
    when told.pricing ->> 'type' is null and (told.pricing ->> 'billable')::boolean is not true then 'not_billable'
  end as free_reason,
  coalesce(told.status ->> 'recipient_id', told.status ->> 'recipient_user_id') as recipient
from public.whatsapp_message_statuses as status
cross join lateral (
  select coalesce(status.delivered_at, status.read_at, status.played_at) as at
) as arrived
cross join lateral (
  select observed.status, observed.status -> 'pricing' as pricing
  from (values
    (1, status.observed -> 'delivered'), (2, status.observed -> 'read'), (3, status.observed -> 'played'), (4, status.observed -> 'sent')
  ) as observed (rank, status)
  where jsonb_typeof(observed.status -> 'pricing') = 'object'
  order by observed.rank
  limit 1
) as told;

comment on view public.whatsapp_message_costs is
  'What Meta says of the price of each message, once per message (and participant, in groups) however often and in whatever order its statuses '
  'came: the pricing object of the delivery counts before that of the sending. free_reason null: charged, unless the month''s free service '
  'messages cover it (whatsapp_spend). Ask with `id >= private.uuid_v7_floor(...)`, so that few partitions are opened.';
comment on column public.whatsapp_message_costs.free_reason is
  'Why it costs nothing: not_delivered, free_customer_service, free_entry_point or not_billable. Meta charges delivered messages only.';
grant select on public.whatsapp_message_costs to service_role;

create function public.whatsapp_spend(month date)
returns table (
  phone_number_id text,
  category text,
  delivered_count bigint,
  free_count bigint,
  allowance_count bigint,
  charged_count bigint,
  unrated_count bigint,
  spend_micros bigint,
  currency text
)
language plpgsql
stable
set search_path = ''
set timezone = 'UTC'
set statement_timeout = '30s'
as $$
declare
  c_free_service_messages constant integer := 1000;
  v_month date := date_trunc('month', whatsapp_spend.month)::date;
  -- A message may be delivered for 30 days, and its statuses come for 7 more.
  v_floor uuid := private.uuid_v7_floor(v_month - interval '31 days');
  v_end uuid := private.uuid_v7_floor(v_month + interval '1 month' + interval '8 days');
begin
  if whatsapp_spend.month is null then
    perform private.refuse('invalid_argument', '{"argument": "month"}');
  end if;
  return query
  with delivered as (
    select cost.*,
      row_number() over (
        partition by cost.phone_number_id, cost.category, cost.type is not distinct from 'free_entry_point'
        order by cost.delivered_at, cost.id
      ) as place
    from public.whatsapp_message_costs as cost
    where cost.id >= v_floor and cost.id < v_end
      and cost.delivered_at >= v_month and cost.delivered_at < v_month + interval '1 month'
  ),
  judged as (
    select delivered.phone_number_id, delivered.category, delivered.free_reason, rate.rate_micros, rate.currency,
      delivered.free_reason is null and delivered.category = 'service' and delivered.place <= c_free_service_messages as is_allowed
    from delivered
    left join lateral private.whatsapp_rate(delivered.recipient, delivered.category, delivered.delivered_at::date) as rate on true
  )
  select judged.phone_number_id, judged.category, count(*),
    count(*) filter (where judged.free_reason is not null),
    count(*) filter (where judged.is_allowed),
    count(*) filter (where judged.free_reason is null and not judged.is_allowed),
    count(*) filter (where judged.free_reason is null and not judged.is_allowed and judged.rate_micros is null),
    sum(judged.rate_micros) filter (where judged.free_reason is null and not judged.is_allowed)::bigint,
    judged.currency::text
  from judged
  group by judged.phone_number_id, judged.category, judged.currency
  order by judged.phone_number_id, judged.category, judged.currency;
end;
$$;

comment on function public.whatsapp_spend is
  'What a month''s messages cost (the month that the day lies in, in UTC), per number and category, and per currency if rates are known in more '
  'than one: those delivered, free by Meta''s word, covered by the 1,000 service messages that a number has free in a month (the first '
  'delivered ones; what an ad or a page brought does not count), and charged. '
  'spend_micros, in millionths of the currency, leaves out the unrated_count messages that no rate is known for; null if none is. '
  'Refuses: invalid_argument.';
grant execute on function public.whatsapp_spend to service_role;

commit;
