begin;

create function private.move_suspended_payment(review public.payment_reviews, to_code text)
returns void
language plpgsql
set search_path = ''
as $$
declare
  v_review constant public.payment_reviews := move_suspended_payment.review;
begin
  if v_review.wallet_transaction_id is null then
    perform private.refuse('invalid_argument', '{"argument": "resolution", "range": "match or dismiss, as no money is in suspense"}');
  end if;
  perform private.post_wallet_transaction(
    kind => 'adjustment',
    legs => array[
      (private.get_platform_account('suspense', v_review.currency), -v_review.amount, null)::private.wallet_leg,
      (private.get_platform_account(move_suspended_payment.to_code, v_review.currency), v_review.amount, null)::private.wallet_leg
    ],
    source => 'payment_review',
    reference => v_review.id::text,
    original_id => v_review.wallet_transaction_id
  );
end;
$$;

comment on function private.move_suspended_payment is 'Takes what a review is about out of suspense. Refuses: invalid_argument, and as the ledger does.';

create function private.match_payment_review(review public.payment_reviews, transaction public.transactions, note text)
returns void
language plpgsql
set search_path = ''
as $$
declare
  v_review constant public.payment_reviews := match_payment_review.review;
  v_transaction constant public.transactions := match_payment_review.transaction;
begin
  if v_transaction.id is null or v_review.kind = 'dispute' or v_transaction.method = 'wallet'
    or v_review.amount is not null and (abs(v_review.amount), v_review.currency) is distinct from (v_transaction.amount::bigint, v_transaction.currency)
    or v_review.amount < 0 and v_transaction.type in ('payment', 'top_up')
  then
    perform private.refuse('invalid_argument', '{"argument": "transaction_id", "range": "a transaction of that amount and currency"}');
  end if;
  perform private.run_settlement(jsonb_build_object(
    'transaction_id', v_transaction.id,
    'account', case when v_review.wallet_transaction_id is null then 'settlement:' || v_review.provider else 'suspense' end,
    'evidence', 'operator',
    'reason', match_payment_review.note
  ));
  update public.payment_attempts as attempt set status = 'ended', next_check_at = null where attempt.transaction_id = v_transaction.id;
end;
$$;

comment on function private.match_payment_review is
  'Gives the money of a review to a transaction, which succeeds by it. Refuses: invalid_argument, transaction_state_conflict, and as the ledger does.';

create function private.resolve_payment_review(
  review_id uuid,
  resolution public.payment_review_resolution,
  transaction_id uuid,
  note text
)
returns public.payment_reviews
language plpgsql
security definer -- no role may write reviews
set search_path = ''
as $$
declare
  v_review public.payment_reviews;
  v_transaction public.transactions;
begin
  perform private.require_wallet_manager();
  select * into v_review from public.payment_reviews as review where review.id = resolve_payment_review.review_id;
  if not found then
    perform private.refuse('review_not_found');
  end if;
  -- The transaction first, as everywhere.
  if coalesce(resolve_payment_review.transaction_id, v_review.transaction_id) is not null then
    v_transaction := private.lock_transaction(coalesce(resolve_payment_review.transaction_id, v_review.transaction_id));
  end if;
  perform private.close_payment_review(v_review.id, resolve_payment_review.resolution, resolve_payment_review.note, v_transaction.id);

  if resolve_payment_review.resolution = 'match' then
    perform private.match_payment_review(v_review, v_transaction, resolve_payment_review.note);
  elsif resolve_payment_review.resolution = 'dismiss' then
    if v_review.wallet_transaction_id is not null then
      perform private.refuse('invalid_argument', '{"argument": "resolution", "range": "match, refund or write_off, as money is in suspense"}');
    end if;
  else
    if v_transaction.status = 'unknown' then
      perform private.end_transaction(v_transaction, 'failed', 'operator', v_review.kind::text, resolve_payment_review.note);
    end if;
    perform private.move_suspended_payment(
      v_review, case resolve_payment_review.resolution when 'refund' then 'settlement:' || v_review.provider else 'losses' end
    );
  end if;

  perform private.log_audit_event(
    actor.actor_type, actor.actor_identifier, 'resolve_payment_review', 'payment_reviews', v_review.id::text,
    jsonb_build_object('resolution', resolve_payment_review.resolution, 'transaction_id', v_transaction.id, 'note', resolve_payment_review.note)
  )
  from private.current_actor() as actor;
  select * into strict v_review from public.payment_reviews as review where review.id = v_review.id;
  return v_review;
end;
$$;

comment on function private.resolve_payment_review is 'The work of public.resolve_payment_review(). Refuses: operator_required, review_not_found, invalid_argument.';

create function public.resolve_payment_review(
  review_id uuid,
  resolution public.payment_review_resolution,
  note text,
  transaction_id uuid default null
)
returns public.payment_reviews
language plpgsql
set search_path = ''
set statement_timeout = '5s'
as $$
begin
  if (resolve_payment_review.resolution is not null and length(resolve_payment_review.note) between 1 and 500) is not true then
    perform private.refuse('invalid_argument');
  end if;
  return private.resolve_payment_review(
    resolve_payment_review.review_id, resolve_payment_review.resolution, resolve_payment_review.transaction_id, resolve_payment_review.note
  );
end;
$$;

comment on function public.resolve_payment_review is
  'For registered operators and the service: decides about money, once, and audits it. match: the money is that of a transaction (the review''s, or the one given), which succeeds; '
  'refund: it was given back through the provider by hand; write_off: it stays with us, or is lost; dismiss: it is nothing, and none is in suspense. '
  'A transaction that waited for a refund or write_off has failed. '
  'Refuses: operator_required, review_not_found, review_decided, transaction_not_found, transaction_state_conflict, wallet_refund_exceeded, wallet_account_closed, '
  'insufficient_funds, invalid_argument (a note of 1 to 500 characters is needed; amounts must be equal).';
grant execute on function public.resolve_payment_review, private.resolve_payment_review to authenticated, service_role;

create function private.list_payment_reviews(before_id uuid, max_count integer, status text)
returns setof public.payment_reviews
language plpgsql
stable
security definer -- operators read under no policy
set search_path = ''
as $$
begin
  if private.is_wallet_user() then
    perform private.require_operator();
  end if;
  return query
  select review.* from public.payment_reviews as review
  where review.status = list_payment_reviews.status and (list_payment_reviews.before_id is null or review.id < list_payment_reviews.before_id)
  order by review.id desc
  limit list_payment_reviews.max_count;
end;
$$;

comment on function private.list_payment_reviews is 'The work of public.list_payment_reviews(). Refuses: operator_required.';

create function public.list_payment_reviews(before_id uuid default null, max_count integer default 20, status text default 'open')
returns setof public.payment_reviews
language plpgsql
stable
set search_path = ''
set statement_timeout = '2s'
as $$
begin
  if (list_payment_reviews.max_count between 1 and 100 and list_payment_reviews.status in ('open', 'resolved')) is not true then
    perform private.refuse('invalid_argument');
  end if;
  return query select * from private.list_payment_reviews(list_payment_reviews.before_id, list_payment_reviews.max_count, list_payment_reviews.status);
end;
$$;

comment on function public.list_payment_reviews is
  'For operators and the service: the reviews that are open, or resolved, the newest first; the next page is the one before the last id. Refuses: operator_required, invalid_argument.';
grant execute on function public.list_payment_reviews, private.list_payment_reviews to authenticated, service_role;

commit;
