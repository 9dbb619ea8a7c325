begin;

create function private.find_keyed_transaction(route text, key text, request jsonb)
returns public.transactions
language plpgsql
stable
set search_path = ''
as $$
declare
  v_key public.transaction_keys;
  v_transaction public.transactions;
begin
  select * into v_key from public.transaction_keys as known
  where known.caller = private.caller() and known.route = find_keyed_transaction.route and known.key = find_keyed_transaction.key;
  if not found then
    return null;
  end if;
  if v_key.fingerprint <> sha256(convert_to(find_keyed_transaction.request::text, 'UTF8')) then
    perform private.refuse('idempotency_key_reused');
  end if;
  select * into strict v_transaction from public.transactions as stored where stored.id = v_key.transaction_id;
  return v_transaction;
end;
$$;

comment on function private.find_keyed_transaction is
  'What an idempotency key made, however long ago, or null. Refuses: idempotency_key_reused (the key came with another request).';

create function private.transaction_reference(id uuid)
returns text
language plpgsql
immutable
set search_path = ''
as $$
declare
  c_digits constant text := '0123456789ABCDEFGHJKMNPQRSTVWXYZ';
  v_bits constant bigint := ('x' || right(replace(transaction_reference.id::text, '-', ''), 13))::bit(52)::bigint;
begin
  return (
    select string_agg(substr(c_digits, 1 + ((v_bits >> (5 * place)) & 31)::integer, 1), '' order by place)
    from generate_series(0, 9) as place
  );
end;
$$;

comment on function private.transaction_reference is 'Ten characters (50 bits of chance) of an id, in Crockford''s base 32.';

create function private.insert_transaction(transaction public.transactions, route text, key text, request jsonb)
returns public.transactions
language plpgsql
set search_path = ''
as $$
declare
  v_transaction public.transactions := insert_transaction.transaction;
begin
  loop
    v_transaction.id := private.uuid_v7();
    v_transaction.reference := private.transaction_reference(v_transaction.id);
    insert into public.transaction_references (reference, transaction_id) values (v_transaction.reference, v_transaction.id)
    on conflict on constraint transaction_references_pkey do nothing;
    exit when found;
  end loop;
  insert into public.transactions as stored (
    id, type, method, profile_id, from_account_id, to_account_id, amount, currency, original_id, phone, reference, description, metadata, expires_at
  ) values (
    v_transaction.id, v_transaction.type, v_transaction.method, v_transaction.profile_id, v_transaction.from_account_id, v_transaction.to_account_id,
    v_transaction.amount, v_transaction.currency, v_transaction.original_id, v_transaction.phone, v_transaction.reference, v_transaction.description,
    coalesce(v_transaction.metadata, '{}'), v_transaction.expires_at
  )
  returning stored.* into v_transaction;
  insert into public.transaction_keys (caller, route, key, fingerprint, transaction_id)
  values (
    private.caller(), insert_transaction.route, insert_transaction.key, sha256(convert_to(insert_transaction.request::text, 'UTF8')), v_transaction.id
  );
  perform private.record_transaction_event(v_transaction, null);
  return v_transaction;
end;
$$;

comment on function private.insert_transaction is 'Writes a new transaction with its key and its reference.';

create function private.require_payment_channel(method text, type public.transaction_type, amount bigint, currency text)
returns public.payment_channels
language plpgsql
stable
set search_path = ''
as $$
declare
  v_channel public.payment_channels;
begin
  select * into v_channel from public.payment_channels as channel where channel.method = require_payment_channel.method;
  if not found or not v_channel.is_enabled or require_payment_channel.currency <> all(v_channel.currencies)
    or require_payment_channel.type = 'refund' and not v_channel.can_refund
    or require_payment_channel.type = 'payout' and not v_channel.can_pay_out
    or require_payment_channel.type = 'top_up' and v_channel.provider is null
  then
    perform private.refuse('payment_method_unavailable', jsonb_build_object('method', require_payment_channel.method));
  end if;
  if require_payment_channel.type <> 'refund'
    and require_payment_channel.amount not between v_channel.minimum_amount and v_channel.maximum_amount
  then
    perform private.refuse('invalid_argument', jsonb_build_object(
      'argument', 'amount', 'range', v_channel.minimum_amount || '..' || v_channel.maximum_amount
    ));
  end if;
  return v_channel;
end;
$$;

comment on function private.require_payment_channel is
  'The channel of a method, if it can do this. Refuses: payment_method_unavailable, invalid_argument (an amount that it does not take).';

create function private.start_payment(transaction public.transactions, channel public.payment_channels)
returns public.transactions
language plpgsql
set search_path = ''
as $$
declare
  v_transaction public.transactions := start_payment.transaction;
  v_channel constant public.payment_channels := start_payment.channel;
  v_attempt_id constant uuid := gen_random_uuid();
