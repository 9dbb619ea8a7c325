begin;

create type public.audit_finding as enum ('altered', 'missing', 'inserted', 'seal_altered');
comment on type public.audit_finding is
  'What is wrong with a row of the audit log, or without one with the block itself. seal_altered: the block is not as it was sealed.';

create function private.audit_block_finding(seal public.audit_seals, out row_id uuid, out what public.audit_finding)
language plpgsql
stable
set search_path = ''
set plan_cache_mode = 'force_generic_plan' -- planned once, not once per block with all leaves
as $$
declare
  v_seal public.audit_seals := audit_block_finding.seal;
begin
  select
    coalesce(sealed.id, stored.id),
    case
      when sealed.id is null then 'inserted'
      when stored.id is null and not exists (select from public.system_audit_logs as log where log.id = sealed.id) then 'missing'
      else 'altered'
    end
  into audit_block_finding.row_id, audit_block_finding.what
  from unnest(v_seal.row_ids, v_seal.row_hashes) with ordinality as sealed (id, hash, position)
  full join (
    select log.id, log.hash
    from private.audit_row_hashes as log
    where log.cluster_id = v_seal.cluster_id
      -- Implied by the positions, but the planner can estimate it.
      and log.transaction_id between v_seal.from_transaction_id and v_seal.to_transaction_id
      and (log.transaction_id, log.id) >= (v_seal.from_transaction_id, v_seal.from_id)
      and (log.transaction_id, log.id) < (v_seal.to_transaction_id, v_seal.to_id)
  ) as stored on stored.id = sealed.id
  where stored.hash is distinct from sealed.hash
  order by sealed.position nulls last, stored.id
  limit 1;
end;
$$;

comment on function private.audit_block_finding is
  'The first row of a block that is not as it was sealed, or null. Looks into every leaf: a forged row may lie in any.';
grant execute on function private.audit_block_finding to service_role;

create function private.stray_audit_row()
returns uuid
language plpgsql
stable
set search_path = ''
as $$
declare
  c_first_id constant uuid := '00000000-0000-0000-0000-000000000000';
  c_last_id constant uuid := 'ffffffff-ffff-ffff-ffff-ffffffffffff';
  v_waiting bigint[] := array[
    private.cluster_id(), (select last.cluster_id from public.audit_seals as last order by last.block_number desc limit 1)
  ];
begin
  return (
    with known (cluster_id, transaction_id, id) as (
      select '-9223372036854775808'::bigint, '0'::xid8, c_first_id
      union all
      select waiting.cluster_id, '18446744073709551615', c_last_id from unnest(v_waiting) as waiting (cluster_id)
      union all
      (
        select distinct on (seal.cluster_id) seal.cluster_id, seal.to_transaction_id, seal.to_id
        from public.audit_seals as seal
        where seal.cluster_id <> all (v_waiting)
        order by seal.cluster_id, seal.block_number desc
      )
    )
    select stray.id
    from (select known.*, lead(known.cluster_id) over (order by known.cluster_id) as next_cluster_id from known) as known
    cross join lateral (
      select log.id
      from public.system_audit_logs as log
      where (log.cluster_id, log.transaction_id, log.id) >= (known.cluster_id, known.transaction_id, known.id)
        and (log.cluster_id < known.next_cluster_id or known.next_cluster_id is null)
      order by log.cluster_id, log.transaction_id, log.id
      limit 1
    ) as stray
    limit 1
  );
end;
$$;

comment on function private.stray_audit_row is
  'A row that is in no block and never will be, or null: of a cluster that never sealed, or behind the last block of one that no longer does.';
grant execute on function private.stray_audit_row to service_role;
grant execute on function private.cluster_id to service_role;

create function public.verify_audit_log(from_block bigint default null)
returns table (block_number bigint, row_id uuid, what public.audit_finding)
language plpgsql
stable -- one snapshot: what is sealed meanwhile is no finding
set search_path = ''
set statement_timeout = '300s'
as $$
declare
  v_chain private.audit_chain;
  v_anchor bigint;
  v_seal public.audit_seals;
  v_previous_hash bytea;
begin
  select * into v_chain from private.audit_chain;
  select last.anchor_block_number into v_anchor from public.audit_seals as last order by last.block_number desc limit 1;
  if (verify_audit_log.from_block between v_anchor and v_chain.block_number) is false then
    perform private.refuse('invalid_argument', jsonb_build_object('argument', 'from_block', 'range', concat(v_anchor, '..', v_chain.block_number)));
  end if;

  block_number := coalesce(verify_audit_log.from_block, least(coalesce(v_anchor, 1), v_chain.block_number));
  select seal.hash into v_previous_hash from public.audit_seals as seal where seal.block_number = verify_audit_log.block_number - 1;
  for v_seal in
    select seal.* from public.audit_seals as seal where seal.block_number >= verify_audit_log.block_number order by seal.block_number
  loop
    if v_seal.block_number > block_number then
      what := 'missing';
    elsif v_seal.previous_hash <> v_previous_hash or v_seal.hash <> private.audit_seal_hash(v_seal) then
      what := 'seal_altered';
    else
      select finding.row_id, finding.what into row_id, what from private.audit_block_finding(v_seal) as finding;
    end if;
    if what is not null then
      return next;
      return;
    end if;
    v_previous_hash := v_seal.hash;
    block_number := block_number + 1;
  end loop;

  if block_number <= v_chain.block_number then
    what := 'missing';
  elsif (block_number - 1, v_previous_hash) is distinct from (v_chain.block_number, v_chain.hash) then
    block_number := block_number - 1;
    what := 'seal_altered';
  else
    block_number := null;
    row_id := private.stray_audit_row();
    what := case when row_id is not null then 'inserted' end;
  end if;
  if what is not null then
    return next;
  end if;
end;
$$;

comment on function public.verify_audit_log is
  'The first thing wrong with the sealed audit log, from that block on (without one from the anchor on), or no row when all is well: '
  'a row altered, missing or inserted where all was sealed, whoever did it and with whatever rights; a block missing (no row_id) or not as it was sealed. '
  'A row that is in no block and never will be has no block_number. '
  'It cannot tell what happened to rows before they were sealed, to rows before the anchor, or that somebody with the owner''s rights computed the whole chain anew: '
  'compare audit_head with what was published of it. Blocks are read one at a time. Refuses: invalid_argument (from_block is no block between the anchor and the last).';
grant execute on function public.verify_audit_log to service_role;

create function private.check_audit_log()
returns void
language plpgsql
set search_path = ''
as $$
declare
  v_finding record;
begin
  select * into v_finding from public.verify_audit_log() as finding;
  if found then
    raise exception 'audit log: % in block %, row %', v_finding.what, v_finding.block_number, v_finding.row_id
      using errcode = 'data_corrupted';
  end if;
end;
$$;

comment on function private.check_audit_log is
  'Fails where verify_audit_log() finds something, so that the schedule shows it.';

insert into private.schedule (name, cron, command) values
  ('check-audit-log', '30 2 * * 0', 'select private.check_audit_log()');

commit;
