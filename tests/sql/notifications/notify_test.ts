import { assertEquals } from "@std/assert";
import type { TransactionSql } from "postgres";
import { connect } from "../../../scripts/stack/connection.ts";
import { createTestDatabase, rolledBack } from "../../support/database.ts";
import { asUser, createUser } from "../foundation/people.ts";
import { refusalOf } from "../events/events.ts";
import { claim, complete, createPerson, makeDue, notify, stateOf } from "./notifications.ts";

const database = await createTestDatabase();
const test = (name: string, body: Parameters<typeof rolledBack>[1]) => Deno.test(name, rolledBack(database, body));

/** Words for the template `receipt`. */
async function words(sql: TransactionSql, ...rows: [channel: string, locale: string, body: string][]): Promise<void> {
  for (const [channel, locale, body] of rows) {
    await sql`insert into public.notification_templates (name, channel, locale, title, body)
      values ('receipt', ${channel}, ${locale}, ${`${locale} {{amount}}`}, ${body})`;
  }
}

const receipt = { template: "receipt", parameters: { amount: "700 RWF" }, channels: ["sms"] };

test("notify() speaks the person's language, else English, and the inbox keeps the words", async (sql) => {
  await words(sql, ["inbox", "en", "Paid {{amount}}"], ["inbox", "rw", "Wishyuwe {{amount}}"]);
  const [aline, jean] = [await createPerson(sql), await createPerson(sql, { phone: "+250788000002", locale: "fr" })];

  await notify(sql, aline, receipt);
  await notify(sql, jean, receipt);

  const rows = await sql`select locale, title, body from public.notifications order by id`;
  assertEquals(rows.map((row) => Object.values(row)), [
    ["rw", "rw 700 RWF", "Wishyuwe 700 RWF"],
    ["fr", "en 700 RWF", "Paid 700 RWF"],
  ]);
});

for (
  const [asked, kept] of [["sw-KE", "sw"], ["en-GB", "en-GB"], ["en-US", "en"], ["fr", "en"]] as const
) {
  test(`a template in en, en-GB and sw answers ${asked} in ${kept}`, async (sql) => {
    await words(sql, ["inbox", "en", "x"], ["inbox", "en-GB", "x"], ["inbox", "sw", "x"]);

    const [row] = await sql`select locale from private.notification_template('receipt', 'sms', ${asked})`;

    assertEquals(row!.locale, kept);
  });
}

test("a channel has its own words where there are some in the language, else those of the inbox", async (sql) => {
  await words(sql, ["inbox", "rw", "Wishyuwe {{amount}}"], ["sms", "rw", "{{ amount }} kuri telefoni"], [
    "sms",
    "en",
    "x",
  ]);
  await notify(sql, await createPerson(sql), receipt);

  const [claimed] = await claim(sql);

  assertEquals(claimed!.body, "700 RWF kuri telefoni");
});

test("a parameter's value is never read as a template", async (sql) => {
  await words(sql, ["inbox", "rw", "{{amount}}: {{payer}}"]);
  await notify(sql, await createPerson(sql), {
    ...receipt,
    parameters: { amount: "{{payer}} \\1 $&", payer: "Jean\n{{amount}}" },
  });

  const [claimed] = await claim(sql);

  assertEquals(claimed!.body, "{{payer}} \\1 $&: Jean\n{{amount}}");
});

test("the same key gives the first answer, and another request under it is refused", async (sql) => {
  const person = await createPerson(sql);
  const first = await notify(sql, person, { idempotency_key: "fare-1" });
  const again = await notify(sql, person, { idempotency_key: "fare-1" });

  const [code] = await refusalOf(sql, (inner) => notify(inner, person, { idempotency_key: "fare-1", body: "Other" }));

  assertEquals(again, { ...first, is_duplicate: true });
  assertEquals([code, (await sql`select from public.notification_deliveries`).length], ["idempotency_key_reused", 1]);
});

test("fifty callers with one key make one notification", async () => {
  const sql = connect(database.url, { max: 10 });
  const person = await createPerson(sql, { phone: "+250788000050" });

  const answers = await Promise.all(Array.from({ length: 50 }, () => notify(sql, person, { idempotency_key: "race" })));

  await sql.end();

  assertEquals(new Set(answers.map(({ notification_id }) => notification_id)).size, 1);
  assertEquals(answers.filter(({ is_duplicate }) => !is_duplicate).length, 1);
});