begin
  if v_channel.provider is null then
    return private.move_transaction(v_transaction, 'succeeded', 'ledger', null, private.settle_wallet_transaction(v_transaction));
  end if;
  insert into public.payment_attempts (
    id, transaction_id, kind, provider, amount, currency, phone, next_check_at
  ) values (
    v_attempt_id, v_transaction.id,
    case v_transaction.type when 'payout' then 'payout'::public.payment_attempt_kind when 'refund' then 'refund' else 'charge' end,
    v_channel.provider, v_transaction.amount, v_transaction.currency, v_transaction.phone,
    -- Whoever made it has that long to begin; then the worker does.
    case when v_channel.needs_request or v_transaction.type in ('refund', 'payout') then now() + interval '10 seconds'
      when v_channel.can_check then now() + interval '60 seconds' end
  );
  update public.transactions as stored set
    hold_id = case when v_transaction.type in ('payout', 'refund') then (private.hold_wallet_funds(
      account_id => v_transaction.from_account_id,
      amount => v_transaction.amount,
      source => 'payment',
      reference => v_transaction.id::text,
      request => to_jsonb(v_transaction.amount),
      lasts => interval '31 days',
      description => v_transaction.description
    )).id end,
    next_action = case
      when v_transaction.type in ('payout', 'refund') then null
      when v_channel.method = 'momo_ussd' then jsonb_build_object(
        'type', 'dial', 'ussd', format('*182*8*1*%s*%s#', v_channel.merchant_code, v_transaction.amount)
      )
      when v_channel.provider = 'mtn_momo' then '{"type": "approve_on_phone"}'
      when not v_channel.needs_request then jsonb_build_object('type', 'pay_with_reference', 'reference', v_attempt_id)
    end
  where stored.id = v_transaction.id
  returning stored.* into v_transaction;
  return v_transaction;
end;
$$;

comment on function private.start_payment is
  'Does at once what the wallet can do; for the others sets aside what will go out, and commits the attempt before anybody is called. Refuses: as the ledger does.';

create function private.payment_parties(transaction public.transactions)
returns public.transactions
language plpgsql
stable
set search_path = ''
as $$
declare
  v_transaction public.transactions := payment_parties.transaction;
  v_own_profile_id constant uuid := case when private.is_wallet_user() then private.my_profile_id() end;
  v_account_id uuid;
  v_account public.wallet_accounts;
begin
  if v_own_profile_id is not null then
    select account.id into v_account_id from public.wallet_accounts as account
    where account.profile_id = v_own_profile_id and account.code = 'main' and account.currency = v_transaction.currency;
  end if;
  v_transaction.from_account_id := case
    when v_transaction.type = 'payout' or v_transaction.method = 'wallet' then coalesce(v_transaction.from_account_id, v_account_id)
  end;
  v_transaction.to_account_id := case v_transaction.type
    when 'payment' then v_transaction.to_account_id
    when 'top_up' then coalesce(v_transaction.to_account_id, v_account_id)
  end;
  for v_account_id in select unnest(array[v_transaction.from_account_id, v_transaction.to_account_id])
  loop
    continue when v_account_id is null;
    select * into v_account from public.wallet_accounts as account where account.id = v_account_id;
    if not found or v_own_profile_id is not null and v_account.profile_id is null then
      perform private.refuse('wallet_account_not_found', jsonb_build_object('account_id', v_account_id));
    end if;
    if v_account.currency <> v_transaction.currency then
      perform private.refuse('currency_mismatch');
    end if;
    if v_account_id = v_transaction.from_account_id or v_transaction.type = 'top_up' then
      perform private.require_wallet_owner(v_account_id);
      v_transaction.profile_id := coalesce(v_transaction.profile_id, v_account.profile_id);
    end if;
  end loop;
  if v_transaction.to_account_id is null and v_transaction.type in ('payment', 'top_up')
    or v_transaction.from_account_id is null and (v_transaction.type = 'payout' or v_transaction.method = 'wallet')
    or v_transaction.from_account_id = v_transaction.to_account_id
  then
    perform private.refuse('wallet_account_not_found');
  end if;

  v_transaction.profile_id := coalesce(
    v_own_profile_id, v_transaction.profile_id, (select profile.id from public.profiles as profile where profile.phone = v_transaction.phone)
  );
  if v_transaction.method = 'mtn_momo' and v_transaction.phone is null then
    select profile.phone into v_transaction.phone from public.profiles as profile where profile.id = v_transaction.profile_id;
    if v_transaction.phone is null then
      perform private.refuse('invalid_argument', '{"argument": "phone", "range": "an E.164 number, as none is confirmed"}');
    end if;
  end if;
  return v_transaction;
end;
$$;

comment on function private.payment_parties is
  'Fills in who pays whom: of somebody who signed in their own main wallet and number, and nothing of others. '
  'Refuses: profile_not_found, wallet_account_not_found, currency_mismatch, invalid_argument.';

create function private.charge_payment_requests(transaction public.transactions)
returns void
language plpgsql
set search_path = ''
as $$
declare
  v_wait integer;
