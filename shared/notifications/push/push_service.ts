import type { Delivery, SendOutcome } from "../provider.ts";

/** How long a push service may keep a message for a device that is switched off, unless it expires before: a day. */
export const LONGEST_SECONDS = 86_400;

/** What became of a delivery at one endpoint. */
export interface EndpointOutcome {
  /** Of the endpoint. */
  id: string;
  outcome: SendOutcome;
  /** The service says that there is no such device any more. */
  isGone?: boolean;
}

/** Carries a delivery to endpoints of one service; never rejects. */
export type PushService<Endpoint> = (
  delivery: Delivery<unknown>,
  endpoints: readonly Endpoint[],
) => Promise<EndpointOutcome[]>;
