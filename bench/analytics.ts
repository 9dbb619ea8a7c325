import { analyticsIngest } from "./analytics_ingest.ts";
import { analyticsRefresh } from "./analytics_refresh.ts";
import { analyticsSize } from "./analytics_size.ts";
import type { Measurement } from "./measurement.ts";

/** Analytics beside COPY, beside a full refresh and beside millions of events. */
export const analyticsMeasurements: Record<string, Measurement> = {
  "analytics-ingest": analyticsIngest,
  "analytics-refresh": analyticsRefresh,
  "analytics-size": analyticsSize,
};
