begin;

create type private.whatsapp_verdict as (
  recipient jsonb,
  is_fallback boolean,
  wait_reason public.whatsapp_wait_reason,
  wait_until timestamptz,
  failure_reason public.whatsapp_failure_reason
);

comment on type private.whatsapp_verdict is
  'Whether a message may go now: to whom, as what; else why and until when it waits, or why it fails.';

create function private.whatsapp_recipient(message public.whatsapp_message_queue)
returns jsonb
language plpgsql
stable
set search_path = ''
as $$
declare
  v_phone text;
  v_user_id text;
begin
  if message.recipient_kind = 'wa_id' then
    return jsonb_build_object('to', '+' || message.recipient_value);
  end if;
  select
    (array_agg(identity.value order by identity.valid_from desc, identity.value) filter (where identity.kind = 'wa_id'))[1],
    (array_agg(identity.value order by identity.value = message.recipient_value desc nulls last, identity.kind, identity.value)
      filter (where identity.kind <> 'wa_id'))[1]
  into v_phone, v_user_id
  from public.whatsapp_identities as identity
  where identity.contact_id = message.contact_id and identity.valid_to is null
    -- User ids stay their person's for good: only a link tells that another has taken one's place.
    and not exists (
      select from public.whatsapp_identity_links as link
      where link.kind = identity.kind and link.value = identity.value and link.is_change
    );
  if v_phone is not null and (message.must_use_phone or message.recipient_kind is null or v_user_id is null) then
    return jsonb_build_object('to', '+' || v_phone);
  end if;
  return jsonb_build_object('recipient', v_user_id) where v_user_id is not null;
end;
$$;

comment on function private.whatsapp_recipient is
  'The member of the request that says to whom: to (a phone, with plus: without it Meta puts our country''s code before) or recipient (a user '
  'id). A contact is reached by phone if it has one, because every kind of message may go there. A user id that has been replaced leads on '
  'to the person''s present one. Null if there is no name left.';

create function private.is_whatsapp_window_open(contact_id uuid, phone_number_id text)
returns boolean
language plpgsql
stable
set search_path = ''
as $$
begin
  return exists (
    select from public.whatsapp_sessions as session
    where session.contact_id = is_whatsapp_window_open.contact_id
      and session.phone_number_id = is_whatsapp_window_open.phone_number_id
      and session.window_expires_at > now() + (private.whatsapp_sending_rules()).window_margin
  );
end;
$$;

comment on function private.is_whatsapp_window_open is 'Whether free text may go, and will still be allowed when it arrives at Meta.';

create function private.whatsapp_content(message public.whatsapp_message_queue)
returns jsonb
language plpgsql
immutable
set search_path = ''
as $$
begin
  if message.is_fallback then
    return (message.payload - message.message_type) || jsonb_build_object('template', message.fallback_template);
  end if;
  return message.payload;
end;
$$;

comment on function private.whatsapp_content is 'What a message says: its payload, or the fallback template in its place.';

create function private.known_whatsapp_template(phone_number_id text, payload jsonb)
returns public.whatsapp_templates
language plpgsql
stable
set search_path = ''
as $$
declare
  v_template public.whatsapp_templates;
begin
  select template.* into v_template
  from public.whatsapp_templates as template
  where template.waba_id = private.whatsapp_account_of(known_whatsapp_template.phone_number_id)
    and template.name = known_whatsapp_template.payload #>> '{template,name}'
    and template.language = known_whatsapp_template.payload #>> '{template,language,code}';
  return v_template;
end;
$$;

comment on function private.known_whatsapp_template is 'What Meta has told us of the template in a payload; nulls if nothing.';

create function private.judge_whatsapp_template(message public.whatsapp_message_queue)
returns private.whatsapp_verdict
language plpgsql
stable
set search_path = ''
as $$
declare
  v_verdict private.whatsapp_verdict;
  v_template public.whatsapp_templates := private.known_whatsapp_template(message.phone_number_id, private.whatsapp_content(message));
begin
  select circuit.paused_until into v_verdict.wait_until
  from public.whatsapp_circuits as circuit
  where circuit.scope = 'template' and circuit.subject = private.whatsapp_circuit_subject('template', message)
    and circuit.paused_until > now()
    -- Unless Meta has told since that it may be sent again.
    and (v_template.is_sendable and v_template.status_as_of > circuit.opened_at) is not true;
  if v_template.status <> 'PAUSED' and not v_template.is_sendable or v_verdict.wait_until >= message.expires_at then
    v_verdict.failure_reason := 'template_disabled';
  elsif not v_template.is_sendable or v_verdict.wait_until is not null then
    v_verdict.wait_reason := 'template_paused';
    v_verdict.wait_until := coalesce(v_verdict.wait_until, now() + interval '5 minutes');
  end if;
  return v_verdict;
