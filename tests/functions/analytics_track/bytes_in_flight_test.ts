import { assertEquals } from "@std/assert";
import { MAX_ITEM_BYTES } from "shared/analytics/limits.ts";
import { Problem } from "shared/problem.ts";
import { BytesInFlight } from "../../../supabase/functions/analytics-track/bytes_in_flight.ts";
import { createWriteKey, database, send, storedOf, trackTest } from "./server.ts";

async function outcome(work: Promise<unknown>): Promise<string> {
  try {
    await work;
    return "done";
  } catch (error) {
    return error instanceof Problem ? `${error.status} ${error.parts.headers?.["retry-after"]}` : String(error);
  }
}

Deno.test("BytesInFlight turns away what has no room, but nothing small and nothing that is alone", async () => {
  const inFlight = new BytesInFlight(100, 10);
  const release = Promise.withResolvers<void>();
  const first = inFlight.during(150, () => release.promise);

  assertEquals(await outcome(inFlight.during(11, () => Promise.resolve())), "503 1");
  assertEquals(await outcome(inFlight.during(10, () => Promise.resolve())), "done");
  release.resolve();
  await first;
  assertEquals(await outcome(inFlight.during(100, () => Promise.resolve())), "done");
});

Deno.test("BytesInFlight makes room again when work fails", async () => {
  const inFlight = new BytesInFlight(100, 10);

  assertEquals(await outcome(inFlight.during(90, () => Promise.reject(new Error("broken")))), "Error: broken");

  const both = [inFlight.during(50, () => Promise.resolve()), inFlight.during(50, () => Promise.resolve())];
  assertEquals(await Promise.all(both.map(outcome)), ["done", "done"]);
});

/** A batch of nearly as many bytes as one may have, of 20 calls. */
function largeBatch(number: number) {
  const text = "x".repeat(MAX_ITEM_BYTES - 8_000);
  return {
    batch: Array.from({ length: 20 }, (_, index) => ({
      type: "track",
      event: "Ride",
      userId: "u1",
      messageId: `large-${number}-${index}`,
      properties: { text },
    })),
  };
}

trackTest(
  "a storm of large batches is answered 200 or 503 with Retry-After: 1, and none is lost or doubled",
  async () => {
    const key = await createWriteKey();
    const statuses = new Set<number>();
    const deliver = async (number: number) => {
      for (;;) {
        const response = await send("/v1/batch", largeBatch(number), { key: key.key });
        await response.body?.cancel();
        statuses.add(response.status);
        if (response.status === 200) return;
        assertEquals([response.status, response.headers.get("retry-after")], [503, "1"]);
      }
    };

    // Held up until all have come.
    await database.sql.begin(async (sql) => {
      await sql`lock table public.analytics_events in share row exclusive mode`;
      const turnedAway = await Promise.race(
        Array.from(
          { length: 8 },
          async (_, number) => (await send("/v1/batch", largeBatch(number), { key: key.key })).status,
        ),
      );
      assertEquals(turnedAway, 503);
    });
    await Promise.all(Array.from({ length: 8 }, (_, number) => deliver(number)));

    assertEquals(statuses.has(200), true);
    assertEquals((await storedOf(key)).length, 8 * 20);
  },
);
