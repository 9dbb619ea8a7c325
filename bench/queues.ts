import type { Measurement } from "./measurement.ts";
import { queueClaim } from "./queue_claim.ts";
import { queueEnqueue } from "./queue_enqueue.ts";
import { queueScheduled } from "./queue_scheduled.ts";
import { queueSize } from "./queue_size.ts";
import { queueSnapshot } from "./queue_snapshot.ts";

/** The message queue beside graphile-worker, pg-boss and the plain reference. */
export const queueMeasurements: Record<string, Measurement> = {
  "queue-enqueue": queueEnqueue,
  "queue-claim": queueClaim,
  "queue-scheduled": queueScheduled,
  "queue-snapshot": queueSnapshot,
  "queue-size": queueSize,
};
