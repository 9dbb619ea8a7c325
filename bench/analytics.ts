import { analyticsIngest } from "./analytics_ingest.ts";
import { analyticsRefresh } from "./analytics_refresh.ts";
import type { Measurement } from "./measurement.ts";

/** Analytics beside COPY and beside a full refresh. */
export const analyticsMeasurements: Record<string, Measurement> = {
  "analytics-ingest": analyticsIngest,
  "analytics-refresh": analyticsRefresh,
};
