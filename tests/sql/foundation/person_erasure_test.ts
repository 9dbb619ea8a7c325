import { assertEquals } from "@std/assert";
import type { TransactionSql } from "postgres";
import { as, createTestDatabase, rolledBack } from "../../support/database.ts";
import { codeOf } from "../flags/flags.ts";
import { asUser, createUser } from "./people.ts";

const database = await createTestDatabase();
const OLD = "250788000010";

async function openPerson(sql: TransactionSql, phone: string | null = null): Promise<string> {
  const [row] = await sql`insert into public.profiles (full_name, phone) values ('Aline', ${phone}) returning id`;
  return row!.id;
}

async function openContact(sql: TransactionSql, profileId: string, name: string, from: string, to: string | null) {
  const [row] = await sql`
    insert into public.whatsapp_contacts (profile_id, display_name) values (${profileId}, 'Aline') returning id`;
  await sql`insert into public.whatsapp_identities (kind, value, valid_from, valid_to, contact_id)
    values ('wa_id', ${name}, ${from}::text::timestamptz, ${to}::text::timestamptz, ${row!.id})`;
  return row!.id as string;
}

async function deliver(sql: TransactionSql, contactId: string, from: string): Promise<string> {
  const body = JSON.stringify({ from });
  const [row] = await sql`
    with delivery as (
      insert into public.whatsapp_deliveries (sha256, body, item_count)
      values (sha256(convert_to(${body}::text, 'UTF8')), convert_to(${body}::text, 'UTF8'), 1) returning id
    )
    insert into public.whatsapp_messages (phone_number_id, wamid, contact_id, direction, origin, type, sent_at, payload, delivery_id)
    select '1', gen_random_uuid()::text, ${contactId}, 'inbound', 'live', 'text', now(), ${body}::text::jsonb, delivery.id
    from delivery returning delivery_id`;
  return row!.delivery_id;
}

async function erase(sql: TransactionSql, profileId: string) {
  const [row] = await sql`select public.erase_person(${profileId}) as receipt`;
  return row!.receipt as { rows: Record<string, number>; remaining: Record<string, number>; receipt_id: string };
}

Deno.test(
  "erase_person() leaves alone whoever has a number that was theirs once",
  rolledBack(database, async (sql) => {
    const former = await openPerson(sql);
    const heir = await openPerson(sql, `+${OLD}`);
    await openContact(sql, former, OLD, "-infinity", "2026-01-01");
    const contact = await openContact(sql, heir, OLD, "2026-01-01", null);
    const delivery = await deliver(sql, contact, OLD);

    const { remaining } = await erase(sql, former);

    assertEquals(remaining, {});
    const [kept] = await sql`
      select delivery.body <> '' as body, contact.display_name, (select count(*)::int from public.whatsapp_messages) as messages,
        (select array_agg(identity.contact_id) from public.whatsapp_identities as identity) as identities
      from public.whatsapp_deliveries as delivery, public.whatsapp_contacts as contact
      where delivery.id = ${delivery} and contact.id = ${contact}`;
    assertEquals({ ...kept }, { body: true, display_name: "Aline", messages: 1, identities: [contact] });
  }),
);

Deno.test(
  "erase_person() finds what two merged contacts wrote, and the months that are archived",
  rolledBack(database, async (sql) => {
    const person = await openPerson(sql);
    const contact = await openContact(sql, person, OLD, "-infinity", null);
    const merged = await openContact(sql, person, "250788000011", "-infinity", null);
    await sql`update public.whatsapp_contacts set merged_into = ${contact}, profile_id = null where id = ${merged}`;
    await deliver(sql, merged, "250788000011");
    for (const table of ["whatsapp_messages", "whatsapp_deliveries"]) await archiveThisMonth(sql, table);
    await deliver(sql, contact, OLD);

    const { rows, remaining } = await erase(sql, person);

    const counts = Object.fromEntries(
      Object.entries(rows).map(([name, count]) => [name.replace(/_\d{4}_\d{2}$/, ""), count]),
    );
    assertEquals(remaining, {});
    assertEquals([counts["archive.whatsapp_messages"], counts["archive.whatsapp_deliveries"]], [1, 1]);
    assertEquals([
      counts["public.whatsapp_messages"],
      counts["public.whatsapp_deliveries"],
      counts["public.whatsapp_contacts"],
    ], [1, 1, 2]);
  }),
);

Deno.test(
  "erase_person() is for the service and registered operators, with a reason, and stands in the audit log without names",
  rolledBack(database, async (sql) => {
    const person = await openPerson(sql, "+250788000012");
    const user = await createUser(sql);
    const anybody = await asUser(sql, user, (inner) => codeOf(inner, (tried) => erase(tried, person)));
    const claims = { app_metadata: { role: "operator" } };
    const unregistered = await asUser(sql, user, (inner) => codeOf(inner, (tried) => erase(tried, person)), claims);
    const silent = await codeOf(sql, (tried) => tried`select public.erase_person(${person}, '')`);
    const unknown = await codeOf(sql, (tried) => erase(tried, crypto.randomUUID()));

    const { receipt_id } = await as(sql, "service_role", {}, (inner) => erase(inner, person));

    assertEquals([anybody, unregistered], ["operator_required", "operator_required"]);
    assertEquals([silent, unknown], ["invalid_argument", "profile_not_found"]);
    const [entry] = await sql`
      select action, resource_id, log::text ~ 'Aline|250788000012' as is_told
      from public.system_audit_logs as log where id = ${receipt_id}`;
    assertEquals({ ...entry }, { action: "person.erased", resource_id: person, is_told: false });
    const [told] =
      await sql`select count(*)::int as count from public.system_audit_logs as log where log::text ~ 'Aline|250788000012'`;
    assertEquals(told!.count, 0);
  }),
);

async function archiveThisMonth(sql: TransactionSql, table: string): Promise<void> {
  const [leaf] = await sql`select tableoid::regclass::text as name from ${sql(`public.${table}`)} limit 1`;
  await sql.unsafe(`alter table public.${table} detach partition ${leaf!.name}`);
  await sql.unsafe(`alter table ${leaf!.name} set schema archive`);
}
