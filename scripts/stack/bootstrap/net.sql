-- pg_net's names, for databases without the extension: a request is sent once its transaction commits, by the stack's
-- process (scripts/stack/http_requests.ts), which is told by NOTIFY. Stricter than pg_net, whose tables are everybody's.
create schema net;

create unlogged table net.http_request_queue (
  id bigint generated always as identity primary key,
  method text not null,
  url text not null,
  headers jsonb,
  body bytea,
  timeout_milliseconds integer not null
);

create unlogged table net._http_response (
  id bigint,
  status_code integer,
  content_type text,
  headers jsonb,
  content text,
  timed_out boolean,
  error_msg text,
  created timestamptz not null default now()
);
create index on net._http_response (created);

create function net._urlencode_string(string text)
returns text
language sql
immutable strict
set search_path = ''
as $$
  select coalesce(string_agg(
    case
      when character ~ '[A-Za-z0-9_.~-]' then character
      else regexp_replace(upper(encode(convert_to(character, 'UTF8'), 'hex')), '(..)', '%\1', 'g')
    end, '' order by place
  ), '')
  from regexp_split_to_table(string, '') with ordinality as part (character, place);
$$;

create function net.http_post(
  url text, body jsonb default '{}', params jsonb default '{}',
  headers jsonb default '{"Content-Type": "application/json"}', timeout_milliseconds integer default 5000
)
returns bigint
language plpgsql
security definer -- only the stack may look into the queue
set search_path = ''
as $$
declare
  v_headers jsonb := coalesce(http_post.headers, '{}');
  v_query text;
  v_id bigint;
begin
  if not exists (select from jsonb_object_keys(v_headers) as name where lower(name) = 'content-type') then
    v_headers := v_headers || '{"Content-Type": "application/json"}';
  end if;
  if exists (
    select from jsonb_each_text(v_headers) as header where lower(header.key) = 'content-type' and header.value <> 'application/json'
  ) then
    raise exception 'Content-Type header must be "application/json"';
  end if;
  if http_post.body is null then
    raise exception 'body must not be null';
  end if;
  select string_agg(net._urlencode_string(param.key) || '=' || net._urlencode_string(param.value), '&') into v_query
  from jsonb_each_text(http_post.params) as param;
  insert into net.http_request_queue (method, url, headers, body, timeout_milliseconds)
  values (
    'POST', http_post.url || coalesce(case when http_post.url like '%?%' then '&' else '?' end || v_query, ''), v_headers,
    convert_to(http_post.body::text, 'UTF8'), http_post.timeout_milliseconds
  )
  returning id into v_id;
  notify net_request;
  return v_id;
end;
$$;

revoke all on all functions in schema net from public;
grant usage on schema net to postgres;
grant select on all tables in schema net to postgres;
grant execute on function net.http_post to postgres;
