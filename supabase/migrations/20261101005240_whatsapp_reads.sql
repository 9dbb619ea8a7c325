begin;

create table private.whatsapp_reads (
  phone_number_id text not null,
  contact_id uuid not null,
  message_id uuid not null,
  wamid text not null,
  is_typing boolean not null,
  enqueued_at timestamptz not null default now(),
  correlation_id text default private.correlation_id(),
  constraint whatsapp_reads_pkey primary key (phone_number_id, contact_id)
) with (fillfactor = 70);

comment on table private.whatsapp_reads is
  'Messages to be shown as read: per conversation the latest, because it shows those before it as read too. They take no lane, need no window '
  'and may be lost.';
comment on column private.whatsapp_reads.is_typing is 'Whether to show that we are writing.';
create index whatsapp_reads_enqueued_at_idx on private.whatsapp_reads (enqueued_at);
alter table private.whatsapp_reads enable row level security;

create function private.enqueue_whatsapp_read(message_id uuid, typing boolean)
returns void
language plpgsql
security definer -- writes a table that no role may write
set search_path = ''
as $$
begin
  insert into private.whatsapp_reads as read (phone_number_id, contact_id, message_id, wamid, is_typing)
  select message.phone_number_id, coalesce(message.contact_id, message.id), message.id, message.wamid, enqueue_whatsapp_read.typing
  from public.whatsapp_messages as message
  where message.id = enqueue_whatsapp_read.message_id and message.direction = 'inbound' and message.origin = 'live'
  on conflict on constraint whatsapp_reads_pkey do update set
    message_id = greatest(read.message_id, excluded.message_id),
    wamid = case when excluded.message_id > read.message_id then excluded.wamid else read.wamid end,
    is_typing = read.is_typing or excluded.is_typing,
    enqueued_at = excluded.enqueued_at,
    correlation_id = excluded.correlation_id;
  if not found then
    perform private.refuse('whatsapp_message_not_found');
  end if;
  perform private.kick_worker();
end;
$$;

comment on function private.enqueue_whatsapp_read is 'The work of public.enqueue_whatsapp_read().';

create function public.enqueue_whatsapp_read(message_id uuid, typing boolean default false)
returns void
language plpgsql
set search_path = ''
set statement_timeout = '2s'
as $$
begin
  if enqueue_whatsapp_read.typing is null then
    perform private.refuse('invalid_argument', '{"argument": "typing"}');
  end if;
  perform private.enqueue_whatsapp_read(enqueue_whatsapp_read.message_id, enqueue_whatsapp_read.typing);
end;
$$;

comment on function public.enqueue_whatsapp_read is
  'Lets an inbound message (its id in whatsapp_messages), and those before it, be shown as read, and with typing also that we are writing. '
  'Best effort: what is late or lost on the way is not made up for. Refuses: invalid_argument, whatsapp_message_not_found.';

create type public.whatsapp_read as (
  phone_number_id text,
  wamid text,
  is_typing boolean,
  correlation_id text
);

comment on type public.whatsapp_read is 'A message to be shown as read.';

create function private.claim_whatsapp_reads(max_count integer)
returns setof public.whatsapp_read
language plpgsql
security definer -- writes a table that no role may write
set search_path = ''
as $$
begin
  return query
  with taken as materialized (
    select read.phone_number_id, read.contact_id
    from private.whatsapp_reads as read
    order by read.enqueued_at
    limit claim_whatsapp_reads.max_count
    for update skip locked
  ),
  removed as (
    delete from private.whatsapp_reads as read using taken
    where read.phone_number_id = taken.phone_number_id and read.contact_id = taken.contact_id
    returning read.*
  )
  select removed.phone_number_id, removed.wamid, removed.is_typing and removed.enqueued_at > now() - interval '20 seconds',
    removed.correlation_id
  from removed
  where removed.enqueued_at > now() - interval '1 hour' and private.whatsapp_circuit_allowance(removed.phone_number_id) is null;
end;
$$;

comment on function private.claim_whatsapp_reads is 'The work of public.claim_whatsapp_reads().';

create function public.claim_whatsapp_reads(max_count integer)
returns setof public.whatsapp_read
language plpgsql
set search_path = ''
set statement_timeout = '5s'
as $$
begin
  if (claim_whatsapp_reads.max_count between 1 and 1000) is not true then
    perform private.refuse('invalid_argument', '{"argument": "max_count", "range": "1..1000"}');
  end if;
  return query select * from private.claim_whatsapp_reads(claim_whatsapp_reads.max_count);
end;
$$;

comment on function public.claim_whatsapp_reads is
  'Takes messages to be shown as read, for good: there is nothing to complete. After 20 seconds nobody is shown as writing any more; what is an '
  'hour old, or of a number that is paused, is dropped. Refuses: invalid_argument.';
grant execute on function public.enqueue_whatsapp_read, private.enqueue_whatsapp_read,
  public.claim_whatsapp_reads, private.claim_whatsapp_reads
to service_role;

commit;
