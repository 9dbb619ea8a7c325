import { assertEquals } from "@std/assert";
import type { Sql } from "postgres";
import { createTestDatabase } from "../support/database.ts";

/** Columns that may say something of a person. */
const SUSPICIOUS =
  "phone|display_name|username|email|wa_id|payload|body|recipient|label|address|(^|_)plate$|comment|note|token$|(^|_)(lat|lng)$|(user|profile|rider|driver|contact|owner|actor)_id|actor_identifier|properties|^item$";

/** Tables with such columns that hold nothing of people, and why. */
const HARMLESS: Record<string, string> = {
  cache_entries: "what is computed; the lease's token",
  conversation_numbers: "numbers of ours",
  event_subscriptions: "the lease's token",
  notification_templates: "words of ours",
  routes: "rounded places of nobody",
  service_checks: "the lease's token",
  webhook_deliveries: "which event goes where, and the lease's token",
  webhook_delivery_history: "the same, done",
  whatsapp_lanes: "when a contact may be written to again",
  whatsapp_message_keys: "digests and numbers of ours",
  whatsapp_message_statuses: "numbers of ours",
  whatsapp_numbers: "numbers of ours",
  whatsapp_rates: "prices by country",
  whatsapp_reached_contacts: "whom we reached in the last two days, by id",
  whatsapp_reads: "what is to be marked as read, by id",
  whatsapp_reports: "what Meta says of our account",
  whatsapp_senders: "numbers of ours",
  whatsapp_status_horizons: "numbers of ours",
  whatsapp_status_keys: "digests and numbers of ours",
};

function suspiciousTables(sql: Sql): Promise<{ name: string; columns: string }[]> {
  return sql<{ name: string; columns: string }[]>`
    select class.relname as name, string_agg(attribute.attname, ', ') as columns
    from pg_class as class
    join pg_attribute as attribute on attribute.attrelid = class.oid and attribute.attnum > 0 and not attribute.attisdropped
    where class.relnamespace in ('public'::regnamespace, 'private'::regnamespace) and class.relkind in ('r', 'p')
      and attribute.attname ~ ${SUSPICIOUS}
    group by class.relname`;
}

Deno.test("every table that may hold something of people is on the page on data protection", async () => {
  const { sql } = await createTestDatabase();
  const page = await Deno.readTextFile(new URL("../../docs/data_protection.md", import.meta.url));
  const rows = await suspiciousTables(sql);
  await sql.end();

  const forgotten = rows.filter(({ name }) => !(name in HARMLESS) && !page.includes(`\`${name}\``));
  assertEquals(forgotten.map(({ name, columns }) => `${name}: ${columns}`), []);
  assertEquals(Object.keys(HARMLESS).filter((name) => !rows.some((row) => row.name === name)), []);
});

/** What erase_person() leaves, by its own rules or another's. */
const KEPT: Record<string, string[]> = {
  "erase_payment_data()": ["payment_attempts", "payment_methods", "payment_webhook_events", "transactions"],
  "erase_analytics_user()": [
    "analytics_actor_days",
    "analytics_events",
    "analytics_identities",
    "analytics_identity_claims",
    "analytics_rejections",
    "analytics_suppressions",
  ],
  "the books": [
    "payout_approvals",
    "payment_reviews",
    "reconciliation_items",
    "wallet_accounts",
  ],
  "evidence": [
    "configuration_history",
    "event_store",
    "operators",
    "system_audit_logs",
  ],
  "that a trip took place, by id": ["trip_offers", "trip_series"],
  "gone by itself within days": [
    "background_jobs",
    "idempotency_keys",
    "message_queue",
    "message_queue_history",
    "recurring_jobs",
  ],
  "of a business, not a person": ["webhook_endpoints"],
};

Deno.test("erase_person() has a rule for every table that may hold something of people, or a reason", async () => {
  const { sql } = await createTestDatabase();
  const rules = await sql<{ table_name: string }[]>`select table_name from private.person_erasure_rules()`;
  const suspicious = await suspiciousTables(sql);
  await sql.end();

  const erased = rules.map(({ table_name }) => table_name.split(".")[1]!);
  const kept = Object.values(KEPT).flat();
  const open = suspicious.map(({ name }) => name).filter((name) => !(name in HARMLESS) && !erased.includes(name));
  assertEquals(open.toSorted(), kept.toSorted());
});
