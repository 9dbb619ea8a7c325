begin;

create function private.analytics_horizon()
returns timestamptz
language plpgsql
stable
set search_path = ''
as $$
begin
  return (
    select now() - managed.detach_after from private.partitioned_tables as managed where managed.table_name = 'analytics_events'
  );
end;
$$;

comment on function private.analytics_horizon is
  'How far back events are taken: as far as they are kept, so that none lands in a month that is archived. Null: for ever.';

create function private.keep_analytics_rejections(batch jsonb, rejected jsonb)
returns jsonb
language plpgsql
set search_path = ''
as $$
begin
  if keep_analytics_rejections.rejected = '[]' then
    return '{"rejected": []}';
  end if;
  insert into public.analytics_rejections (message_id, reason, item, source, write_key_id, user_actor_id, anonymous_actor_id)
  select
    left(refused.message_id, 255), refused.reason, case when length(refused.item::text) <= 32768 then refused.item end,
    keep_analytics_rejections.batch ->> 'source', (keep_analytics_rejections.batch ->> 'write_key_id')::uuid,
    case when about.user_id is not null then private.analytics_actor_id(about.user_id, null) end,
    case when about.anonymous_id is not null then private.analytics_actor_id(null, about.anonymous_id) end
  from jsonb_to_recordset(keep_analytics_rejections.rejected) as refused (
    message_id text, reason text, item jsonb, user_id text, anonymous_id text
  )
  -- What the edge could not read stands as it was sent, in one of the formats.
  cross join lateral (values (
    coalesce(
      keep_analytics_rejections.batch ->> 'sub', refused.user_id, refused.item ->> 'user_id', refused.item ->> 'userId', refused.item ->> 'distinct_id'
    ),
    coalesce(refused.anonymous_id, refused.item ->> 'anonymous_id', refused.item ->> 'anonymousId', refused.item ->> 'distinct_id')
  )) as about (user_id, anonymous_id);
  return jsonb_build_object('rejected', (
    select jsonb_agg(jsonb_build_object('index', refused.index, 'id', refused.message_id, 'reason', refused.reason) order by refused.index)
    from jsonb_to_recordset(keep_analytics_rejections.rejected) as refused (index integer, message_id text, reason text)
  ));
end;
$$;

comment on function private.keep_analytics_rejections is 'Stores what of a batch could not be taken, with whom it is about; gives the answer''s part on it.';

create function private.store_analytics_events(batch jsonb)
returns jsonb
language plpgsql
security definer -- the only writer of events
set search_path = ''
as $$
declare
  v_items constant jsonb := coalesce(store_analytics_events.batch -> 'items', '[]');
  v_rejected constant jsonb := coalesce(store_analytics_events.batch -> 'rejected', '[]');
  v_user_id constant text := store_analytics_events.batch ->> 'sub';
  v_is_bot constant boolean := coalesce((store_analytics_events.batch ->> 'is_bot')::boolean, false);
  v_received_at constant timestamptz := least(now(), (store_analytics_events.batch ->> 'received_at')::timestamptz);
  v_write_key_id constant uuid := store_analytics_events.batch ->> 'write_key_id';
  v_correlation_id constant text := private.correlation_id();
  v_horizon constant timestamptz := private.analytics_horizon();
  v_counts jsonb;
  v_refused jsonb;
