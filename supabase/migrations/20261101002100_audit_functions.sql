begin;

create function private.log_audit_event(
  actor_type text,
  actor_identifier text,
  action text,
  resource_type text,
  resource_id text,
  metadata jsonb
)
returns uuid
language plpgsql
security definer -- no role may write the log itself
set search_path = ''
as $$
declare
  v_id uuid;
begin
  insert into public.system_audit_logs (actor_type, actor_identifier, action, resource_type, resource_id, metadata)
  values (
    log_audit_event.actor_type,
    log_audit_event.actor_identifier,
    log_audit_event.action,
    log_audit_event.resource_type,
    log_audit_event.resource_id,
    log_audit_event.metadata
  )
  returning id into v_id;
  return v_id;
end;
$$;

comment on function private.log_audit_event is 'The work of public.log_audit_event().';

create function public.log_audit_event(
  actor_type text,
  actor_identifier text,
  action text,
  resource_type text,
  resource_id text default null,
  metadata jsonb default '{}'
)
returns uuid
language plpgsql
set search_path = ''
set statement_timeout = '2s'
as $$
begin
  if (
    log_audit_event.actor_type ~ '^[a-z][a-z0-9_]{0,49}$'
    and length(log_audit_event.actor_identifier) between 1 and 255
    and length(log_audit_event.action) between 1 and 100
    and length(log_audit_event.resource_type) between 1 and 100
    and coalesce(length(log_audit_event.resource_id), 0) <= 1000
    and jsonb_typeof(log_audit_event.metadata) = 'object'
    and length(log_audit_event.metadata::text) <= 20000
  ) is not true then
    perform private.refuse('invalid_argument');
  end if;
  return private.log_audit_event(
    log_audit_event.actor_type,
    log_audit_event.actor_identifier,
    log_audit_event.action,
    log_audit_event.resource_type,
    log_audit_event.resource_id,
    log_audit_event.metadata
  );
end;
$$;

comment on function public.log_audit_event is
  'Writes one event to the audit log, with the request''s correlation id; gives its id. Called twice, it stands there twice; rolled back, it never happened. '
  'The caller vouches for the actor. Metadata is kept for good: no personal data. '
  'Refuses: invalid_argument (actor_type is a lower-case word of up to 50 characters, identifier up to 255, action and resource_type up to 100, resource_id up to 1000, metadata an object of up to 20000).';
grant execute on function public.log_audit_event, private.log_audit_event to service_role;

create function private.current_actor(out actor_type text, out actor_identifier text)
language plpgsql
stable
set search_path = ''
as $$
declare
  v_caller text := private.caller();
  v_role text := split_part(v_caller, ':', 1);
begin
  actor_type := case v_role
    when 'anon' then 'anonymous'
    when 'authenticated' then case when private.is_operator() then 'operator' else 'user' end
    when 'service_role' then 'service'
    else 'database'
  end;
  actor_identifier := left(coalesce(nullif(substr(v_caller, length(v_role) + 2), ''), v_role), 255);
end;
$$;

comment on function private.current_actor is
  'Who is acting, as the audit log names them: by the token, by x-actor for the secret key alone, else by the session''s user.';

create function private.audit_changes()
returns trigger
language plpgsql
security definer -- whoever changes an audited row, only its trigger writes the log
set search_path = ''
set timezone = 'UTC'
as $$
declare
  c_mask constant jsonb := '"***"';
  v_keys text[] := tg_argv[1];
  v_excluded text[] := tg_argv[2];
  v_old jsonb := to_jsonb(old);
  v_new jsonb := to_jsonb(new);
  v_old_data jsonb;
  v_new_data jsonb;
  v_actor record;
begin
  -- Compared before anything is masked, so that a change of a masked column shows.
  select
    jsonb_object_agg(field.name, case when field.is_masked then c_mask else v_old -> field.name end) filter (where v_old is not null),
    jsonb_object_agg(field.name, case when field.is_masked then c_mask else v_new -> field.name end) filter (where v_new is not null)
  into v_old_data, v_new_data
  from (
    select name, name = any (v_excluded) as is_masked from jsonb_object_keys(coalesce(v_new, v_old)) as name
  ) as field
  where v_old -> field.name is distinct from v_new -> field.name;
  if tg_op = 'UPDATE' and v_new_data is null then
    return null;
  end if;

  select * into v_actor from private.current_actor();
  insert into public.system_audit_logs (actor_type, actor_identifier, action, resource_type, resource_id, old_data, new_data)
  values (
    v_actor.actor_type,
    v_actor.actor_identifier,
    lower(tg_op),
    tg_argv[0],
    (
      select string_agg(coalesce(v_old, v_new) ->> key.name, ',' order by key.position)
      from unnest(v_keys) with ordinality as key (name, position)
    ),
    v_old_data,
    v_new_data
  );
  return null;
end;
$$;