begin
  select max(charged.retry_after_seconds) into v_wait
  from (
    values
      ('payment requests to ' || (charge_payment_requests.transaction).phone, 20, 10),
      ('payment requests by ' || (charge_payment_requests.transaction).profile_id, 60, 30)
  ) as rate (key, requests, burst)
  cross join lateral private.charge_rate_limit(rate.key, rate.requests, interval '1 hour', rate.burst) as charged;
  if v_wait > 0 then
    perform private.refuse('rate_limited', jsonb_build_object('retry_after', v_wait));
  end if;
end;
$$;

comment on function private.charge_payment_requests is
  'Keeps people from having phones asked for money again and again, theirs or others'': 20 requests an hour to a phone, ten at once; 60 by a person, 30 at once. Refuses: rate_limited.';

create function private.run_create_transaction(request jsonb)
returns jsonb
language plpgsql
set search_path = ''
as $$
declare
  v_request constant jsonb := run_create_transaction.request;
  v_transaction public.transactions :=
    private.find_keyed_transaction('create_transaction', v_request ->> 'idempotency_key', v_request);
  v_channel public.payment_channels;
begin
  if v_transaction.id is not null then
    return private.transaction_answer(v_transaction);
  end if;
  v_transaction := jsonb_populate_record(v_transaction, v_request);
  v_channel := private.require_payment_channel(v_transaction.method, v_transaction.type, v_transaction.amount, v_transaction.currency);
  v_transaction := private.payment_parties(v_transaction);
  if v_channel.needs_request and v_transaction.phone is not null and v_transaction.type in ('payment', 'top_up') and private.is_wallet_user() then
    perform private.charge_payment_requests(v_transaction);
  end if;
  v_transaction.expires_at := case when v_transaction.type <> 'payout' then now() + make_interval(secs => v_channel.lasts_seconds) end;
  v_transaction := private.insert_transaction(v_transaction, 'create_transaction', v_request ->> 'idempotency_key', v_request);
  return private.transaction_answer(private.start_payment(v_transaction, v_channel));
end;
$$;

comment on function private.run_create_transaction is
  'The work of public.create_transaction(), once it is known to be new or its stored answer has expired.';

create function private.create_transaction(idempotency_key text, request jsonb)
returns jsonb
language plpgsql
security definer -- no role may write transactions; payment_parties() checks whose accounts they are
set search_path = ''
as $$
begin
  return private.idempotent(
    'create_transaction', create_transaction.idempotency_key, create_transaction.request, 'private.run_create_transaction(jsonb)'
  );
end;
$$;

comment on function private.create_transaction is 'The work of public.create_transaction().';

create function public.create_transaction(
  type public.transaction_type,
  amount bigint,
  currency text,
  method text,
  idempotency_key text,
  to_account_id uuid default null,
  from_account_id uuid default null,
  phone text default null,
  description text default null,
  metadata jsonb default '{}'
)
returns jsonb
language plpgsql
set search_path = ''
set statement_timeout = '5s'
as $$
begin
  if (
    create_transaction.type in ('payment', 'top_up', 'payout')
    and create_transaction.amount between 1 and 9007199254740991
    and create_transaction.currency ~ '^[A-Z]{3}$'
    and create_transaction.method is not null
    and coalesce(create_transaction.phone, '+250788000000') ~ '^\+[1-9]\d{6,14}$'
    and length(coalesce(create_transaction.description, '')) <= 200
    and jsonb_typeof(create_transaction.metadata) = 'object' and pg_column_size(create_transaction.metadata) <= 4096
  ) is not true then
    perform private.refuse('invalid_argument');
  end if;
  return private.create_transaction(create_transaction.idempotency_key, jsonb_build_object(
    'type', create_transaction.type,
    'amount', create_transaction.amount,
    'currency', create_transaction.currency,
    'method', create_transaction.method,
    'idempotency_key', create_transaction.idempotency_key,
    'to_account_id', create_transaction.to_account_id,
    'from_account_id', create_transaction.from_account_id,
    'phone', create_transaction.phone,
    'description', create_transaction.description,
    'metadata', create_transaction.metadata
  ));
end;
$$;

comment on function public.create_transaction is
  'Begins to move money: a payment to an account, a top_up of one''s own wallet, a payout of it to a phone. By wallet it has succeeded at once; else it is pending, '
  'next_action says what the payer is to do, and start_payment_attempt() (or the worker, after 10 seconds) asks the provider. A payout''s money is set aside. '
  'Without accounts, one''s own main wallet; without a phone, one''s confirmed one. The same key again gives the same answer, a refusal too; after a day it still moves nothing twice. '
  'Refuses: invalid_argument, payment_method_unavailable, profile_not_found, wallet_account_not_found, wallet_account_closed, wallet_account_frozen, '
  'insufficient_funds, wallet_balance_too_high, wallet_limit_exceeded, currency_mismatch, rate_limited, idempotency_key_missing, idempotency_key_in_use, idempotency_key_reused.';
grant execute on function public.create_transaction, private.create_transaction to authenticated, service_role;

commit;
