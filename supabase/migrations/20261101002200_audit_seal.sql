begin;

create table public.audit_seals (
  block_number bigint not null,
  cluster_id bigint not null,
  from_transaction_id xid8 not null,
  from_id uuid not null,
  to_transaction_id xid8 not null,
  to_id uuid not null,
  sealing_transaction_id xid8,
  anchor_block_number bigint not null,
  sealed_at timestamptz not null,
  row_count integer not null,
  row_ids uuid[] not null,
  row_hashes bytea[] not null,
  previous_hash bytea not null,
  hash bytea not null,
  constraint audit_seals_pkey primary key (block_number),
  constraint audit_seals_name_each_row_and_its_hash check (
    cardinality(row_ids) = row_count and cardinality(row_hashes) = row_count
  )
);

comment on table public.audit_seals is
  'The blocks that seal the audit log, each with the hash of the one before it. A block covers the rows of one cluster whose position '
  '(transaction id, row id) is at or after `from` and before `to`; the cluster''s next block goes on at `to`. Append-only.';
comment on column public.audit_seals.sealing_transaction_id is
  'The transaction that sealed the block: rows of later ones have ids of after sealed_at, which tells later blocks where to begin to look. Null where another cluster''s rows were sealed.';
comment on column public.audit_seals.anchor_block_number is
  'The oldest block that is still to be verified; the rows of those before it may have been archived.';
comment on column public.audit_seals.row_ids is 'The rows of the block, by position.';
comment on column public.audit_seals.row_hashes is 'The hash of each row (private.audit_row_hashes).';
comment on column public.audit_seals.hash is
  'sha256 over all the rest of the block, previous_hash included (private.audit_seal_hash).';
create index audit_seals_cluster_id_block_number_idx on public.audit_seals (cluster_id, block_number);
alter table public.audit_seals enable row level security;
grant select on public.audit_seals to service_role;

create trigger refuse_change
before update or delete on public.audit_seals
for each row execute function private.refuse_change();

create trigger refuse_truncate
before truncate on public.audit_seals
execute function private.refuse_truncate();

create table private.audit_chain (
  is_only boolean not null default true,
  block_number bigint not null,
  hash bytea not null,
  constraint audit_chain_pkey primary key (is_only),
  constraint audit_chain_has_one_row check (is_only)
);

comment on table private.audit_chain is
  'Where the chain of blocks ends, kept apart from them so that a last block that was deleted is missed. Locked by whoever seals.';
insert into private.audit_chain (block_number, hash) values (0, '');
alter table private.audit_chain enable row level security;
grant select on private.audit_chain to service_role;

create view public.audit_head
with (security_invoker = on)
as
select
  chain.block_number,
  encode(chain.hash, 'hex') as hash,
  seal.sealed_at,
  seal.anchor_block_number
from private.audit_chain as chain
left join public.audit_seals as seal on seal.block_number = chain.block_number;

comment on view public.audit_head is
  'The last block of the audit log''s chain. Publish number and hash where no administrator of this database can write: '
  'a chain that was rewritten as a whole no longer has that hash at that number.';
grant select on public.audit_head to service_role;

create view private.audit_row_hashes
with (security_invoker = on)
as
select
  log.id,
  log.cluster_id,
  log.transaction_id,
  -- The binary form depends on no setting of the session, and tells null from empty.
  sha256(record_send(row(
    log.id, log.created_at, log.actor_type, log.actor_identifier, log.action, log.resource_type, log.resource_id,
    log.old_data, log.new_data, log.metadata, log.correlation_id, log.cluster_id, log.transaction_id
  ))) as hash
from public.system_audit_logs as log;

comment on view private.audit_row_hashes is
  'The hash of each row''s content. A column that the log gets later must stay out of it: what is sealed keeps its hash.';
grant select on private.audit_row_hashes to service_role;

create function private.audit_seal_hash(seal public.audit_seals)
returns bytea
language plpgsql
stable
set search_path = ''
as $$
declare
  v_seal public.audit_seals := audit_seal_hash.seal;
begin
  return sha256(record_send(row(
    v_seal.block_number, v_seal.cluster_id, v_seal.from_transaction_id, v_seal.from_id, v_seal.to_transaction_id,
    v_seal.to_id, v_seal.sealing_transaction_id, v_seal.anchor_block_number, v_seal.sealed_at, v_seal.row_count,
    v_seal.row_ids, v_seal.row_hashes, v_seal.previous_hash
  )));
end;
$$;

comment on function private.audit_seal_hash is 'The hash that a block must have.';
grant execute on function private.audit_seal_hash to service_role;

create function private.next_audit_seal(cluster_id bigint)
returns public.audit_seals
language plpgsql
set search_path = ''
as $$
declare
  v_seal public.audit_seals;
  v_last record;
begin
  -- One at a time: who comes second waits, and goes on where the first ended.
  select chain.block_number + 1, chain.hash into strict v_seal.block_number, v_seal.previous_hash
  from private.audit_chain as chain
  for update;

  select last.to_transaction_id, last.to_id into v_last
  from public.audit_seals as last
  where last.cluster_id = next_audit_seal.cluster_id
  order by last.block_number desc
  limit 1;
  v_seal.cluster_id := next_audit_seal.cluster_id;
  v_seal.from_transaction_id := coalesce(v_last.to_transaction_id, '0');
  v_seal.from_id := coalesce(v_last.to_id, '00000000-0000-0000-0000-000000000000');
  v_seal.to_transaction_id := v_seal.from_transaction_id;
  v_seal.to_id := v_seal.from_id;
  if v_seal.cluster_id = private.cluster_id() then
    v_seal.sealing_transaction_id := pg_current_xact_id();
  end if;
  select last.anchor_block_number into v_seal.anchor_block_number
  from public.audit_seals as last
  order by last.block_number desc
  limit 1;
  v_seal.anchor_block_number := coalesce(v_seal.anchor_block_number, 1);
  v_seal.sealed_at := now();
  v_seal.row_ids := '{}';
  v_seal.row_hashes := '{}';
  return v_seal;
end;
$$;

comment on function private.next_audit_seal is
  'An empty block to follow the last one, at the position where that cluster''s rows are not sealed yet. Locks the end of the chain.';

create function private.append_audit_seal(seal public.audit_seals)
returns integer
language plpgsql
set search_path = ''
as $$
declare
  v_seal public.audit_seals := append_audit_seal.seal;
begin
  v_seal.row_count := cardinality(v_seal.row_ids);
  v_seal.hash := private.audit_seal_hash(v_seal);
  insert into public.audit_seals select v_seal.*;
  update private.audit_chain as chain set block_number = v_seal.block_number, hash = v_seal.hash where chain.is_only;
  return v_seal.row_count;
end;
$$;

comment on function private.append_audit_seal is 'Puts a block at the end of the chain; says how many rows it seals.';

commit;
