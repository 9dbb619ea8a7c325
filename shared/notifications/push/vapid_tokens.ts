import { vapidHeaders, type VapidKeys } from "@block65/webcrypto-web-push";

/** Gives the header by which a push service knows us; undefined when our keys are none. */
export type VapidTokens = (subscription: PushSubscriptionJson) => Promise<{ authorization: string } | undefined>;

/** A subscription as a browser gives it. */
interface PushSubscriptionJson {
  endpoint: string;
  expirationTime: null;
  keys: { p256dh: string; auth: string };
}

/**
 * Signs once for each push service, because signing is 40 % of what a push message costs. A token may be used again until
 * it expires (RFC 8292, section 2), in twelve hours: longer than any run lasts.
 */
export function vapidTokens(keys: VapidKeys): VapidTokens {
  const byOrigin = new Map<string, ReturnType<VapidTokens>>();
  return function tokenFor(subscription) {
    const { origin } = new URL(subscription.endpoint);
    const known = byOrigin.get(origin);
    if (known) return known;
    const token = vapidHeaders(subscription, keys).then(({ headers }) => headers, () => undefined);
    byOrigin.set(origin, token);
    return token;
  };
}
