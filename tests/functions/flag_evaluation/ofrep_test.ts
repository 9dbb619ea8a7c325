import { assertEquals, assertNotEquals } from "@std/assert";
import { LOCAL_KEYS } from "../../../scripts/stack/development.ts";
import { ask, database, eventually, flagTest, putFlag, withoutDatabase } from "./server.ts";

await putFlag("shown");
await putFlag("hidden", { isClientVisible: false, rules: [{ id: "all", variant: "on" }] });
await putFlag("half", { rules: [{ rollout: { percentage: 50 }, variant: "on" }] });
await putFlag("killed");

const someone = { context: { targetingKey: "250788000001" } };
const secret = LOCAL_KEYS.secretKey;

async function bodyOf(response: Response): Promise<[status: number, body: unknown]> {
  return [response.status, await response.json()];
}

flagTest("one flag is answered with value, variant and reason", async () => {
  assertEquals(await bodyOf(await ask({ key: "shown" })), [
    200,
    { key: "shown", reason: "STATIC", variant: "on", value: true, metadata: {} },
  ]);
});

flagTest("a flag that is not client-visible is there for a secret key alone, with its rule", async () => {
  const [status, body] = await bodyOf(await ask({ key: "hidden", apiKey: secret }));

  assertEquals([status, (body as { metadata: { ruleId: string } }).metadata.ruleId], [200, "all"]);
  assertEquals(await bodyOf(await ask({ key: "hidden" })), [404, { key: "hidden", errorCode: "FLAG_NOT_FOUND" }]);
});

flagTest("what is not there is FLAG_NOT_FOUND with its key, whatever the key", async () => {
  for (const key of ["unknown", "a/b", "toString"]) {
    assertEquals(await bodyOf(await ask({ key })), [404, { key, errorCode: "FLAG_NOT_FOUND" }]);
  }
  assertEquals(await bodyOf(await ask({ key: "a%2Fb%20c" })), [404, { key: "a/b c", errorCode: "FLAG_NOT_FOUND" }]);
  assertEquals(await bodyOf(await ask({ key: "shown", environment: "moon" })), [
    404,
    { key: "shown", errorCode: "FLAG_NOT_FOUND" },
  ]);
});

flagTest("a rollout without a targeting key is TARGETING_KEY_MISSING", async () => {
  const [status, body] = await bodyOf(await ask({ key: "half" }));

  assertEquals([status, (body as { errorCode: string }).errorCode], [400, "TARGETING_KEY_MISSING"]);
});

flagTest(
  "a body that is no JSON is PARSE_ERROR, one without a context object INVALID_CONTEXT, each with the key",
  async () => {
    for (const body of ["", "{", '{"context": {"a": "\\u0000"}}']) {
      const [status, answer] = await bodyOf(await ask({ key: "shown", body }));
      assertEquals([status, (answer as { key: string }).key, (answer as { errorCode: string }).errorCode], [
        400,
        "shown",
        "PARSE_ERROR",
      ]);
    }
    for (const body of [{}, { context: null }, { context: [] }, { context: "me" }, []]) {
      assertEquals(await bodyOf(await ask({ key: "shown", body })), [400, {
        key: "shown",
        errorCode: "INVALID_CONTEXT",
      }]);
      assertEquals(await bodyOf(await ask({ body })), [400, { errorCode: "INVALID_CONTEXT" }]);
    }
  },
);

flagTest("a bulk is sorted by key, holds failures beside values, and shows a client only what it may see", async () => {
  const keysOf = async (apiKey: string) =>
    (await (await ask({ apiKey })).json()).flags.map(({ key }: { key: string }) => key);

  assertEquals(await keysOf(LOCAL_KEYS.publishableKey), ["half", "killed", "shown"]);
  assertEquals(await keysOf(secret), ["half", "hidden", "killed", "shown"]);
  const { flags } = await (await ask({})).json();
  assertEquals(flags[0].errorCode, "TARGETING_KEY_MISSING");
});

flagTest("a bulk's tag covers the context: 304 for the same, 200 for another", async () => {
  const first = await ask({ body: someone });
  const etag = first.headers.get("etag")!;
  await first.body?.cancel();

  const same = await ask({ body: someone, headers: { "if-none-match": etag } });
  assertEquals([same.status, await same.text(), same.headers.get("etag")], [304, "", etag]);

  const others = await Promise.all(
    Array.from(
      { length: 8 },
      (_, number) => ask({ body: { context: { targetingKey: `p${number}` } }, headers: { "if-none-match": etag } }),
    ),
  );
  const statuses = await Promise.all(others.map(async (answer) => (await answer.body?.cancel(), answer.status)));
  assertEquals(new Set(statuses).has(200), true);
  assertNotEquals(etag, "");
});

flagTest("nobody evaluates without a key", async () => {
  const [none, wrong] = await Promise.all([ask({ apiKey: null }), ask({ apiKey: "sb_publishable_guess" })]);
  await Promise.all([none.body?.cancel(), wrong.body?.cancel()]);

  assertEquals([none.status, wrong.status], [401, 401]);
});

flagTest("a kill switch thrown in SQL is seen within two seconds", async () => {
  assertEquals((await (await ask({ key: "killed" })).json()).value, true);

  await putFlag("killed", { isEnabled: false });

  assertEquals(await eventually(async () => (await (await ask({ key: "killed" })).json()).reason === "DISABLED"), true);
});

flagTest("without the database evaluation goes on and says so; with it again it recovers by itself", async () => {
  const isStale = async () => (await (await ask({})).json()).metadata.stale === true;
  assertEquals(await isStale(), false);

  await withoutDatabase(async () => {
    assertEquals(await eventually(isStale), true);
    assertEquals((await (await ask({ key: "shown" })).json()).value, true);
  });

  assertEquals(await eventually(async () => !await isStale(), 4_000), true);
});

flagTest(
  "without the database and without any flags yet, the answer is OFREP's too: GENERAL, with the key",
  async () => {
    await withoutDatabase(async () => {
      const answer = await ask({ key: "a%20b", environment: "staging" });
      const { key, errorCode } = await answer.json();

      assertEquals([answer.status, key, errorCode], [503, "a b", "GENERAL"]);
      assertEquals(/^[0-9]+$/.test(answer.headers.get("retry-after") ?? ""), true);
      const bulk = await ask({ environment: "staging" });
      assertEquals([bulk.status, (await bulk.json()).errorCode], [503, "GENERAL"]);
    });
  },
);

flagTest("what was evaluated is counted by hour, flag, reason and variant", async () => {
  const { counts } = await import("../../../supabase/functions/flag-evaluation/flags.ts");
  await counts.flush();
  await database.sql`delete from public.feature_flag_evaluations`;
  for (const key of ["shown", "shown", "half", "unknown"]) await (await ask({ key })).body?.cancel();

  await counts.flush();

  const rows = await database.sql`
    select flag_key, reason, variant, evaluation_count::integer as count from public.feature_flag_evaluations order by flag_key`;
  assertEquals([...rows], [
    { flag_key: "half", reason: "ERROR", variant: "", count: 1 },
    { flag_key: "shown", reason: "STATIC", variant: "on", count: 2 },
  ]);
});
