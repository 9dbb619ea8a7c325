import { eventAppend } from "./event_append.ts";
import { eventRead } from "./event_read.ts";
import type { Measurement } from "./measurement.ts";

/** The event store beside Message DB and Emmett. */
export const eventMeasurements: Record<string, Measurement> = {
  "event-append": eventAppend,
  "event-read": eventRead,
};
