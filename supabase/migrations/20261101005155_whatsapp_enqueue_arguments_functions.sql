begin;

create function private.whatsapp_enqueue_fault(message public.whatsapp_message_queue)
returns text
language plpgsql
stable
set search_path = ''
as $$
begin
  return case
    when message.phone_number_id ~ '^\w{1,64}$' is not true then 'phone_number_id'
    when message.recipient_kind = 'wa_id' and message.recipient_value !~ '^[1-9]\d{6,14}$' then 'recipient_phone'
    when message.recipient_kind <> 'wa_id' and message.recipient_value !~ '^[A-Z]{2}\.(ENT\.)?[A-Za-z0-9]{1,128}$' then 'recipient_user_id'
    when message.message_type is null then 'message_type'
    when message.payload is null then 'message_payload'
    when message.fallback_template is not null and message.message_type = 'template' then 'fallback_template'
    when message.category not in ('authentication', 'marketing', 'utility', 'service') then 'category'
    when message.ordering is null then 'ordering'
    when message.may_resend is null then 'may_resend'
    when message.due_at > now() + interval '35 days' then 'scheduled_at'
    when message.expires_at <= coalesce(message.due_at, now()) then 'expires_at'
    when message.max_attempts between 1 and 20 is not true then 'max_attempts'
  end;
end;
$$;

comment on function private.whatsapp_enqueue_fault is 'The argument of enqueue_whatsapp_message() that is out of its range, if any.';

create function private.whatsapp_lifetime(message_type text, category text)
returns interval
language plpgsql
immutable
set search_path = ''
as $$
begin
  return case
    when whatsapp_lifetime.category = 'authentication' then interval '10 minutes'
    when whatsapp_lifetime.message_type = 'template' then interval '7 days'
    else interval '24 hours'
  end;
end;
$$;

comment on function private.whatsapp_lifetime is
  'How long a message is of use: a code as long as Meta keeps it, free text as long as a window, a template while it may wait for the messaging limit.';

create function public.enqueue_whatsapp_message(
  phone_number_id text,
  message_type text,
  message_payload jsonb,
  contact_id uuid default null,
  recipient_phone text default null,
  recipient_user_id text default null,
  priority smallint default 5,
  scheduled_at timestamptz default null,
  idempotency_key text default null,
  fallback_template jsonb default null,
  category text default null,
  reply_to text default null,
  ordering public.whatsapp_ordering default 'fifo',
  may_resend boolean default true,
  expires_at timestamptz default null,
  max_attempts integer default 5
)
returns public.whatsapp_enqueued
language plpgsql
set search_path = ''
set statement_timeout = '5s'
as $$
declare
  v_due_at timestamptz := case when enqueue_whatsapp_message.scheduled_at > now() then enqueue_whatsapp_message.scheduled_at end;
  v_message public.whatsapp_message_queue;
  v_fault text := case
    when enqueue_whatsapp_message.priority between 0 and 9 is not true then 'priority'
    when length(enqueue_whatsapp_message.idempotency_key) not between 1 and 255 then 'idempotency_key'
    when enqueue_whatsapp_message.recipient_phone not like '+%' then 'recipient_phone'
    when num_nonnulls(
      enqueue_whatsapp_message.contact_id, enqueue_whatsapp_message.recipient_phone, enqueue_whatsapp_message.recipient_user_id
    ) <> 1 then 'contact_id, recipient_phone, recipient_user_id'
  end;
begin
  if v_fault is null then
    v_message := jsonb_populate_record(null::public.whatsapp_message_queue, jsonb_build_object(
      'phone_number_id', enqueue_whatsapp_message.phone_number_id,
      'contact_id', enqueue_whatsapp_message.contact_id,
      'recipient_kind', case
        when enqueue_whatsapp_message.recipient_phone is not null then 'wa_id'
        when enqueue_whatsapp_message.recipient_user_id like '__.ENT.%' then 'parent_bsuid'
        when enqueue_whatsapp_message.recipient_user_id is not null then 'bsuid'
      end,
      'recipient_value', coalesce(substr(enqueue_whatsapp_message.recipient_phone, 2), enqueue_whatsapp_message.recipient_user_id),
      'message_type', enqueue_whatsapp_message.message_type,
      'payload', enqueue_whatsapp_message.message_payload || case when enqueue_whatsapp_message.reply_to is not null
        then jsonb_build_object('context', jsonb_build_object('message_id', enqueue_whatsapp_message.reply_to)) else '{}' end,
      'fallback_template', enqueue_whatsapp_message.fallback_template,
      'category', enqueue_whatsapp_message.category,
      'ordering', enqueue_whatsapp_message.ordering,
      'may_resend', enqueue_whatsapp_message.may_resend,
      'priority', enqueue_whatsapp_message.priority,
      'state', 'scheduled',
      'due_at', v_due_at,
      'expires_at', coalesce(enqueue_whatsapp_message.expires_at, coalesce(v_due_at, now())
        + private.whatsapp_lifetime(enqueue_whatsapp_message.message_type, enqueue_whatsapp_message.category)),
      'max_attempts', enqueue_whatsapp_message.max_attempts
    ));
    v_fault := private.whatsapp_enqueue_fault(v_message);
  end if;
  if v_fault is not null then
    perform private.refuse('invalid_argument', jsonb_build_object('argument', v_fault));
  end if;
  return private.enqueue_whatsapp_message(v_message, enqueue_whatsapp_message.idempotency_key);
end;
$$;

comment on function public.enqueue_whatsapp_message is
  'Takes a message to be sent from one of our numbers to a contact, a phone (E.164) or a user id: one of the three. message_payload is the '
  'content under the name of its type, as Meta''s send API has it, and is checked against Meta''s limits. '
  'Messages between the same two go in the order in which they were enqueued, unless ordering is none; a scheduled one takes its place when '
  'its time comes. Outside the 24 hours fallback_template (Meta''s template object) goes out instead of free text. '
  'category is what a template is for, if Meta has not told us; an unknown one counts as marketing. reply_to quotes a message. '
  'may_resend false: rather not at all than twice. expires_at: when it is no use any more (default: a code 10 minutes, a template 7 days, '
  'anything else 24 hours). '
  'The same idempotency key with the same recipient and content gives the first message again, for 35 days. '
  'Refuses: invalid_argument, invalid_whatsapp_message, contact_not_found, idempotency_key_reused.';
grant execute on function public.enqueue_whatsapp_message, private.enqueue_whatsapp_message, private.whatsapp_enqueue_fault,
  private.whatsapp_lifetime
to service_role;

insert into private.schedule (name, cron, command) values
  ('purge-whatsapp-enqueue-keys', '5 1 * * *', 'delete from private.whatsapp_enqueue_keys where kept_until < now()');

commit;
