begin;

create type public.whatsapp_claim as (
  id uuid,
  lease_token bigint,
  lease_expires_at timestamptz,
  phone_number_id text,
  request jsonb,
  correlation_id text
);

comment on type public.whatsapp_claim is
  'A message to be posted now, by whoever claimed it, before the lease ends: after that it counts as perhaps sent, and posting it would risk '
  'a second copy. request is the whole body.';

create function private.take_whatsapp_message(message public.whatsapp_message_queue, verdict private.whatsapp_verdict, lease interval)
returns public.whatsapp_claim
language plpgsql
set search_path = ''
as $$
declare
  v_taken public.whatsapp_message_queue;
begin
  update public.whatsapp_message_queue as taken set
    state = 'sending', attempt_count = taken.attempt_count + 1, lease_token = taken.lease_token + 1,
    claimed_at = now(), due_at = now() + take_whatsapp_message.lease, is_fallback = (take_whatsapp_message.verdict).is_fallback
  where taken.id = message.id
  returning taken.* into v_taken;
  update private.whatsapp_lanes as lane
  set paced_until = greatest(lane.paced_until, now()) + (private.whatsapp_sending_rules()).pair_interval
  where lane.contact_id = v_taken.contact_id and lane.phone_number_id = v_taken.phone_number_id;
  return row(
    v_taken.id, v_taken.lease_token, v_taken.due_at, v_taken.phone_number_id,
    private.whatsapp_request(v_taken, (take_whatsapp_message.verdict).recipient), v_taken.correlation_id
  );
end;
$$;

comment on function private.take_whatsapp_message is
  'Leases a message to a worker. From the commit on it may have been sent, whatever becomes of the worker.';

create function private.put_off_whatsapp_message(message_id uuid, reason public.whatsapp_wait_reason, until timestamptz)
returns void
language plpgsql
set search_path = ''
as $$
begin
  update public.whatsapp_message_queue as message
  set state = 'waiting', wait_reason = put_off_whatsapp_message.reason, due_at = put_off_whatsapp_message.until
  where message.id = put_off_whatsapp_message.message_id;
end;
$$;

comment on function private.put_off_whatsapp_message is 'Lets a message wait at the head of its lane.';

create function private.claim_from_whatsapp_sender(sender private.whatsapp_senders, max_count integer, lease interval)
returns setof public.whatsapp_claim
language plpgsql
set search_path = ''
as $$
declare
  v_message public.whatsapp_message_queue;
  v_verdict private.whatsapp_verdict;
  v_taken_count integer := 0;
  v_left_to_judge integer := claim_from_whatsapp_sender.max_count * 4 + 100;
begin
  -- Again, because what fails or waits makes room for others, and what fails lets its lane go on.
  while v_taken_count < claim_from_whatsapp_sender.max_count and v_left_to_judge > 0 loop
    for v_message in
      select message.*
      from public.whatsapp_message_queue as message
      -- Lanes that somebody works on are left for the next time, so that claiming never waits.
      join private.whatsapp_lanes as lane using (contact_id, phone_number_id)
      where message.phone_number_id = (claim_from_whatsapp_sender.sender).phone_number_id and message.state = 'ready'
      order by message.priority, message.id
      limit least(claim_from_whatsapp_sender.max_count - v_taken_count, v_left_to_judge)
      for update of message, lane skip locked
    loop
      v_left_to_judge := v_left_to_judge - 1;
      v_verdict := private.judge_whatsapp_send(v_message);
      if v_verdict.failure_reason is not null then
        perform private.finish_whatsapp_send(v_message, 'failed', v_verdict.failure_reason);
      elsif v_verdict.wait_reason is not null then
        perform private.put_off_whatsapp_message(v_message.id, v_verdict.wait_reason, v_verdict.wait_until);
      else
        v_taken_count := v_taken_count + 1;
        return next private.take_whatsapp_message(v_message, v_verdict, claim_from_whatsapp_sender.lease);
      end if;
    end loop;
    exit when not found;
  end loop;
end;
$$;

comment on function private.claim_from_whatsapp_sender is
  'Claims of one number: the most urgent first, then the oldest, each judged as things are now. Looks at a bounded number. The caller holds the sender.';

