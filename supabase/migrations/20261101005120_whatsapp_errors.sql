begin;

create type private.whatsapp_error_action as enum ('retry', 'wait', 'pair_wait', 'fallback', 'use_phone', 'fail');
create type public.whatsapp_circuit_scope as enum ('number', 'account', 'template');

comment on type private.whatsapp_error_action is
  'What an error makes of its message. retry: again after a delay, at the cost of an attempt; wait: again when its circuit closes, at no cost; '
  'pair_wait: again when the pair limit allows; fallback: its template instead; use_phone: again under the phone number; fail: never again.';
comment on type public.whatsapp_circuit_scope is 'What a circuit stops: the messages of a number, of all numbers of an account, or with a template.';

create table private.whatsapp_error_actions (
  codes int4range not null,
  meaning text not null,
  action private.whatsapp_error_action not null,
  failure_reason public.whatsapp_failure_reason,
  delay interval not null default '2 seconds',
  pause_scope public.whatsapp_circuit_scope,
  pause interval,
  stops_marketing boolean not null default false,
  constraint whatsapp_error_actions_pkey primary key (codes),
  constraint whatsapp_error_actions_codes_do_not_overlap exclude using gist (codes with &&),
  constraint whatsapp_error_actions_pauses_have_a_scope check ((pause_scope is null) = (pause is null)),
  constraint whatsapp_error_actions_waiting_needs_a_pause check (action <> 'wait' or pause is not null),
  constraint whatsapp_error_actions_failures_say_why check (failure_reason is not null or action in ('retry', 'wait', 'pair_wait'))
);

comment on table private.whatsapp_error_actions is
  'What is done about each of Meta''s error codes, whether it comes as an answer or in a failed status '
  '(Meta, Error codes; conflicts resolved after what public integrations do). Others are judged by private.whatsapp_error_action().';
comment on column private.whatsapp_error_actions.failure_reason is 'Why the message fails, if it does.';
comment on column private.whatsapp_error_actions.delay is 'The shortest delay of a retry; it doubles with the attempts.';
comment on column private.whatsapp_error_actions.pause is
  'For how long the circuit opens at first; each time that it does again without having closed the pause doubles, up to a day.';
alter table private.whatsapp_error_actions enable row level security;
grant select on private.whatsapp_error_actions to service_role;

insert into private.whatsapp_error_actions (codes, meaning, action, failure_reason, delay, pause_scope, pause, stops_marketing)
select int4range(listed.first_code, coalesce(listed.last_code, listed.first_code), '[]'), listed.meaning,
  listed.action::private.whatsapp_error_action, listed.failure_reason::public.whatsapp_failure_reason,
  coalesce(listed.delay, interval '2 seconds'), listed.pause_scope::public.whatsapp_circuit_scope, listed.pause,
  coalesce(listed.failure_reason = 'recipient_opted_out', false)
