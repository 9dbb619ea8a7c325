import { assertEquals } from "@std/assert";
import fc from "fast-check";
import type { TransactionSql } from "postgres";
import { as, createTestDatabase, rolledBack, sqlStateOf } from "../../support/database.ts";
import { change, inbox, messages, secondsAgo, status, statuses, text } from "../../support/deliveries.ts";
import { ingest } from "../../support/ingest.ts";
import { undone } from "./undone.ts";
import { anyLog, deliveriesOf } from "./identity_log.ts";
import { decisions, People } from "./identity_model.ts";

const database = await createTestDatabase();
const test = (name: string, body: Parameters<typeof rolledBack>[1]) => Deno.test(name, rolledBack(database, body));

const PHONE = "250788000001";
const ALINE = "RW.13491208655302741918";
const OPERATOR = "00000000-0000-4000-8000-00000000000a";

const NOW = Number(secondsAgo());

function says(body: string, minutes: number, names: Record<string, unknown> = {}): Uint8Array<ArrayBuffer> {
  return messages(text({ text: { body }, timestamp: String(NOW - 60 * minutes), ...names }));
}

function prefers(value: string, minutes: number, names: Record<string, unknown> = { wa_id: PHONE }) {
  const preference = { category: "marketing_messages", detail: `Marketing: ${value}`, value };
  const timestamp = NOW - 60 * minutes;
  return change("user_preferences", inbox({ user_preferences: [{ ...preference, ...names, timestamp }] }));
}

/** What may be sent to the person who has this name now, of service and marketing messages. */
async function allowed(sql: TransactionSql, value = PHONE): Promise<Record<"service" | "marketing", boolean>> {
  const [row] = await sql<Record<"service" | "marketing", boolean>[]>`
    select private.may_send_whatsapp(contact_id, 'service') as service,
      private.may_send_whatsapp(contact_id, 'marketing') as marketing
    from public.whatsapp_identities where value = ${value} and valid_to is null`;
  return { ...row! };
}

const UNASKED = { service: true, marketing: false };
const STOPPED = { service: false, marketing: false };
const STARTED = { service: true, marketing: true };

test("somebody who has said nothing of it gets no marketing", async (sql) => {
  await ingest(sql, says("Muraho", 5));

  assertEquals(await allowed(sql), UNASKED);
});

for (const word of ["STOP", " stop. ", "Désabonner", "ARRÊT!", "Hagarika", "simama 🛑", "Unsubscribe", "opt-out"]) {
  test(`"${word}" stops all, whatever was agreed before`, async (sql) => {
    await ingest(sql, says("START", 6));

    await ingest(sql, says(word, 5));

    assertEquals(await allowed(sql), STOPPED);
  });
}

for (const word of ["START", "Start", "Réabonner", "s'abonner", "Tangira", "ANZA."]) {
  test(`"${word}" starts all again`, async (sql) => {
    await ingest(sql, says("STOP", 6));

    await ingest(sql, says(word, 5));

    assertEquals(await allowed(sql), STARTED);
  });
}

for (const words of ["please stop", "don't stop", "bus stop", "Yes", "停 STOP", "oui", "cancel"]) {
  test(`"${words}" decides nothing`, async (sql) => {
    await ingest(sql, says(words, 5));

    const [{ count } = { count: -1 }] = await sql<
      { count: number }[]
    >`select count(*)::int from public.whatsapp_consents`;
    assertEquals(count, 0);
  });
}

test("stopping promotions leaves conversation", async (sql) => {
  await ingest(sql, says("START", 6));

  await ingest(sql, says("Stop pub", 5));

  assertEquals(await allowed(sql), UNASKED);
});

test("a button decides by its payload, not by its label", async (sql) => {
  const reply = (id: string, title: string) => ({
    type: "interactive",
    interactive: { type: "button_reply", button_reply: { id, title } },
  });
  await ingest(sql, messages(text({ ...reply("trip.start", "Start"), timestamp: secondsAgo(600), text: undefined })));
  assertEquals(await allowed(sql), UNASKED);

  await ingest(
    sql,
    messages(text({ type: "button", button: { payload: "STOP", text: "No thanks" }, text: undefined })),
  );

  assertEquals(await allowed(sql), STOPPED);
});

