begin;

create index payment_attempts_momo_sms_idx on public.payment_attempts (amount, created_at) where provider = 'momo_sms' and kind = 'charge';

create type private.momo_candidate as (attempt_id uuid, transaction_id uuid, is_open boolean, is_payer boolean);
comment on type private.momo_candidate is
  'A payment that a receipt may be for. is_open: it still waits; is_payer: whether number or name are those of whom we expect, null if nobody can tell.';

create function private.names_in(written text)
returns text[]
language plpgsql
immutable
set search_path = ''
as $$
begin
  return array(
    select name from regexp_split_to_table(
      lower(regexp_replace(normalize(coalesce(names_in.written, ''), nfkd), '[\u0300-\u036f]', '', 'g')), '[^[:alpha:]]+'
    ) as name
    where length(name) > 1
  );
end;
$$;

comment on function private.names_in is 'The names in a person''s name, without case, accents and initials.';

create function private.shares_name(one text, other text)
returns boolean
language plpgsql
immutable
set search_path = ''
as $$
begin
  return case when '{}' not in (private.names_in(shares_name.one), private.names_in(shares_name.other))
    then private.names_in(shares_name.one) && private.names_in(shares_name.other) end;
end;
$$;

comment on function private.shares_name is 'Whether two people''s names have one in common; null if one of them is not known.';

create function private.references_in(message text)
returns text[]
language plpgsql
immutable
set search_path = ''
as $$
declare
  v_words constant text[] := regexp_split_to_array(upper(coalesce(references_in.message, '')), '[^0-9A-Z]+');
begin
  return array(
    select distinct translate(word, 'OIL', '011')
    from unnest(v_words || array_to_string(v_words, '')) as word
    where length(word) = 10
  );
end;
$$;

comment on function private.references_in is
  'What in a message may be one of our references, as Crockford reads them: O is 0, I and L are 1; a reference written in groups counts if it is all there is.';

create function private.momo_candidates(event public.payment_webhook_events, match_window interval)
returns setof private.momo_candidate
language plpgsql
stable
set search_path = ''
as $$
declare
  v_receipt constant jsonb := (momo_candidates.event).payload -> 'receipt';
  v_at constant timestamptz := (v_receipt ->> 'occurred_at')::timestamptz;
  v_named constant uuid[] := array(
    select known.transaction_id from public.transaction_references as known
    where known.reference = any(private.references_in(v_receipt ->> 'sender_message'))
  );
begin
  if v_named <> '{}' then
    return query
    select attempt.id, named.id, true, true
    from unnest(v_named) as named (id)
    left join public.payment_attempts as attempt
      on attempt.transaction_id = named.id and attempt.provider = 'momo_sms' and attempt.kind = 'charge';
    return;
  end if;
  return query
  select attempt.id, stored.id, stored.status in ('pending', 'processing', 'unknown'),
    coalesce(attempt.phone = v_receipt ->> 'phone', false) or private.shares_name(v_receipt ->> 'name', profile.full_name)
  from public.payment_attempts as attempt
  -- The longest that an intent and a window last, and a day's clock.
  join public.transactions as stored on stored.id = attempt.transaction_id and stored.id >= private.uuid_v7_floor(v_at - interval '2 days')
  left join public.profiles as profile on profile.id = stored.profile_id
  where attempt.provider = 'momo_sms' and attempt.kind = 'charge'
    and attempt.amount = (v_receipt ->> 'amount')::bigint and attempt.currency = v_receipt ->> 'currency'
    and attempt.created_at between v_at - interval '2 days' and v_at + interval '5 minutes'
    and right(attempt.phone, 3) = v_receipt ->> 'payer_suffix' and attempt.phone = coalesce(v_receipt ->> 'phone', attempt.phone)
    and (
      stored.status in ('pending', 'processing', 'unknown')
      or stored.status = 'expired' and v_at <= stored.expires_at + momo_candidates.match_window
    );
end;
$$;

comment on function private.momo_candidates is
  'The payments by USSD that a receipt may be for: those whose reference its payer wrote; else those of that very amount, asked of a number with that end, '
  'that were open when it was paid, or had expired not long before.';

create function private.choose_momo_candidate(candidates private.momo_candidate[])
returns private.payment_verdict
language plpgsql
immutable
set search_path = ''
as $$
declare
  v_pool private.momo_candidate[] := array(
    select candidate from unnest(choose_momo_candidate.candidates) as candidate where candidate.is_open
  );
  v_payers private.momo_candidate[];
  v_choice private.payment_verdict;
begin
  if v_pool = '{}' then
    v_pool := choose_momo_candidate.candidates;
  end if;
  v_payers := array(select candidate from unnest(v_pool) as candidate where candidate.is_payer);
  if cardinality(v_payers) = 1 then
    v_pool := v_payers;
  end if;
  v_choice.reason := case
    when v_pool = '{}' then 'no_candidate'
    when cardinality(v_pool) > 1 then 'several_candidates'
    when v_pool[1].attempt_id is null then 'other_method'
    when v_pool[1].is_payer is false then 'names_differ'
  end;
  if cardinality(v_pool) = 1 then
    v_choice.transaction_id := v_pool[1].transaction_id;
    v_choice.attempt_id := case when v_choice.reason is null then v_pool[1].attempt_id end;
  end if;
  return v_choice;
end;
$$;

comment on function private.choose_momo_candidate is
  'The one payment that a receipt can only be for, or why there is none: open ones before expired ones, the payer''s own before others of the same amount and ending.';

create function private.momo_weakness(event public.payment_webhook_events, receiver public.momo_receivers)
returns text
language plpgsql
stable
set search_path = ''
as $$
declare
  v_receiver constant public.momo_receivers := momo_weakness.receiver;
  v_receipt public.momo_receipts;
  v_settled_today bigint;
begin
  select * into v_receipt from public.momo_receipts as receipt where receipt.event_id = (momo_weakness.event).id;
  select coalesce(sum(receipt.change), 0) into v_settled_today
  from public.momo_receipts as receipt
  join public.payment_webhook_events as told on told.id = receipt.event_id
  where receipt.event_id >= private.uuid_v7_floor(date_trunc('day', now(), 'Africa/Kigali'))
    and receipt.receiving_number = v_receiver.receiving_number and told.outcome = 'applied';
  return case
    when v_receiver.is_chain_required and v_receipt.chain = 'broken' then 'chain_broken'
    when v_receipt.change > v_receiver.largest_amount then 'above_limit'
    when v_receipt.change + v_settled_today > v_receiver.day_amount then 'above_day_limit'
  end;
end;
$$;

comment on function private.momo_weakness is
  'Why a receipt by SMS alone is not enough: its balance does not follow, it is too much, or too much with the others of the day; null if it is enough.';

commit;
