import { assertEquals } from "@std/assert";
import { createTestDatabase, rolledBack, sqlStateOf } from "../../support/database.ts";
import {
  bytesOf,
  change,
  inbox,
  messages,
  NUMBER,
  secondsAgo,
  status,
  statuses,
  text,
} from "../../support/deliveries.ts";
import { ingest, outcomesOf } from "../../support/ingest.ts";

const DAY = 86_400;
const database = await createTestDatabase();
const test = (name: string, body: Parameters<typeof rolledBack>[1]) => Deno.test(name, rolledBack(database, body));

test("the same bytes again are a copy: counted, not journaled or stored twice", async (sql) => {
  const body = messages(text());
  const first = await ingest(sql, body);

  const again = await ingest(sql, body);

  assertEquals([again.delivery_id, again.is_copy], [first.delivery_id, true]);
  const [row] = await sql`select copy_count, stored_count from public.whatsapp_delivery_outcomes`;
  assertEquals([row!.copy_count, row!.stored_count], [2, 1]);
});

test("an item that names no number of ours is unroutable, and the rest is stored", async (sql) => {
  const nowhere = { messages: [text()], statuses: [status("wamid.x", "sent")] };
  const body = change("messages", nowhere);

  const { delivery_id } = await ingest(sql, body);

  assertEquals(await outcomesOf(sql, delivery_id), ["unroutable", "unroutable"]);
});

test("one bad item is a dead letter with its reason and holds nobody back", async (sql) => {
  const { delivery_id } = await ingest(
    sql,
    messages(text(), null, text({ id: "" }), text({ timestamp: "soon" }), text()),
  );

  assertEquals(await outcomesOf(sql, delivery_id), [
    "stored",
    "dead_letter: not_an_object",
    "dead_letter: invalid_id",
    "dead_letter: invalid_timestamp",
    "stored",
  ]);
});

test("an item that the tables refuse is a dead letter with its SQLSTATE, and a replay stores it once mended", async (sql) => {
  await sql`alter table public.whatsapp_messages add constraint no_stickers check (type <> 'sticker')`;
  const { delivery_id } = await ingest(sql, messages(text(), text({ id: "wamid.sticker", type: "sticker" }), text()));
  const before = await outcomesOf(sql, delivery_id);
  await sql`alter table public.whatsapp_messages drop constraint no_stickers`;

  const [replayed] = await sql`select * from public.replay_whatsapp_delivery(${delivery_id})`;

  assertEquals(before, ["stored", "dead_letter: 23514", "stored"]);
  assertEquals([replayed!.item_count, replayed!.stored_count], [3, 3]);
  assertEquals(await outcomesOf(sql, delivery_id), ["stored", "stored", "stored"]);
  assertEquals((await sql`select from public.whatsapp_messages`).length, 3);
});

test("a replay of what is settled changes nothing", async (sql) => {
  const { delivery_id } = await ingest(sql, messages(text(), text()));
  const before = await sql`select * from public.whatsapp_delivery_items order by id`;

  await sql`select public.replay_whatsapp_delivery(${delivery_id})`;

  assertEquals([...await sql`select * from public.whatsapp_delivery_items order by id`], [...before]);
  assertEquals((await sql`select from public.whatsapp_messages`).length, 2);
});

test("a range of deliveries is replayed, only those with something unsettled", async (sql) => {
  await sql`alter table public.whatsapp_messages add constraint nothing check (type <> 'text')`;
  for (let count = 0; count < 3; count++) await ingest(sql, messages(text()));
  await sql`alter table public.whatsapp_messages drop constraint nothing`;
  await ingest(sql, messages(text()));

  const rows = await sql`
    select * from public.replay_whatsapp_deliveries(now() - interval '1 hour', now() + interval '1 hour')`;

  assertEquals(rows.map((row) => row.stored_count), [1, 1, 1]);
  assertEquals((await sql`select from public.whatsapp_messages`).length, 4);
});

test("replaying an unknown delivery, or too many, is refused", async (sql) => {
  assertEquals(
    await sqlStateOf(sql, (inner) => inner`select public.replay_whatsapp_delivery(gen_random_uuid())`),
    "PGRST",
  );
  assertEquals(
    await sqlStateOf(sql, (inner) => inner`select public.replay_whatsapp_deliveries(now(), now(), 10001)`),
    "PGRST",
  );
});