end;
$$;

comment on function private.judge_whatsapp_template is
  'Whether the template of a message may be sent: not while it is paused, by what Meta reported or answered to an earlier message; '
  'and not at all if it is disabled, or paused for longer than the message is of use.';

create function private.whatsapp_category(message public.whatsapp_message_queue)
returns text
language plpgsql
stable
set search_path = ''
as $$
declare
  v_content jsonb := private.whatsapp_content(message);
begin
  return coalesce(
    private.whatsapp_billing_category(
      message.phone_number_id, case when v_content ? 'template' then 'template' else message.message_type end, v_content
    ),
    message.category,
    'marketing'
  );
end;
$$;

comment on function private.whatsapp_category is
  'What a message counts as: as what Meta charges it, else as what the caller says of the template, else as marketing, which needs the most consent.';

create function private.judge_whatsapp_consent(contact_id uuid, category text)
returns public.whatsapp_failure_reason
language plpgsql
stable
set search_path = ''
as $$
declare
  v_consent public.whatsapp_consent;
begin
  if private.may_send_whatsapp(judge_whatsapp_consent.contact_id, judge_whatsapp_consent.category) then
    return null;
  end if;
  v_consent := private.whatsapp_consent_of(judge_whatsapp_consent.contact_id);
  return case when 'stop' in (v_consent.overall, v_consent.marketing) then 'recipient_opted_out' else 'no_marketing_consent' end;
end;
$$;

comment on function private.judge_whatsapp_consent is 'Why a message of that category must not go to a contact; null if it may.';

create function private.judge_whatsapp_send(message public.whatsapp_message_queue)
returns private.whatsapp_verdict
language plpgsql
set search_path = ''
as $$
declare
  v_verdict private.whatsapp_verdict;
  v_is_open boolean := private.is_whatsapp_window_open(message.contact_id, message.phone_number_id);
  v_is_late boolean;
  v_recipient jsonb := private.whatsapp_recipient(message);
  v_pair_free_at timestamptz := (
    select private.whatsapp_pair_free_at(lane.paced_until) from private.whatsapp_lanes as lane
    where lane.contact_id = message.contact_id and lane.phone_number_id = message.phone_number_id
  );
begin
  -- Meta may find a window closed that we find open (131047).
  v_is_late := private.whatsapp_message_needs_window(message.message_type)
    and (not v_is_open or message.last_error ->> 'code' is not distinct from '131047');
  message.is_fallback := v_is_late and message.fallback_template is not null;
  if private.whatsapp_content(message) ? 'template' then
    v_verdict := private.judge_whatsapp_template(message);
  elsif v_is_late then
    v_verdict.failure_reason := 'window_closed';
  end if;
  v_verdict.is_fallback := message.is_fallback;
  v_verdict.recipient := v_recipient;
  v_verdict.failure_reason := case
    when message.expires_at <= now() then 'expired'
    when v_recipient is null then 'recipient_unknown'
    else coalesce(
      private.judge_whatsapp_consent(message.contact_id, private.whatsapp_category(message)), v_verdict.failure_reason
    )
  end;
  if v_verdict.failure_reason is not null or v_verdict.wait_reason is not null then
    return v_verdict;
  end if;

  if v_pair_free_at > now() then
    v_verdict.wait_reason := 'pair_limit';
    v_verdict.wait_until := v_pair_free_at;
  elsif not v_is_open and not private.reach_whatsapp_contact(
    (select sender.portfolio from private.whatsapp_senders as sender where sender.phone_number_id = message.phone_number_id),
    message.contact_id
  ) then
    v_verdict.wait_reason := 'messaging_limit';
    -- Whole hours leave the count; spread, so that not all come back in one moment.
    v_verdict.wait_until := date_trunc('hour', now(), 'UTC') + interval '1 hour' + random() * interval '1 minute';
  end if;
  return v_verdict;
end;
$$;

comment on function private.judge_whatsapp_send is
  'Whether a message may go now, by what holds at this moment: its age, the person''s names, consent and window, the template, the pair limit '
  'and the messaging limit (which it is charged, so it comes last).';

create function private.whatsapp_request(message public.whatsapp_message_queue, recipient jsonb)
returns jsonb
language plpgsql
immutable
set search_path = ''
as $$
begin
  return jsonb_build_object(
      'messaging_product', 'whatsapp', 'recipient_type', 'individual', 'biz_opaque_callback_data', message.id,
      'type', case when message.is_fallback then 'template' else message.message_type end
    )
    || whatsapp_request.recipient || private.whatsapp_content(message);
end;
$$;

comment on function private.whatsapp_request is 'The body of POST /<phone_number_id>/messages (Meta, Cloud API).';

commit;
