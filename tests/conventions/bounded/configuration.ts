import { asOperator, documentOf, put } from "../../sql/configuration/configurations.ts";
import type { BoundedCalls } from "./case.ts";

/** Every call of the configuration that ends at a partitioned table: what the audit log is told. */
export const CONFIGURATION: BoundedCalls = {
  "public.get_service_configs": async (sql) => {
    await put(sql, { value: "a secret", isSecret: true });
    await documentOf(sql, "payments", "production", true);
  },
  "public.record_secret_refusal": (sql) =>
    sql`select public.record_secret_refusal('service', 'svc_rides', 'forbidden', 'payments')`,
  "public.reveal_secret": async (sql) => {
    await put(sql, { value: "a secret", isSecret: true });
    await asOperator(sql, (sql) => sql`select public.reveal_secret('payments', 'limit', 'all')`);
  },
};
