begin;

create function private.expire_transactions(max_count integer default 500)
returns bigint
language plpgsql
set search_path = ''
as $$
declare
  v_transaction public.transactions;
  v_count bigint := 0;
begin
  for v_transaction in
    -- None waits longer than a day for its payer.
    select stored.* from public.transactions as stored
    where stored.id >= private.uuid_v7_floor(now() - interval '7 days')
      and stored.status in ('pending', 'processing') and stored.expires_at <= now()
    order by stored.id
    limit expire_transactions.max_count
    for no key update skip locked
  loop
    perform private.end_transaction(v_transaction, 'expired', null, 'expired');
    perform private.close_payment_attempt(v_transaction.id);
    v_count := v_count + 1;
  end loop;
  return v_count;
end;
$$;

comment on function private.expire_transactions is
  'Gives up payments whose payer took too long; says how many. Money that comes all the same is taken: attempts are still asked about. Run by the schedule.';

create function private.review_stuck_payments(max_count integer default 500)
returns bigint
language plpgsql
set search_path = ''
as $$
declare
  v_attempt public.payment_attempts;
  v_count bigint := 0;
begin
  for v_attempt in
    update public.payment_attempts as stored set status = 'ended', next_check_at = null
    where stored.id = any(array(
      select old.id from public.payment_attempts as old
      where old.status <> 'ended' and not old.is_blocked and old.created_at < now() - interval '72 hours'
      order by old.created_at
      limit review_stuck_payments.max_count
      for no key update skip locked
    ))
    returning stored.*
  loop
    if exists (
      select from public.transactions as stored
      where stored.id = v_attempt.transaction_id and stored.status in ('pending', 'processing', 'unknown')
    ) then
      perform private.open_payment_review('stuck', v_attempt.provider, null, v_attempt.id, v_attempt.transaction_id);
      v_count := v_count + 1;
    end if;
  end loop;
  return v_count;
end;
$$;

comment on function private.review_stuck_payments is
  'After three days nobody is asked about an attempt any more: if its transaction is still open, a person must find out. Says how many such there are. Run by the schedule.';

create index payment_attempts_open_idx on public.payment_attempts (created_at) where status <> 'ended' and not is_blocked;

insert into private.schedule (name, cron, command) values
  ('expire-transactions', '15 seconds', 'select private.expire_transactions()'),
  ('review-stuck-payments', '*/10 * * * *', 'select private.review_stuck_payments()');

create function private.set_payment_channel(method text, is_enabled boolean, merchant_code text, lasts_seconds integer, minimum_amount bigint, maximum_amount bigint)
returns public.payment_channels
language plpgsql
security definer -- no role may write channels
set search_path = ''
as $$
declare
  v_channel public.payment_channels;
begin
  perform private.require_wallet_manager();
  update public.payment_channels as channel set
    is_enabled = coalesce(set_payment_channel.is_enabled, channel.is_enabled),
    merchant_code = coalesce(set_payment_channel.merchant_code, channel.merchant_code),
    lasts_seconds = coalesce(set_payment_channel.lasts_seconds, channel.lasts_seconds),
    minimum_amount = coalesce(set_payment_channel.minimum_amount, channel.minimum_amount),
    maximum_amount = coalesce(set_payment_channel.maximum_amount, channel.maximum_amount)
  where channel.method = set_payment_channel.method
    and coalesce(set_payment_channel.minimum_amount, channel.minimum_amount) <= coalesce(set_payment_channel.maximum_amount, channel.maximum_amount)
    and (
      channel.method <> 'momo_ussd' or coalesce(set_payment_channel.merchant_code, channel.merchant_code) is not null
      or not coalesce(set_payment_channel.is_enabled, channel.is_enabled)
    )
  returning channel.* into v_channel;
  if not found then
    perform private.refuse('payment_method_unavailable', jsonb_build_object('method', set_payment_channel.method));
  end if;
  return v_channel;
end;
$$;

comment on function private.set_payment_channel is 'The work of public.set_payment_channel(). Refuses: operator_required, payment_method_unavailable.';

create function public.set_payment_channel(
  method text,
  is_enabled boolean default null,
  merchant_code text default null,
  lasts_seconds integer default null,
  minimum_amount bigint default null,
  maximum_amount bigint default null
)
returns public.payment_channels
language plpgsql
set search_path = ''
set statement_timeout = '5s'
as $$
begin
  if (
    coalesce(set_payment_channel.merchant_code, '000') ~ '^[0-9]{3,10}$'
    and coalesce(set_payment_channel.lasts_seconds, 60) between 60 and 86400
    and coalesce(set_payment_channel.minimum_amount, 1) between 1 and 9007199254740991
    and coalesce(set_payment_channel.maximum_amount, 1) between 1 and 9007199254740991
  ) is not true then
    perform private.refuse('invalid_argument');
  end if;
  return private.set_payment_channel(
    set_payment_channel.method, set_payment_channel.is_enabled, set_payment_channel.merchant_code, set_payment_channel.lasts_seconds,
    set_payment_channel.minimum_amount, set_payment_channel.maximum_amount
  );
end;
$$;

comment on function public.set_payment_channel is
  'For registered operators and the service: turns a method of payment on or off and sets its bounds, for transactions from now on; what is not given stays. '
  'Refuses: operator_required, payment_method_unavailable (there is none, momo_ussd has no merchant code, or the minimum is above the maximum), invalid_argument.';
grant execute on function public.set_payment_channel, private.set_payment_channel to authenticated, service_role;

commit;
