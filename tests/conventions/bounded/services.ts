import type { BoundedCalls } from "./case.ts";

/** Calls of the service registry that write partitioned tables. */
export const SERVICES: BoundedCalls = {
  "public.rotate_service_secret": (sql) => sql`select public.rotate_service_secret('rides')`,
};
