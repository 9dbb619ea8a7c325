import { assertEquals } from "@std/assert";
import type { TransactionSql } from "postgres";
import { createTestDatabase, rolledBack, sqlStateOf } from "../../support/database.ts";
import { asUser, createUser } from "../foundation/people.ts";
import { refusalOf } from "../events/events.ts";
import { createPerson, notify } from "./notifications.ts";

const database = await createTestDatabase();
const test = (name: string, body: Parameters<typeof rolledBack>[1]) => Deno.test(name, rolledBack(database, body));

const EXPO = { token: "ExponentPushToken[xxxxxxxxxxxxxxxxxxxxxx]" };
const FORBIDDEN = "42501";

/** Somebody who can sign in, and is told things. */
async function signedIn(sql: TransactionSql, phone: string): Promise<{ user: string; person: string }> {
  const user = await createUser(sql);
  const person = await createPerson(sql, { phone });
  await sql`update public.profiles set user_id = ${user} where id = ${person}`;
  return { user, person };
}

function inbox(
  sql: TransactionSql,
  user: string,
  args = "",
): Promise<{ id: string; body: string; read_at: Date | null }[]> {
  return asUser(
    sql,
    user,
    async (sql) => [...await sql.unsafe(`select * from public.list_notifications(${args})`)],
  ) as never;
}

test("people see their own inbox, by function and by table, and nobody else's", async (sql) => {
  const [aline, jean] = [await signedIn(sql, "+250788000001"), await signedIn(sql, "+250788000002")];
  await notify(sql, aline.person, { body: "For Aline" });
  await notify(sql, jean.person, { body: "For Jean" });

  const listed = await inbox(sql, aline.user);
  const selected = await asUser(sql, aline.user, async (sql) => [...await sql`select body from public.notifications`]);

  assertEquals([listed.map(({ body }) => body), selected], [["For Aline"], [{ body: "For Aline" }]]);
});

test("list_notifications() pages back from the newest, over gaps of months", async (sql) => {
  const { user, person } = await signedIn(sql, "+250788000001");
  for (const months of [0, 1, 5, 12, 14]) {
    await sql`insert into public.notifications (id, profile_id, category, body, locale, priority, is_critical)
      values (private.uuid_v7(now() - make_interval(months => ${months}, mins => 1)), ${person}, 'trip', ${`${months}`}, 'rw', 5, false)`;
  }

  const first = await inbox(sql, user, "max_count => 2");
  const rest = await inbox(sql, user, `'${first[1]!.id}'`);

  assertEquals([first.map(({ body }) => body), rest.map(({ body }) => body)], [["0", "1"], ["5", "12"]]);
});

test("marking as read counts what was unread, one's own only, and lists follow", async (sql) => {
  const [aline, jean] = [await signedIn(sql, "+250788000001"), await signedIn(sql, "+250788000002")];
  const [one, two, other] = [
    await notify(sql, aline.person),
    await notify(sql, aline.person),
    await notify(sql, jean.person),
  ];
  const ids = [one!.notification_id, one!.notification_id, other!.notification_id];
  const ask = (text: string) =>
    asUser(sql, aline.user, async (sql) => Object.values((await sql.unsafe(`select ${text}`))[0]!)[0]);

  const marked = await ask(`public.mark_notifications_read(array['${ids.join("','")}']::uuid[])`);

  assertEquals([marked, await ask("public.count_unread_notifications()")], [1, "1"]);
  assertEquals((await inbox(sql, aline.user, "is_unread => true")).map(({ id }) => id), [two!.notification_id]);
  assertEquals([await ask("public.mark_notifications_read()"), await ask("public.mark_notifications_read()")], [1, 0]);
  const [jeans] = await inbox(sql, jean.user);
  assertEquals(jeans!.read_at, null);
});

test("preferences are listed with what is on by itself, and critical ones cannot be turned off", async (sql) => {
  const { user } = await signedIn(sql, "+250788000001");
  await asUser(sql, user, (sql) => sql`select public.set_notification_preference('trip', 'sms', false)`);

  const [code] = await refusalOf(
    sql,
    (inner) => asUser(inner, user, (sql) => sql`select public.set_notification_preference('security', 'sms', false)`),
  );

  const rows = await asUser(sql, user, async (sql) => [
    ...await sql`
    select channel, is_enabled from public.list_notification_preferences() where category = 'trip'`,
  ]);
  assertEquals([code, rows.map((row) => Object.values(row))], [
    "invalid_argument",
    [["push", true], ["whatsapp", true], ["sms", false]],
  ]);
});

for (
  const [argument, call] of [
    ["time_zone", "'Africa/Kigale'"],
    ["quiet_to", "'Africa/Kigali', '22:00'"],
    ["quiet_days", "'Africa/Kigali', '22:00', '07:00', '{0}'"],
  ] as const
) {
  test(`set_notification_settings(${call}) is refused for its ${argument}`, async (sql) => {
    const { user } = await signedIn(sql, "+250788000001");

    const [code, details] = await refusalOf(
      sql,
      (inner) => asUser(inner, user, (sql) => sql.unsafe(`select public.set_notification_settings(${call})`)),
    );

    assertEquals([code, (details as { argument: string }).argument], ["invalid_argument", argument]);
  });
}

test("a device belongs to who registered it last, and only they can remove it", async (sql) => {
  const [aline, jean] = [await signedIn(sql, "+250788000001"), await signedIn(sql, "+250788000002")];
  const register = (user: string) =>
    asUser(
      sql,
      user,
      async (sql) =>
        (await sql`select public.register_push_endpoint('expo', ${sql.json(EXPO)}) as id`)[0]!.id as string,
    );
  const remove = (user: string, id: string) =>
    asUser(sql, user, async (sql) => (await sql`select public.remove_push_endpoint(${id}) as was`)[0]!.was as boolean);
  const id = await register(aline.user);

  assertEquals(await register(jean.user), id);
  assertEquals([await remove(aline.user, id), await remove(jean.user, id)], [false, true]);
});

for (const address of [{}, { token: "x" }, { endpoint: "http://127.0.0.1/", keys: {} }]) {
  test(`an address like ${JSON.stringify(address)} is refused`, async (sql) => {
    const { user } = await signedIn(sql, "+250788000001");

    const [code] = await refusalOf(
      sql,
      (inner) =>
        asUser(inner, user, (sql) => sql`select public.register_push_endpoint('web_push', ${sql.json(address)})`),
    );

    assertEquals(code, "invalid_argument");
  });
}

for (
  const statement of [
    "update public.notifications set read_at = now()",
    "delete from public.notifications",
    "insert into public.notification_preferences values (gen_random_uuid(), 'trip', 'sms', true)",
    "select * from public.notification_deliveries",
    "select * from public.notification_templates",
    "select public.claim_notifications('sms')",
    "select public.notify(null, 'trip', body => 'x')",
  ]
) {
  test(`a user may not: ${statement}`, async (sql) => {
    const { user, person } = await signedIn(sql, "+250788000001");
    await notify(sql, person);

    const state = await sqlStateOf(sql, (inner) => asUser(inner, user, (sql) => sql.unsafe(statement)));

    assertEquals(state, FORBIDDEN);
  });
}