test("a channel that the person has turned off is left out, unless it is critical", async (sql) => {
  const user = await createUser(sql);
  const person = await createPerson(sql);
  await sql`update public.profiles set user_id = ${user} where id = ${person}`;
  await asUser(sql, user, (sql) => sql`select public.set_notification_preference('payment', 'sms', false)`);

  const usual = await notify(sql, person, { channels: ["sms"] });
  const other = await notify(sql, person, { channels: ["sms"], category: "trip" });
  const critical = await notify(sql, person, { channels: ["sms"], is_critical: true });

  assertEquals([usual.state, other.state, critical.state], ["not_sent", "waiting", "waiting"]);
  assertEquals((await stateOf(sql, usual))[1], { inbox: { state: "kept", reason: "unwanted" } });
});

test("notifications of a digest go out as one message, at its time", async (sql) => {
  const person = await createPerson(sql);
  const sent = [];
  for (const title of ["One", "Two", "Three"]) {
    sent.push(await notify(sql, person, { category: "service", channels: ["sms"], title, body: "-" }));
  }
  assertEquals(await claim(sql), []);
  await makeDue(sql);

  const [digest, ...others] = await claim(sql);
  await complete(sql, digest!);

  assertEquals([others, digest!.title], [[], "Ubutumwa bushya 3"]);
  assertEquals(digest!.body, "Ufite ubutumwa bushya 3:\n- One\n- Two\n- Three");
  for (const each of sent) assertEquals((await stateOf(sql, each))[0], "sent");
});

test("a digest of more than ten names ten, and one that comes while it is sent waits for the next", async (sql) => {
  const person = await createPerson(sql);
  for (let n = 1; n <= 12; n++) {
    await notify(sql, person, { category: "service", channels: ["sms"], title: `N${n}` });
  }
  await makeDue(sql);

  const [digest] = await claim(sql);
  await notify(sql, person, { category: "service", channels: ["sms"], title: "late" });

  assertEquals([digest!.title, digest!.body.split("\n").length, digest!.body.endsWith("- N10\n...")], [
    "Ubutumwa bushya 12",
    12,
    true,
  ]);
  assertEquals((await sql`select from public.notification_deliveries where state = 'collecting'`).length, 1);
});

test("what is critical or expires does not wait for a digest", async (sql) => {
  const person = await createPerson(sql);
  const soon = new Date(Date.now() + 60_000);
  await notify(sql, person, { category: "service", channels: ["sms"], is_critical: true });
  await notify(sql, person, { category: "service", channels: ["sms"], expires_at: soon });

  assertEquals((await claim(sql)).length, 2);
});

test("a notification for later is in the inbox now and goes out then", async (sql) => {
  const later = new Date(Date.now() + 3_600_000);
  const notified = await notify(sql, await createPerson(sql), { channels: ["sms"], scheduled_at: later });

  assertEquals([notified.scheduled_at, await claim(sql)], [later, []]);
});

test("a user is as good as a profile", async (sql) => {
  const user = await createUser(sql);
  const person = await createPerson(sql);
  await sql`update public.profiles set user_id = ${user} where id = ${person}`;

  const notified = await notify(sql, person, { user_id: user, profile_id: null });

  const [row] = await sql`select profile_id from public.notifications where id = ${notified.notification_id}`;
  assertEquals(row!.profile_id, person);
});

for (
  const [argument, fields] of [
    ["category", { category: "gossip" }],
    ["template", { body: null }],
    ["template", { template: "receipt", body: "Both" }],
    ["template", { template: "unheard_of", body: null }],
    ["parameters", { ...receipt, body: null, parameters: {} }],
    ["title", { ...receipt, body: null, title: "T" }],
    ["title", { title: "x".repeat(201) }],
    ["body", { body: "" }],
    ["body", { body: "x".repeat(4001) }],
    ["data", { data: [1] }],
    ["priority", { priority: 10 }],
    ["idempotency_key", { idempotency_key: "" }],
    ["locale", { locale: "Kinyarwanda" }],
    ["channels", { channels: ["inbox"] }],
    ["channels", { channels: [] }],
    ["expires_at", { expires_at: new Date(0) }],
    ["user_id", { user_id: crypto.randomUUID() }],
    ["user_id", { profile_id: null }],
  ] as const
) {
  test(`notify() refuses ${JSON.stringify(fields).slice(0, 60)} for its ${argument}`, async (sql) => {
    await words(sql, ["inbox", "rw", "Wishyuwe {{amount}}"]);
    const person = await createPerson(sql);

    const [code, details] = await refusalOf(sql, (inner) => notify(inner, person, fields as Record<string, unknown>));

    assertEquals([code, (details as { argument: string }).argument], ["invalid_argument", argument]);
  });
}

test("notify() refuses a person whom nobody knows", async (sql) => {
  const [code] = await refusalOf(sql, (inner) => notify(inner, crypto.randomUUID()));

  assertEquals(code, "profile_not_found");
});
