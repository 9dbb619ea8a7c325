import { createClient } from "@supabase/supabase-js";
import { assert, assertEquals } from "@std/assert";
import { LOCAL_KEYS } from "../../../scripts/stack/development.ts";
import { USER_ID } from "../../support/tokens.ts";
import {
  answerTo,
  apiUrl,
  callsOf,
  createWriteKey,
  database,
  failures,
  issuer,
  send,
  storedOf,
  trackTest,
  trackUrl,
  withoutDatabase,
} from "./server.ts";

const key = await createWriteKey();
const track = (given: object = {}) => ({
  type: "track",
  userId: "u1",
  event: "Ride",
  messageId: crypto.randomUUID(),
  ...given,
});
const basic = (value: string) => ({ authorization: `Basic ${btoa(value)}` });

async function packed(text: string, format: CompressionFormat): Promise<Uint8Array<ArrayBuffer>> {
  return await new Response(new Blob([text]).stream().pipeThrough(new CompressionStream(format))).bytes();
}

trackTest(
  "every call of Segment's, long or short, with and without a trailing slash, is stored under its type",
  async () => {
    const own = await createWriteKey();
    const rest = { userId: "u1", anonymousId: "a1", event: "Ride", groupId: "g1", previousId: "p1" };
    const names = ["track", "identify", "page", "screen", "group", "alias", "t", "i", "p", "s", "g", "a"];
    for (const name of names) {
      for (const slash of ["", "/"]) {
        assertEquals((await answerTo(`/v1/${name}${slash}`, rest, { key: own.key }))[1].stored, 1, name + slash);
      }
    }

    const types = await database.sql`
    select type, count(*)::integer as count from public.analytics_events where write_key_id = ${own.id} group by type`;
    assertEquals(
      Object.fromEntries(types.map(({ type, count }) => [type, count])),
      { track: 4, identify: 4, page: 4, screen: 4, group: 4, alias: 4 },
    );
  },
);

trackTest("every path of RudderStack, PostHog and Jitsu takes a call", async () => {
  const posthog = { event: "Ride", distinct_id: "u1", properties: {} };
  for (
    const [path, body] of [
      ["/v1/batch", { batch: [track()] }],
      ["/v1/b", { batch: [track()] }],
      ["/batch", { batch: [track()] }],
      ["/b/", { batch: [track()] }],
      ["/beacon/v1/batch", { batch: [track()] }],
      ["/batch/", { batch: [posthog] }],
      ["/e/", posthog],
      ["/i/v0/e/", [posthog]],
      ["/capture/", { batch: [posthog] }],
      ["/track/", posthog],
      ["/engage/", { event: "$set", distinct_id: "u1", $set: { a: 1 } }],
      ["/api/s/track", { ...track(), type: undefined }],
      ["/api/s/s2s/track", { ...track(), type: undefined }],
      ["/api/s/s2s/batch", { batch: [track()] }],
    ] as const
  ) {
    const [status, { success, stored }] = await answerTo(path, body, { key: key.key });
    assertEquals([status, success, stored], [200, true, 1], path);
  }
});

trackTest("a key is taken wherever a client puts it", async () => {
  const body = track();
  for (
    const [given, headers, query] of [
      [{}, basic(`${key.key}:`)],
      [{}, basic(`${key.key}:secret`)],
      [{}, { "x-write-key": `${key.key}:secret` }],
      [{}, { "x-api-key": key.key }],
      [{}, { apikey: key.key }],
      [{}, { authorization: `Bearer ${key.key}` }],
      [{ writeKey: key.key }, {}],
      [{ writeKey: key.key }, { authorization: "Bearer an-oauth-token" }],
      [{ api_key: key.key }, {}],
      [{ token: key.key }, {}],
      [{}, {}, `?writeKey=${key.key}`],
      [{}, { apikey: LOCAL_KEYS.publishableKey, authorization: `Bearer ${LOCAL_KEYS.publishableKey}` }],
    ] as [object, Record<string, string>, string?][]
  ) {
    const [status, { received }] = await answerTo(`/v1/track${query ?? ""}`, { ...body, ...given }, { headers });
    assertEquals([status, received], [200, 1], JSON.stringify([given, headers]));
  }
});

