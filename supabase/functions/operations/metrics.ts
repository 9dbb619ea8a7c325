import { serviceRpc } from "shared/db/service_rpc.ts";
import { type MetricFamily, prometheusText } from "shared/metrics/prometheus.ts";
import { kept } from "./kept.ts";

/** Three scrapers cost what one does, and a graph by 15 s loses nothing. */
const KEPT_MS = 5_000;
/** SQL's own limit, and the longest that a scraper with Prometheus' default waits. */
const DEADLINE_MS = 10_000;

/** Everything that a scraper is told, from one look into the database for all callers of five seconds. */
export const metrics = kept(KEPT_MS, async (trace): Promise<string> => {
  const families = await serviceRpc("operations", trace)("metric_samples", {}, { deadlineMs: DEADLINE_MS });
  return prometheusText(families as unknown as MetricFamily[]);
});