comment on function private.audit_changes is
  'Writes each change of a row (and a truncate as such) to the audit log, in the same transaction. An update that changes nothing leaves no trace. '
  'Its arguments come from private.audit_table(): the table''s name, its key columns, the columns to mask.';

create function private.audit_table(table_name regclass, excluded_columns text[] default '{}')
returns void
language plpgsql
set search_path = ''
as $$
declare
  v_columns text[];
  v_keys text[];
  v_name text;
begin
  select
    relation.relname,
    array_agg(attribute.attname::text order by array_position(key.indkey::int2[], attribute.attnum)) filter (where attribute.attnum = any (key.indkey)),
    array_agg(attribute.attname::text)
  into v_name, v_keys, v_columns
  from pg_catalog.pg_class as relation
  join pg_catalog.pg_index as key on key.indrelid = relation.oid and key.indisprimary
  join pg_catalog.pg_attribute as attribute on attribute.attrelid = relation.oid and attribute.attnum > 0 and not attribute.attisdropped
  where relation.oid = audit_table.table_name
  group by relation.relname;
  if (v_columns @> audit_table.excluded_columns) is not true then
    raise exception '% has no primary key, or not all of the columns %', audit_table.table_name, audit_table.excluded_columns
      using errcode = 'invalid_parameter_value';
  end if;

  execute format(
    'create or replace trigger audit_changes after insert or update or delete on %s '
    'for each row execute function private.audit_changes(%L, %L, %L)',
    audit_table.table_name, v_name, v_keys, audit_table.excluded_columns
  );
  execute format(
    'create or replace trigger audit_truncate after truncate on %s '
    'for each statement execute function private.audit_changes(%L, %L, %L)',
    audit_table.table_name, v_name, v_keys, audit_table.excluded_columns
  );
end;
$$;

comment on function private.audit_table is
  'Called by the migration that makes a sensitive table: from now on every change of it is in the audit log, the excluded columns masked. '
  'The log is kept for good, so mask secrets and personal data. Again with other columns, it replaces the triggers.';

select private.audit_table('public.profiles', '{full_name,phone}');
select private.audit_table('private.operators');
select private.audit_table('public.phone_link_reviews', '{phone}');

create function private.search_audit_log(
  actor_type text,
  actor_identifier text,
  action text,
  resource_type text,
  resource_id text,
  correlation_id text,
  since timestamptz,
  before_id uuid,
  max_count integer
)
returns setof public.system_audit_logs
language plpgsql
stable
security definer -- operators read the log, which no client may select from
set search_path = ''
set plan_cache_mode = 'force_custom_plan' -- so that filters which are not asked for do not cost an index
as $$
begin
  perform private.require_operator();
  return query
  select log.*
  from public.system_audit_logs as log
  where log.id >= private.uuid_v7_floor(search_audit_log.since)
    and log.id < coalesce(search_audit_log.before_id, private.uuid_v7_floor(now() + interval '1 hour'))
    and (search_audit_log.actor_type is null or log.actor_type = search_audit_log.actor_type)
    and (search_audit_log.actor_identifier is null or log.actor_identifier = search_audit_log.actor_identifier)
    and (search_audit_log.action is null or log.action = search_audit_log.action)
    and (search_audit_log.resource_type is null or log.resource_type = search_audit_log.resource_type)
    and (search_audit_log.resource_id is null or log.resource_id = search_audit_log.resource_id)
    and (search_audit_log.correlation_id is null or log.correlation_id = search_audit_log.correlation_id)
  order by log.id desc
  limit search_audit_log.max_count;
end;
$$;

comment on function private.search_audit_log is 'The work of public.search_audit_log(). Refuses: operator_required.';

create function public.search_audit_log(
  actor_type text default null,
  actor_identifier text default null,
  action text default null,
  resource_type text default null,
  resource_id text default null,
  correlation_id text default null,
  since timestamptz default now() - interval '30 days',
  before_id uuid default null,
  max_count integer default 50
)
returns setof public.system_audit_logs
language plpgsql
stable
set search_path = ''
set statement_timeout = '10s'
as $$
begin
  if (search_audit_log.max_count between 1 and 200 and search_audit_log.since between '1970-01-01Z' and '3000-01-01Z') is not true then
    perform private.refuse('invalid_argument');
  end if;
  return query select * from private.search_audit_log(
    search_audit_log.actor_type,
    search_audit_log.actor_identifier,
    search_audit_log.action,
    search_audit_log.resource_type,
    search_audit_log.resource_id,
    search_audit_log.correlation_id,
    search_audit_log.since,
    search_audit_log.before_id,
    search_audit_log.max_count
  );
end;
$$;

comment on function public.search_audit_log is
  'For operators: the audit log, newest first, of the last 30 days unless `since` reaches further back, narrowed by whatever is given. '
  'The next page: `before_id` = the last id of this one. Refuses: operator_required, invalid_argument (max_count 1 to 200).';
grant execute on function public.search_audit_log, private.search_audit_log to authenticated;

commit;
