import type { TransactionSql } from "postgres";
import { driven, openDriver, openRider, tend } from "../../sql/trips/trips.ts";
import type { BoundedCalls } from "./case.ts";

/** Every call of trips that ends at a partitioned table. */
export const TRIPS: BoundedCalls = {
  "public.set_driver_state": async (sql) => {
    await openDriver(sql);
  },
  "public.complete_trip": async (sql) => {
    await completed(sql, "wallet");
  },
  "private.tend_trips": async (sql) => {
    await completed(sql, "mtn_momo");
    await tend(sql);
    await sql`update public.trips set next_action_at = now()`;
    await tend(sql);
  },
};

async function completed(sql: TransactionSql, method: string): Promise<void> {
  await driven(sql, await openRider(sql), await openDriver(sql), "complete", { method });
}
