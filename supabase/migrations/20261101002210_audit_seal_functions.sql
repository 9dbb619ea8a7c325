begin;

create function private.audit_horizon(seal public.audit_seals)
returns public.audit_seals
language plpgsql
set search_path = ''
as $$
declare
  v_seal public.audit_seals := audit_horizon.seal;
begin
  if v_seal.cluster_id = private.cluster_id() then
    v_seal.to_transaction_id := pg_snapshot_xmin(pg_current_snapshot());
    v_seal.to_id := '00000000-0000-0000-0000-000000000000';
    return v_seal;
  end if;
  -- Restored rows are all there, whatever our own transactions are about.
  select coalesce(max(log.transaction_id), v_seal.from_transaction_id) into v_seal.to_transaction_id
  from public.system_audit_logs as log
  where log.cluster_id = v_seal.cluster_id;
  v_seal.to_id := 'ffffffff-ffff-ffff-ffff-ffffffffffff';
  return v_seal;
end;
$$;

comment on function private.audit_horizon is
  'Moves the end of a block to the position before which no row can appear any more: the oldest running transaction, or for another cluster its last row.';

create function private.audit_floor(seal public.audit_seals)
returns uuid
language plpgsql
stable
set search_path = ''
as $$
declare
  v_seal public.audit_seals := audit_floor.seal;
begin
  return coalesce(
    (
      -- An hour, in case the clock was set back.
      select private.uuid_v7_floor(earlier.sealed_at - interval '1 hour')
      from public.audit_seals as earlier
      where earlier.cluster_id = v_seal.cluster_id and earlier.sealing_transaction_id <= v_seal.from_transaction_id
      order by earlier.block_number desc
      limit 1
    ),
    '00000000-0000-0000-0000-000000000000'
  );
end;
$$;

comment on function private.audit_floor is
  'The smallest id that a row of this block can have, however long its transaction ran: that of the last block sealed before the transaction began.';

create function private.seal_audit_rows(cluster_id bigint, max_count integer)
returns integer
language plpgsql
set search_path = ''
as $$
declare
  v_seal public.audit_seals := private.audit_horizon(private.next_audit_seal(seal_audit_rows.cluster_id));
  v_floor uuid := private.audit_floor(v_seal);
  v_ceiling uuid := private.uuid_v7_floor(clock_timestamp() + interval '1 hour');
  v_last_transaction_id xid8;
begin
  select array_agg(pending.id), array_agg(pending.hash), max(pending.transaction_id)
  into v_seal.row_ids, v_seal.row_hashes, v_last_transaction_id
  from (
    select log.id, log.hash, log.transaction_id
    from private.audit_row_hashes as log
    where log.cluster_id = v_seal.cluster_id
      and (log.transaction_id, log.id) >= (v_seal.from_transaction_id, v_seal.from_id)
      and (log.transaction_id, log.id) < (v_seal.to_transaction_id, v_seal.to_id)
      and log.id >= v_floor and log.id < v_ceiling
    order by log.transaction_id, log.id
    limit seal_audit_rows.max_count + 1
  ) as pending;
  if v_seal.row_ids is null then
    return 0;
  end if;
  -- One more than fits: there the next block begins, in the middle of a transaction if need be.
  if cardinality(v_seal.row_ids) > seal_audit_rows.max_count then
    v_seal.to_transaction_id := v_last_transaction_id;
    v_seal.to_id := v_seal.row_ids[seal_audit_rows.max_count + 1];
    v_seal.row_ids := trim_array(v_seal.row_ids, 1);
    v_seal.row_hashes := trim_array(v_seal.row_hashes, 1);
  end if;
  return private.append_audit_seal(v_seal);
end;
$$;

comment on function private.seal_audit_rows is 'Seals a cluster''s next rows in one block; says how many. Without any it makes no block.';

create function private.seal_audit_log(max_count integer)
returns integer
language plpgsql
security definer -- the only writer of seals
set search_path = ''
as $$
declare
  v_sealed_last bigint;
  v_count integer;
begin
  select last.cluster_id into v_sealed_last
  from public.audit_seals as last
  order by last.block_number desc
  limit 1;
  -- Restored into another cluster: first what the old one had not sealed yet.
  if v_sealed_last <> private.cluster_id() then
    v_count := private.seal_audit_rows(v_sealed_last, seal_audit_log.max_count);
  end if;
  if v_count > 0 then
    return v_count;
  end if;
  return private.seal_audit_rows(private.cluster_id(), seal_audit_log.max_count);
end;
$$;

comment on function private.seal_audit_log is 'The work of public.seal_audit_log().';

create function public.seal_audit_log(max_count integer default 50000)
returns integer
language plpgsql
set search_path = ''
set statement_timeout = '30s'
as $$
begin
  if (seal_audit_log.max_count between 1 and 100000) is not true then
    perform private.refuse('invalid_argument', '{"argument": "max_count", "range": "1..100000"}');
  end if;
  return private.seal_audit_log(seal_audit_log.max_count);
end;
$$;

comment on function public.seal_audit_log is
  'Seals the next rows of the audit log, at most max_count, in one block; says how many. Takes the rows of all transactions that are older than any still running, '
  'so none is skipped and none sealed twice; a long transaction anywhere in the cluster delays sealing, not more. Of two callers one waits. '
  'After a dump was restored into another cluster, where transaction ids begin anew, first seals what the old one left, then goes on with its own rows. '
  'Refuses: invalid_argument.';
grant execute on function public.seal_audit_log, private.seal_audit_log to service_role;

create function private.anchor_audit_log(block_number bigint)
returns void
language plpgsql
set search_path = ''
as $$
declare
  v_seal public.audit_seals;
  v_actor record;
begin
  v_seal := private.next_audit_seal((select last.cluster_id from public.audit_seals as last order by last.block_number desc limit 1));
  if (anchor_audit_log.block_number between v_seal.anchor_block_number and v_seal.block_number) is not true then
    raise exception 'the anchor lies between block % and %', v_seal.anchor_block_number, v_seal.block_number
      using errcode = 'invalid_parameter_value';
  end if;
  v_seal.anchor_block_number := anchor_audit_log.block_number;
  perform private.append_audit_seal(v_seal);
  select * into v_actor from private.current_actor();
  perform private.log_audit_event(
    v_actor.actor_type, v_actor.actor_identifier, 'anchor', 'audit_log', anchor_audit_log.block_number::text, '{}'
  );
end;
$$;

comment on function private.anchor_audit_log is
  'Says, in a block of its own and as an event, that from now on verification begins at that block. '
  'For whoever archives leaves by hand: the first block from which on no row lies in them. Earlier blocks stay, their rows need not.';

-- The first block seals no row: it says where, in which cluster and at which transaction, the log begins.
select private.append_audit_seal(private.audit_horizon(private.next_audit_seal(private.cluster_id())));

insert into private.schedule (name, cron, command) values
  ('seal-audit-log', '* * * * *', 'select public.seal_audit_log()');

commit;
