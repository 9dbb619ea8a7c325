import { assertEquals } from "@std/assert";
import { createTestDatabase, rolledBack } from "../../support/database.ts";
import { messages, text } from "../../support/deliveries.ts";
import { ingest } from "../../support/ingest.ts";
import {
  claimOnly,
  complete,
  enqueue,
  enqueueTemplate,
  fail,
  graphError,
  openWindow,
  outbound,
  outcomeOf,
  passTime,
  report,
  template,
} from "./outbound.ts";

const database = await createTestDatabase();
const test = (name: string, body: Parameters<typeof rolledBack>[1]) => Deno.test(name, rolledBack(database, body));

/** What is to become of a first attempt, and what is paused: by Meta's page of error codes, not by our table. */
const CODES: [outcome: string, pauses: string | undefined, codes: number[]][] = [
  ["waiting: retry", "account", [4, 80007]],
  ["waiting: retry", "number", [130429, 131057]],
  ["waiting: retry", undefined, [1, 2, 131000, 131016, 133004]],
  ["waiting: pair_limit", undefined, [131056]],
  ["failed: spam_limited", "number", [131048]],
  ["failed: window_closed", undefined, [131047]],
  ["failed: marketing_limited", undefined, [131049]],
  ["failed: recipient_opted_out", undefined, [131050]],
  ["failed: recipient_unreachable", undefined, [131026, 131021, 130472, 130403, 131030, 130497]],
  ["failed: message_rejected", undefined, [131051, 131052, 131053, 131008, 131009, 100, 33, 135000]],
  [
    "failed: template_rejected",
    undefined,
    [132000, 132001, 132005, 132007, 132008, 132012, 132018, 132068, 132069],
  ],
  ["ready", "template", [132015, 134101]],
  ["failed: template_disabled", "template", [132016]],
  ["ready", "number", [0, 190, 3, 10, 200, 250, 299, 131005, 131037, 131045, 133000, 133006, 133010, 133015, 133016]],
  ["ready", "account", [368, 131031, 131042, 131064]],
];

for (const [outcome, pauses, codes] of CODES) {
  for (const code of codes) {
    test(`${code}: ${outcome}${pauses ? `, pauses the ${pauses}` : ""}`, async (sql) => {
      await openWindow(sql);
      const id = await enqueueTemplate(sql);

      await fail(sql, await claimOnly(sql), graphError(code));

      const circuits = await sql<{ scope: string }[]>`select scope from public.whatsapp_circuits`;
      assertEquals([await outcomeOf(sql, id), circuits[0]?.scope], [outcome, pauses]);
    });
  }
}

test("what is not listed is judged by its class", async (sql) => {
  await openWindow(sql);
  const outcomes = [];
  for (
    const error of [graphError(999, { http_status: 429 }), graphError(999, { is_transient: true }), graphError(999)]
  ) {
    const id = await enqueue(sql, { ordering: "none" });
    await fail(sql, await claimOnly(sql), error);
    outcomes.push(await outcomeOf(sql, id));
  }
  const id = await enqueue(sql, { ordering: "none" });
  await fail(sql, await claimOnly(sql), graphError(999, { http_status: 401 }));

  const circuits = await sql`select scope from public.whatsapp_circuits`;
  assertEquals(outcomes, ["waiting: retry", "waiting: retry", "failed: message_rejected"]);
  assertEquals([await outcomeOf(sql, id), circuits.length], ["ready", 1]);
});

test("an error without a code, or with one that is no number, is a rejection", async (sql) => {
  await openWindow(sql);
  for (const error of [{ kind: "graph_error", http_status: 400 }, { kind: "graph_error", code: "oauth" }]) {
    const id = await enqueue(sql, { ordering: "none" });

    await fail(sql, await claimOnly(sql), error);

    assertEquals(await outcomeOf(sql, id), "failed: message_rejected");
  }
});

test("retries double their delay, and end with the attempts", async (sql) => {
  await openWindow(sql);
  const id = await enqueue(sql, { max_attempts: 3 });

  const delays = [];
  for (let attempt = 1; attempt <= 3; attempt++) {
    const { due_at } = await fail(sql, await claimOnly(sql), graphError(131000));
    const [{ now }] = await sql<[{ now: Date }]>`select now()`;
    if (due_at) delays.push((due_at.getTime() - now.getTime()) / 1000);
    await passTime(sql, "10 seconds");
  }

  assertEquals(delays.map((seconds, at) => seconds >= 2 ** at && seconds <= 2 ** (at + 1)), [true, true]);
  assertEquals(await outcomeOf(sql, id), "failed: attempts_exhausted");
});

