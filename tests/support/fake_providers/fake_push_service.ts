import type { OutboundFetch } from "shared/outbound_fetch.ts";
import { FakeProvider } from "./fake_provider.ts";

/** Starts a push service that takes every message. */
export function startFakePushService(): FakeProvider {
  let count = 0;
  return new FakeProvider(() =>
    new Response(null, { status: 201, headers: { location: `https://updates.push.services.mozilla.com/m/${++count}` } })
  ).open();
}

/** Our `fetch` on a machine where every https host is this provider. */
export function leadingTo(provider: FakeProvider, fetch: OutboundFetch): OutboundFetch {
  return (url, init) => fetch(url.protocol === "https:" ? new URL(url.pathname + url.search, provider.url) : url, init);
}
