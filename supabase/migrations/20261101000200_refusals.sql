begin;

create function private.problem_catalog()
returns table (code text, status integer, title text)
language sql
immutable
set search_path = ''
as $$
  values
    ('contact_not_found', 404, 'No such WhatsApp contact'),
    ('delivery_not_found', 404, 'No such WhatsApp delivery'),
    ('idempotency_key_in_use', 409, 'A request with this idempotency key is still running'),
    ('idempotency_key_missing', 400, 'An idempotency key is needed'),
    ('idempotency_key_reused', 422, 'This idempotency key was used with another request'),
    ('invalid_argument', 422, 'An argument is out of its range'),
    ('operator_required', 403, 'Only operators may do this'),
    ('phone_not_confirmed', 409, 'No phone number is confirmed'),
    ('rate_limited', 429, 'Too many requests'),
    ('review_decided', 409, 'The review is decided already'),
    ('review_not_found', 404, 'No such review'),
    ('session_not_found', 404, 'No such WhatsApp session'),
    ('session_version_conflict', 409, 'The WhatsApp session has changed in the meantime')
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
  c_well_formed constant text := '^[A-Za-z0-9._:-]{1,64}$';
begin
  return coalesce(
    substring(current_setting('app.correlation_id', true) from c_well_formed),
    substring(private.request_header('x-correlation-id') from c_well_formed),
    substring(private.request_header('traceparent') from '^[0-9a-f]{2}-([0-9a-f]{32})-[0-9a-f]{16}-[0-9a-f]{2}'),
    substring(private.request_header('x-request-id') from c_well_formed)
  );
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
