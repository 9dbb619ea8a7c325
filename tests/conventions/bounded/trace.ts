import type { BoundedCalls } from "./case.ts";

/** Following a correlation id through every partitioned table. */
export const TRACE: BoundedCalls = {
  "public.trace_correlation": (sql) => sql`select * from public.trace_correlation('abc')`,
};
