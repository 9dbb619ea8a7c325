begin;

create function private.wallet_event(news private.wallet_news)
returns private.new_event
language plpgsql
stable
set search_path = ''
as $$
declare
  v_transaction public.wallet_transactions;
  v_hold public.wallet_holds;
begin
  if (wallet_event.news).transaction_id is null then
    select * into strict v_hold from public.wallet_holds as hold where hold.id = (wallet_event.news).hold_id;
    return row(
      'wallet_hold', v_hold.id::text, (wallet_event.news).event_type,
      jsonb_strip_nulls(jsonb_build_object(
        'account_id', v_hold.account_id, 'amount', v_hold.amount, 'currency', v_hold.currency,
        'captured_amount', case (wallet_event.news).event_type when 'wallet_hold.captured' then v_hold.captured_amount end,
        'transaction_id', case (wallet_event.news).event_type when 'wallet_hold.captured' then v_hold.transaction_id end
      )),
      null, null, v_hold.correlation_id, case (wallet_event.news).event_type when 'wallet_hold.created' then v_hold.created_at else v_hold.ended_at end, null
    )::private.new_event;
  end if;
  select * into strict v_transaction from public.wallet_transactions as posted where posted.id = (wallet_event.news).transaction_id;
  return row(
    'wallet_transaction', v_transaction.id::text, (wallet_event.news).event_type,
    jsonb_strip_nulls(jsonb_build_object(
      'kind', v_transaction.kind, 'source', v_transaction.source, 'original_id', v_transaction.original_id, 'hold_id', v_transaction.hold_id,
      'entries', (
        select jsonb_agg(jsonb_build_object('account_id', entry.account_id, 'amount', entry.amount, 'currency', entry.currency) order by entry.leg)
        from public.wallet_entries as entry
        where entry.transaction_id = v_transaction.id
      )
    )),
    null, null, v_transaction.correlation_id, v_transaction.created_at, null
  )::private.new_event;
end;
$$;

comment on function private.wallet_event is 'An event of the ledger: ids and amounts, nothing of persons.';

create function private.record_wallet_news(max_count integer default 500)
returns bigint
language plpgsql
set search_path = ''
as $$
declare
  v_events private.new_event[];
begin
  -- One at a time, so that events of an account keep their order.
  if not pg_try_advisory_xact_lock(hashtextextended('record_wallet_news', 0)) then
    return 0;
  end if;
  with taken as materialized (
    delete from private.wallet_news as news
    where news.id = any(array(select oldest.id from private.wallet_news as oldest order by oldest.id limit record_wallet_news.max_count))
    returning news
  )
  select array_agg(private.wallet_event(taken.news) order by (taken.news).id) into v_events from taken;
  if v_events is null then
    return 0;
  end if;
  perform private.record_events(v_events);
  return cardinality(v_events);
end;
$$;

comment on function private.record_wallet_news is
  'Moves what has happened into the event store, oldest first; says how much. Run by the schedule every few seconds.';

insert into private.schedule (name, cron, command) values
  ('record-wallet-news', '2 seconds', 'select private.record_wallet_news(5000)');

commit;
