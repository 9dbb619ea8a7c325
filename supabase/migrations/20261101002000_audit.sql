begin;

create function private.cluster_id()
returns bigint
language plpgsql
stable
set search_path = ''
as $$
begin
  return (select control.system_identifier from pg_catalog.pg_control_system() as control);
end;
$$;

comment on function private.cluster_id is
  'Which Postgres cluster this is. Transaction ids only mean something beside it: a restored dump begins to count anew.';

create table public.system_audit_logs (
  id uuid not null default private.uuid_v7(),
  created_at timestamptz not null generated always as (private.uuid_v7_time(id)) stored,
  actor_type text not null,
  actor_identifier text not null,
  action text not null,
  resource_type text not null,
  resource_id text,
  old_data jsonb,
  new_data jsonb,
  metadata jsonb not null default '{}',
  correlation_id text default private.correlation_id(),
  cluster_id bigint not null default private.cluster_id(),
  transaction_id xid8 not null default pg_current_xact_id(),
  constraint system_audit_logs_pkey primary key (id),
  -- One constraint, not five: each costs a statement that writes one row some microseconds.
  constraint system_audit_logs_say_who_did_what check (
    actor_type ~ '^[a-z][a-z0-9_]{0,49}$'
    and length(actor_identifier) between 1 and 255
    and length(action) between 1 and 100
    and length(resource_type) between 1 and 100
    and jsonb_typeof(metadata) = 'object'
  )
) partition by range (id);

comment on table public.system_audit_logs is
  'Who did what to which thing. Append-only for everybody, the owner included, kept for good and sealed in blocks (audit_seals). '
  'Written by log_audit_event() and by the triggers that private.audit_table() installs.';
comment on column public.system_audit_logs.actor_type is
  'user, operator, anonymous, service (a secret key) or database (a session without a token), as private.current_actor() tells them; log_audit_event() may name others.';
comment on column public.system_audit_logs.actor_identifier is
  'The user''s id, the secret key''s name, or the role where there is neither.';
comment on column public.system_audit_logs.resource_type is 'For changes of a table its name.';
comment on column public.system_audit_logs.resource_id is 'For changes of a row its primary key; the parts of a composite one are joined by commas.';
comment on column public.system_audit_logs.old_data is 'The row before an update (only what changed) or a delete. Masked columns read ***.';
comment on column public.system_audit_logs.new_data is 'The row after an insert or an update (only what changed). Masked columns read ***.';
comment on column public.system_audit_logs.cluster_id is 'The cluster whose transaction wrote the row.';
comment on column public.system_audit_logs.transaction_id is
  'The writing transaction. Sealing goes by it: what is below a snapshot''s xmin is complete, whatever was slow or rolled back.';
create index system_audit_logs_cluster_id_transaction_id_id_idx on public.system_audit_logs (cluster_id, transaction_id, id);
create index system_audit_logs_resource_type_resource_id_id_idx on public.system_audit_logs (resource_type, resource_id, id);
create index system_audit_logs_actor_identifier_id_idx on public.system_audit_logs (actor_identifier, id);
alter table public.system_audit_logs enable row level security;
grant select on public.system_audit_logs to service_role;

create trigger refuse_change
before update or delete on public.system_audit_logs
for each row execute function private.refuse_change();

select private.manage_partitions('system_audit_logs');

commit;