test("only a person's own live word to us decides: no echo, no history, no group, no other app's conversation", async (sql) => {
  const stop = () => text({ text: { body: "STOP" } });
  await ingest(sql, says("Muraho", 5));

  await ingest(
    sql,
    change("smb_message_echoes", inbox({ message_echoes: [{ ...stop(), to: PHONE, from: "250788000000" }] })),
  );
  await ingest(
    sql,
    change("history", inbox({ history: [{ threads: [{ id: PHONE, messages: [stop()] }] }] }), {
      time: Number(secondsAgo()),
    }),
  );
  await ingest(sql, change("standby", inbox({ messages: [stop()] })));
  await ingest(sql, messages({ ...stop(), group_id: "group.1" }));

  assertEquals(await allowed(sql), UNASKED);
});

test("WhatsApp's own switch is about marketing", async (sql) => {
  await ingest(sql, says("Muraho", 9));

  await ingest(sql, prefers("signup", 8));
  assertEquals(await allowed(sql), STARTED);
  await ingest(sql, prefers("stop", 7));
  assertEquals(await allowed(sql), UNASKED);
  await ingest(sql, prefers("resume", 6));
  assertEquals(await allowed(sql), STARTED);
});

test("a marketing message that Meta refuses with 131050 stops marketing", async (sql) => {
  await ingest(sql, says("START", 9));

  const errors = [{ code: 131050, title: "User has stopped marketing messages" }];
  await ingest(sql, statuses(status("wamid.ad", "failed", { errors, timestamp: secondsAgo(60) })));

  assertEquals(await allowed(sql), UNASKED);
  const [row] = await sql`select evidence, words from public.whatsapp_consents where source = 'error_131050'`;
  assertEquals({ ...row }, {
    evidence: "error_131050 100000000000001 wamid.ad",
    words: "User has stopped marketing messages",
  });
});

test("a stop known before the person writes to us counts when they do", async (sql) => {
  await ingest(sql, statuses(status("wamid.ad", "failed", { errors: [{ code: 131050 }], timestamp: secondsAgo(600) })));

  await ingest(sql, says("Muraho", 5));

  const [{ id } = { id: "" }] = await sql`select contact_id as id from public.whatsapp_identities`;
  const [row] = await sql`select marketing, overall from public.get_whatsapp_consent(${id})`;
  assertEquals({ ...row }, { marketing: "stop", overall: null });
});

test("an old STOP that is delivered late or again does not undo a later START", async (sql) => {
  const stop = text({ text: { body: "STOP" }, timestamp: secondsAgo(600) });
  await ingest(sql, messages(stop));
  await ingest(sql, says("START", 5));

  await ingest(sql, messages(stop, text()));
  await ingest(sql, says("STOP", 8));

  assertEquals(await allowed(sql), STARTED);
});

test("a STOP and a START of one second are a STOP", async (sql) => {
  await ingest(sql, says("STOP", 5));
  await ingest(sql, says("START", 5));

  assertEquals(await allowed(sql), STOPPED);
});

test("a START by another number changes nothing for the first", async (sql) => {
  await ingest(sql, says("STOP", 6));

  await ingest(sql, says("START", 5, { from: "250788000002" }));

  assertEquals(await allowed(sql), STOPPED);
  assertEquals(await allowed(sql, "250788000002"), STARTED);
});

test("a STOP holds through a new user id in mid-conversation", async (sql) => {
  await ingest(sql, says("STOP", 9, { from_user_id: ALINE }));
  const update = { user_id: { previous: ALINE, current: "RW.2" }, timestamp: secondsAgo(60 * 8) };
  await ingest(sql, change("user_id_update", inbox({ user_id_update: [update] })));
  await ingest(sql, says("Muraho", 7, { from: undefined, from_user_id: "RW.2" }));

  assertEquals(await allowed(sql, "RW.2"), STOPPED);
});

