import { eventsOf, type ParsedRequest, parseRequest, type WireRequest } from "shared/analytics/parse_request.ts";

/** When the tests' requests arrive. */
export const RECEIVED_AT = new Date("2026-11-23T06:00:00.000Z");

/** Parses a body as the function does, after which ids are `made-0`, `made-1` ... */
export function parsed(body: unknown, given: Partial<WireRequest> = {}): ParsedRequest {
  let made = 0;
  return parseRequest(body, eventsOf(body) ?? [], {
    format: "segment",
    hasUser: false,
    userAgent: null,
    receivedAt: RECEIVED_AT,
    size: 500_000,
    createId: () => `made-${made++}`,
    ...given,
  });
}

/** The only item of a call; fails when it was rejected. */
export function itemOf(call: unknown, given?: Partial<WireRequest>) {
  const { items, rejected } = parsed(call, given);
  if (items.length !== 1) throw new Error(`rejected: ${rejected[0]?.reason}`);
  return items[0]!;
}

/** Why the only call is rejected, or undefined. */
export function reasonOf(call: unknown, given?: Partial<WireRequest>): string | undefined {
  return parsed(call, given).rejected[0]?.reason;
}
