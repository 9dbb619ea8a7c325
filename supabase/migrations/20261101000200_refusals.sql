begin;

create function private.problem_catalog()
returns table (code text, status integer, title text)
language sql
immutable
set search_path = ''
as $$
  values
    ('analytics_write_key_not_found', 404, 'No such write key of analytics'),
    ('configuration_invalid', 422, 'The configuration value may not be like this'),
    ('configuration_not_found', 404, 'No such configuration value'),
    ('configuration_out_of_scope', 403, 'This key is for the configuration of another service'),
    ('configuration_schema_unsupported', 422, 'The schema says what is not supported'),
    ('configuration_version_conflict', 409, 'The configuration value has changed in the meantime'),
    ('contact_not_found', 404, 'No such WhatsApp contact'),
    ('currency_mismatch', 422, 'The accounts are of different currencies'),
    ('delivery_not_found', 404, 'No such WhatsApp delivery'),
    ('driver_busy', 409, 'The driver has a trip already'),
    ('driver_not_approved', 409, 'The driver is not approved'),
    ('driver_not_found', 404, 'No such driver'),
    ('driver_plate_taken', 409, 'Another driver has this plate'),
    ('driver_state_conflict', 409, 'The driver cannot go from this state to that'),
    ('event_id_reused', 422, 'This event id was used for another event'),
    ('flag_environment_not_found', 404, 'No such environment of flags'),
    ('flag_exists', 409, 'There is a feature flag of this key'),
    ('flag_in_use', 409, 'Other flags or rules depend on it'),
    ('flag_not_found', 404, 'No such feature flag'),
    ('flag_prerequisites_circular', 422, 'The flag would depend on itself, or on too many levels of flags'),
    ('flag_revision_conflict', 409, 'The flags have changed in the meantime'),
    ('idempotency_key_in_use', 409, 'A request with this idempotency key is still running'),
    ('idempotency_key_missing', 400, 'An idempotency key is needed'),
    ('idempotency_key_reused', 422, 'This idempotency key was used with another request'),
    ('insufficient_funds', 409, 'Not enough money is available'),
    ('invalid_argument', 422, 'An argument is out of its range'),
    ('invalid_whatsapp_message', 422, 'WhatsApp would not take this message'),
    ('job_not_found', 404, 'No such background job'),
    ('job_state_conflict', 409, 'The background job is in another state'),
    ('job_type_taken', 409, 'Jobs of this type are done by somebody else'),
    ('lease_lost', 409, 'The lease is over and somebody else may hold the work'),
    ('operator_required', 403, 'Only operators may do this'),
    ('payment_event_not_found', 404, 'No such payment event'),
    ('payment_method_not_found', 404, 'No such payment method'),
    ('payment_method_unavailable', 422, 'This cannot be paid that way'),
    ('person_not_settled', 409, 'Trips, payments or money of this person are still open'),
    ('phone_not_confirmed', 409, 'No phone number is confirmed'),
    ('profile_not_found', 404, 'No such person'),
    ('queue_not_empty', 409, 'The message queue is not empty'),
    ('queue_not_found', 404, 'No such message queue'),
    ('rate_limited', 429, 'Too many requests'),
    ('read_committed_needed', 409, 'This needs a transaction of the isolation level read committed'),
    ('reconciliation_not_found', 404, 'No such reconciliation'),
    ('reconciliation_overlaps', 409, 'Another reconciliation has part of this period'),
    ('review_decided', 409, 'The review is decided already'),
    ('review_not_found', 404, 'No such review'),
    ('second_person_needed', 403, 'Somebody else must decide this'),
    ('secrets_unavailable', 503, 'Secrets cannot be kept here'),
    ('service_not_found', 404, 'No such instance of a service'),
    ('service_out_of_scope', 403, 'This key speaks for another service'),
    ('session_not_found', 404, 'No such WhatsApp session'),
    ('session_version_conflict', 409, 'The WhatsApp session has changed in the meantime'),
    ('statement_unreadable', 422, 'The statement cannot be read'),
    ('stream_version_conflict', 409, 'The stream has changed in the meantime'),
    ('subscription_moved', 409, 'The subscription is not where it was expected'),
    ('subscription_not_found', 404, 'No such event subscription'),
    ('too_many_locations', 409, 'No more places can be saved'),
    ('too_many_service_instances', 409, 'There are too many instances of this service'),
    ('too_many_trips', 409, 'The rider has too many open trips'),
    ('transaction_not_found', 404, 'No such transaction'),
    ('transaction_state_conflict', 409, 'The transaction is past that'),
    ('trip_not_found', 404, 'No such trip'),
    ('trip_offer_over', 409, 'The trip is not, or no longer, offered to this driver'),
    ('trip_rated', 409, 'The trip is rated already'),
    ('trip_state_conflict', 409, 'The trip is past that, or not there yet'),
    ('trip_taken', 409, 'Another driver has the trip'),
    ('wallet_account_closed', 409, 'The wallet account is closed'),
    ('wallet_account_frozen', 409, 'The wallet account is frozen'),
    ('wallet_account_not_empty', 409, 'The wallet account is not empty'),
    ('wallet_account_not_found', 404, 'No such wallet account'),
    ('wallet_balance_too_high', 409, 'The wallet account may not have that much'),
    ('wallet_guard_broken', 409, 'The wallet account does not keep this rule now'),
    ('wallet_hold_ended', 409, 'The hold has ended'),
    ('wallet_hold_exceeded', 422, 'More than the hold'),
    ('wallet_hold_not_found', 404, 'No such hold'),
    ('wallet_legs_unbalanced', 422, 'The legs do not sum to zero'),
    ('wallet_limit_exceeded', 409, 'The wallet account has reached a limit'),
    ('wallet_refund_exceeded', 409, 'More than is left to give back'),
    ('wallet_transaction_not_found', 404, 'No such wallet transaction'),
    ('webhook_endpoint_disabled', 409, 'The webhook endpoint is disabled'),
    ('webhook_endpoint_exists', 409, 'There is a webhook endpoint with this address'),
    ('webhook_endpoint_not_found', 404, 'No such webhook endpoint'),
    ('webhook_event_not_found', 404, 'No such event for this webhook endpoint'),
    ('whatsapp_message_not_found', 404, 'No such WhatsApp message'),
    ('whatsapp_message_under_way', 409, 'The WhatsApp message is past that')
