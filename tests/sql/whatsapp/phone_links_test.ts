import { assertEquals, assertMatch, assertNotEquals } from "@std/assert";
import type { TransactionSql } from "postgres";
import { as, createTestDatabase, rolledBack, sqlStateOf } from "../../support/database.ts";
import { change, inbox, messages, secondsAgo, text } from "../../support/deliveries.ts";
import { ingest } from "../../support/ingest.ts";
import { asUser, createUser } from "../foundation/people.ts";
import { refusalOf } from "./sessions.ts";

const database = await createTestDatabase();
const test = (name: string, body: Parameters<typeof rolledBack>[1]) => Deno.test(name, rolledBack(database, body));

const PHONE = "+250788000001";
const WA_ID = PHONE.slice(1);

interface Link {
  status: string;
  phone: string | null;
  code: string | null;
}

async function codeOf(sql: TransactionSql, work: (sql: TransactionSql) => Promise<unknown>): Promise<string> {
  const [code] = await refusalOf(sql, work);
  return code;
}

/** A user who has confirmed this number by OTP; GoTrue keeps it without the plus. */
async function confirmed(sql: TransactionSql, phone = PHONE): Promise<string> {
  const user = await createUser(sql);
  await sql`update auth.users set phone = ${phone.slice(1)}, phone_confirmed_at = now() where id = ${user}`;
  return user;
}

async function claimByOtp(sql: TransactionSql, user: string): Promise<Link> {
  const [link] = await asUser(sql, user, (sql) => sql<Link[]>`select * from public.link_confirmed_phone()`);
  return link!;
}

async function requestCode(sql: TransactionSql, user: string, phone = PHONE): Promise<string> {
  const [link] = await asUser(sql, user, (sql) => sql<Link[]>`select * from public.request_phone_link(${phone})`);
  return link!.code!;
}

async function statusOf(sql: TransactionSql, user: string): Promise<string> {
  const [link] = await asUser(sql, user, (sql) => sql<Link[]>`select * from public.get_phone_link()`);
  return link!.status;
}

function sends(body: string, fields: Record<string, unknown> = {}): Uint8Array<ArrayBuffer> {
  return messages(text({ text: { body }, from: WA_ID, ...fields }));
}

function other(code: string): string {
  return code === "000000" ? "000001" : "000000";
}

/** The user whose profile has the number, and the one whose profile has the contact. */
async function owners(sql: TransactionSql): Promise<{ phone: string | null; contact: string | null }> {
  const [row] = await sql<{ phone: string | null; contact: string | null }[]>`
    select
      (select user_id from public.profiles where phone = ${PHONE}) as phone,
      (select profile.user_id from public.whatsapp_identities as identity
        join public.whatsapp_contacts as contact on contact.id = identity.contact_id
        join public.profiles as profile on profile.id = contact.profile_id
        where identity.value = ${WA_ID} and identity.valid_to is null) as contact`;
  return { ...row! };
}

function asOperator<T>(sql: TransactionSql, user: string, work: (sql: TransactionSql) => Promise<T>): Promise<T> {
  return as(sql, "authenticated", { sub: user, app_metadata: { role: "operator" } }, work);
}

async function registeredOperator(sql: TransactionSql): Promise<string> {
  const user = await createUser(sql);
  await sql`insert into private.operators (user_id, reason) values (${user}, 'test')`;
  return user;
}

test("a number confirmed by OTP is linked with the profile and the contact", async (sql) => {
  await ingest(sql, sends("Muraho"));
  const user = await confirmed(sql);

  const link = await claimByOtp(sql, user);

  assertEquals([link.status, link.phone], ["linked", PHONE]);
  assertEquals(await owners(sql), { phone: user, contact: user });
});

test("a contact that comes after the number was linked is linked when the user asks again", async (sql) => {
  const user = await confirmed(sql);
  await claimByOtp(sql, user);
  await ingest(sql, sends("Muraho"));

  await claimByOtp(sql, user);

  assertEquals(await owners(sql), { phone: user, contact: user });
});

test("a number that is not confirmed is not linked", async (sql) => {
  const user = await confirmed(sql);
  await sql`update auth.users set phone_confirmed_at = null where id = ${user}`;

  assertEquals(await codeOf(sql, (sql) => claimByOtp(sql, user)), "phone_not_confirmed");
});

test("a profile that waited for its person becomes theirs", async (sql) => {
  const [waiting] = await sql`insert into public.profiles (phone, full_name) values (${PHONE}, 'Aline') returning id`;
  const user = await confirmed(sql);

  await claimByOtp(sql, user);

  const [profile] = await sql`select user_id from public.profiles where id = ${waiting!.id}`;
  assertEquals(profile!.user_id, user);
});

