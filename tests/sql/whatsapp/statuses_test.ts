import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { createTestDatabase, rolledBack } from "../../support/database.ts";
import { change, inbox, messages, NUMBER, secondsAgo, status, statuses, text } from "../../support/deliveries.ts";
import { ingest, outcomesOf } from "../../support/ingest.ts";

const database = await createTestDatabase();
const test = (name: string, body: Parameters<typeof rolledBack>[1]) => Deno.test(name, rolledBack(database, body));

for (
  const [order, expected] of [
    [["read", "delivered", "sent"], "read"],
    [["read"], "read"],
    [["played", "read"], "played"],
    [["sent", "failed"], "failed"],
    [["failed", "sent"], "failed"],
    [["failed", "delivered"], "delivered"],
    [["delivered", "failed"], "delivered"],
  ] as const
) {
  test(`statuses ${order.join(", ")} end at ${expected}`, async (sql) => {
    for (const name of order) await ingest(sql, statuses(status("wamid.1", name)));

    const [row] = await sql`select status, failed_at from public.whatsapp_message_statuses`;
    assertEquals(row!.status, expected);
    assertEquals(row!.failed_at !== null, order.includes("failed" as never));
  });
}

test("a message's status is the same whatever the order, the batches and the repetitions", async (sql) => {
  const names = ["sent", "delivered", "read", "played", "failed"];
  const scene = fc.array(fc.record({ name: fc.constantFrom(...names), at: fc.integer({ min: 0, max: 50 }) }), {
    minLength: 1,
    maxLength: 6,
  });
  let number = 0;

  await fc.assert(
    fc.asyncProperty(
      fc.uniqueArray(fc.constantFrom(...names), { minLength: 1 }),
      scene,
      fc.boolean(),
      async (set, noise, asBatch) => {
        const id = `wamid.${number++}`;
        const firsts = set.map((name, index) => status(id, name, { timestamp: secondsAgo(100 - index) }));
        const again = noise.filter(({ name }) => set.includes(name)).map(({ name }) => firsts[set.indexOf(name)]!);
        const all = [...firsts, ...again];
        if (asBatch) await ingest(sql, statuses(...all.toReversed()));
        else for (const one of all.toReversed()) await ingest(sql, statuses(one));

        const rows = await sql`select status, observed from public.whatsapp_message_statuses where wamid = ${id}`;
        assertEquals(rows.length, 1);
        const highest = ["played", "read", "delivered", "failed", "sent"].find((name) => set.includes(name));
        assertEquals(rows[0]!.status, highest);
        assertEquals(rows[0]!.observed, Object.fromEntries(firsts.map((one) => [one.status, one])));
      },
    ),
    { numRuns: 60 },
  );
});

test("in a group each participant has a status of its own", async (sql) => {
  const participants = ["250788000002", "250788000003"];

  const { delivery_id } = await ingest(
    sql,
    statuses(
      ...participants.map((id) =>
        status("wamid.g", "delivered", { recipient_type: "group", recipient_participant_id: id })
      ),
      status("wamid.g", "read", { recipient_type: "group", participant_recipient_id: participants[0] }),
    ),
  );

  assertEquals(await outcomesOf(sql, delivery_id), ["stored", "stored", "stored"]);
  const rows = await sql`select participant, status from public.whatsapp_message_statuses order by participant`;
  assertEquals(rows.map((row) => [row.participant, row.status]), [[participants[0], "read"], [
    participants[1],
    "delivered",
  ]]);
});

test("pricing and errors of every status are kept as they came", async (sql) => {
  const pricing = { billable: true, pricing_model: "PMP", type: "regular", category: "utility" };
  const errors = [{ code: 131026, title: "Message undeliverable" }];

  await ingest(sql, statuses(status("wamid.p", "sent", { pricing }), status("wamid.p", "failed", { errors })));

  const [row] = await sql`select observed from public.whatsapp_message_statuses`;
  assertEquals([row!.observed.sent.pricing, row!.observed.failed.errors], [pricing, errors]);
});

test("a status that comes before its message is kept and joined when the message comes", async (sql) => {
  const echo = { ...text({ id: "wamid.echo", from: "250788000000", to: "250788000001" }) };
  await ingest(sql, statuses(status("wamid.echo", "delivered")));
  const [orphan] = await sql`select message_id from public.whatsapp_message_statuses`;

  await ingest(sql, change("smb_message_echoes", inbox({ message_echoes: [echo] })));

  const [joined] = await sql`
    select message.wamid, message.direction from public.whatsapp_message_statuses as status
    join public.whatsapp_messages as message on message.id = status.message_id`;
  assertEquals(orphan!.message_id, null);
  assertEquals([joined!.wamid, joined!.direction], ["wamid.echo", "outbound"]);
});

test("a status that comes after its message is joined at once", async (sql) => {
  const echo = text({ id: "wamid.echo", from: "250788000000", to: "250788000001" });
  await ingest(sql, change("smb_message_echoes", inbox({ message_echoes: [echo] })));

  await ingest(sql, statuses(status("wamid.echo", "delivered")));

  const [row] = await sql`
    select status.message_id = message.id as is_joined
    from public.whatsapp_message_statuses as status, public.whatsapp_messages as message`;
  assertEquals(row!.is_joined, true);
});

test("the same message id at two of our numbers is two messages", async (sql) => {
  const other = {
    ...inbox({ messages: [text({ id: "wamid.same" })] }),
    metadata: { phone_number_id: "100000000000002" },
  };
  await ingest(sql, messages(text({ id: "wamid.same" })));

  const { delivery_id } = await ingest(sql, change("messages", other));

  assertEquals(await outcomesOf(sql, delivery_id), ["stored"]);
  const rows = await sql`select phone_number_id from public.whatsapp_numbers order by 1`;
  assertEquals(rows.map((row) => row.phone_number_id), [NUMBER, "100000000000002"]);
});

test("a status that nobody has described yet is stored as unknown", async (sql) => {
  const { delivery_id } = await ingest(sql, statuses(status("wamid.w", "warned")));

  assertEquals(await outcomesOf(sql, delivery_id), ["stored"]);
  const [row] = await sql`select is_known, collection, payload ->> 'status' as status from public.whatsapp_events`;
  assertEquals([row!.is_known, row!.collection, row!.status], [false, "statuses", "warned"]);
});