create function private.whatsapp_sender_allowance(sender private.whatsapp_senders)
returns integer
language plpgsql
set search_path = ''
as $$
declare
  v_owed_seconds numeric := greatest(0, extract(epoch from (whatsapp_sender_allowance.sender).paced_until - clock_timestamp()));
begin
  return least(
    private.whatsapp_circuit_allowance((whatsapp_sender_allowance.sender).phone_number_id),
    floor(private.whatsapp_throughput(whatsapp_sender_allowance.sender) * (1 - least(v_owed_seconds, 1)))::integer
  );
end;
$$;

comment on function private.whatsapp_sender_allowance is
  'How many messages of a number may be claimed now: what a second of its throughput leaves, and what its circuits let through.';

create function private.lock_ready_whatsapp_senders()
returns private.whatsapp_senders[]
language plpgsql
set search_path = ''
as $$
declare
  v_senders private.whatsapp_senders[] := array(
    select sender from private.whatsapp_senders as sender
    where exists (
      select from public.whatsapp_message_queue as message
      where message.phone_number_id = sender.phone_number_id and message.state = 'ready'
    )
    order by sender.phone_number_id
    for update
  );
begin
  perform from private.whatsapp_portfolios as spent
  where spent.portfolio = any(array(select (sender).portfolio from unnest(v_senders) as sender))
  order by spent.portfolio
  for update;
  return v_senders;
end;
$$;

comment on function private.lock_ready_whatsapp_senders is
  'The numbers that have something to send. They and their portfolios are held by one claim at a time, all taken at once and in order.';

create function private.claim_whatsapp_messages(max_count integer, lease_seconds integer)
returns setof public.whatsapp_claim
language plpgsql
security definer -- writes the queue, which no role may write
set search_path = ''
as $$
declare
  v_lease interval := make_interval(secs => claim_whatsapp_messages.lease_seconds);
  v_sender private.whatsapp_senders;
  v_left integer := claim_whatsapp_messages.max_count;
  v_claims public.whatsapp_claim[];
begin
  perform private.tend_whatsapp_queue(500);
  foreach v_sender in array private.lock_ready_whatsapp_senders() loop
    v_claims := array(
      select claim from private.claim_from_whatsapp_sender(
        v_sender, least(v_left, private.whatsapp_sender_allowance(v_sender)), v_lease
      ) as claim
    );
    continue when v_claims = '{}';
    v_left := v_left - cardinality(v_claims);
    update private.whatsapp_senders as sender
    set paced_until = greatest(sender.paced_until, clock_timestamp())
      + cardinality(v_claims) * interval '1 second' / private.whatsapp_throughput(v_sender)::double precision
    where sender.phone_number_id = v_sender.phone_number_id;
    -- A number with a circuit has one claim, the try.
    perform private.try_whatsapp_circuits(v_sender.phone_number_id, v_claims[1].id);
    return query select * from unnest(v_claims);
    exit when v_left = 0;
  end loop;
end;
$$;

comment on function private.claim_whatsapp_messages is 'The work of public.claim_whatsapp_messages().';

create function public.claim_whatsapp_messages(max_count integer, lease_seconds integer default 60)
returns setof public.whatsapp_claim
language plpgsql
set search_path = ''
set statement_timeout = '10s'
as $$
begin
  if (claim_whatsapp_messages.max_count between 1 and 1000) is not true then
    perform private.refuse('invalid_argument', '{"argument": "max_count", "range": "1..1000"}');
  end if;
  if (claim_whatsapp_messages.lease_seconds between 5 and 120) is not true then
    perform private.refuse('invalid_argument', '{"argument": "lease_seconds", "range": "5..120"}');
  end if;
  return query select * from private.claim_whatsapp_messages(claim_whatsapp_messages.max_count, claim_whatsapp_messages.lease_seconds);
end;
$$;

comment on function public.claim_whatsapp_messages is
  'Gives messages that may be posted now, each ready for the wire, and keeps them for the caller until their leases end. Whether a message may '
  'go (window, consent, template, limits, circuits) is judged here; what may not fails with its reason or waits. At most one of a lane. '
  'Each must be answered by complete_whatsapp_message(), fail_whatsapp_message() or release_whatsapp_messages(); without an answer it counts '
  'as perhaps sent. Refuses: invalid_argument.';
grant execute on function public.claim_whatsapp_messages, private.claim_whatsapp_messages to service_role;

commit;