test("a code sent by WhatsApp from the number links it", async (sql) => {
  const user = await createUser(sql);
  const code = await requestCode(sql, user);
  assertMatch(code, /^\d{6}$/);
  assertEquals(await statusOf(sql, user), "code_expected");

  await ingest(sql, sends(` ${code}\n`));

  assertEquals(await statusOf(sql, user), "linked");
  assertEquals(await owners(sql), { phone: user, contact: user });
});

test("a code is kept as a hash", async (sql) => {
  const user = await createUser(sql);
  const code = await requestCode(sql, user);

  const [row] = await sql`select to_jsonb(stored)::text as row from private.phone_link_codes as stored`;

  assertEquals(row!.row.includes(code), false);
});

for (
  const [name, delivery] of Object.entries({
    "from another number": (code: string) => sends(code, { from: "250788000002" }),
    "from a sender without a number": (code: string) => sends(code, { from: undefined, from_user_id: "RW.1" }),
    "among other words": (code: string) => sends(`My code is ${code}`),
    "written before it was asked for": (code: string) => sends(code, { timestamp: secondsAgo(120) }),
    "in a group": (code: string) => sends(code, { group_id: "group.1" }),
    "as an echo of ours": (code: string) =>
      change(
        "smb_message_echoes",
        inbox({ message_echoes: [text({ text: { body: code }, from: "250788000000", to: WA_ID })] }),
      ),
  })
) {
  test(`a code ${name} links nothing`, async (sql) => {
    const user = await createUser(sql);
    const code = await requestCode(sql, user);

    await ingest(sql, delivery(code));

    assertEquals(await statusOf(sql, user), "code_expected");
    assertEquals(await owners(sql), { phone: null, contact: null });
  });
}

test("a code is good for ten minutes", async (sql) => {
  const user = await createUser(sql);
  const code = await requestCode(sql, user);
  await sql`update private.phone_link_codes
    set requested_at = requested_at - interval '11 minutes', expires_at = expires_at - interval '11 minutes'`;

  await ingest(sql, sends(code));

  assertEquals(await statusOf(sql, user), "none");
});

test("a code is good once", async (sql) => {
  const user = await createUser(sql);
  const code = await requestCode(sql, user);
  await ingest(sql, sends(code));
  await sql`update public.profiles set phone = null`;

  await ingest(sql, sends(code));

  assertEquals(await statusOf(sql, user), "none");
});

test("a code is gone after five wrong ones, of which a repeated delivery counts once", async (sql) => {
  const user = await createUser(sql);
  const code = await requestCode(sql, user);
  const wrong = text({ text: { body: other(code) }, from: WA_ID });
  for (let copy = 0; copy < 6; copy++) await ingest(sql, messages(wrong, text()));
  assertEquals(await statusOf(sql, user), "code_expected");

  for (let tries = 0; tries < 4; tries++) await ingest(sql, sends(other(code)));
  await ingest(sql, sends(code));

  assertEquals(await owners(sql), { phone: null, contact: null });
});

test("a user gets five codes an hour", async (sql) => {
  const user = await createUser(sql);
  for (let requests = 0; requests < 5; requests++) await requestCode(sql, user);

  assertEquals(await codeOf(sql, (sql) => requestCode(sql, user)), "rate_limited");
});

test("what is no number gets no code", async (sql) => {
  const user = await createUser(sql);

  assertEquals(await codeOf(sql, (sql) => requestCode(sql, user, "0788000001")), "invalid_argument");
});

test("the answer to a request does not tell whether somebody has the number", async (sql) => {
  await claimByOtp(sql, await confirmed(sql));
  const stranger = await createUser(sql);

  await requestCode(sql, stranger);

  assertEquals(await statusOf(sql, stranger), "code_expected");
});

for (
  const [proof, claim] of Object.entries({
    otp: async (sql: TransactionSql) => {
      await sql`update auth.users set phone = null, phone_confirmed_at = null`;
      const user = await confirmed(sql);
      assertEquals((await claimByOtp(sql, user)).status, "under_review");
      return user;
    },
    whatsapp_code: async (sql: TransactionSql) => {
      const user = await createUser(sql);
      await ingest(sql, sends(await requestCode(sql, user)));
      return user;
    },
  })
) {
  test(`a claim to another user's number, proved by ${proof}, changes nothing and waits for review`, async (sql) => {
    await ingest(sql, sends("Muraho"));
    const holder = await confirmed(sql);
    await claimByOtp(sql, holder);

    const claimant = await claim(sql);

    assertEquals(await owners(sql), { phone: holder, contact: holder });
    assertEquals(await statusOf(sql, claimant), "under_review");
    const reviews = await sql`select user_id, held_by_user_id, phone, proof, decision from public.phone_link_reviews`;
    assertEquals(reviews.map((review) => ({ ...review })), [
      { user_id: claimant, held_by_user_id: holder, phone: PHONE, proof, decision: null },
    ]);
  });
}

