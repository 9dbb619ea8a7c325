import { assert, assertEquals } from "@std/assert";
import { importJWK, jwtVerify } from "jose";
import { guardedFetch } from "shared/http/guarded_fetch.ts";
import type { SendOutcome } from "shared/notifications/provider.ts";
import type { OutboundFetch } from "shared/outbound_fetch.ts";
import type { BadAnswer } from "../../../../scripts/fakes/graph/misbehaviour.ts";
import type { FakeProvider, Reaction } from "../../../support/fake_providers/fake_provider.ts";
import { leadingTo, startFakePushService } from "../../../support/fake_providers/fake_push_service.ts";
import { fromBase64Url, subscribe, toBase64Url } from "../../../support/fake_providers/subscription.ts";
import { configure, deliveryTo, nameOf } from "../deliveries.ts";
import { browser, push } from "./endpoints.ts";

const ENDPOINT = "https://updates.push.services.mozilla.com/wpush/v2/gAAAA";

const pair = await crypto.subtle.generateKey({ name: "ECDSA", namedCurve: "P-256" }, true, ["sign"]) as CryptoKeyPair;
const publicKey = new Uint8Array(await crypto.subtle.exportKey("raw", pair.publicKey));
const VAPID = {
  VAPID_PUBLIC_KEY: toBase64Url(publicKey),
  VAPID_PRIVATE_KEY: (await crypto.subtle.exportKey("jwk", pair.privateKey)).d!,
  VAPID_SUBJECT: "mailto:ops@easymo.example",
};

function reaching(provider: FakeProvider): OutboundFetch {
  configure(VAPID, provider);
  return leadingTo(provider, (url, init) => guardedFetch(url, { ...init, timeoutMs: 250 }));
}

async function outcomeOf(reaction: Reaction): Promise<{ outcome: SendOutcome; gone: string[] }> {
  await using provider = startFakePushService();
  provider.next(reaction);
  const { subscription } = await subscribe(ENDPOINT);
  return await push([browser("b1", subscription)], {}, reaching(provider));
}

Deno.test("a push service gets what only the browser can read", async () => {
  await using provider = startFakePushService();
  const { subscription, read } = await subscribe(ENDPOINT);

  const { outcome } = await push([browser("b1", subscription)], {}, reaching(provider));

  const location = "https://updates.push.services.mozilla.com/m/1";
  assertEquals(outcome, { kind: "sent", provider: "web_push", provider_message_id: location });
  const [request] = provider.requests;
  assertEquals([provider.requests.length, request!.method, request!.path], [1, "POST", "/wpush/v2/gAAAA"]);
  assert(!request!.text.includes("700 RWF"));
  const { delivery_id, notification_id } = deliveryTo(null);
  assertEquals(JSON.parse(await read(request!.body)), {
    title: "Paid",
    body: "You were paid 700 RWF",
    data: { screen: "wallet", notification_id },
    tag: delivery_id,
  });
});

Deno.test("a push service is told how long, how urgently and in the place of what (RFC 8030)", async () => {
  await using provider = startFakePushService();
  const { subscription } = await subscribe(ENDPOINT);
  const fetch = reaching(provider);
  const soon = new Date(Date.now() + 90_500).toISOString();

  await push([browser("b1", subscription)], {}, fetch);
  await push([browser("b1", subscription)], { is_critical: true, expires_at: soon }, fetch);

  const names = ["content-encoding", "ttl", "urgency", "topic"];
  const topic = "01930000000070008000000000000001";
  assertEquals(provider.requests.map(({ headers }) => names.map((name) => headers.get(name))), [
    ["aes128gcm", "86400", "normal", topic],
    ["aes128gcm", "90", "high", topic],
  ]);
});

Deno.test("a push service can tell that the message is ours (RFC 8292)", async () => {
  await using provider = startFakePushService();
  const { subscription } = await subscribe(ENDPOINT);

  await push([browser("b1", subscription)], {}, reaching(provider));

  const authorization = provider.requests[0]!.headers.get("authorization")!;
  const [, token, key] = /^vapid t=(\S+), k=(\S+)$/.exec(authorization)!;
  assertEquals(fromBase64Url(key!), publicKey);
  const [x, y] = [toBase64Url(publicKey.slice(1, 33)), toBase64Url(publicKey.slice(33))];
  const verifier = await importJWK({ kty: "EC", crv: "P-256", x, y }, "ES256");
  const audience = "https://updates.push.services.mozilla.com";
  const { payload } = await jwtVerify(token!, verifier, { audience, algorithms: ["ES256"] });
  assertEquals(payload.sub, VAPID.VAPID_SUBJECT);
  assert(payload.exp! <= Date.now() / 1_000 + 86_400);
});

Deno.test("a run signs once for each push service", async () => {
  await using provider = startFakePushService();
  const fetch = reaching(provider);
  const [mozilla, google] = [ENDPOINT, "https://fcm.googleapis.com/fcm/send/abc:def"];
  const subscriptions = await Promise.all([mozilla, google, mozilla, google].map(subscribe));

  await push(subscriptions.map(({ subscription }, index) => browser(`b${index}`, subscription)), {}, fetch);

  const tokens = provider.requests.map(({ headers, path }) => `${path} ${headers.get("authorization")}`);
  assertEquals([tokens.length, new Set(tokens).size], [4, 2]);
});

