-- The reference: the plainest queue on `for update skip locked` that keeps its promises, after pgmq's pattern (1.5).
-- One table; a message is invisible until `vt`, whether it was delayed or is being worked on. No priority, no key, no
-- lease token, no dead letter. It is kinder to itself than pgmq is: static SQL keeps its plan where pgmq's `execute`
-- makes one at each call.

create schema reference;

create table reference.queue (
  msg_id bigint generated always as identity primary key,
  read_ct integer not null default 0,
  enqueued_at timestamptz not null default now(),
  vt timestamptz not null,
  message jsonb not null,
  headers jsonb
);
create index on reference.queue (vt);

create table reference.archive (
  msg_id bigint primary key,
  read_ct integer not null,
  enqueued_at timestamptz not null,
  archived_at timestamptz not null default now(),
  vt timestamptz not null,
  message jsonb not null,
  headers jsonb
);
create index on reference.archive (archived_at);

create function reference.send(message jsonb, due_at timestamptz default clock_timestamp())
returns bigint
language plpgsql
set search_path = ''
as $$
declare
  v_id bigint;
begin
  insert into reference.queue (vt, message) values (send.due_at, send.message) returning msg_id into v_id;
  return v_id;
end;
$$;

create function reference.send_batch(messages jsonb[], due_at timestamptz default clock_timestamp())
returns setof bigint
language plpgsql
set search_path = ''
as $$
begin
  return query
  insert into reference.queue (vt, message)
  select send_batch.due_at, unnest(send_batch.messages)
  returning msg_id;
end;
$$;

-- clock_timestamp() is volatile, so the index on vt cannot bound the scan: it walks the primary key from the oldest row.
create function reference.read(lease_seconds integer, max_count integer)
returns setof reference.queue
language plpgsql
set search_path = ''
as $$
begin
  return query
  with next as materialized (
    select msg_id
    from reference.queue
    where vt <= clock_timestamp()
    order by msg_id
    limit read.max_count
    for update skip locked
  )
  update reference.queue as message
  set vt = clock_timestamp() + make_interval(secs => read.lease_seconds), read_ct = message.read_ct + 1
  from next
  where message.msg_id = next.msg_id
  returning message.*;
end;
$$;

-- Completing without history: compared with our queues that keep none.
create function reference.delete(ids bigint[])
returns setof bigint
language plpgsql
set search_path = ''
as $$
begin
  return query delete from reference.queue where msg_id = any(delete.ids) returning msg_id;
end;
$$;

-- Completing with history: compared with our queues that keep one.
create function reference.archive(ids bigint[])
returns setof bigint
language plpgsql
set search_path = ''
as $$
begin
  return query
  with gone as (
    delete from reference.queue where msg_id = any(archive.ids) returning *
  )
  insert into reference.archive (msg_id, read_ct, enqueued_at, vt, message, headers)
  select msg_id, read_ct, enqueued_at, vt, message, headers from gone
  returning msg_id;
end;
$$;
