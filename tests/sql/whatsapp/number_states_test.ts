import { assertEquals } from "@std/assert";
import fc from "fast-check";
import type { TransactionSql } from "postgres";
import { as, createTestDatabase, rolledBack, sqlStateOf } from "../../support/database.ts";
import { change, messages, NUMBER, secondsAgo, text } from "../../support/deliveries.ts";
import { ingest } from "../../support/ingest.ts";
import { undone } from "./undone.ts";

const database = await createTestDatabase();
const test = (name: string, body: Parameters<typeof rolledBack>[1]) => Deno.test(name, rolledBack(database, body));

const TEMPLATE = {
  message_template_id: 12345678,
  message_template_name: "trip_receipt",
  message_template_language: "rw",
};
const OURS = { display_phone_number: "+250 788-000-000" };

const NOW = Number(secondsAgo());

/** An event as of some minutes ago; events of this kind have their time on the entry. */
function told(field: string, minutes: number, value: Record<string, unknown>): Uint8Array<ArrayBuffer> {
  return change(field, value, { time: NOW - 60 * minutes });
}

function statusTold(event: string, minutes: number, fields: Record<string, unknown> = {}): Uint8Array<ArrayBuffer> {
  return told("message_template_status_update", minutes, { event, reason: null, ...TEMPLATE, ...fields });
}

async function template(sql: TransactionSql): Promise<Record<string, unknown>> {
  const [row] = await sql`select status, reason, category, quality, is_sendable from public.whatsapp_templates
    where waba_id = '1020' and name = 'trip_receipt' and language = 'rw'`;
  return { ...row! };
}

async function number(sql: TransactionSql): Promise<Record<string, unknown>> {
  const [row] = await sql`select is_flagged, messaging_limit, name_decision, requested_name
    from public.whatsapp_number_states where phone_number_id = ${NUMBER}`;
  return { ...row! };
}

test("a template's status, quality and category are known from their events", async (sql) => {
  await ingest(sql, statusTold("PAUSED", 9, { reason: "LOW_QUALITY", message_template_category: "UTILITY" }));
  await ingest(sql, told("message_template_quality_update", 8, { ...TEMPLATE, new_quality_score: "RED" }));

  assertEquals(await template(sql), {
    status: "PAUSED",
    reason: "LOW_QUALITY",
    category: "UTILITY",
    quality: "RED",
    is_sendable: false,
  });
});

test("a coming category counts from its time on", async (sql) => {
  const soon = { ...TEMPLATE, new_category: "UTILITY", correct_category: "MARKETING" };
  const at = (seconds: number) => ({ ...soon, category_update_timestamp: Number(secondsAgo(-seconds)) });

  await ingest(sql, told("template_category_update", 9, at(3_600)));
  assertEquals((await template(sql)).category, "UTILITY");
  await ingest(sql, told("template_category_update", 8, at(-60)));

  assertEquals((await template(sql)).category, "MARKETING");
});

test("a number's state is known from events that name it by its digits, before or after it writes", async (sql) => {
  await ingest(sql, told("phone_number_quality_update", 9, { ...OURS, event: "FLAGGED" }));
  await ingest(sql, messages(text()));
  await ingest(sql, told("phone_number_quality_update", 8, { ...OURS, event: "UPGRADE", current_limit: "TIER_2K" }));
  const name = { decision: "APPROVED", requested_verified_name: "EasyMO", rejection_reason: "NONE" };
  await ingest(sql, told("phone_number_name_update", 7, { ...OURS, ...name }));

  assertEquals(await number(sql), {
    is_flagged: true,
    messaging_limit: "TIER_2K",
    name_decision: "APPROVED",
    requested_name: "EasyMO",
  });
});

test("the messaging limit is the one told last, for the number or for the account", async (sql) => {
  await ingest(sql, messages(text()));
  const limit = (limit: unknown) => ({ max_daily_conversations_per_business: limit });
  await ingest(sql, told("business_capability_update", 7, limit("TIER_10K")));
  await ingest(sql, told("phone_number_quality_update", 9, { ...OURS, event: "DOWNGRADE", ...limit("TIER_250") }));

  assertEquals((await number(sql)).messaging_limit, "TIER_10K");
});

test("an account's events are kept apart, a partner's under the account that it names", async (sql) => {
  const ban = { event: "DISABLED_UPDATE", ban_info: { waba_ban_state: "DISABLE" } };
  await ingest(sql, told("account_update", 9, ban));
  await ingest(sql, told("account_update", 8, { event: "VERIFIED_ACCOUNT" }));
  await ingest(sql, told("account_update", 7, { event: "PARTNER_ADDED", waba_info: { waba_id: "2040" } }));

  const rows = await sql`select waba_id, event from public.whatsapp_account_states order by waba_id, event`;
  assertEquals(rows.map((row) => Object.values(row)), [
    ["1020", "DISABLED_UPDATE"],
    ["1020", "VERIFIED_ACCOUNT"],
    ["2040", "PARTNER_ADDED"],
  ]);
});

test("an event that does not say what it is about is stored, and no more", async (sql) => {
  const receipt = await ingest(sql, told("message_template_status_update", 9, { event: "APPROVED" }));

  assertEquals(receipt.stored_count, 1);
  const [row] = await sql`select count(*)::int from public.whatsapp_reports`;
  assertEquals(row!.count, 0);
});

test("the latest status holds, whatever the order and however often it is told", async (sql) => {
  const events = fc.constantFrom("APPROVED", "PAUSED", "DISABLED", "REINSTATED");
  const log = fc.array(fc.record({ event: events, minutes: fc.integer({ min: 1, max: 6 }) }), {
    minLength: 1,
    maxLength: 8,
  });
  const scenario = log.chain((log) =>
    fc.tuple(fc.constant(log), fc.shuffledSubarray([...log, ...log], { minLength: log.length * 2 }))
  );
  await fc.assert(
    fc.asyncProperty(scenario, async ([log, order]) => {
      await undone(sql, async (inner) => {
        for (const { event, minutes } of order) await ingest(inner, statusTold(event, minutes));

        const newest = Math.min(...log.map(({ minutes }) => minutes));
        const candidates = log.filter(({ minutes }) => minutes === newest).map(({ event }) => event).sort();
        assertEquals((await template(inner)).status, candidates.at(-1));
      });
    }),
    { numRuns: 60 },
  );
});

test("clients read none of it", async (sql) => {
  for (
    const relation of ["whatsapp_reports", "whatsapp_templates", "whatsapp_number_states", "whatsapp_account_states"]
  ) {
    const state = await sqlStateOf(
      sql,
      (sql) =>
        as(sql, "authenticated", { sub: crypto.randomUUID() }, (sql) => sql.unsafe(`select * from public.${relation}`)),
    );
    assertEquals(state, "42501", relation);
  }
});