trackTest(
  "nobody without a key gets in, nor with one that is unknown or revoked, nor with a token of somebody else's",
  async () => {
    const revoked = await createWriteKey();
    await database.sql`update public.analytics_write_keys set revoked_at = now() where id = ${revoked.id}`;
    const other = await (await import("../../support/tokens.ts")).createTokenIssuer();
    for (
      const [headers, body, code] of [
        [{}, track(), "credentials_missing"],
        [basic("guess:"), track(), "api_key_invalid"],
        [basic(`${revoked.key}:`), track(), "api_key_invalid"],
        [{}, { ...track(), writeKey: "guess" }, "api_key_invalid"],
        [{ authorization: `Bearer ${LOCAL_KEYS.secretKey}` }, track(), "api_key_invalid"],
        [{ authorization: `Bearer ${await other.sign()}` }, track(), "token_invalid"],
        [{ authorization: `Bearer ${await issuer.sign({ exp: 1 })}`, apikey: key.key }, track(), "token_invalid"],
      ] as [Record<string, string>, object, string][]
    ) {
      const [status, { type }] = await answerTo("/v1/track", body, { headers });
      assertEquals([status, type], [401, `/problems/${code}`]);
    }
  },
);

trackTest("a wrong key is turned away without asking the database again, and before the body is read", async () => {
  const before = callsOf("find_analytics_write_key");

  for (let time = 0; time < 5; time++) {
    const [status] = await answerTo("/v1/track", "x".repeat(600_000), { headers: basic("another-guess:") });
    assertEquals(status, 401);
  }

  assertEquals(callsOf("find_analytics_write_key") - before, 1);
});

trackTest("a user's token makes its user the user of every call, whatever the calls say", async () => {
  const token = await issuer.sign();
  const own = await createWriteKey();
  const headers = { authorization: `Bearer ${token}`, apikey: own.key };

  assertEquals((await answerTo("/v1/track", track({ userId: "somebody" }), { headers }))[1].stored, 1);
  assertEquals((await answerTo("/v1/track", { event: "Ride" }, { headers }))[1].stored, 1);
  assertEquals(
    (await answerTo("/v1/track", track(), { headers: { authorization: headers.authorization } }))[1].stored,
    1,
  );

  assertEquals((await storedOf(own)).map(({ user_id }) => user_id), [USER_ID, USER_ID]);
});

trackTest("supabase-js sends as the user who is signed in, without a write key of its own", async () => {
  const supabase = createClient(apiUrl, LOCAL_KEYS.publishableKey, { accessToken: () => issuer.sign() });
  const messageId = crypto.randomUUID();

  const { data, error } = await supabase.functions.invoke("analytics-track/v1/track", {
    body: { event: "Ride", messageId },
  });

  assertEquals([error, data.stored], [null, 1]);
  const [row] = await database.sql`select user_id, write_key_id from public.analytics_events where id = ${messageId}`;
  assertEquals({ ...row }, { user_id: USER_ID, write_key_id: null });
});

trackTest("Content-Type is not looked at, and a body is unpacked however it is packed", async () => {
  const own = await createWriteKey();
  const json = () => JSON.stringify({ writeKey: own.key, ...track() });
  const form = (data: string) => `data=${encodeURIComponent(data)}&compression=base64`;
  const base64 = (bytes: Uint8Array) => btoa(String.fromCharCode(...bytes));
  const gzip = await packed(json(), "gzip");
  const bodies: [name: string, body: string | Uint8Array, headers: Record<string, string>][] = [
    ["no content type", new TextEncoder().encode(json()), {}],
    ["text/plain", json(), { "content-type": "text/plain;charset=UTF-8" }],
    ["a form's content type", json(), { "content-type": "application/x-www-form-urlencoded" }],
    ["gzip", gzip, { "content-encoding": "gzip" }],
    ["gzip that nobody speaks of", await packed(json(), "gzip"), { "content-type": "text/plain" }],
    ["zlib", await packed(json(), "deflate"), { "content-encoding": "deflate" }],
    ["deflate", await packed(json(), "deflate-raw"), { "content-encoding": "deflate" }],
    ["JSON that is said to be gzip", json(), { "content-encoding": "gzip" }],
    ["JSON that is said to be brotli", json(), { "content-encoding": "br" }],
    ["a form", form(json()), {}],
    ["a form of base64", form(base64(new TextEncoder().encode(json()))), {}],
    ["a form of gzip in base64", form(base64(await packed(json(), "gzip"))), {}],
    ["base64", base64(new TextEncoder().encode(json())), {}],
    ["a byte order mark", `\ufeff${json()}`, {}],
  ];
  for (const [name, body, headers] of bodies) {
    const [status, { stored }] = await answerTo("/v1/track?compression=gzip-js", body, { headers });
    assertEquals([status, stored], [200, 1], name);
  }
  assertEquals((await storedOf(own)).length, bodies.length);
});

