import type { ServiceRpc } from "shared/db/service_rpc.ts";
import type { Delivery, NotTaken, Provider, Sent } from "shared/notifications/provider.ts";
import type { ClaimedSource, Outcome, Settled } from "shared/worker/source.ts";
import { eachOnItsOwn } from "./each_on_its_own.ts";

/** A channel whose deliveries are claimed, and who carries them. */
export interface NotificationChannel<Address> {
  name: "sms" | "push" | "email";
  provider: Provider<Address>;
  /** Deliveries at the same moment. */
  concurrency: number;
}

/** Longer than any provider's own patience. */
const TIMEOUT_MS = 25_000;
/** Longer than the claim may take: what it leases to nobody counts as sent in doubt. */
const CLAIM = { deadlineMs: 12_000 };

/** A row of `claim_notifications()`: what is never null in it, which generated types do not know. */
type Claimed<Address> = Delivery<Address> & { lease_token: number; correlation_id: string | null };

/** Notifications that go out by a channel of ours: claimed, given to its provider, and settled by what that said. */
export function notificationSource<Address>(
  call: ServiceRpc,
  { name: channel, provider, concurrency }: NotificationChannel<Address>,
): ClaimedSource<Claimed<Address>> {
  return {
    name: `${channel}_notifications`,
    concurrency,
    timeoutMs: TIMEOUT_MS,
    async claim(max_count, lease_seconds) {
      const claimed = await call("claim_notifications", { channel, max_count, lease_seconds }, CLAIM);
      return claimed as unknown as Claimed<Address>[];
    },
    handle: (item) => handle(provider, item),
    complete: (settled) => eachOnItsOwn(settled, (each) => complete(call, each)),
    fail: (settled) => eachOnItsOwn(settled, (each) => fail(call, each)),
    release: (settled) => eachOnItsOwn(settled, (each) => release(call, each)),
  };
}

/** Without a signal: what has begun is not broken off, because half a request may be a whole message. */
async function handle<Address>(provider: Provider<Address>, item: Claimed<Address>): Promise<Outcome> {
  const outcome = await provider.send(item);
  return outcome.kind === "sent" ? { kind: "done", result: outcome } : { kind: "failed", error: outcome };
}

async function complete(call: ServiceRpc, { item, result }: Settled<Claimed<unknown>>): Promise<void> {
  const { provider, provider_message_id } = result as Sent;
  const message = provider_message_id === null ? {} : { provider_message_id };
  await call("complete_notification", { ...leaseOf(item), provider, ...message }, traceOf(item));
}

async function fail(call: ServiceRpc, { item, error }: Settled<Claimed<unknown>>): Promise<void> {
  await call("fail_notification", { ...leaseOf(item), error: reasonOf(error) }, traceOf(item));
}

async function release(call: ServiceRpc, { item }: Settled<Claimed<unknown>>): Promise<void> {
  await call("release_notification", leaseOf(item), traceOf(item));
}

/** A provider's own reason, or that the handler failed or was given up: then nobody knows. */
function reasonOf(error: unknown): NotTaken {
  if (!(error instanceof Error)) return error as NotTaken;
  return { kind: "unknown", code: error.name };
}

function leaseOf({ delivery_id, lease_token }: Claimed<unknown>): { delivery_id: string; lease_token: number } {
  return { delivery_id, lease_token };
}

function traceOf({ correlation_id }: Claimed<unknown>): { correlationId?: string } {
  return correlation_id === null ? {} : { correlationId: correlation_id };
}