test("an item older than the keys is stale: journaled, without effect", async (sql) => {
  const { delivery_id } = await ingest(
    sql,
    messages(text({ timestamp: secondsAgo(36 * DAY) }), text({ timestamp: secondsAgo(34 * DAY) })),
  );

  assertEquals(await outcomesOf(sql, delivery_id), ["stale", "stored"]);
});

test("keys are purged only when their items would be stale", async (sql) => {
  await ingest(sql, messages(text({ timestamp: secondsAgo(34 * DAY) }), text()));
  await ingest(sql, statuses(status("wamid.s", "sent")));

  const purged = await sql`select private.purge_whatsapp_keys() as count`;
  await sql`update public.whatsapp_message_keys set kept_until = now() - interval '1 second'`;
  const later = await sql`select private.purge_whatsapp_keys() as count`;

  assertEquals([Number(purged[0]!.count), Number(later[0]!.count)], [0, 3]);
});

test("history never takes the place of a live message, and a live one takes that of history, as do media of a placeholder", async (sql) => {
  const old = (type: string) => ({ id: "wamid.h", from: "250788000001", timestamp: secondsAgo(90 * DAY), type });
  const history = (message: unknown) =>
    change(
      "history",
      inbox({ history: [{ metadata: { phase: 0 }, threads: [{ id: "250788000001", messages: [message] }] }] }),
    );
  const type = async () => (await sql`select type, origin, id from public.whatsapp_messages`)[0]!;

  await ingest(sql, history(old("media_placeholder")));
  const placeholder = await type();
  await ingest(sql, change("history", inbox({ messages: [old("image")] })));
  const media = await type();
  await ingest(sql, history(old("media_placeholder")));
  const still = await type();
  await ingest(sql, messages(text({ id: "wamid.h" })));
  const live = await type();
  await ingest(sql, history(old("video")));
  const end = await type();

  assertEquals([placeholder, media, still, live, end].map((row) => row.type), [
    "media_placeholder",
    "image",
    "image",
    "text",
    "text",
  ]);
  assertEquals([placeholder.origin, live.origin], ["history", "live"]);
  assertEquals(new Set([placeholder, media, still, live, end].map((row) => row.id)).size, 1);
});

test("a standby copy is kept as such", async (sql) => {
  await ingest(sql, change("standby", inbox({ messages: [text()] })));

  const [row] = await sql`select origin from public.whatsapp_messages`;
  assertEquals(row!.origin, "standby");
});

test("account, template and call events are stored with their field and time", async (sql) => {
  const call = { id: "wacid.1", event: "connect", timestamp: secondsAgo(), from: "250788000001" };
  await ingest(sql, change("calls", inbox({ calls: [call] })));
  await ingest(sql, change("message_template_status_update", { event: "PAUSED" }, { time: Number(secondsAgo(5)) }));
  await ingest(sql, change("brand_new_field", { anything: 1 }));

  const rows = await sql`
    select field, collection, is_known, phone_number_id, occurred_at is not null as is_dated from public.whatsapp_events order by id`;
  assertEquals(rows.map((row) => Object.values(row)), [
    ["calls", "calls", true, NUMBER, true],
    ["message_template_status_update", null, true, null, true],
    ["brand_new_field", null, false, null, false],
  ]);
});

test("the view proves for every delivery that what went in came out", async (sql) => {
  for (
    const body of [
      messages(text(), null),
      bytesOf("?"),
      change("messages", {}),
      statuses(status("w", "sent"), status("w", "sent")),
    ]
  ) {
    await ingest(sql, body);
  }

  const rows = await sql`select * from public.whatsapp_delivery_outcomes order by delivery_id`;

  assertEquals(
    rows.map((row) => [row.item_count, row.stored_count, row.duplicate_count, row.dead_letter_count, row.is_whole]),
    [
      [2, 1, 0, 1, true],
      [1, 0, 0, 1, true],
      [1, 1, 0, 0, true],
      [2, 1, 1, 0, true],
    ],
  );
});
