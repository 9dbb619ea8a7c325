import { assertEquals } from "@std/assert";
import type { TransactionSql } from "postgres";
import { as, createTestDatabase, rolledBack, sqlStateOf } from "../../support/database.ts";
import { messages, NUMBER, secondsAgo, statuses, text } from "../../support/deliveries.ts";
import { ingest } from "../../support/ingest.ts";
import { act, freeStatus, HOUR, openSession, refusalOf, sessions, timeOf, transition } from "./sessions.ts";

const DAY = 24 * HOUR;
const FORBIDDEN = "42501";
const database = await createTestDatabase();
const test = (name: string, body: Parameters<typeof rolledBack>[1]) => Deno.test(name, rolledBack(database, body));

const AT = secondsAgo(2 * HOUR);

test("update_whatsapp_session_activity() notes what is later and keeps what is not given", async (sql) => {
  const { contact_id, version } = await openSession(sql);
  await act(sql, contact_id, { outboundAt: timeOf(AT), locale: "fr" });

  const session = await act(sql, contact_id, { outboundAt: timeOf(AT, -HOUR) });

  assertEquals([session.last_outbound_at, session.locale, session.version], [timeOf(AT), "fr", version]);
});

for (
  const [fault, fields] of [
    ["phone_number_id", { number: "" }],
    ["locale", { locale: "de" }],
    ["outbound_at", { outboundAt: timeOf(secondsAgo(-2 * HOUR)) }],
  ] as const
) {
  test(`update_whatsapp_session_activity() refuses a ${fault} out of range`, async (sql) => {
    const { contact_id } = await openSession(sql);

    const refusal = await refusalOf(sql, (inner) => act(inner, contact_id, fields));

    assertEquals(refusal, ["invalid_argument", { argument: fault }]);
  });
}

test("update_whatsapp_session_activity() refuses a contact that nobody knows", async (sql) => {
  const [code] = await refusalOf(sql, (inner) => act(inner, crypto.randomUUID(), {}));

  assertEquals(code, "contact_not_found");
});

test("whatsapp_session_stats counts sessions, open windows and activity by number and state", async (sql) => {
  await ingest(sql, messages(text()));
  await ingest(sql, messages(text({ from: "250788000002", timestamp: AT })));
  await ingest(sql, messages(text({ from: "250788000003", timestamp: secondsAgo(2 * DAY) })));
  await ingest(sql, statuses(freeStatus(secondsAgo(-HOUR), { recipient_id: "250788000004" })));
  const [asking] = await sessions(sql);
  await transition(sql, asking!, "asking");

  const rows = await sql`select * from public.whatsapp_session_stats order by state`;

  assertEquals(rows.map((row) => Object.values(row)), [
    [NUMBER, "asking", "1", "1", "0", "1", "1"],
    [NUMBER, "idle", "3", "1", "1", "0", "1"],
  ]);
});

test("clients reach no session, and the service writes through functions only", async (sql) => {
  const { id } = await openSession(sql);
  const tried = (role: "anon" | "authenticated" | "service_role", statement: string) =>
    as(sql, role, {}, (client) => sqlStateOf(client, (inner: TransactionSql) => inner.unsafe(statement)));

  for (const role of ["anon", "authenticated"] as const) {
    for (const relation of ["sessions", "session_transitions", "session_stats"]) {
      assertEquals(await tried(role, `select from public.whatsapp_${relation}`), FORBIDDEN);
    }
    assertEquals(await tried(role, "select public.cleanup_expired_whatsapp_sessions()"), FORBIDDEN);
    assertEquals(await tried(role, `select public.transition_whatsapp_session('${id}', 1, 'a', '{}')`), FORBIDDEN);
  }
  assertEquals(await tried("service_role", "update public.whatsapp_sessions set version = 9"), FORBIDDEN);
  assertEquals(await tried("service_role", "delete from public.whatsapp_session_transitions"), FORBIDDEN);
  assertEquals(
    await tried("service_role", `select public.transition_whatsapp_session('${id}', 1, 'a', '{}')`),
    "00000",
  );
});
