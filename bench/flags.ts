import { configHttp } from "./config_http.ts";
import { flagsHttp } from "./flags_http.ts";
import { flagsSql } from "./flags_sql.ts";
import type { Measurement } from "./measurement.ts";

/** Flags beside Unleash and a bare handler; configuration beside its SQL. */
export const flagMeasurements: Record<string, Measurement> = {
  "flags-http": flagsHttp,
  "flags-sql": flagsSql,
  "config-http": configHttp,
};