test("a claim to a contact that another user has waits for review too", async (sql) => {
  await ingest(sql, sends("Muraho"));
  const holder = await confirmed(sql);
  await claimByOtp(sql, holder);
  await sql`update public.profiles set phone = '+250788000009' where user_id = ${holder}`;

  const claimant = await createUser(sql);
  await ingest(sql, sends(await requestCode(sql, claimant)));

  assertEquals((await owners(sql)).contact, holder);
  assertEquals(await statusOf(sql, claimant), "under_review");
});

test("a claim made again is one claim", async (sql) => {
  const { claimant } = await contested(sql);

  await claimByOtp(sql, claimant);

  const [row] = await sql`select count(*)::int from public.phone_link_reviews`;
  assertEquals(row!.count, 1);
});

async function contested(sql: TransactionSql): Promise<Record<"review" | "holder" | "claimant" | "operator", string>> {
  await ingest(sql, sends("Muraho"));
  const holder = await confirmed(sql);
  await claimByOtp(sql, holder);
  await sql`update auth.users set phone = null, phone_confirmed_at = null`;
  const claimant = await confirmed(sql);
  await claimByOtp(sql, claimant);
  const operator = await registeredOperator(sql);
  const [review] = await asOperator(sql, operator, (sql) => sql`select id from public.list_phone_link_reviews()`);
  return { review: review!.id, holder, claimant, operator };
}

function decide(sql: TransactionSql, operator: string, review: string, decision: string): Promise<unknown> {
  return asOperator(
    sql,
    operator,
    (sql) =>
      sql`select public.decide_phone_link_review(${review}, ${decision}::public.phone_link_decision, 'Saw the SIM card')`,
  );
}

test("an approved claim takes the number and the contact, and the decision is recorded", async (sql) => {
  const { review, claimant, operator } = await contested(sql);

  await decide(sql, operator, review, "approved");

  assertEquals(await owners(sql), { phone: claimant, contact: claimant });
  const [row] =
    await sql`select decision, reason, decided_by, decided_at = now() as is_now from public.phone_link_reviews`;
  assertEquals({ ...row }, { decision: "approved", reason: "Saw the SIM card", decided_by: operator, is_now: true });
});

test("a rejected claim leaves all as it was", async (sql) => {
  const { review, holder, operator } = await contested(sql);

  await decide(sql, operator, review, "rejected");

  assertEquals(await owners(sql), { phone: holder, contact: holder });
});

test("a claim is decided once", async (sql) => {
  const { review, holder, operator } = await contested(sql);
  await decide(sql, operator, review, "rejected");

  assertEquals(await codeOf(sql, (sql) => decide(sql, operator, review, "approved")), "review_decided");
  assertEquals(await owners(sql), { phone: holder, contact: holder });
});

test("only registered operators see and decide claims", async (sql) => {
  const { review, claimant } = await contested(sql);

  assertEquals(await codeOf(sql, (sql) => decide(sql, claimant, review, "approved")), "operator_required");
  const list = (sql: TransactionSql) =>
    asOperator(sql, claimant, (sql) => sql`select public.list_phone_link_reviews()`);
  assertEquals(await codeOf(sql, list), "operator_required");
});

test("clients reach neither codes nor reviews but through the functions", async (sql) => {
  const user = await createUser(sql);
  const attempts = [
    "select * from private.phone_link_codes",
    "select * from public.phone_link_reviews",
    "update public.phone_link_reviews set decision = 'approved'",
    "select private.link_phone(auth.uid(), '+250788000001', 'otp')",
    "select private.give_phone(auth.uid(), '+250788000001', null)",
    "update public.whatsapp_contacts set profile_id = null",
  ];
  for (const attempt of attempts) {
    assertEquals(await sqlStateOf(sql, (sql) => asUser(sql, user, (sql) => sql.unsafe(attempt))), "42501", attempt);
  }
  assertEquals(
    await sqlStateOf(sql, (sql) => as(sql, "anon", {}, (sql) => sql`select public.get_phone_link()`)),
    "42501",
  );
});

test("contacts of two users that prove to be one person keep the one user, and an operator learns of the other", async (sql) => {
  const [first, second] = [await createUser(sql), await createUser(sql)];
  await ingest(sql, sends(await requestCode(sql, first)));
  const code = await requestCode(sql, second, "+250788000002");
  await ingest(sql, sends(code, { from: "250788000002", from_user_id: "RW.1" }));

  const moved = { type: "user_changed_number", wa_id: "250788000002", user_id: "RW.1" };
  await ingest(sql, messages(text({ from: WA_ID, type: "system", text: undefined, system: moved })));

  const [row] = await sql`select user_id, held_by_user_id, proof from public.phone_link_reviews`;
  assertEquals([row!.user_id, row!.held_by_user_id].sort(), [first, second].sort());
  assertEquals(row!.proof, "merged_contacts");
  assertNotEquals((await owners(sql)).phone, null);
});