trackTest("a batch that is partly bad is a success, and each bad call is kept with its reason", async () => {
  const own = await createWriteKey();
  const bad = { type: "track", userId: "u9", messageId: "m-bad", event: "" };

  const [status, answer] = await answerTo("/v1/batch", {
    batch: [track(), bad, track(), 7, track({ timestamp: "2001-01-01T00:00:00Z", messageId: "m-old" })],
  }, { key: own.key });

  assertEquals([status, answer.success, answer.received, answer.stored], [200, true, 5, 2]);
  assertEquals(answer.rejected, [
    { index: 1, id: "m-bad", reason: "event_name_missing" },
    { index: 3, id: "", reason: "not_an_object" },
    { index: 4, id: "m-old", reason: "too_old" },
  ]);
  const kept = await database.sql`
    select message_id, reason, item, source from public.analytics_rejections where write_key_id = ${own.id} order by reason`;
  assertEquals(kept.map(({ message_id, reason, source }) => [message_id, reason, source]), [
    ["m-bad", "event_name_missing", "segment"],
    ["", "not_an_object", "segment"],
    ["m-old", "too_old", "segment"],
  ]);
  assertEquals(kept.slice(0, 2).map(({ item }) => item), [bad, 7]);
});

trackTest("a request of which nothing can be used is 400, and kept all the same", async () => {
  const own = await createWriteKey();

  const [status, { success, rejected }] = await answerTo("/v1/track", { userId: "u1" }, { key: own.key });

  assertEquals([status, success, rejected], [400, false, [{ index: 0, id: "", reason: "event_name_missing" }]]);
  const [row] = await database.sql`select reason from public.analytics_rejections where write_key_id = ${own.id}`;
  assertEquals(row!.reason, "event_name_missing");
});

trackTest("PostHog's v1 hears of each call by its id: a bad one is to be dropped", async () => {
  const own = await createWriteKey();
  const [good, bad] = [crypto.randomUUID(), crypto.randomUUID()];
  const event = { event: "Ride", distinct_id: "u1", timestamp: new Date().toISOString(), properties: {} };

  const [status, { results }] = await answerTo("/i/v1/analytics/events", {
    batch: [{ ...event, uuid: good }, { ...event, uuid: bad, distinct_id: "undefined" }],
  }, { headers: { authorization: `Bearer ${own.key}` } });

  assertEquals([status, results], [200, {
    [good]: { result: "ok" },
    [bad]: { result: "drop", details: "no_user_anon_id" },
  }]);
});

trackTest("the same calls again are duplicates, also within one request", async () => {
  const own = await createWriteKey();
  const call = track({ timestamp: new Date().toISOString() });

  const first = await answerTo("/v1/batch", { batch: [call, call] }, { key: own.key });
  const again = await answerTo("/v1/batch", { batch: [call] }, { key: own.key });

  assertEquals([first, again].map(([, { stored, duplicate }]) => [stored, duplicate]), [[1, 1], [0, 1]]);
});

trackTest("a client's clock that is wrong is corrected by when it says that it sends", async () => {
  const own = await createWriteKey();
  for (const year of [1970, 2100]) {
    const sentAt = Date.UTC(year, 0, 2, 12);
    const [status, { stored }] = await answerTo("/v1/track", track({ timestamp: sentAt - 60_000, sentAt }), {
      key: own.key,
    });
    assertEquals([status, stored], [200, 1]);
  }
  // Nothing is in the future; what is too old is kept aside.
  const [, future] = await answerTo("/v1/track", track({ timestamp: "2100-01-01T00:00:00Z" }), { key: own.key });
  const [, past] = await answerTo("/v1/track", track({ timestamp: 0 }), { key: own.key });

  assertEquals([future.stored, past.rejected[0]!.reason], [1, "too_old"]);
  const ages = (await storedOf(own)).map(({ occurred_at }) =>
    Math.round((Date.now() - occurred_at.getTime()) / 30_000)
  );
  assertEquals(ages, [2, 2, 0]);
});

