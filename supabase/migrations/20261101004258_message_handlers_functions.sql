begin;

create function private.run_message(message public.claimed_message, handler text)
returns text
language plpgsql
set search_path = ''
as $$
begin
  perform private.continue_correlation(run_message.message.correlation_id);
  execute format('select %s($1)', run_message.handler::regprocedure::oid::regproc) using run_message.message;
  return null;
exception when others or query_canceled or assert_failure then
  -- Caught so that one failure neither undoes nor repeats the others; what this handler did is rolled back.
  return concat_ws(' ', sqlstate, sqlerrm);
end;
$$;

comment on function private.run_message is
  'Hands a message to its handler in a subtransaction; null, or SQLSTATE and message of what went wrong.';

create function private.run_queue(queue public.message_queues, max_count integer)
returns jsonb
language plpgsql
set search_path = ''
as $$
declare
  v_until timestamptz := clock_timestamp() + interval '10 seconds';
  v_message public.claimed_message;
  v_error text;
  v_done bigint[] := '{}';
  v_done_tokens bigint[] := '{}';
  v_failed bigint[] := '{}';
  v_failed_tokens bigint[] := '{}';
  v_errors text[] := '{}';
  v_left bigint[] := '{}';
  v_left_tokens bigint[] := '{}';
begin
  for v_message in
    select * from private.claim_messages((run_queue.queue).queue_name, run_queue.max_count, null)
  loop
    if clock_timestamp() > v_until then
      v_left := v_left || v_message.id;
      v_left_tokens := v_left_tokens || v_message.lease_token;
      continue;
    end if;
    v_error := private.run_message(v_message, (run_queue.queue).handler);
    if v_error is null then
      v_done := v_done || v_message.id;
      v_done_tokens := v_done_tokens || v_message.lease_token;
      continue;
    end if;
    v_failed := v_failed || v_message.id;
    v_failed_tokens := v_failed_tokens || v_message.lease_token;
    v_errors := v_errors || v_error;
    -- A timeout counts for the whole statement and comes only once: whatever follows would run without one.
    if v_error like '57014 %' then
      v_until := '-infinity';
    end if;
  end loop;
  perform private.continue_correlation(null);

  perform private.finish_messages(v_done, v_done_tokens);
  perform private.fail_messages(v_failed, v_failed_tokens, v_errors, null, null);
  perform private.release_messages(v_left, v_left_tokens);
  return jsonb_build_object(
    'done', cardinality(v_done), 'failed', cardinality(v_failed), 'left', cardinality(v_left)
  );
end;
$$;

comment on function private.run_queue is
  'Runs up to so many ready messages of a queue with a handler: what the handlers did and that the messages are done commits together.';

create function private.run_messages(max_count integer)
returns jsonb
language plpgsql
security definer -- handlers belong to the owner
set search_path = ''
as $$
declare
  v_queue public.message_queues;
  v_run jsonb;
  v_done integer := 0;
  v_failed integer := 0;
  v_left integer := 0;
begin
  for v_queue in
    select * from public.message_queues as queue where queue.handler is not null
    -- In any order, so that none of them starves behind a busy one.
    order by random()
  loop
    exit when v_done + v_failed + v_left >= run_messages.max_count;
    v_run := private.run_queue(v_queue, run_messages.max_count - v_done - v_failed);
    v_done := v_done + (v_run ->> 'done')::integer;
    v_failed := v_failed + (v_run ->> 'failed')::integer;
    v_left := v_left + (v_run ->> 'left')::integer;
  end loop;
  return jsonb_build_object(
    'done', v_done, 'failed', v_failed, 'more', v_done + v_left > 0
  );
end;
$$;

comment on function private.run_messages is 'The work of public.run_messages().';

create function public.run_messages(max_count integer default 100)
returns jsonb
language plpgsql
set search_path = ''
set statement_timeout = '60s'
as $$
begin
  if (run_messages.max_count between 1 and 1000) is not true then
    perform private.refuse('invalid_argument', '{"argument": "max_count", "range": "1..1000"}');
  end if;
  return private.run_messages(run_messages.max_count);
end;
$$;

comment on function public.run_messages is
  'Runs up to max_count ready messages of the queues that have a handler in SQL, each in a subtransaction: what a handler did and that its '
  'message is done commits together, so each takes effect once. Answers {"done", "failed", "more"}; more says that it is worth calling again, because what was done may have '
  'let others of its lane go. '
  'Refuses: invalid_argument.';
grant execute on function public.run_messages, private.run_messages to service_role;

commit;
