import { assertEquals } from "@std/assert";
import { LastKnown } from "../../../supabase/functions/config-fetch/last_known.ts";
import { outcomeOf } from "../../support/problems.ts";
import { configTest as test, get, KEYS, publishableKey, withoutApi, withoutDatabase, write } from "./server.ts";

await write({ service: "all", key: "region", value: "rw", isPublic: true });
await write({ key: "limit", value: 5 });
await write({ key: "token", value: "hush-1", isSecret: true });

for (const [what, without] of [["database", withoutDatabase], ["API", withoutApi]] as const) {
  test(`without the ${what} the last known document is told as such; with it again the next is read`, async () => {
    await (await get("payments", KEYS.svc_payments)).body?.cancel();

    await without(async () => {
      const answer = await get("payments", KEYS.svc_payments);
      const { is_stale, entries } = await answer.json();

      assertEquals([answer.headers.get("x-config-stale"), is_stale, entries.limit.value], ["true", true, 5]);
      assertEquals(entries.token.value, null);
      const asked = await outcomeOf(get("payments?include_secrets=true", KEYS.svc_payments));
      assertEquals(asked, "503 service_unavailable");
    });

    const recovered = await get("payments", KEYS.svc_payments);
    assertEquals([recovered.headers.has("x-config-stale"), (await recovered.json()).is_stale], [false, false]);
  });
}

test("nobody is told from memory what another caller has read", async () => {
  await (await get("payments?environment=staging", KEYS.svc_payments)).body?.cancel();

  await withoutApi(async () => {
    assertEquals(await outcomeOf(get("payments?environment=staging", publishableKey)), "503 service_unavailable");
    assertEquals(await outcomeOf(get("payments?environment=staging", KEYS.svc_rides)), "403 forbidden");
    assertEquals(await outcomeOf(get("payments?environment=production", KEYS.svc_payments)), "503 service_unavailable");
    assertEquals(await outcomeOf(get("payments?environment=staging", KEYS.default)), "200");
  });
});

test("names that strangers make up push no service's document out of memory", async () => {
  await (await get("payments", KEYS.svc_payments)).body?.cancel();
  for (let number = 0; number < 210; number++) {
    await (await get(`made-up-${number}`, publishableKey)).body?.cancel();
  }

  await withoutApi(async () => {
    assertEquals(await outcomeOf(get("payments", KEYS.svc_payments)), "200");
    assertEquals(await outcomeOf(get("made-up-209", publishableKey)), "200");
    assertEquals(await outcomeOf(get("made-up-0", publishableKey)), "503 service_unavailable");
  });
});

Deno.test("LastKnown keeps so many documents, those read last", () => {
  const known = new LastKnown<{ version: number }>({ documents: 2, characters: 1000 });
  known.keep("a", { version: 1 });
  known.keep("b", { version: 1 });
  known.keep("a", { version: 1 });

  known.keep("c", { version: 1 });

  assertEquals(["a", "b", "c"].map((place) => known.find(place) !== undefined), [true, false, true]);
});

Deno.test("LastKnown keeps so much text, and nothing that is more by itself", () => {
  const known = new LastKnown<{ version: number; text: string }>({ documents: 10, characters: 100 });
  const document = (length: number, version = 1) => ({ version, text: "x".repeat(length) });
  known.keep("a", document(30));
  known.keep("b", document(30));

  known.keep("a", document(40, 2));
  assertEquals([known.find("a")?.version, known.find("b")], [2, undefined]);
  known.keep("c", document(200));
  assertEquals([known.find("a")?.version, known.find("c")], [2, undefined]);
  known.keep("a", document(200, 3));
  assertEquals(known.find("a"), undefined);
  known.keep("d", document(60));
  assertEquals(known.find("d")?.version, 1);
});