$$;

comment on function private.problem_catalog is
  'Every code that SQL refuses with, its HTTP status and title. docs/errors.md is generated from it; a test holds raised = listed.';

create function private.refuse(code text, details jsonb default '{}')
returns void
language plpgsql
set search_path = ''
as $$
declare
  v_status integer;
  v_title text;
begin
  select problem.status, problem.title into strict v_status, v_title
  from private.problem_catalog() as problem
  where problem.code = refuse.code;

  raise sqlstate 'PGRST' using
    message = jsonb_build_object(
      'code', refuse.code, 'message', v_title, 'details', nullif(refuse.details, '{}')::text, 'hint', null
    ),
    detail = jsonb_build_object(
      'status', v_status,
      'headers', jsonb_strip_nulls(jsonb_build_object('Retry-After', refuse.details ->> 'retry_after'))
    );
end;
$$;

comment on function private.refuse is
  'Refuses with a code of the catalog, in the form that PostgREST turns into an HTTP answer. '
  'A detail named retry_after (whole seconds) becomes the Retry-After header. Rolls the transaction back.';
grant execute on function private.refuse, private.problem_catalog to anon, authenticated, service_role;

create function private.request_header(name text)
returns text
language plpgsql
stable
set search_path = ''
as $$
begin
  -- An empty string, not null, after any transaction that has set it.
  return nullif(current_setting('request.headers', true), '')::jsonb ->> request_header.name;
end;
$$;

comment on function private.request_header is 'A header of the current API request (lower case), or null outside of one.';
grant execute on function private.request_header to anon, authenticated, service_role;

create function private.correlation_id()
returns text
language plpgsql
stable
set search_path = ''
as $$
declare
  -- Empty, not null, after any transaction that has set them.
  v_continued text := nullif(current_setting('app.correlation_id', true), '');
  v_headers jsonb := nullif(current_setting('request.headers', true), '');
  v_candidate text;
begin
  if v_continued is null and v_headers is null then
    return null;
  end if;
  foreach v_candidate in array array[
    v_continued,
    v_headers ->> 'x-correlation-id',
    substring(v_headers ->> 'traceparent' from '^[0-9a-f]{2}-([0-9a-f]{32})-[0-9a-f]{16}-[0-9a-f]{2}'),
    v_headers ->> 'x-request-id'
  ] loop
    -- The length apart: a bounded repetition makes matching ten times slower.
    if v_candidate ~ '^[A-Za-z0-9._:-]+$' and length(v_candidate) <= 64 then
      return v_candidate;
    end if;
  end loop;
  return null;
end;
$$;

comment on function private.correlation_id is
  'What ties the records of one piece of work together: the id continued from a stored row, else x-correlation-id, else the trace id, else x-request-id. An ill-formed one is passed over.';
grant execute on function private.correlation_id to anon, authenticated, service_role;

create function private.continue_correlation(correlation_id text)
returns void
language plpgsql
set search_path = ''
as $$
begin
  perform set_config('app.correlation_id', coalesce(continue_correlation.correlation_id, ''), true);
end;
$$;

comment on function private.continue_correlation is
  'Makes the rest of the transaction carry a stored row''s correlation id.';
grant execute on function private.continue_correlation to service_role;

commit;
