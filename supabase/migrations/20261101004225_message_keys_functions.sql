begin;

create table private.message_keys (
  queue_name text collate "C" not null,
  idempotency_key text collate "C" not null,
  message_id bigint not null,
  fingerprint bytea not null,
  expires_at timestamptz not null default 'infinity',
  constraint message_keys_pkey primary key (queue_name, idempotency_key)
);

comment on table private.message_keys is
  'Which message each idempotency key stands for: until the queue''s dedupe_window has passed since it finished.';
comment on column private.message_keys.fingerprint is 'sha256 of its type and payload: the same key with another message is refused.';
create index message_keys_expiry_idx on private.message_keys (expires_at) where expires_at < 'infinity';
alter table private.message_keys enable row level security;

create function private.message_fingerprint(message_type text, payload jsonb)
returns bytea
language plpgsql
immutable
set search_path = ''
as $$
begin
  return sha256(convert_to(message_fingerprint.message_type || e'\n' || message_fingerprint.payload::text, 'UTF8'));
end;
$$;

comment on function private.message_fingerprint is 'What two messages with the same idempotency key must have in common.';

create function private.reserve_message_keys(queue_name text, messages private.new_message[], message_ids bigint[])
returns bigint[]
language plpgsql
set search_path = ''
as $$
declare
  v_earlier_ids bigint[];
  v_reused text;
begin
  -- In key order, so that two callers never wait for each other.
  insert into private.message_keys as stored (queue_name, idempotency_key, message_id, fingerprint)
  select distinct on (new.idempotency_key collate "C")
    reserve_message_keys.queue_name, new.idempotency_key, new.id, private.message_fingerprint(new.message_type, new.payload)
  from unnest(reserve_message_keys.messages, reserve_message_keys.message_ids) as new (
    message_type, payload, priority, scheduled_at, idempotency_key, ordering_key, max_attempts, headers, correlation_id, id
  )
  where new.idempotency_key is not null
  order by new.idempotency_key collate "C", new.id
  on conflict on constraint message_keys_pkey do update set
    message_id = excluded.message_id, fingerprint = excluded.fingerprint, expires_at = 'infinity'
    -- Asked when the key's lock is held: whoever finished its message meanwhile set an end later than a clock taken before.
    where stored.expires_at <= clock_timestamp();

  select
    array_agg(nullif(stored.message_id, new.id) order by new.id),
    min(new.idempotency_key) filter (where stored.fingerprint <> private.message_fingerprint(new.message_type, new.payload))
  into v_earlier_ids, v_reused
  from unnest(reserve_message_keys.messages, reserve_message_keys.message_ids) as new (
    message_type, payload, priority, scheduled_at, idempotency_key, ordering_key, max_attempts, headers, correlation_id, id
  )
  left join private.message_keys as stored
    on stored.queue_name = reserve_message_keys.queue_name and stored.idempotency_key = new.idempotency_key;
  if v_reused is not null then
    perform private.refuse('idempotency_key_reused', jsonb_build_object('idempotency_key', v_reused));
  end if;
  return v_earlier_ids;
end;
$$;

comment on function private.reserve_message_keys is
  'Lets each idempotency key stand for its message; for each message in order null, or the id of the earlier one that its key stands for. '
  'Refuses: idempotency_key_reused.';

create function private.expire_message_keys(
  queue_name text,
  message_ids bigint[],
  idempotency_keys text[],
  dedupe_window interval
)
returns void
language plpgsql
set search_path = ''
as $$
begin
  with finished as materialized (
    select stored.idempotency_key
    from private.message_keys as stored
    where stored.queue_name = expire_message_keys.queue_name
      and stored.idempotency_key = any (expire_message_keys.idempotency_keys)
      and stored.message_id = any (expire_message_keys.message_ids)
    order by stored.idempotency_key
    for update
  )
  update private.message_keys as stored set expires_at = clock_timestamp() + expire_message_keys.dedupe_window
  from finished
  where stored.queue_name = expire_message_keys.queue_name and stored.idempotency_key = finished.idempotency_key;
end;
$$;

comment on function private.expire_message_keys is 'Lets the keys of finished messages stand for them for that long.';

commit;
