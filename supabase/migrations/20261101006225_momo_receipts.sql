begin;

create type public.momo_chain_state as enum ('first', 'continued', 'broken', 'accepted');
comment on type public.momo_chain_state is
  'Whether a receipt''s balance follows from one that is trusted. broken: one before it is missing, or it is forged; accepted: an operator has looked at the account.';

create table public.momo_receipts (
  event_id uuid not null,
  receiving_number text not null,
  template text not null,
  change bigint not null,
  currency char(3) not null,
  balance bigint not null,
  balance_before bigint not null generated always as (balance - change) stored,
  occurred_at timestamptz not null,
  chain public.momo_chain_state not null,
  constraint momo_receipts_pkey primary key (event_id),
  constraint momo_receipts_event_id_fkey foreign key (event_id) references public.payment_webhook_events (id),
  constraint momo_receipts_receiving_number_fkey foreign key (receiving_number) references public.momo_receivers (receiving_number),
  constraint momo_receipts_balance_is_not_negative check (balance >= 0)
);

comment on table public.momo_receipts is
  'What moved the balance of each number of ours, as MTN told it by SMS: a chain in which every receipt begins where one before it ended. Nothing of persons.';
comment on column public.momo_receipts.event_id is 'The event that brought it.';
comment on column public.momo_receipts.change is 'In francs: what came in; below zero, what went out, with its fee.';
comment on column public.momo_receipts.balance is 'After it, as the message says.';
create index momo_receipts_receiving_number_occurred_at_idx on public.momo_receipts (receiving_number, occurred_at);
create index momo_receipts_broken_idx on public.momo_receipts (receiving_number, occurred_at) where chain = 'broken';
create index momo_receipts_trusted_idx on public.momo_receipts (receiving_number, occurred_at) where chain <> 'broken';
alter table public.momo_receipts enable row level security;
grant select on public.momo_receipts to service_role;
create trigger refuse_delete
before delete on public.momo_receipts
for each row execute function private.refuse_change();

create function private.momo_change(receipt jsonb)
returns bigint
language plpgsql
immutable
set search_path = ''
as $$
begin
  return case momo_change.receipt ->> 'direction'
    when 'in' then (momo_change.receipt ->> 'amount')::bigint
    when 'out' then -(momo_change.receipt ->> 'amount')::bigint - coalesce((momo_change.receipt ->> 'fee')::bigint, 0)
  end;
end;
$$;

comment on function private.momo_change is 'What a receipt does to the balance; null if nothing.';

create function private.joins_momo_chain(receipt public.momo_receipts)
returns boolean
language plpgsql
stable
set search_path = ''
as $$
declare
  v_receipt constant public.momo_receipts := joins_momo_chain.receipt;
begin
  -- Messages tell no more than the second, so its neighbours may be of the same.
  return exists (
    select from public.momo_receipts as earlier
    where earlier.receiving_number = v_receipt.receiving_number and earlier.chain <> 'broken' and earlier.event_id <> v_receipt.event_id
      and earlier.balance = v_receipt.balance_before
      and earlier.occurred_at between coalesce((
        select max(last.occurred_at) from public.momo_receipts as last
        where last.receiving_number = v_receipt.receiving_number and last.chain <> 'broken' and last.occurred_at < v_receipt.occurred_at
      ), v_receipt.occurred_at) and v_receipt.occurred_at
  ) or exists (
    select from public.momo_receipts as later
    where later.receiving_number = v_receipt.receiving_number and later.chain <> 'broken' and later.event_id <> v_receipt.event_id
      and later.balance_before = v_receipt.balance
      and later.occurred_at between v_receipt.occurred_at and coalesce((
        select min(next.occurred_at) from public.momo_receipts as next
        where next.receiving_number = v_receipt.receiving_number and next.chain <> 'broken' and next.occurred_at > v_receipt.occurred_at
      ), v_receipt.occurred_at)
  );
end;
$$;

comment on function private.joins_momo_chain is
  'Whether a receipt begins where the last trusted one ended, or ends where the next one begins, which may have come first. '
  'A broken neighbour does not count: else two forged messages would vouch for each other.';

create function private.heal_momo_chain(receiving_number text, since timestamptz)
returns uuid[]
language plpgsql
set search_path = ''
as $$
declare
  v_direction integer;
  v_receipt public.momo_receipts;
  v_healed uuid[] := '{}';
  v_count integer;
begin
  loop
    v_count := cardinality(v_healed);
    -- There and back, so that what each one makes possible is mostly still to come.
    foreach v_direction in array array[1, -1] loop
      for v_receipt in
        select receipt.* from public.momo_receipts as receipt
        where receipt.receiving_number = heal_momo_chain.receiving_number and receipt.chain = 'broken'
          and receipt.occurred_at >= heal_momo_chain.since - interval '1 day'
        order by v_direction * extract(epoch from receipt.occurred_at)
      loop
        if private.joins_momo_chain(v_receipt) then
          update public.momo_receipts as receipt set chain = 'continued' where receipt.event_id = v_receipt.event_id;
          v_healed := v_healed || v_receipt.event_id;
        end if;
      end loop;
    end loop;
    exit when cardinality(v_healed) = v_count;
  end loop;
  return v_healed;
end;
$$;

comment on function private.heal_momo_chain is
  'Mends a chain about a time, as messages overtake each other and the missing one may have come; gives the events whose receipts are trusted now.';

create function private.keep_momo_receipt(event public.payment_webhook_events)
returns uuid[]
language plpgsql
set search_path = ''
as $$
declare
  v_event constant public.payment_webhook_events := keep_momo_receipt.event;
  v_said constant jsonb := v_event.payload -> 'receipt';
  v_number constant text := v_event.payload ->> 'receiving_number';
  v_change constant bigint := private.momo_change(v_said);
begin
  if v_change is null then
    return '{}';
  end if;
  insert into public.momo_receipts (event_id, receiving_number, template, change, currency, balance, occurred_at, chain)
  values (
    v_event.id, v_number, v_said ->> 'template', v_change, v_said ->> 'currency', (v_said ->> 'balance')::bigint,
    (v_said ->> 'occurred_at')::timestamptz,
    case when exists (select from public.momo_receipts as receipt where receipt.receiving_number = v_number)
      then 'broken' else 'first' end::public.momo_chain_state
  )
  on conflict on constraint momo_receipts_pkey do nothing;
  return private.heal_momo_chain(v_number, (v_said ->> 'occurred_at')::timestamptz);
end;
$$;

comment on function private.keep_momo_receipt is
  'Adds a receipt to its number''s chain, once; gives the events that are trusted since. Its caller holds the number''s row, so that receipts come one by one.';

commit;