const STATUSES: [status: number, kind: SendOutcome["kind"], isGone: boolean][] = [
  [200, "sent", false],
  [201, "sent", false],
  [202, "sent", false],
  [400, "rejected", false],
  [401, "rejected", false],
  [403, "rejected", false],
  [404, "rejected", true],
  [410, "rejected", true],
  [413, "rejected", false],
  [429, "temporary", false],
];
for (const [status, kind, isGone] of STATUSES) {
  Deno.test(`a push service's ${status} means ${kind}${isGone ? " and gone" : ""}`, async () => {
    const { outcome, gone } = await outcomeOf(new Response(null, { status }));

    assertEquals([outcome.kind, gone], [kind, isGone ? ["b1"] : []]);
  });
}

Deno.test("a push service's Retry-After comes along", async () => {
  const { outcome } = await outcomeOf(new Response(null, { status: 429, headers: { "retry-after": "30" } }));

  assertEquals((outcome as { retry_after?: number }).retry_after, 30);
});

/** The good answer has no body, so that half of it is all of it. */
const DOUBTFUL: readonly BadAnswer[] = [
  "silence",
  "close",
  "noise",
  "endless",
  ...[302, 408, 500, 502, 503].map((status) => ({ status })),
];
for (const doubt of DOUBTFUL) {
  Deno.test(`a push message may be sent again after ${nameOf(doubt)}: its topic replaces the first`, async () => {
    const { outcome } = await outcomeOf(doubt);

    assertEquals(outcome.kind, "temporary");
  });
}

for (
  const endpoint of [
    "https://api.stripe.com/v1/refunds",
    "https://127.0.0.1/admin",
    "https://169.254.169.254/latest/meta-data",
    "https://localhost/",
    "https://fcm.googleapis.com.evil.example/",
    "https://evil.example/?fcm.googleapis.com",
    "https://evil.example#fcm.googleapis.com",
    "https://fcm.googleapis.com@evil.example/",
    "https://user:pass@fcm.googleapis.com/",
    "https://fcm.googleapis.com:8443/",
    "http://fcm.googleapis.com/",
    "https://evilnotify.windows.com/",
    "https://notify.windows.com.evil.example/",
    "https://[::1]/",
    "https://",
  ]
) {
  Deno.test(`an endpoint at ${endpoint}, which a client registered, is called by nobody`, async () => {
    const calls: string[] = [];
    const { subscription } = await subscribe(endpoint);
    configure(VAPID, new URL("https://api.stripe.com").host, "127.0.0.1:443", "evil.example");

    const { outcome, gone } = await push([browser("b1", subscription)], {}, (url) => {
      calls.push(url.href);
      return Promise.resolve(new Response());
    });

    assertEquals(outcome, { kind: "rejected", provider: "web_push", code: "not_a_push_service" });
    assertEquals([calls, gone], [[], []]);
  });
}

for (
  const endpoint of [
    "https://fcm.googleapis.com/fcm/send/abc:def",
    "https://updates.push.services.mozilla.com/wpush/v2/x",
    "https://web.push.apple.com/QGuQyavXutnMH",
    "https://wns2-am3p.notify.windows.com/w/?token=BQYAAA%3d",
  ]
) {
  Deno.test(`an endpoint at ${new URL(endpoint).host} is called, as the list of hosts allows it`, async () => {
    await using provider = startFakePushService();
    const { subscription } = await subscribe(endpoint);

    const { outcome } = await push([browser("b1", subscription)], {}, reaching(provider));

    const { pathname, search } = new URL(endpoint);
    assertEquals([outcome.kind, provider.requests[0]!.path], ["sent", pathname + search]);
  });
}

Deno.test("a subscription whose key is no point of the curve is gone, and harms no other", async () => {
  await using provider = startFakePushService();
  const { subscription } = await subscribe(ENDPOINT);
  const p256dh = toBase64Url(Uint8Array.from({ length: 65 }, (_, index) => index === 0 ? 4 : 1));
  const bad = { endpoint: ENDPOINT, keys: { p256dh, auth: subscription.keys.auth } };
  const fetch = reaching(provider);

  const alone = await push([browser("bad", bad)], {}, fetch);
  const both = await push([browser("bad", bad), browser("good", subscription)], {}, fetch);

  assertEquals(alone.outcome, { kind: "rejected", provider: "web_push", code: "invalid_subscription" });
  assertEquals([both.outcome.kind, alone.gone, both.gone], ["sent", ["bad"], ["bad"]]);
});

for (
  const [name, settings, outcome] of [
    ["no key", {}, { kind: "not_configured", detail: "VAPID_PRIVATE_KEY is not set" }],
    ["half of its settings", { VAPID_PRIVATE_KEY: "x", VAPID_PUBLIC_KEY: "y" }, {
      kind: "not_configured",
      detail: "VAPID_SUBJECT is not set",
    }],
    ["a key that is none", { ...VAPID, VAPID_PRIVATE_KEY: "short" }, {
      kind: "not_configured",
      provider: "web_push",
      code: "invalid_vapid_key",
    }],
  ] as const
) {
  Deno.test(`web push with ${name} is not configured`, async () => {
    const { subscription } = await subscribe(ENDPOINT);
    configure(settings, "updates.push.services.mozilla.com");

    const { gone, ...result } = await push([browser("b1", subscription)]);

    assertEquals([result.outcome as unknown, gone], [outcome, []]);
  });
}

Deno.test("what may still work counts more than what will not, whichever endpoint comes first", async () => {
  await using provider = startFakePushService();
  const { subscription } = await subscribe(ENDPOINT);
  const fetch = reaching(provider);
  const [gone, busy, forbidden] = [410, 503, 403].map((status) => new Response(null, { status }));
  const three = ["b1", "b2", "b3"].map((id) => browser(id, subscription));
  provider.next(gone!, busy!, forbidden!);

  const { outcome } = await push(three, {}, fetch);

  assertEquals([outcome.kind, (outcome as { code?: string }).code], ["temporary", "503"]);
});