test("Meta's Retry-After is kept to", async (sql) => {
  await openWindow(sql);
  await enqueue(sql);

  const { due_at } = await fail(sql, await claimOnly(sql), graphError(131000, { retry_after: 300 }));

  const [{ now }] = await sql<[{ now: Date }]>`select now()`;
  assertEquals(due_at!.getTime() - now.getTime() >= 300_000, true);
});

test("131050 is kept as the person's word", async (sql) => {
  await openWindow(sql);
  await ingest(sql, messages(text({ text: { body: "START" } })));
  await enqueueTemplate(sql, { category: "marketing" });
  await fail(sql, await claimOnly(sql), graphError(131050));
  await passTime(sql, "1 second");

  const id = await enqueueTemplate(sql, { category: "marketing" });
  await sql`select public.claim_whatsapp_messages(10)`;

  assertEquals(await outcomeOf(sql, id), "failed: recipient_opted_out");
});

test("131062: again to the phone, if there is one", async (sql) => {
  await openWindow(sql, undefined, { from_user_id: "RW.1" });
  await enqueueTemplate(sql, { recipient_user_id: "RW.1" });
  await fail(sql, await claimOnly(sql), graphError(131062));

  const { id, request } = await claimOnly(sql);
  await fail(sql, { id, request, lease_token: "2" } as never, graphError(131062));

  assertEquals([request.to, request.recipient], ["+250788000001", undefined]);
  assertEquals(await outcomeOf(sql, id), "failed: recipient_unreachable");
});

test("a failed status is dealt with as the same code's answer is", async (sql) => {
  await openWindow(sql);
  const again = await enqueue(sql);
  const wamid = await complete(sql, await claimOnly(sql));

  await report(sql, again, wamid, "failed", { errors: [{ code: 131000, title: "Something went wrong" }] });

  const { last_error, attempt_count } = await outbound(sql, again);
  assertEquals([await outcomeOf(sql, again), last_error!.code, attempt_count], ["waiting: retry", 131000, 1]);
});

test("a failed status without a reason fails the message", async (sql) => {
  await openWindow(sql);
  const id = await enqueue(sql);
  const wamid = await complete(sql, await claimOnly(sql));

  await report(sql, id, wamid, "failed");

  assertEquals(await outcomeOf(sql, id), "failed: message_rejected");
});

test("a failure that comes late, after the message arrived, is passed over", async (sql) => {
  await openWindow(sql);
  const id = await enqueue(sql);
  const wamid = await complete(sql, await claimOnly(sql));
  await report(sql, id, wamid, "delivered");

  await report(sql, id, wamid, "failed", { errors: [{ code: 131000 }] });

  assertEquals(await outcomeOf(sql, id), "sent");
});

test("an arrival that comes late, after the message failed, counts", async (sql) => {
  await openWindow(sql);
  const id = await enqueue(sql);
  const wamid = await complete(sql, await claimOnly(sql));
  await report(sql, id, wamid, "failed", { errors: [{ code: 131026 }] });
  const before = await outcomeOf(sql, id);

  await report(sql, id, wamid, "read");

  assertEquals([before, await outcomeOf(sql, id)], ["failed: recipient_unreachable", "sent"]);
});

test("a failed status of a message that is of no use any more does not bring it back", async (sql) => {
  await openWindow(sql);
  const id = await enqueue(sql);
  const wamid = await complete(sql, await claimOnly(sql));
  await sql`update public.whatsapp_message_queue_history set created_at = now() - interval '1 day', expires_at = now()`;

  await report(sql, id, wamid, "failed", { errors: [{ code: 131000 }] });

  assertEquals(await outcomeOf(sql, id), "failed: expired");
});

test("a message that failed after its time names Meta's reason, if that is one", async (sql) => {
  const id = await enqueueTemplate(sql, { message_payload: { template: template("other") } });
  const wamid = await complete(sql, await claimOnly(sql));
  await sql`update public.whatsapp_message_queue_history set created_at = now() - interval '1 day', expires_at = now()`;

  await report(sql, id, wamid, "failed", { errors: [{ code: 131026 }] });

  assertEquals(await outcomeOf(sql, id), "failed: recipient_unreachable");
});
