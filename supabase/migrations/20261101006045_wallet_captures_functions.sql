begin;

create function private.refuse_ended_wallet_hold(hold public.wallet_holds)
returns void
language plpgsql
set search_path = ''
as $$
begin
  perform private.refuse('wallet_hold_ended', jsonb_build_object(
    'hold_id', (refuse_ended_wallet_hold.hold).id,
    'status', case (refuse_ended_wallet_hold.hold).status when 'held' then 'expired' else (refuse_ended_wallet_hold.hold).status end
  ));
end;
$$;

comment on function private.refuse_ended_wallet_hold is 'Tells how a hold has ended. Refuses: wallet_hold_ended.';

create function private.end_wallet_hold(
  hold_id uuid,
  status public.wallet_hold_status,
  captured_amount bigint default 0,
  transaction_id uuid default null
)
returns public.wallet_holds
language plpgsql
set search_path = ''
as $$
declare
  v_hold public.wallet_holds;
begin
  update public.wallet_holds as hold set
    status = end_wallet_hold.status,
    captured_amount = end_wallet_hold.captured_amount,
    transaction_id = end_wallet_hold.transaction_id,
    ended_at = now()
  where hold.id = end_wallet_hold.hold_id and hold.status = 'held'
    and (end_wallet_hold.status = 'released' or hold.expires_at > now())
  returning hold.* into v_hold;
  if not found then
    select * into strict v_hold from public.wallet_holds as hold where hold.id = end_wallet_hold.hold_id;
    perform private.refuse_ended_wallet_hold(v_hold);
  end if;
  insert into private.wallet_news (event_type, hold_id) values ('wallet_hold.' || v_hold.status, v_hold.id);
  return v_hold;
end;
$$;

comment on function private.end_wallet_hold is
  'Captures or releases a hold whose account is locked. Refuses: wallet_hold_ended, with how.';

create function private.capture_wallet_hold(
  hold_id uuid,
  credits private.wallet_leg[],
  kind public.wallet_transaction_kind,
  source text,
  reference text,
  request jsonb,
  description text default null,
  metadata jsonb default '{}'
)
returns private.wallet_posting
language plpgsql
security definer -- as private.post_wallet_transaction()
set search_path = ''
as $$
declare
  v_amount constant bigint := (select sum(credit.amount) from unnest(capture_wallet_hold.credits) as credit);
  v_hold public.wallet_holds;
  v_posting private.wallet_posting;
begin
  select * into v_hold from public.wallet_holds as hold where hold.id = capture_wallet_hold.hold_id;
  if not found then
    perform private.refuse('wallet_hold_not_found');
  end if;
  if v_hold.status <> 'held' or v_hold.expires_at <= now() then
    v_posting := private.find_wallet_posting(capture_wallet_hold.source, capture_wallet_hold.reference, capture_wallet_hold.request);
    if v_posting.transaction_id is null then
      perform private.refuse_ended_wallet_hold(v_hold);
    end if;
    return v_posting;
  end if;
  if (v_amount between 1 and v_hold.amount) is not true then
    perform private.refuse('wallet_hold_exceeded', jsonb_build_object('amount', v_hold.amount));
  end if;
  -- Locks the accounts, among them the hold's: so the hold is ours until the end, if it is still held.
  v_posting := private.post_wallet_transaction(
    kind => capture_wallet_hold.kind,
    legs => capture_wallet_hold.credits || (v_hold.account_id, -v_amount, -v_hold.amount)::private.wallet_leg,
    source => capture_wallet_hold.source,
    reference => capture_wallet_hold.reference,
    request => capture_wallet_hold.request,
    hold_id => v_hold.id,
    description => coalesce(capture_wallet_hold.description, v_hold.description),
    metadata => v_hold.metadata || capture_wallet_hold.metadata
  );
  if v_posting.is_replay then
    return v_posting;
  end if;
  perform private.end_wallet_hold(v_hold.id, 'captured', v_amount, v_posting.transaction_id);
  if v_amount < v_hold.amount then
    perform private.free_wallet_funds(v_hold.account_id, 0, v_hold.amount - v_amount, 0, v_hold.created_at);
  end if;
  return v_posting;
end;
$$;

comment on function private.capture_wallet_hold is
  'Pays what was held, in whole or in part, to one or more accounts, once; the rest is let go. Checks no permission: its caller has. '
  'Refuses: wallet_hold_not_found, wallet_hold_exceeded, wallet_hold_ended, and as private.post_wallet_transaction().';

create function private.release_wallet_hold(hold_id uuid)
returns public.wallet_holds
language plpgsql
security definer -- the only writer of holds: no role may write the table itself
set search_path = ''
as $$
declare
  v_hold public.wallet_holds;
begin
  select * into v_hold from public.wallet_holds as hold where hold.id = release_wallet_hold.hold_id;
  if not found then
    perform private.refuse('wallet_hold_not_found');
  end if;
  perform from public.wallet_balances as head where head.account_id = v_hold.account_id for no key update;
  select * into v_hold from public.wallet_holds as hold where hold.id = release_wallet_hold.hold_id;
  if v_hold.status in ('released', 'expired') then
    return v_hold;
  end if;
  v_hold := private.end_wallet_hold(v_hold.id, 'released');
  perform private.free_wallet_funds(v_hold.account_id, v_hold.amount, v_hold.amount, 1, v_hold.created_at);
  return v_hold;
end;
$$;

comment on function private.release_wallet_hold is
  'Makes held money available again. What has been let go already stays as it is. Checks no permission: its caller has. '
  'Refuses: wallet_hold_not_found, wallet_hold_ended (it was captured).';

commit;
