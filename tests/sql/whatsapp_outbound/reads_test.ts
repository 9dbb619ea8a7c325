import { assertEquals } from "@std/assert";
import { createTestDatabase, rolledBack } from "../../support/database.ts";
import { messages, NUMBER, text } from "../../support/deliveries.ts";
import { ingest } from "../../support/ingest.ts";
import { refusalOf } from "../whatsapp/sessions.ts";
import { claimOnly, enqueue, fail, graphError } from "./outbound.ts";

type Transaction = Parameters<typeof ingest>[0];

const database = await createTestDatabase();
const test = (name: string, body: Parameters<typeof rolledBack>[1]) => Deno.test(name, rolledBack(database, body));

test("a message is shown as read once, however often that is asked", async (sql) => {
  const [id] = await receive(sql, "wamid.1");
  await read(sql, id!);
  await read(sql, id!, true);

  assertEquals(await claimReads(sql), [{ phone_number_id: NUMBER, wamid: "wamid.1", is_typing: true }]);
  assertEquals(await claimReads(sql), []);
});

test("of one conversation the latest is enough, whatever order they are enqueued in", async (sql) => {
  const [first, second] = await receive(sql, "wamid.1", "wamid.2");
  await read(sql, second!);
  await read(sql, first!);

  assertEquals((await claimReads(sql)).map(({ wamid }) => wamid), ["wamid.2"]);
});

test("typing is not shown late, and reads of an hour ago not at all", async (sql) => {
  const [id] = await receive(sql, "wamid.1");
  await read(sql, id!, true);
  await sql`update private.whatsapp_reads set enqueued_at = now() - interval '21 seconds'`;
  const late = await claimReads(sql);
  await read(sql, id!);
  await sql`update private.whatsapp_reads set enqueued_at = now() - interval '61 minutes'`;

  assertEquals([late.map(({ is_typing }) => is_typing), await claimReads(sql)], [[false], []]);
});

test("a paused number shows nothing as read", async (sql) => {
  const [id] = await receive(sql, "wamid.1");
  await enqueue(sql);
  await fail(sql, await claimOnly(sql), graphError(190));

  await read(sql, id!);

  assertEquals(await claimReads(sql), []);
});

test("only what came in can be shown as read", async (sql) => {
  const refusal = await refusalOf(sql, (inner) => read(inner, crypto.randomUUID()));

  assertEquals(refusal[0], "whatsapp_message_not_found");
});

async function receive(sql: Transaction, ...wamids: string[]): Promise<string[]> {
  for (const id of wamids) await ingest(sql, messages(text({ id })));
  return (await sql<{ id: string }[]>`select id from public.whatsapp_messages order by wamid`).map(({ id }) => id);
}

async function read(sql: Transaction, id: string, typing = false): Promise<void> {
  await sql`select public.enqueue_whatsapp_read(${id}, ${typing})`;
}

async function claimReads(sql: Transaction): Promise<Record<string, unknown>[]> {
  return [...await sql`select phone_number_id, wamid, is_typing from public.claim_whatsapp_reads(10)`];
}