test("who gets a stopped number next has stopped nothing", async (sql) => {
  await ingest(sql, says("STOP", 9, { from_user_id: ALINE }));

  await ingest(sql, says("Muraho", 5, { from_user_id: "RW.2" }));

  assertEquals(await allowed(sql, "RW.2"), UNASKED);
  assertEquals(await allowed(sql, ALINE), STOPPED);
});

test("two contacts that prove to be one have said what both said", async (sql) => {
  await ingest(sql, says("START", 9, { from: undefined, from_user_id: ALINE }));
  await ingest(sql, says("STOP", 8));

  await ingest(sql, says("Muraho", 7, { from_user_id: ALINE }));

  assertEquals(await allowed(sql, ALINE), STOPPED);
});

test("authentication may always be sent, and what has no known category never", async (sql) => {
  await ingest(sql, says("STOP", 5));

  const [row] = await sql`
    select private.may_send_whatsapp(contact_id, 'authentication') as code,
      private.may_send_whatsapp(contact_id, 'unheard_of') as unknown,
      private.may_send_whatsapp(null, 'marketing') as nobody
    from public.whatsapp_identities`;
  assertEquals({ ...row }, { code: true, unknown: false, nobody: false });
});

test("an operator writes down what a person decided elsewhere, with the reason", async (sql) => {
  await ingest(sql, says("Muraho", 5));
  const [{ id } = { id: "" }] = await sql`select contact_id as id from public.whatsapp_identities`;
  await sql`insert into auth.users (id) values (${OPERATOR})`;
  await sql`insert into private.operators (user_id, reason) values (${OPERATOR}, 'test')`;

  await as(
    sql,
    "authenticated",
    { sub: OPERATOR, app_metadata: { role: "operator" } },
    (operator) => operator`select public.record_whatsapp_consent(${id}, 'marketing', 'start', 'Signed form 12')`,
  );

  assertEquals(await allowed(sql), STARTED);
  const [row] = await sql`select recorded_by, words from public.whatsapp_consents`;
  assertEquals({ ...row }, { recorded_by: OPERATOR, words: "Signed form 12" });
});

test("nobody else writes decisions down, or changes them", async (sql) => {
  await ingest(sql, says("STOP", 5));
  const [{ id } = { id: "" }] = await sql`select contact_id as id from public.whatsapp_identities`;
  const attempt = (
    role: "anon" | "authenticated" | "service_role",
    work: (client: TransactionSql) => Promise<unknown>,
  ) => sqlStateOf(sql, (inner) => as(inner, role, { sub: OPERATOR }, work));

  assertEquals(
    await attempt(
      "authenticated",
      (client) => client`select public.record_whatsapp_consent(${id}, 'all', 'start', 'mine')`,
    ),
    "PGRST",
  );
  assertEquals(await attempt("authenticated", (client) => client`select * from public.whatsapp_consents`), "42501");
  assertEquals(await attempt("service_role", (client) => client`delete from public.whatsapp_consents`), "42501");
  assertEquals(
    await attempt("service_role", (client) => client`update public.whatsapp_consents set decision = 'start'`),
    "42501",
  );
});

test("any log gives the same decisions, however it is delivered", async (sql) => {
  const scenario = anyLog.chain((log) => fc.tuple(fc.constant(log), deliveriesOf(log)));
  await fc.assert(
    fc.asyncProperty(scenario, async ([log, deliveries]) => {
      await undone(sql, async (inner) => {
        for (const delivery of deliveries) await ingest(inner, delivery);

        const people = new People(log);
        const latest = decisions(log, people);
        const expected = Object.fromEntries(
          log.filter((entry) => entry.what !== "new_user_id")
            .map(({ id, names, at }) => [id, latest.get(people.personAt(names, at)) ?? null]),
        );
        const rows = await inner`
          select message.wamid, (private.whatsapp_consent_of(message.contact_id)).overall as decision
          from public.whatsapp_messages as message`;
        assertEquals(Object.fromEntries(rows.map((row) => [row.wamid, row.decision])), expected);
      });
    }),
    { numRuns: 150 },
  );
});