from (values
  (4, null, 'calls of the app', 'retry', null, interval '10 seconds', 'account', interval '30 seconds'),
  (80007, null, 'calls of the account', 'retry', null, interval '10 seconds', 'account', interval '30 seconds'),
  (130429, null, 'throughput of the number', 'retry', null, null, 'number', interval '5 seconds'),
  (131056, null, 'messages to one person', 'pair_wait', null, null, null, null),
  (131048, null, 'reported or blocked as spam too often', 'fail', 'spam_limited', null, 'number', interval '1 hour'),
  (1, 2, 'Meta''s side', 'retry', null, null, null, null),
  (131000, null, 'Meta''s side', 'retry', null, null, null, null),
  (131016, null, 'Meta''s side', 'retry', null, null, null, null),
  (131057, null, 'the number is being upgraded', 'retry', null, interval '30 seconds', 'number', interval '1 minute'),
  (133004, null, 'Meta''s side', 'retry', null, null, null, null),
  (131047, null, 'the window is closed', 'fallback', 'window_closed', null, null, null),
  (131049, null, 'held back for a healthy ecosystem', 'fail', 'marketing_limited', null, null, null),
  (131050, null, 'the person stopped marketing', 'fail', 'recipient_opted_out', null, null, null),
  (131026, null, 'undeliverable', 'fail', 'recipient_unreachable', null, null, null),
  (131021, null, 'sender and recipient are the same', 'fail', 'recipient_unreachable', null, null, null),
  (130472, null, 'part of an experiment of Meta''s', 'fail', 'recipient_unreachable', null, null, null),
  (130403, null, 'blocked by us', 'fail', 'recipient_unreachable', null, null, null),
  (130497, null, 'the account may not write to this country', 'fail', 'recipient_unreachable', null, null, null),
  (131030, null, 'not on the list of test recipients', 'fail', 'recipient_unreachable', null, null, null),
  (131062, null, 'a user id is not allowed here', 'use_phone', 'recipient_unreachable', null, null, null),
  (33, null, 'bad request', 'fail', 'message_rejected', null, null, null),
  (100, null, 'bad request', 'fail', 'message_rejected', null, null, null),
  (131008, 131009, 'a parameter is missing or wrong', 'fail', 'message_rejected', null, null, null),
  (131051, 131053, 'unsupported type, or a fault of the media', 'fail', 'message_rejected', null, null, null),
  (135000, null, 'bad request', 'fail', 'message_rejected', null, null, null),
  (132000, 132001, 'the template is not as sent', 'fail', 'template_rejected', null, null, null),
  (132005, null, 'the template''s text is too long', 'fail', 'template_rejected', null, null, null),
  (132007, 132008, 'the template breaks a policy or a format', 'fail', 'template_rejected', null, null, null),
  (132012, null, 'the template''s parameters are wrong', 'fail', 'template_rejected', null, null, null),
  (132018, null, 'the template''s parameters are wrong', 'fail', 'template_rejected', null, null, null),
  (132068, 132069, 'the template''s Flow is blocked or throttled', 'fail', 'template_rejected', null, null, null),
  (132015, null, 'the template is paused', 'wait', null, null, 'template', interval '3 hours'),
  (132016, null, 'the template is disabled', 'fail', 'template_disabled', null, 'template', interval '100 years'),
  (134101, null, 'the template is syncing', 'wait', null, null, 'template', interval '10 minutes'),
  (0, null, 'the token', 'wait', null, null, 'number', interval '5 minutes'),
  (190, null, 'the token', 'wait', null, null, 'number', interval '5 minutes'),
  (3, null, 'a permission', 'wait', null, null, 'number', interval '5 minutes'),
  (10, null, 'a permission', 'wait', null, null, 'number', interval '5 minutes'),
  (200, 299, 'a permission', 'wait', null, null, 'number', interval '5 minutes'),
  (131005, null, 'a permission', 'wait', null, null, 'number', interval '5 minutes'),
  (368, null, 'the account is blocked', 'wait', null, null, 'account', interval '15 minutes'),
  (131031, null, 'the account is locked', 'wait', null, null, 'account', interval '15 minutes'),
  (131042, null, 'payment for the account', 'wait', null, null, 'account', interval '15 minutes'),
  (131064, null, 'the account', 'wait', null, null, 'account', interval '15 minutes'),
  (131037, null, 'the number''s name is not approved', 'wait', null, null, 'number', interval '15 minutes'),
  (131045, null, 'the number is not registered', 'wait', null, null, 'number', interval '15 minutes'),
  (133000, 133003, 'the number''s registration', 'wait', null, null, 'number', interval '15 minutes'),
  (133005, 133015, 'the number''s registration', 'wait', null, null, 'number', interval '15 minutes'),
  (133016, null, 'registered too often', 'wait', null, null, 'number', interval '72 hours'),
  (133017, 133999, 'the number''s registration', 'wait', null, null, 'number', interval '15 minutes')
) as listed (first_code, last_code, meaning, action, failure_reason, delay, pause_scope, pause);

create function private.whatsapp_error_action(error jsonb)
returns private.whatsapp_error_actions
language plpgsql
stable
set search_path = ''
as $$
declare
  v_code integer := substring(whatsapp_error_action.error ->> 'code' from '^\d{1,9}$');
  v_status integer := substring(whatsapp_error_action.error ->> 'http_status' from '^\d{3}$');
  v_action private.whatsapp_error_actions;
begin
  select listed.* into v_action from private.whatsapp_error_actions as listed where listed.codes @> v_code;
  if found then
    return v_action;
  end if;
  v_action.meaning := 'not listed';
  v_action.delay := interval '2 seconds';
  v_action.stops_marketing := false;
  if v_status = 429 or whatsapp_error_action.error ->> 'is_transient' = 'true' then
    v_action.action := 'retry';
  elsif v_status in (401, 403) then
    v_action.action := 'wait';
    v_action.pause_scope := 'number';
    v_action.pause := interval '5 minutes';
  else
    v_action.action := 'fail';
    v_action.failure_reason := 'message_rejected';
  end if;
  return v_action;
end;
$$;

comment on function private.whatsapp_error_action is
  'What to do about an error: by its code, else by its class (429 and what Meta calls transient: retry; 401 and 403: the token; the rest '
  'would fail again).';

commit;
