import postgres, { type TransactionSql } from "postgres";

/** An element of a batch; what it does not say is that of a harmless gauge. */
export function metric(fields: Record<string, unknown> = {}): Record<string, unknown> {
  return { service_name: "worker", metric_type: "gauge", metric_name: "queue_depth", value: 1, ...fields };
}

/** A histogram's observations, as the edge reports requests. */
export function requests(
  buckets: Record<string, number>,
  tags: Record<string, string> = {},
  range: { minimum?: number; maximum?: number } = {},
): Record<string, unknown> {
  return metric({
    service_name: "payment-intake",
    metric_type: "histogram",
    metric_name: "http_request_duration_seconds",
    value: 1,
    unit: "seconds",
    tags: { method: "POST", route: "/payment-intake/payments", status_class: "2xx", ...tags },
    buckets,
    minimum: 0.01,
    maximum: 0.9,
    ...range,
  });
}

/** Stores a batch; gives what the function says. */
export async function record(sql: TransactionSql, batch: unknown): Promise<number> {
  const [row] = await sql<[{ count: number }]>`select public.record_metrics(${sql.json(batch as never)}) as count`;
  return row.count;
}

/** What a refused call says: its details; fails when it is not refused as `invalid_argument`. */
export async function refusedArgument(
  sql: TransactionSql,
  work: (sql: TransactionSql) => Promise<unknown>,
): Promise<Record<string, unknown>> {
  try {
    await sql.savepoint(work);
  } catch (error) {
    if (!(error instanceof postgres.PostgresError) || error.code !== "PGRST") throw error;
    const { code, details } = JSON.parse(error.message);
    if (code === "invalid_argument") return JSON.parse(details);
    throw error;
  }
  throw new Error("the call was not refused");
}

/** Makes all metrics older by that much. */
export async function age(sql: TransactionSql, interval: string): Promise<void> {
  await sql`update public.system_metrics set id = private.uuid_v7(created_at - ${interval}::interval)`;
}
