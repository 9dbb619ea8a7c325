import type { Sql, TransactionSql } from "postgres";

/** A row of the audit log, as far as tests look at it. */
export interface AuditRow {
  id: string;
  actor_type: string;
  actor_identifier: string;
  action: string;
  resource_type: string;
  resource_id: string | null;
  old_data: Record<string, unknown> | null;
  new_data: Record<string, unknown> | null;
  metadata: Record<string, unknown>;
  correlation_id: string | null;
}

/** Makes public.vehicles, audited without its secret, which every role may change. */
export async function createVehicles(sql: Sql | TransactionSql): Promise<void> {
  await sql.unsafe(`
    create table public.vehicles (
      plate text not null,
      seats integer,
      secret text,
      constraint vehicles_pkey primary key (plate)
    );
    grant select, insert, update, delete, truncate on public.vehicles to anon, authenticated, service_role;
    select private.audit_table('public.vehicles', '{secret}')`).simple();
}

/** The whole log, oldest first. */
export async function auditRows(sql: Sql | TransactionSql): Promise<AuditRow[]> {
  return [...await sql<AuditRow[]>`select * from public.system_audit_logs order by transaction_id, id`];
}
