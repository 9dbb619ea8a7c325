begin;

create function private.run_wallet_hold(request jsonb)
returns jsonb
language plpgsql
set search_path = ''
as $$
declare
  v_request constant jsonb := run_wallet_hold.request;
begin
  return private.wallet_hold_answer(private.hold_wallet_funds(
    account_id => (v_request ->> 'account_id')::uuid,
    amount => (v_request ->> 'amount')::bigint,
    source => 'wallet_hold:' || private.caller(),
    reference => v_request ->> 'idempotency_key',
    request => v_request,
    to_account_id => (v_request ->> 'to_account_id')::uuid,
    lasts => make_interval(secs => (v_request ->> 'lasts_seconds')::integer),
    description => v_request ->> 'description',
    metadata => v_request -> 'metadata'
  ));
end;
$$;

comment on function private.run_wallet_hold is 'The work of public.wallet_hold().';

create function private.wallet_hold_answer(hold public.wallet_holds)
returns jsonb
language plpgsql
immutable
set search_path = ''
as $$
begin
  return to_jsonb(wallet_hold_answer.hold) - '{source,reference,request,correlation_id,actor}'::text[];
end;
$$;

comment on function private.wallet_hold_answer is 'A hold as its maker sees it.';

create function private.wallet_hold(idempotency_key text, request jsonb)
returns jsonb
language plpgsql
security definer -- the ledger is written by its functions alone
set search_path = ''
as $$
begin
  return private.idempotent('wallet_hold', wallet_hold.idempotency_key, wallet_hold.request, 'private.run_wallet_hold(jsonb)');
end;
$$;

comment on function private.wallet_hold is 'The work of public.wallet_hold().';

create function public.wallet_hold(
  account_id uuid,
  amount bigint,
  idempotency_key text,
  to_account_id uuid default null,
  lasts_seconds integer default 604800,
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
    wallet_hold.amount between 1 and 9007199254740991
    and wallet_hold.lasts_seconds between 1 and 31 * 86400
    and wallet_hold.account_id is distinct from wallet_hold.to_account_id
    and (wallet_hold.to_account_id is null or exists (
      select from public.wallet_accounts as account where account.id = wallet_hold.to_account_id
    ))
    and length(coalesce(wallet_hold.description, '')) <= 200
    and jsonb_typeof(wallet_hold.metadata) = 'object' and pg_column_size(wallet_hold.metadata) <= 4096
  ) is not true then
    perform private.refuse('invalid_argument');
  end if;
  return private.wallet_hold(wallet_hold.idempotency_key, jsonb_build_object(
    'account_id', wallet_hold.account_id,
    'amount', wallet_hold.amount,
    'idempotency_key', wallet_hold.idempotency_key,
    'to_account_id', wallet_hold.to_account_id,
    'lasts_seconds', wallet_hold.lasts_seconds,
    'description', wallet_hold.description,
    'metadata', wallet_hold.metadata
  ));
end;
$$;

comment on function public.wallet_hold is
  'Sets money of an account aside for a payment to come: it is no longer available, and counts for the limits now. It ends by wallet_capture(), wallet_release() '
  'or when its time (7 days unless told, at most 31) is over. The same key again gives the same answer, a refusal too. '
  'Refuses: invalid_argument, wallet_account_not_found, wallet_account_closed, wallet_account_frozen, insufficient_funds, wallet_limit_exceeded, '
  'idempotency_key_missing, idempotency_key_in_use, idempotency_key_reused.';
grant execute on function public.wallet_hold, private.wallet_hold to service_role;

create function private.run_wallet_capture(request jsonb)
returns jsonb
language plpgsql
set search_path = ''
as $$
declare
  v_request constant jsonb := run_wallet_capture.request;
  v_hold public.wallet_holds;
  v_to_account_id uuid;
  v_charge private.wallet_leg[];
begin
  select * into v_hold from public.wallet_holds as hold where hold.id = (v_request ->> 'hold_id')::uuid;
  if not found then
    perform private.refuse('wallet_hold_not_found');
  end if;
  v_to_account_id := coalesce((v_request ->> 'to_account_id')::uuid, v_hold.to_account_id);
  if v_to_account_id is null or v_to_account_id = v_hold.account_id then
    perform private.refuse('invalid_argument', '{"argument": "to_account_id", "range": "another account than the hold''s"}');
  end if;
  v_charge := private.wallet_payment_legs(
    'payment', v_hold.account_id, v_to_account_id, coalesce((v_request ->> 'amount')::bigint, v_hold.amount), v_hold.currency
  );
  return private.wallet_answer(private.capture_wallet_hold(
    hold_id => v_hold.id,
    credits => v_charge[2:],
    kind => 'payment',
    source => 'wallet_capture:' || private.caller(),
    reference => v_request ->> 'idempotency_key',
    request => v_request
  ), v_hold.account_id);
end;
$$;

comment on function private.run_wallet_capture is 'The work of public.wallet_capture().';

create function private.wallet_capture(idempotency_key text, request jsonb)
returns jsonb
language plpgsql
security definer -- the ledger is written by its functions alone
set search_path = ''
as $$
begin
  return private.idempotent('wallet_capture', wallet_capture.idempotency_key, wallet_capture.request, 'private.run_wallet_capture(jsonb)');
end;
$$;

comment on function private.wallet_capture is 'The work of public.wallet_capture().';

create function public.wallet_capture(
  hold_id uuid,
  idempotency_key text,
  amount bigint default null,
  to_account_id uuid default null
)
returns jsonb
language plpgsql
set search_path = ''
set statement_timeout = '5s'
as $$
begin
  if (wallet_capture.hold_id is not null and coalesce(wallet_capture.amount, 1) between 1 and 9007199254740991) is not true then
    perform private.refuse('invalid_argument');
  end if;
  return private.wallet_capture(wallet_capture.idempotency_key, jsonb_build_object(
    'hold_id', wallet_capture.hold_id,
    'idempotency_key', wallet_capture.idempotency_key,
    'amount', wallet_capture.amount,
    'to_account_id', wallet_capture.to_account_id
  ));
end;
$$;

comment on function public.wallet_capture is
  'Pays what a hold has set aside, all of it or the amount given, once: the rest is available again. The fee of payments, if there is one, comes on top or off. '
  'The same key again gives the same answer, a refusal too. '
  'Refuses: invalid_argument, wallet_hold_not_found, wallet_hold_exceeded, wallet_hold_ended (with how), wallet_account_not_found, wallet_account_closed, '
  'wallet_account_frozen, insufficient_funds (for the fee), wallet_balance_too_high, currency_mismatch, '
  'idempotency_key_missing, idempotency_key_in_use, idempotency_key_reused.';
grant execute on function public.wallet_capture, private.wallet_capture to service_role;

create function public.wallet_release(hold_id uuid)
returns jsonb
language plpgsql
set search_path = ''
set statement_timeout = '5s'
as $$
begin
  return private.wallet_hold_answer(private.release_wallet_hold(wallet_release.hold_id));
end;
$$;

comment on function public.wallet_release is
  'Makes held money available again; gives the hold. One that has been released or has expired stays as it is. Refuses: wallet_hold_not_found, wallet_hold_ended (it was captured).';
grant execute on function public.wallet_release, private.release_wallet_hold, private.wallet_hold_answer to service_role;

commit;
