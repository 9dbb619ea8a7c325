import { jitsuAnalytics } from "@jitsu/js";
import RudderAnalytics from "@rudderstack/rudder-sdk-node";
import { Analytics } from "@segment/analytics-node";
import { assertEquals } from "@std/assert";
import { PostHog } from "posthog-node";
import { type Fate, startMisbehavingProxy } from "../../support/misbehaving_proxy.ts";
import { apiUrl, createWriteKey, database, storedOf, trackTest } from "./server.ts";

/** What befalls the first two batches of each client, until one try of each passes. */
const TROUBLE: Fate[][] = [[429, 500, "pass"], ["close", "lose", "pass"]];
const PREFIX = "/functions/v1/analytics-track";

/** Numbers of what `each` is to send: 15 a batch. */
function numbers(batch: number): number[] {
  return Array.from({ length: 15 }, (_, index) => batch * 15 + index);
}

/** Sends two batches in trouble through a client, and checks that each event is stored once and nothing was dropped. */
async function survives(
  connect: (
    url: string,
    key: string,
    errors: unknown[],
  ) => { send: (number: number) => unknown; flush: () => Promise<unknown> },
): Promise<void> {
  const own = await createWriteKey();
  const errors: unknown[] = [];
  await using proxy = startMisbehavingProxy(apiUrl);
  const client = connect(`${proxy.url}${PREFIX}`, own.key, errors);

  for (const [batch, fates] of TROUBLE.entries()) {
    proxy.next.push(...fates);
    await Promise.all(numbers(batch).map((number) => client.send(number)));
    await client.flush();
  }

  const stored = (await storedOf(own)).map(({ properties }) => properties.number).sort((one, other) => one - other);
  assertEquals(stored, TROUBLE.flatMap((_, batch) => numbers(batch)));
  assertEquals(TROUBLE.flat().filter((fate) => !proxy.fates.includes(fate)), []);
  assertEquals(proxy.next, []);
  assertEquals(errors, []);
  const [row] = await database
    .sql`select count(*)::integer as count from public.analytics_rejections where write_key_id = ${own.id}`;
  assertEquals(row!.count, 0);
}

trackTest(
  "@segment/analytics-node loses and doubles nothing through 429, 500 and closed sockets",
  () =>
    survives((url, writeKey, errors) => {
      const { origin, pathname } = new URL(url);
      const client = new Analytics({ writeKey, host: origin, path: `${pathname}/v1/batch`, flushAt: 15 });
      client.on("error", (error) => void errors.push(error));
      return {
        send: (number) => client.track({ userId: "u1", event: "Ride", properties: { number } }),
        flush: () => client.flush(),
      };
    }),
);

trackTest(
  "@rudderstack/rudder-sdk-node loses and doubles nothing through 429, 500 and closed sockets",
  () =>
    survives((url, writeKey, errors) => {
      // deno-lint-ignore no-explicit-any -- a CommonJS module's default export is wrapped once more
      const Rudder = ((RudderAnalytics as any).default ?? RudderAnalytics) as typeof RudderAnalytics;
      const client = new Rudder(writeKey, {
        dataPlaneUrl: url,
        flushAt: 15,
        flushInterval: 60_000,
        logLevel: "silent",
      });
      return {
        send: (number) =>
          new Promise<void>((resolve) => {
            client.track({ userId: "u1", event: "Ride", properties: { number } }, (...[error]: unknown[]) => {
              if (error) errors.push(error);
              resolve();
            });
            if (number % 15 === 14) client.flush();
          }),
        flush: () => Promise.resolve(),
      };
    }),
);

for (const mode of ["v0", "v1"]) {
  trackTest(`posthog-node (${mode}) loses and doubles nothing through 429, 500 and closed sockets`, async () => {
    Deno.env.set("POSTHOG_CAPTURE_MODE", mode);
    try {
      await survives((host, key, errors) => {
        const client = new PostHog(key, { host, flushAt: 100, flushInterval: 60_000, fetchRetryDelay: 50 });
        client.on("error", (error: unknown) => void errors.push(error));
        return {
          send: (number) => client.capture({ distinctId: "u1", event: "Ride", properties: { number } }),
          flush: () => client.flush(),
        };
      });
    } finally {
      Deno.env.delete("POSTHOG_CAPTURE_MODE");
    }
  });
}

trackTest(
  "@jitsu/js loses and doubles nothing through 429, 500 and closed sockets, given a fetch that tries again",
  () =>
    survives((host, key) => {
      const client = jitsuAnalytics({
        host,
        writeKey: `${key}:x`,
        errorPolicy: "rethrow",
        // The library itself never tries again; the body, and so the message id, stays the same.
        fetch: async (input, init) => {
          for (;;) {
            const response = await fetch(input, init).catch(() => null);
            if (response && response.status !== 429 && response.status < 500) return response;
            await response?.body?.cancel();
          }
        },
      });
      return { send: (number) => client.track("Ride", { number }), flush: () => Promise.resolve() };
    }),
);
