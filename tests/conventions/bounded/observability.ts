import type { ISql } from "postgres";
import { until } from "../../support/until.ts";
import type { BoundedCalls } from "./case.ts";

const METRIC = { service_name: "probe", metric_type: "counter", metric_name: "probes_total", value: 1 };

/** Every call of the audit log and the metrics that ends at a partitioned table. */
export const OBSERVABILITY: BoundedCalls = {
  "public.log_audit_event": logEvent,
  "public.search_audit_log": async (sql) => {
    await logEvent(sql);
    await sql`select set_config('request.jwt.claims', '{"app_metadata": {"role": "operator"}}', true)`;
    await sql`select * from public.search_audit_log(since => now() - interval '30 days')`;
  },
  "public.seal_audit_log": (sql) => sql`select public.seal_audit_log()`,
  "public.record_metric": (sql) => sql`select public.record_metric('probe', 'counter', 'probes_total', 1)`,
  "public.record_metrics": (sql) => sql`select public.record_metrics(${sql.json([METRIC, METRIC])})`,
  "public.metric_samples": async (sql) => {
    await sql`insert into public.wallet_verifications (started_at, finished_at, entry_count, finding_count, findings)
      values (now(), now(), 0, 0, '[]')`;
    await sql`select * from public.metric_samples()`;
  },
  "public.recent_metrics_by_service": (sql) => sql`select * from public.recent_metrics_by_service`,
  "public.request_metrics": (sql) => sql`select * from public.request_metrics`,
  "public.request_problems": (sql) => sql`select * from public.request_problems`,
};

/** Seals a few blocks: the first ones have no earlier block that tells them where to begin to look. */
export async function prepareObservability(sql: ISql): Promise<void> {
  for (let block = 0; block < 3; block++) {
    await logEvent(sql);
    await untilSealed(sql);
  }
}

/** A row is sealed once no older transaction runs, in other tests' databases either. */
async function untilSealed(sql: ISql): Promise<void> {
  await until(async () => {
    const [sealed] = await sql<{ count: number }[]>`select public.seal_audit_log() as count`;
    return sealed!.count > 0;
  }, "the audit log is sealed");
}

async function logEvent(sql: ISql): Promise<void> {
  await sql`select public.log_audit_event('system', 'probe', 'tried', 'probe')`;
}
