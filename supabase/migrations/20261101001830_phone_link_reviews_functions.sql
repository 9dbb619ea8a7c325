begin;

create function private.list_phone_link_reviews(max_count integer)
returns setof public.phone_link_reviews
language plpgsql
stable
security definer -- shows operators what no client may read
set search_path = ''
as $$
begin
  perform private.require_registered_operator();
  return query
  select review.* from public.phone_link_reviews as review
  where review.decision is null
  order by review.id
  limit list_phone_link_reviews.max_count;
end;
$$;

comment on function private.list_phone_link_reviews is 'The work of public.list_phone_link_reviews().';

create function public.list_phone_link_reviews(max_count integer default 100)
returns setof public.phone_link_reviews
language plpgsql
stable
set search_path = ''
set statement_timeout = '2s'
as $$
begin
  if (list_phone_link_reviews.max_count between 1 and 1000) is not true then
    perform private.refuse('invalid_argument', '{"argument": "max_count", "range": "1..1000"}');
  end if;
  return query select * from private.list_phone_link_reviews(list_phone_link_reviews.max_count);
end;
$$;

comment on function public.list_phone_link_reviews is
  'For operators: the claims to other users'' numbers that wait for a decision, oldest first. Refuses: operator_required, invalid_argument.';
grant execute on function public.list_phone_link_reviews, private.list_phone_link_reviews to authenticated;

create function private.decide_phone_link_review(review_id uuid, decision public.phone_link_decision, reason text)
returns public.phone_link_reviews
language plpgsql
security definer -- moves a number from one user to another
set search_path = ''
as $$
declare
  v_review public.phone_link_reviews;
begin
  perform private.require_registered_operator();
  if (decide_phone_link_review.decision is not null and length(btrim(decide_phone_link_review.reason)) between 1 and 1000) is not true then
    perform private.refuse('invalid_argument', '{"argument": "reason", "range": "1..1000 characters"}');
  end if;
  select * into v_review from public.phone_link_reviews as review where review.id = decide_phone_link_review.review_id;
  if not found then
    perform private.refuse('review_not_found');
  end if;
  if decide_phone_link_review.decision = 'approved' then
    perform private.link_phone(v_review.user_id, v_review.phone, v_review.proof, 'approved');
  end if;
  -- Last, so that the contact is locked first, as everywhere; of two operators one finds it decided and takes nothing with them.
  update public.phone_link_reviews as review set
    decision = decide_phone_link_review.decision, reason = btrim(decide_phone_link_review.reason),
    decided_by = (select auth.uid()), decided_at = now()
  where review.id = v_review.id and review.decision is null
  returning * into v_review;
  if not found then
    perform private.refuse('review_decided');
  end if;
  return v_review;
end;
$$;

comment on function private.decide_phone_link_review is 'The work of public.decide_phone_link_review().';

create function public.decide_phone_link_review(review_id uuid, decision public.phone_link_decision, reason text)
returns public.phone_link_reviews
language plpgsql
set search_path = ''
set statement_timeout = '2s'
as $$
begin
  return private.decide_phone_link_review(
    decide_phone_link_review.review_id, decide_phone_link_review.decision, decide_phone_link_review.reason
  );
end;
$$;

comment on function public.decide_phone_link_review is
  'For operators: gives a number to the user who claims it (approved) or leaves it where it is (rejected), with the reason. '
  'Refuses: operator_required, invalid_argument, review_not_found, review_decided.';
grant execute on function public.decide_phone_link_review, private.decide_phone_link_review to authenticated;

create function private.review_merged_profiles(from_contact_id uuid, into_contact_id uuid)
returns void
language plpgsql
set search_path = ''
as $$
begin
  insert into public.phone_link_reviews (phone, user_id, held_by_user_id, proof)
  select former.phone, former.user_id, holder.user_id, 'merged_contacts'
  from public.whatsapp_contacts as merged
  join public.profiles as former on former.id = merged.profile_id
  join public.whatsapp_contacts as survivor on survivor.id = review_merged_profiles.into_contact_id
  join public.profiles as holder on holder.id = survivor.profile_id
  where merged.id = review_merged_profiles.from_contact_id
    and former.phone is not null and former.user_id <> holder.user_id
  on conflict do nothing;
end;
$$;

comment on function private.review_merged_profiles is
  'Two contacts of two users are one person: the contact that goes on keeps its user, and an operator learns of the other.';

create function private.purge_phone_link_codes()
returns bigint
language plpgsql
set search_path = ''
as $$
declare
  v_count bigint;
begin
  delete from private.phone_link_codes as code where code.expires_at < now() - interval '1 day';
  get diagnostics v_count = row_count;
  return v_count;
end;
$$;

comment on function private.purge_phone_link_codes is 'Deletes codes that expired more than a day ago; says how many. Run by the schedule.';

insert into private.schedule (name, cron, command) values
  ('purge-phone-link-codes', '20 1 * * *', 'select private.purge_phone_link_codes()');

commit;