begin
  -- A transaction id before the snapshot of the statement below: private.merge_analytics_actors() moves an alias's events
  -- when nobody is left who has an id from before the link was there for all to see.
  perform pg_current_xact_id();
  if current_setting('transaction_isolation') <> 'read committed' then
    perform private.refuse('read_committed_needed');
  end if;

  -- Each `offset 0` keeps a column from being computed once per mention; unlike `materialized` it copies no rows.
  with said as (
    select
      item.position, item.type, item.message_id, item.event_name, item.event_category, item.anonymous_id, item.previous_id,
      item.group_id, item.session_id,
      coalesce(item.properties, '{}') as properties,
      coalesce(item.context, '{}') as context,
      coalesce(item.is_bot, v_is_bot) as is_bot,
      coalesce(v_user_id, item.user_id) as user_id,
      -- Segment's rule: the client's clock is as wrong as its time of sending is. Nothing is in the future.
      least(v_received_at, coalesce(clock.told_at + coalesce(v_received_at - clock.sent_at, '0'), v_received_at)) as occurred_at
    from rows from (
      jsonb_to_recordset(v_items) as (
        type text, message_id text, event_name text, event_category text, user_id text, anonymous_id text, previous_id text,
        group_id text, session_id text, properties jsonb, context jsonb, is_bot boolean, "timestamp" text, sent_at text
      )
    ) with ordinality as item (
      type, message_id, event_name, event_category, user_id, anonymous_id, previous_id,
      group_id, session_id, properties, context, is_bot, told_at, sent_at, position
    )
    cross join lateral (values (
      -- Four digits of a year: `now` and `infinity` are times to Postgres too.
      case when item.told_at ~ '^\d{4}-' and pg_input_is_valid(item.told_at, 'timestamptz') then item.told_at::timestamptz end,
      case when item.sent_at ~ '^\d{4}-' and pg_input_is_valid(item.sent_at, 'timestamptz') then item.sent_at::timestamptz end
    )) as clock (told_at, sent_at)
    offset 0
  ), judged as (
    select
      said.*,
      case
        when (length(said.event_name) between 1 and 200 and said.event_name <> '*') is not true then 'event_name_invalid'
        when coalesce(said.user_id, said.anonymous_id) is null then 'id_missing'
        when length(said.user_id) not between 1 and 255 or length(said.anonymous_id) not between 1 and 255 then 'id_invalid'
        when (said.type in ('track', 'identify', 'page', 'screen', 'group', 'alias')) is not true then 'type_unknown'
        when jsonb_typeof(said.properties) <> 'object' then 'properties_invalid'
        when jsonb_typeof(said.context) <> 'object' then 'context_invalid'
        when said.occurred_at < v_horizon then 'too_old'
      end as reason
    from said
    offset 0
  ), own as (
    select judged.*, case when judged.reason is null then private.analytics_actor_id(judged.user_id, judged.anonymous_id) end as own_id
    from judged
    offset 0
  ), linked as (
    -- A query of its own per row, not a join: a plan made while there were few links would read them all for ever.
    select own.*, coalesce((select link.actor_id from public.analytics_identities as link where link.alias_id = own.own_id), own.own_id) as actor_id
    from own
    offset 0
  ), known as materialized (
    select
      linked.*,
      (select true from public.analytics_suppressions as suppression where suppression.actor_id = linked.actor_id) as is_suppressed
    from linked
  ), stored as (
    -- In the order of the key: two batches with the same retried events cannot deadlock.
    insert into public.analytics_events (
      day, id, event_name, event_category, type, actor_id, user_id, anonymous_id, session_id, group_id,
      properties, context, is_bot, occurred_at, received_at, write_key_id, correlation_id
    )
    select
      (known.occurred_at at time zone 'Africa/Kigali')::date as day,
      -- A UUID stays itself, other text is one site's own; without a message id no retry is known.
      case
        when known.message_id is null then gen_random_uuid()
        when length(known.message_id) = 36 and pg_input_is_valid(known.message_id, 'uuid') then known.message_id::uuid
        else md5(concat_ws(':', v_write_key_id, known.message_id))::uuid
      end as id,
      known.event_name, known.event_category, known.type::public.analytics_event_type,
      known.actor_id, known.user_id, known.anonymous_id, known.session_id, known.group_id,
      known.properties, known.context, known.is_bot, known.occurred_at, v_received_at, v_write_key_id, v_correlation_id
    from known
    where known.reason is null and known.is_suppressed is null
    order by 1, 2
    on conflict on constraint analytics_events_pkey do nothing
    returning 1
  ), claimed as (
    insert into private.analytics_identity_claims (alias_id, actor_id)
    select claim.alias_id, known.own_id
    from known
    cross join lateral (
      select private.analytics_actor_id(null, known.anonymous_id) where known.type = 'identify' and known.anonymous_id is not null
      -- Nobody says whether a former id was a user's or an anonymous one.
      union all select private.analytics_actor_id(former.user_id, known.previous_id)
      from (values (null), (known.previous_id)) as former (user_id)
      where known.type = 'alias' and known.previous_id is not null
    ) as claim (alias_id)
    where known.type in ('identify', 'alias')
      and known.user_id is not null
      and claim.alias_id <> known.own_id
      and (select link.actor_id from public.analytics_identities as link where link.alias_id = claim.alias_id) is null
    order by known.position
  )
  select
    jsonb_build_object(
      'received', count(*) + jsonb_array_length(v_rejected),
      'stored', (select count(*) from stored),
      'duplicate', count(*) filter (where known.reason is null and known.is_suppressed is null) - (select count(*) from stored),
      'suppressed', count(known.is_suppressed)
    ),
    jsonb_agg(
      to_jsonb(known) || jsonb_build_object('index', item.told -> 'index', 'item', item.told)
    ) filter (where known.reason is not null)
  into v_counts, v_refused
  from known
  cross join lateral (values (v_items -> (known.position - 1)::integer)) as item (told);
  return v_counts || private.keep_analytics_rejections(store_analytics_events.batch, coalesce(v_refused, '[]') || v_rejected);
end;
$$;

comment on function private.store_analytics_events is 'The work of public.track_events().';

commit;