trackTest("bots are answered like people, kept, and counted nowhere", async () => {
  const own = await createWriteKey();

  const [status, { stored }] = await answerTo("/v1/track", track(), {
    headers: { ...basic(`${own.key}:`), "user-agent": "Mozilla/5.0 (compatible; Googlebot/2.1)" },
  });

  assertEquals([status, stored, (await storedOf(own))[0]!.is_bot], [200, 1, true]);
});

trackTest("a key that has sent too much is 429 with seconds in Retry-After", async () => {
  const own = await createWriteKey(60);
  await answerTo("/v1/batch", { batch: Array.from({ length: 100 }, () => track()) }, { key: own.key });

  const response = await send("/v1/track", track(), { key: own.key });
  await response.body?.cancel();

  assertEquals(response.status, 429);
  assert(/^[1-9]\d*$/.test(response.headers.get("retry-after")!));
});

trackTest("without the database it is 503 with Retry-After: 1, and afterwards nothing is lost or doubled", async () => {
  const own = await createWriteKey();
  const call = track({ timestamp: new Date().toISOString() });

  await withoutDatabase(async () => {
    const response = await send("/v1/track", call, { key: own.key });
    await response.body?.cancel();
    assertEquals([response.status, response.headers.get("retry-after")], [503, "1"]);
  });

  assertEquals((await answerTo("/v1/track", call, { key: own.key }))[1].stored, 1);
});

trackTest("a deadlock is tried three times, and is 503 after that", async () => {
  const outcomeAfter = async (...codes: string[]) => {
    failures.push(...codes);
    const response = await send("/v1/track", track(), { key: key.key });
    await response.body?.cancel();
    return [response.status, response.headers.get("retry-after"), failures.splice(0).length];
  };

  assertEquals(await outcomeAfter("40P01", "40001"), [200, null, 0]);
  assertEquals(await outcomeAfter("40P01", "40P01", "40P01", "40P01"), [503, "1", 1]);
  assertEquals(await outcomeAfter("53300", "53300"), [503, "1", 1]);
});

trackTest("an answer that is lost on the way costs nothing: the retry is a duplicate", async () => {
  const own = await createWriteKey();
  const call = track({ timestamp: new Date(Date.now() - 5_000).toISOString(), sentAt: new Date().toISOString() });
  await answerTo("/v1/track", call, { key: own.key });

  const [, { duplicate }] = await answerTo("/v1/track", { ...call, sentAt: new Date().toISOString() }, {
    key: own.key,
  });

  assertEquals([duplicate, (await storedOf(own)).length], [1, 1]);
});

trackTest("a page of any origin may send with credentials, as beacons do, and read the answer", async () => {
  const origin = "https://app.example";
  const preflight = await fetch(`${trackUrl}/v1/t`, {
    method: "OPTIONS",
    headers: { origin, "access-control-request-method": "POST", "access-control-request-headers": "x-retry-count" },
  });
  await preflight.body?.cancel();
  const response = await send("/v1/t", track(), { key: key.key, headers: { origin } });
  await response.body?.cancel();
  const refused = await send("/v1/t", track(), { headers: { origin } });
  await refused.body?.cancel();

  for (const { headers } of [preflight, response, refused]) {
    assertEquals([headers.get("access-control-allow-origin"), headers.get("access-control-allow-credentials")], [
      origin,
      "true",
    ]);
    assert(headers.get("vary")?.includes("Origin"));
  }
  const allowed = preflight.headers.get("access-control-allow-headers")!.split(", ");
  const needed =
    "authorization content-type content-encoding x-retry-count x-write-key x-enable-debug x-ip-policy apikey x-client-info";
  assertEquals(needed.split(" ").filter((name) => !allowed.includes(name)), []);
  assertEquals(response.headers.get("access-control-expose-headers")?.includes("Retry-After"), true);
});

trackTest("other methods are 405, and an empty batch is nothing", async () => {
  const get = await fetch(`${trackUrl}/v1/track`);
  await get.body?.cancel();

  assertEquals(get.status, 405);
  assertEquals(
    (await answerTo("/v1/batch", { batch: [] }, { key: key.key })).map((part) =>
      typeof part === "number" ? part : part.received
    ),
    [200, 0],
  );
});
