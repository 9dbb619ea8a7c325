begin;

create function private.folded_text(value text)
returns text
language plpgsql
immutable
set search_path = ''
as $$
declare
  -- Combining marks, then punctuation, symbols and emoji, by code point: what the locale calls a letter differs between servers.
  c_marks constant text := '[\u0300-\u036f]';
  c_signs constant text := '[\u0021-\u002f\u003a-\u0040\u005b-\u0060\u007b-\u00bf\u2000-\u206f\u20d0-\u20ff\u2190-\u2bff\u3000-\u303f\ufe00-\ufe0f\U0001f000-\U0001faff]';
begin
  return btrim(regexp_replace(
    regexp_replace(
      lower(regexp_replace(normalize(folded_text.value, NFKD), c_marks, '', 'g') collate "C"), c_signs, '', 'g'
    ),
    '\s+', ' ', 'g'
  ));
end;
$$;

comment on function private.folded_text is
  'Words as they are compared: without capitals, accents, punctuation, emoji and surrounding space.';

create function private.whatsapp_consent_text(payload jsonb)
returns text
language plpgsql
immutable
set search_path = ''
as $$
begin
  return private.short_text(case whatsapp_consent_text.payload ->> 'type'
    when 'text' then whatsapp_consent_text.payload -> 'text' -> 'body'
    when 'button' then whatsapp_consent_text.payload -> 'button' -> 'payload'
    when 'interactive' then coalesce(
      whatsapp_consent_text.payload -> 'interactive' -> 'button_reply' -> 'id',
      whatsapp_consent_text.payload -> 'interactive' -> 'list_reply' -> 'id'
    )
  end, 64);
end;
$$;

comment on function private.whatsapp_consent_text is
  'What of a message may stop or start our messages: the text, or the payload of a button (a label is our word, not theirs). '
  'Null where it is longer than any such words.';

create function private.whatsapp_decisions(items private.whatsapp_item[])
returns table (
  name private.whatsapp_name,
  scope public.whatsapp_consent_scope,
  decision public.whatsapp_consent_decision,
  source public.whatsapp_consent_source,
  occurred_at timestamptz,
  evidence text,
  words text
)
language plpgsql
stable
set search_path = ''
set plan_cache_mode = 'force_generic_plan' -- planning it anew for each delivery costs more than running it
as $$
begin
  return query
  -- A word sent to us: not what another app of ours saw, what a phone's history tells, or what was said in a group.
  select private.primary_whatsapp_name(item.person ->> 'wa_id', item.person ->> 'bsuid', item.person ->> 'parent_bsuid'),
    spoken.scope, spoken.decision, 'keyword'::public.whatsapp_consent_source, item.occurred_at,
    concat_ws(' ', 'keyword', item.phone_number_id, item.wamid), private.whatsapp_consent_text(item.payload)
  from unnest(whatsapp_decisions.items) as item
  join public.whatsapp_consent_words as spoken on spoken.words = private.folded_text(private.whatsapp_consent_text(item.payload))
  where item.outcome is null and item.kind = 'message' and item.field = 'messages' and not item.payload ? 'group_id'
  union all
  -- WhatsApp's own switch for marketing.
  select private.primary_whatsapp_name(private.short_text(item.payload -> 'wa_id', 256), private.short_text(item.payload -> 'user_id', 256), null),
    'marketing', case item.payload ->> 'value' when 'stop' then 'stop' else 'start' end::public.whatsapp_consent_decision,
    'user_preferences', coalesce(item.occurred_at, now()),
    concat_ws(' ', 'user_preferences', encode(item.content_key, 'hex')), private.short_text(item.payload -> 'detail', 1000)
  from unnest(whatsapp_decisions.items) as item
  where item.outcome is null and item.kind = 'event' and item.field = 'user_preferences'
    and item.payload ->> 'category' = 'marketing_messages' and item.payload ->> 'value' in ('stop', 'resume', 'signup')
  union all
  -- The same switch, learned from a send that it stopped.
  select private.primary_whatsapp_name(
      private.short_text(item.payload -> 'recipient_id', 256),
      private.short_text(item.payload -> 'recipient_user_id', 256),
      private.short_text(item.payload -> 'recipient_parent_user_id', 256)
    ),
    'marketing', 'stop', 'error_131050', item.occurred_at,
    concat_ws(' ', 'error_131050', item.phone_number_id, item.wamid), private.short_text(error.element -> 'title', 1000)
  from unnest(whatsapp_decisions.items) as item
  cross join lateral private.jsonb_elements(item.payload -> 'errors') as error
  where item.outcome is null and item.kind = 'status' and item.payload ->> 'status' = 'failed'
    and error.element ->> 'code' = '131050' and item.payload ->> 'recipient_type' is distinct from 'group';
end;
$$;

comment on function private.whatsapp_decisions is 'What the people in a delivery decide about our messages.';

create function private.store_whatsapp_consents(delivery_id uuid, items private.whatsapp_item[])
returns void
language plpgsql
set search_path = ''
as $$
begin
  insert into public.whatsapp_consents (kind, value, scope, decision, source, occurred_at, evidence, words, delivery_id)
  select (news.name).kind, (news.name).value, news.scope, news.decision, news.source, news.occurred_at, news.evidence, news.words,
    store_whatsapp_consents.delivery_id
  from private.whatsapp_decisions(store_whatsapp_consents.items) as news
  where (news.name).value is not null
  order by news.evidence
  on conflict on constraint whatsapp_consents_evidence_key do nothing;
end;
$$;

comment on function private.store_whatsapp_consents is 'Keeps every decision that a delivery carries, once.';

