import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { answerTo, createWriteKey, database, storedOf, trackTest } from "./server.ts";

const key = await createWriteKey();
const call = (given: object = {}) => ({ type: "track", userId: "u1", event: "Ride", ...given });

async function gzip(bytes: Uint8Array<ArrayBuffer>): Promise<Uint8Array<ArrayBuffer>> {
  return await new Response(new Blob([bytes]).stream().pipeThrough(new CompressionStream("gzip"))).bytes();
}

/** Status, then the problem's code or the first reason of a rejection. */
async function outcome(body: unknown, headers: Record<string, string> = {}): Promise<string> {
  const [status, answer] = await answerTo("/v1/batch", body, { key: key.key, headers });
  return `${status} ${answer.type?.replace("/problems/", "") ?? answer.rejected[0]?.reason ?? "stored"}`;
}

for (
  const [name, body, expected] of [
    ["nothing", "", "400 invalid_json"],
    ["no JSON", "{", "400 invalid_json"],
    ["a raw NUL", '{"a":"\0"}', "400 invalid_json"],
    ["a number", "7", "400 invalid_json"],
    ["null", "null", "400 invalid_json"],
    ["a batch that is none", '{"batch": 7}', "400 invalid_json"],
    ["bytes of nothing", new Uint8Array([0xff, 0xfe, 0, 0]), "400 invalid_json"],
    ["half a gzip", new Uint8Array([0x1f, 0x8b, 8, 0]), "400 invalid_body_encoding"],
    ["more bytes than may be", " ".repeat(500 * 1024 + 1), "413 payload_too_large"],
    ["more calls than may be", { batch: Array(2_501).fill(0) }, "413 payload_too_large"],
    ["as many calls as may be", { batch: Array(2_500).fill(0) }, "400 not_an_object"],
    ["200,000 levels", `${"[".repeat(200_000)}${"]".repeat(200_000)}`, "400 not_an_object"],
    [
      "200,000 levels of a property",
      JSON.stringify(call({ properties: "?" })).replace('"?"', `${'{"a":'.repeat(40_000)}1${"}".repeat(40_000)}`),
      "400 too_deep",
    ],
    ["a call that is too large", call({ properties: { text: "x".repeat(40_000) } }), "400 too_large"],
    [
      "numbers that no double holds",
      `{"type":"track","userId":"u1","event":"Ride","properties":{"n":1e999}}`,
      "200 stored",
    ],
    [
      "prototypes",
      `{"type":"track","userId":"u1","event":"Ride","__proto__":{"type":"x"},"properties":{"__proto__":{"a":1},"constructor":1}}`,
      "200 stored",
    ],
  ] as [string, unknown, string][]
) {
  trackTest(`${name}: ${expected}`, async () => assertEquals(await outcome(body), expected));
}

trackTest("a gzip bomb is 413, however it is packed", async () => {
  const bomb = await gzip(new Uint8Array(64 * 1024 * 1024));

  assertEquals(await outcome(bomb, { "content-encoding": "gzip" }), "413 payload_too_large");
  assertEquals(await outcome(bomb), "413 payload_too_large");
  const inForm = `data=${encodeURIComponent(btoa(Array.from(bomb, (byte) => String.fromCharCode(byte)).join("")))}`;
  assertEquals(await outcome(inForm), "413 payload_too_large");
});

trackTest("a coding that nobody knows is 415", async () => {
  assertEquals(
    await outcome(new Uint8Array([0x28, 0xb5, 0x2f, 0xfd]), { "content-encoding": "zstd" }),
    "415 unsupported_content_encoding",
  );
});

trackTest("NUL and halves of surrogates are replaced, in names, ids, keys and values", async () => {
  const own = await createWriteKey();
  const body = String.raw`{"batch":[
    {"type":"track","userId":"u\u00001","event":"R\u0000","messageId":"m\ud800","properties":{"k\u0000":"v\udc00","deep":[{"\ud83d":1}]}},
    {"type":"\u0000","messageId":"\u0000"}]}`;

  const [status, { stored, rejected }] = await answerTo("/v1/batch", body, { key: own.key });

  assertEquals([status, stored, rejected.map(({ reason }) => reason)], [200, 1, ["type_unknown"]]);
  const [row] = await storedOf(own);
  assertEquals([row!.event_name, row!.user_id, row!.properties], [
    "R\ufffd",
    "u\ufffd1",
    { "k\ufffd": "v\ufffd", deep: [{ "\ufffd": 1 }] },
  ]);
});

trackTest("bytes that are no UTF-8 cost a character, not the batch", async () => {
  const own = await createWriteKey();
  const bytes = new TextEncoder().encode(JSON.stringify(call({ event: "R?" })));
  bytes[bytes.indexOf(0x3f)] = 0xff;

  assertEquals((await answerTo("/v1/track", bytes, { key: own.key }))[1].stored, 1);
  assertEquals((await storedOf(own))[0]!.event_name, "R\ufffd");
});

trackTest("a million distinct names of properties are stored like any others", async () => {
  const own = await createWriteKey();
  const perCall = 2_000;
  let next = 0;
  const properties = () => Object.fromEntries(Array.from({ length: perCall }, () => [`p${next++}`, 1]));
  for (let sent = 0; sent < 1_000_000;) {
    const batch = Array.from({ length: 20 }, () => call({ properties: properties() }));
    sent += 20 * perCall;
    const [status, { stored }] = await answerTo("/v1/batch", { batch }, { key: own.key });
    assertEquals([status, stored], [200, 20]);
  }

  const [names] = await database.sql`
    select count(distinct key)::integer as count from public.analytics_events, jsonb_object_keys(properties) as key
    where write_key_id = ${own.id}`;
  assertEquals(names!.count, 1_000_000);
});

trackTest("whatever anybody sends is answered with what was meant for it, never with 5xx", async () => {
  const hostile = fc.oneof(
    fc.jsonValue({ maxDepth: 4 }),
    fc.constantFrom(
      "\u0000",
      "\ud800",
      "*",
      "1970-01-01",
      "2100-01-01T00:00:00Z",
      "infinity",
      "now",
      -1,
      1e308,
      2 ** 53,
    ),
    fc.string({ unit: "binary" }),
  );
  const names = ["type", "event", "userId", "anonymousId", "previousId", "groupId", "messageId", "properties", "traits"]
    .concat(
      "context",
      "timestamp",
      "originalTimestamp",
      "sentAt",
      "name",
      "category",
      "sessionId",
      "distinct_id",
      "uuid",
      "$set",
      "offset",
    );
  const calls = fc.dictionary(fc.constantFrom(...names), hostile, { maxKeys: names.length }).chain((given) =>
    fc.constantFrom({}, call(), { type: "identify", userId: "u1" }, { event: "$identify", distinct_id: "d" }).map((
      base,
    ) => ({ ...base, ...given }))
  );
  const paths = fc.constantFrom("/v1/batch", "/v1/page", "/e/", "/i/v1/analytics/events", "/api/s/track", "/batch/");

  await fc.assert(
    fc.asyncProperty(fc.array(fc.oneof(calls, hostile), { maxLength: 6 }), paths, async (batch, path) => {
      const [status, answer] = await answerTo(path, { batch }, { key: key.key });

      assert([200, 400].includes(status), `${path}: ${status} ${JSON.stringify(answer)}`);
      if (answer.results) return;
      assertEquals(answer.stored + answer.duplicate + answer.suppressed + answer.rejected.length, batch.length);
    }),
    { numRuns: 300 },
  );
});
