import { assertEquals } from "@std/assert";
import { createTestDatabase, rolledBack } from "../../support/database.ts";
import {
  claim,
  claimedIds,
  claimOnly,
  complete,
  enqueue,
  fail,
  graphError,
  openWindow,
  OTHER_PHONE,
  outbound,
  outcomeOf,
  passTime,
} from "./outbound.ts";

const database = await createTestDatabase();
const test = (name: string, body: Parameters<typeof rolledBack>[1]) => Deno.test(name, rolledBack(database, body));

test("a message is claimed whole, for the wire", async (sql) => {
  await openWindow(sql);
  const id = await enqueue(sql, { reply_to: "wamid.question" });

  const { request, phone_number_id } = await claimOnly(sql);

  assertEquals(phone_number_id, "100000000000001");
  assertEquals(request, {
    messaging_product: "whatsapp",
    recipient_type: "individual",
    to: "+250788000001",
    type: "text",
    text: { body: "Muraho" },
    context: { message_id: "wamid.question" },
    biz_opaque_callback_data: id,
  });
});

test("a claimed message is nobody else's", async (sql) => {
  await openWindow(sql);
  await enqueue(sql);

  await claimOnly(sql);

  assertEquals(await claim(sql), []);
});

test("a message that Meta took leaves the queue and stands in the conversation", async (sql) => {
  await openWindow(sql);
  const id = await enqueue(sql);

  const wamid = await complete(sql, await claimOnly(sql));

  const { state, message_id } = await outbound(sql, id);
  const [message] = await sql`
    select id, wamid, direction, origin, type, payload -> 'text' ->> 'body' as body from public.whatsapp_messages where direction = 'outbound'`;
  assertEquals(state, "sent");
  assertEquals(message, {
    id: message_id,
    wamid,
    direction: "outbound",
    origin: "live",
    type: "text",
    body: "Muraho",
  });
});

test("messages to one person go one after the other, in the order of enqueuing", async (sql) => {
  await openWindow(sql);
  const first = await enqueue(sql);
  const second = await enqueue(sql);

  const claims = await claim(sql);
  await complete(sql, claims[0]!);

  assertEquals(claims.map(({ id }) => id), [first]);
  assertEquals(await claimedIds(sql), [second]);
});

test("people do not wait for one another", async (sql) => {
  await openWindow(sql);
  await openWindow(sql, OTHER_PHONE);
  const ids = [await enqueue(sql), await enqueue(sql, { recipient_phone: `+${OTHER_PHONE}` })];

  assertEquals(await claimedIds(sql), ids);
});

test("a lane goes on when its head has failed for good", async (sql) => {
  await openWindow(sql);
  const first = await enqueue(sql);
  const second = await enqueue(sql);

  await fail(sql, await claimOnly(sql), graphError(131026));

  assertEquals(await outcomeOf(sql, first), "failed: recipient_unreachable");
  assertEquals(await claimedIds(sql), [second]);
});

test("a retry keeps the head of its lane, and comes after its delay", async (sql) => {
  await openWindow(sql);
  const first = await enqueue(sql);
  await enqueue(sql);

  await fail(sql, await claimOnly(sql), graphError(131000));

  assertEquals(await outcomeOf(sql, first), "waiting: retry");
  assertEquals(await claimedIds(sql), []);
  await passTime(sql, "5 seconds");
  assertEquals(await claimedIds(sql), [first]);
});
