import { assertEquals } from "@std/assert";
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

Deno.test("every table that may hold something of people is on the page on data protection", async () => {
  const { sql } = await createTestDatabase();
  const page = await Deno.readTextFile(new URL("../../docs/data_protection.md", import.meta.url));
  const rows = await sql<{ name: string; columns: string }[]>`
    select class.relname as name, string_agg(attribute.attname, ', ') as columns
    from pg_class as class
    join pg_attribute as attribute on attribute.attrelid = class.oid and attribute.attnum > 0 and not attribute.attisdropped
    where class.relnamespace in ('public'::regnamespace, 'private'::regnamespace) and class.relkind in ('r', 'p')
      and attribute.attname ~ ${SUSPICIOUS}
    group by class.relname`;
  await sql.end();

  const forgotten = rows.filter(({ name }) => !(name in HARMLESS) && !page.includes(`\`${name}\``));
  assertEquals(forgotten.map(({ name, columns }) => `${name}: ${columns}`), []);
  assertEquals(Object.keys(HARMLESS).filter((name) => !rows.some((row) => row.name === name)), []);
});