create type public.whatsapp_consent as (
  contact_id uuid,
  marketing public.whatsapp_consent_decision,
  marketing_since timestamptz,
  overall public.whatsapp_consent_decision,
  overall_since timestamptz
);

comment on type public.whatsapp_consent is
  'What a person wants: their latest decision about marketing (one about all included) and their latest about all; null where they have said nothing.';

create function private.whatsapp_consent_of(contact_id uuid)
returns public.whatsapp_consent
language plpgsql
stable
set search_path = ''
as $$
declare
  v_consent public.whatsapp_consent;
begin
  with decisions as (
    select consent.scope, consent.decision, consent.occurred_at
    from public.whatsapp_contacts as asked
    join public.whatsapp_identities as identity on identity.contact_id = coalesce(asked.merged_into, asked.id)
    join public.whatsapp_consents as consent
      on consent.kind = identity.kind and consent.value = identity.value
      and consent.occurred_at >= identity.valid_from
      and (identity.valid_to is null or consent.occurred_at < identity.valid_to)
    where asked.id = whatsapp_consent_of.contact_id
  )
  select whatsapp_consent_of.contact_id, marketing.decision, marketing.occurred_at, overall.decision, overall.occurred_at into v_consent
  from (values (true)) as always
  left join lateral (
    select * from decisions order by decisions.occurred_at desc, decisions.decision = 'stop' desc limit 1
  ) as marketing on true
  left join lateral (
    select * from decisions where decisions.scope = 'all' order by decisions.occurred_at desc, decisions.decision = 'stop' desc limit 1
  ) as overall on true;
  return v_consent;
end;
$$;

comment on function private.whatsapp_consent_of is
  'What holds for a contact: of all that was said under the names while they were theirs, the latest by Meta''s time; stop before start in one second.';

create function private.may_send_whatsapp(contact_id uuid, category text)
returns boolean
language plpgsql
stable
set search_path = ''
as $$
declare
  v_consent public.whatsapp_consent;
begin
  if may_send_whatsapp.category = 'authentication' then
    return true;
  end if;
  v_consent := private.whatsapp_consent_of(may_send_whatsapp.contact_id);
  return coalesce(v_consent.overall = 'start', true) and case
    when may_send_whatsapp.category in ('marketing', 'marketing_lite') then coalesce(v_consent.marketing = 'start', false)
    else may_send_whatsapp.category in ('service', 'utility')
  end;
end;
$$;

comment on function private.may_send_whatsapp is
  'Whether a message of that category (Meta''s pricing categories) may go to a contact. Marketing needs a start on record; service and '
  'utility, that not all was stopped; authentication always may, because the person asked for it a moment ago; no other category may. Null is no.';

create function public.get_whatsapp_consent(contact_id uuid)
returns public.whatsapp_consent
language plpgsql
stable
set search_path = ''
set statement_timeout = '2s'
as $$
begin
  return private.whatsapp_consent_of(get_whatsapp_consent.contact_id);
end;
$$;

comment on function public.get_whatsapp_consent is
  'What a contact has decided about our messages; nulls where nothing was said. A merged contact answers for the one that goes on.';
grant execute on function public.get_whatsapp_consent, private.whatsapp_consent_of, private.may_send_whatsapp to service_role;

create function private.record_whatsapp_consent(
  contact_id uuid,
  scope public.whatsapp_consent_scope,
  decision public.whatsapp_consent_decision,
  reason text
)
returns public.whatsapp_consent
language plpgsql
security definer -- adds to a ledger that no role may write
set search_path = ''
as $$
declare
  v_id uuid := private.uuid_v7();
begin
  perform private.require_registered_operator();
  if length(btrim(record_whatsapp_consent.reason)) between 1 and 1000 is not true then
    perform private.refuse('invalid_argument', '{"argument": "reason", "range": "1..1000 characters"}');
  end if;
  insert into public.whatsapp_consents (id, kind, value, scope, decision, source, occurred_at, evidence, words, recorded_by)
  select v_id, identity.kind, identity.value, record_whatsapp_consent.scope, record_whatsapp_consent.decision, 'operator', now(),
    concat_ws(' ', 'operator', v_id), btrim(record_whatsapp_consent.reason), (select auth.uid())
  from public.whatsapp_contacts as contact
  join public.whatsapp_identities as identity on identity.contact_id = coalesce(contact.merged_into, contact.id)
  where contact.id = record_whatsapp_consent.contact_id and identity.valid_to is null
  order by identity.kind = 'wa_id', identity.kind, identity.value
  limit 1;
  if not found then
    perform private.refuse('contact_not_found');
  end if;
  return private.whatsapp_consent_of(record_whatsapp_consent.contact_id);
end;
$$;

comment on function private.record_whatsapp_consent is 'The work of public.record_whatsapp_consent().';

create function public.record_whatsapp_consent(
  contact_id uuid,
  scope public.whatsapp_consent_scope,
  decision public.whatsapp_consent_decision,
  reason text
)
returns public.whatsapp_consent
language plpgsql
set search_path = ''
set statement_timeout = '2s'
as $$
begin
  return private.record_whatsapp_consent(
    record_whatsapp_consent.contact_id, record_whatsapp_consent.scope, record_whatsapp_consent.decision, record_whatsapp_consent.reason
  );
end;
$$;

comment on function public.record_whatsapp_consent is
  'For operators: writes down what a person decided elsewhere (by phone, on paper), with the reason, and says what holds now. '
  'Refuses: operator_required, invalid_argument, contact_not_found.';
grant execute on function public.record_whatsapp_consent, private.record_whatsapp_consent to authenticated;

commit;
