import type { ISql, Sql, TransactionSql } from "postgres";

/** What an instance is told. */
export interface Lease {
  status: string;
  instance_id: string;
  ttl_seconds: number;
  expires_at: string;
  is_new?: boolean;
}

/** Registers an instance of `rides`, unless these arguments say otherwise. */
export async function register(sql: ISql, fields: Record<string, unknown> = {}): Promise<Lease> {
  const given = { service_name: "rides", service_type: "http", version: "1.0.0", ...fields };
  const names = Object.keys(given);
  const [row] = await sql.unsafe<{ lease: Lease }[]>(
    `select public.register_service(${names.map((name, index) => `${name} => $${index + 1}`)}) as lease`,
    Object.values(given) as never[],
  );
  return row!.lease;
}

/** A heartbeat of `rides`. */
export async function beat(
  sql: ISql,
  status = "passing",
  { service = "rides", instance = "default", metrics = null as Record<string, number> | null } = {},
): Promise<Lease> {
  const [row] = await sql<{ lease: Lease }[]>`
    select public.service_heartbeat(${service}, ${status}, ${
    metrics && JSON.stringify(metrics)
  }::text::jsonb, ${instance}) as lease`;
  return row!.lease;
}

/** How an instance is seen. */
export async function statusOf(sql: ISql, service = "rides", instance = "default"): Promise<string | undefined> {
  const [row] = await sql`
    select status from public.service_instances where service_name = ${service} and instance_id = ${instance}`;
  return row?.status;
}

/** Makes an instance silent for longer than its ttl. */
export async function silence(sql: ISql, instance = "default", interval = "1 hour"): Promise<void> {
  await sql`
    update public.service_registry set last_heartbeat_at = now() - ${interval}::interval where instance_id = ${instance}`;
}

/** What the schedule does. */
export async function tend(sql: ISql): Promise<void> {
  await sql`select private.tend_services()`;
}

/** The instances that are found with these arguments. */
export async function discover(sql: ISql, fields: Record<string, unknown> = {}): Promise<string[]> {
  const names = Object.keys(fields);
  const rows = await sql.unsafe(
    `select instance_id from public.discover_services(${names.map((name, index) => `${name} => $${index + 1}`)})`,
    Object.values(fields) as never[],
  );
  return rows.map(({ instance_id }) => instance_id);
}

/** An event of the change feed, in one line. */
export async function feed(sql: Sql | TransactionSql, service = "rides"): Promise<string[]> {
  const rows = await sql`
    select event_type, payload from public.get_aggregate_events('service', ${service})`;
  return rows.map(({ event_type, payload: { from, status, reason, instance_id } }) =>
    [event_type.replace("service.", ""), instance_id, from && `${from}>${status}`, reason].filter(Boolean).join(" ")
  );
}

/** Claims what is due and reports each of these results, one after the other. */
export async function check(sql: ISql, ...statuses: (number | null)[]): Promise<void> {
  for (const status of statuses) {
    await sql`update public.service_checks set due_at = now(), leased_until = null`;
    await sql`
      select public.report_service_checks((
        select jsonb_agg(jsonb_build_object('service_id', claim.service_id, 'lease_token', claim.lease_token, 'status', ${status}::integer))
        from public.claim_service_checks() as claim
      ))`;
  }
}
