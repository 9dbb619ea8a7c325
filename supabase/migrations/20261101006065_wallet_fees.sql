begin;

create type public.wallet_fee_payer as enum ('sender', 'receiver');
comment on type public.wallet_fee_payer is 'Who bears a fee: the sender pays it on top, the receiver gets so much less.';

create table public.wallet_fees (
  kind public.wallet_transaction_kind not null,
  currency char(3) not null,
  payer public.wallet_fee_payer not null,
  basis_points integer not null,
  fixed_amount bigint not null default 0,
  minimum_amount bigint not null default 0,
  maximum_amount bigint not null default 9007199254740991,
  constraint wallet_fees_pkey primary key (kind, currency),
  constraint wallet_fees_currency_fkey foreign key (currency) references public.currencies (code),
  constraint wallet_fees_rate_is_a_share check (basis_points between 0 and 10000),
  constraint wallet_fees_amounts_are_exact check (
    fixed_amount between 0 and 9007199254740991 and minimum_amount >= 0 and maximum_amount between minimum_amount and 9007199254740991
  )
);

comment on table public.wallet_fees is
  'What we charge for transactions of a kind: a share of the amount and a fixed part, within bounds. No row: nothing. Set by set_wallet_fee().';
comment on column public.wallet_fees.basis_points is 'Hundredths of a percent. A fraction of a minor unit is rounded to the nearest, half away from zero.';
create index wallet_fees_currency_idx on public.wallet_fees (currency);
alter table public.wallet_fees enable row level security;
grant select on public.wallet_fees to authenticated, service_role;

create policy "People who sign in read the fees"
on public.wallet_fees
for select
to authenticated
using (true);

select private.audit_table('public.wallet_fees');

create function private.wallet_fee_amount(fee public.wallet_fees, amount bigint)
returns bigint
language plpgsql
immutable
set search_path = ''
as $$
declare
  v_fee constant public.wallet_fees := wallet_fee_amount.fee;
begin
  -- numeric: amount times rate may leave bigint. It is exact, and rounds half away from zero.
  return greatest(v_fee.minimum_amount, least(
    v_fee.maximum_amount,
    v_fee.fixed_amount + round(wallet_fee_amount.amount::numeric * v_fee.basis_points / 10000)
  ));
end;
$$;

comment on function private.wallet_fee_amount is 'The fee for an amount, in whole minor units.';

create function private.split_wallet_amount(amount bigint, weights bigint[])
returns bigint[]
language plpgsql
immutable
set search_path = ''
as $$
declare
  v_amount constant numeric := split_wallet_amount.amount;
  v_whole constant numeric := (select sum(weight) from unnest(split_wallet_amount.weights) as weight);
begin
  -- Each gets the whole part of its share; what is left goes, one each, to the largest remainders, the first of equal ones.
  return array(
    select part.floor + (part.rank <= v_amount - part.given)::integer
    from (
      select
        place,
        div(v_amount * weight, v_whole) as floor,
        sum(div(v_amount * weight, v_whole)) over () as given,
        row_number() over (order by mod(v_amount * weight, v_whole) desc, place) as rank
      from unnest(split_wallet_amount.weights) with ordinality as share (weight, place)
    ) as part
    order by part.place
  );
end;
$$;

comment on function private.split_wallet_amount is
  'Splits an amount by weights into whole parts that sum to it exactly (largest remainder method). No part is off its exact share by one minor unit or more. '
  'Amount and weights are not negative, and one weight is positive.';

create function private.wallet_payment_legs(
  kind public.wallet_transaction_kind,
  from_account_id uuid,
  to_account_id uuid,
  amount bigint,
  currency text
)
returns private.wallet_leg[]
language plpgsql
set search_path = ''
as $$
declare
  v_legs private.wallet_leg[] := array[
    (wallet_payment_legs.from_account_id, -wallet_payment_legs.amount, null)::private.wallet_leg,
    (wallet_payment_legs.to_account_id, wallet_payment_legs.amount, null)::private.wallet_leg
  ];
  v_fee public.wallet_fees;
  v_amount bigint;
begin
  select * into v_fee from public.wallet_fees as known
  where known.kind = wallet_payment_legs.kind and known.currency = wallet_payment_legs.currency;
  if not found then
    return v_legs;
  end if;
  v_amount := private.wallet_fee_amount(v_fee, wallet_payment_legs.amount);
  if v_amount = 0 then
    return v_legs;
  end if;
  return v_legs || array[
    (
      case v_fee.payer when 'sender' then wallet_payment_legs.from_account_id else wallet_payment_legs.to_account_id end, -v_amount, 0
    )::private.wallet_leg,
    (private.get_platform_account('fees', wallet_payment_legs.currency), v_amount, null)::private.wallet_leg
  ];
end;
$$;

comment on function private.wallet_payment_legs is
  'The legs of a payment and of its fee, if there is one: an entry of its own on the account that bears it, which counts for no limit.';

create function private.set_wallet_fee(fee public.wallet_fees)
returns public.wallet_fees
language plpgsql
security definer -- no role may write fees
set search_path = ''
as $$
declare
  v_fee public.wallet_fees := set_wallet_fee.fee;
begin
  perform private.require_wallet_manager();
  insert into public.wallet_fees as stored select v_fee.*
  on conflict on constraint wallet_fees_pkey do update set
    payer = excluded.payer, basis_points = excluded.basis_points, fixed_amount = excluded.fixed_amount,
    minimum_amount = excluded.minimum_amount, maximum_amount = excluded.maximum_amount;
  return v_fee;
end;
$$;

comment on function private.set_wallet_fee is 'The work of public.set_wallet_fee(). Refuses: operator_required.';

create function public.set_wallet_fee(
  kind public.wallet_transaction_kind,
  currency text,
  payer public.wallet_fee_payer,
  basis_points integer,
  fixed_amount bigint default 0,
  minimum_amount bigint default 0,
  maximum_amount bigint default 9007199254740991
)
returns public.wallet_fees
language plpgsql
set search_path = ''
set statement_timeout = '5s'
as $$
begin
  if (
    set_wallet_fee.kind in ('transfer', 'payment') and set_wallet_fee.payer is not null
    and exists (select from public.currencies as known where known.code = set_wallet_fee.currency)
    and set_wallet_fee.basis_points between 0 and 10000
    and set_wallet_fee.fixed_amount between 0 and 9007199254740991
    and set_wallet_fee.minimum_amount between 0 and set_wallet_fee.maximum_amount
    and set_wallet_fee.maximum_amount <= 9007199254740991
  ) is not true then
    perform private.refuse('invalid_argument');
  end if;
  return private.set_wallet_fee((
    set_wallet_fee.kind, set_wallet_fee.currency, set_wallet_fee.payer, set_wallet_fee.basis_points,
    set_wallet_fee.fixed_amount, set_wallet_fee.minimum_amount, set_wallet_fee.maximum_amount
  )::public.wallet_fees);
end;
$$;

comment on function public.set_wallet_fee is
  'For registered operators and the service: what transfers (wallet_transfer) or payments (wallet_capture) of a currency cost from now on. '
  'Refuses: operator_required, invalid_argument.';
grant execute on function public.set_wallet_fee, private.set_wallet_fee to authenticated, service_role;

commit;
