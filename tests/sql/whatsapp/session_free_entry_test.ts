import { assertEquals } from "@std/assert";
import { createTestDatabase, rolledBack } from "../../support/database.ts";
import { messages, secondsAgo, statuses } from "../../support/deliveries.ts";
import { ingest } from "../../support/ingest.ts";
import { act, echoes, freeStatus, HOUR, onlySession, referred, timeOf } from "./sessions.ts";

const database = await createTestDatabase();
const test = (name: string, body: Parameters<typeof rolledBack>[1]) => Deno.test(name, rolledBack(database, body));

const AT = secondsAgo(2 * HOUR);

for (
  const [hours, expected] of [[0, 72 * HOUR], [23, 72 * HOUR], [24, null], [-1, null]] as const
) {
  test(`a referred message answered after ${hours} hours is ${expected ? "" : "not "}free for 72`, async (sql) => {
    const asked = secondsAgo(30 * HOUR);
    await ingest(sql, messages(referred({ timestamp: asked })));

    await ingest(sql, echoes({ timestamp: String(Number(asked) + hours * HOUR) }));

    assertEquals((await onlySession(sql)).free_entry_expires_at, expected && timeOf(asked, expected));
  });
}

test("an answer that the worker notes opens the free entry window too", async (sql) => {
  await ingest(sql, messages(referred({ timestamp: AT })));
  const { contact_id } = await onlySession(sql);

  const session = await act(sql, contact_id, { outboundAt: new Date() });

  assertEquals(session.free_entry_expires_at, timeOf(AT, 72 * HOUR));
});

test("Meta's word on the free entry window counts, if it is later", async (sql) => {
  await ingest(sql, messages(referred({ timestamp: AT })));
  await ingest(sql, echoes());
  const until = secondsAgo(-72 * HOUR);

  await ingest(sql, statuses(freeStatus(until), freeStatus(secondsAgo(-HOUR))));

  assertEquals((await onlySession(sql)).free_entry_expires_at, timeOf(until));
});
