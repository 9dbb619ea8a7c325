import type { JSONValue, TransactionSql } from "postgres";
import { change, messages, NUMBER, secondsAgo, text } from "../../support/deliveries.ts";
import { ingest } from "../../support/ingest.ts";
import { filler, type Problem, template } from "./payloads.ts";

/** The account of our number in tests, as deliveries name it. */
export const WABA = "1020";

/** A template as the Graph API lists it. */
export function listed(fields: Record<string, unknown> = {}): Record<string, unknown> {
  return {
    id: "564750795574598",
    name: "trip_receipt",
    language: "rw_RW",
    status: "APPROVED",
    category: "UTILITY",
    quality_score: { score: "GREEN", date: 1793491200 },
    components: [{ type: "BODY", text: "Muraho {{1}}, wishyuye {{2}}." }],
    ...fields,
  };
}

/** Registers templates as of some minutes ago, and says how many were news. */
export async function list(sql: TransactionSql, templates: unknown, minutes = 0): Promise<number> {
  const [row] = await sql<{ count: number }[]>`
    select public.upsert_whatsapp_templates(
      ${WABA}, ${sql.json(templates as JSONValue)}, now() - make_interval(mins => ${minutes})
    ) as count`;
  return row!.count;
}

/** Lets our number be known as one of the account's. */
export async function learnNumber(sql: TransactionSql): Promise<void> {
  await ingest(sql, messages(text()));
}

/** What is wrong with a message of our number's, by what is known of its template. */
export async function fitProblems(sql: TransactionSql, ...components: unknown[]): Promise<Problem[]> {
  const [, payload] = template(...components);
  const [row] = await sql<{ problems: Problem[] }[]>`
    select private.whatsapp_template_problems(${NUMBER}, ${sql.json(payload as JSONValue)}) as problems`;
  return row!.problems;
}

/** A body with these texts filled in. */
export function body(...texts: string[]): Record<string, unknown> {
  return { type: "body", parameters: texts.map(filler) };
}

/** What is known of the template, or undefined. */
export async function known(sql: TransactionSql): Promise<Record<string, unknown> | undefined> {
  const [row] = await sql`select template_id, status, reason, category, quality, is_sendable, components
    from public.whatsapp_templates where waba_id = ${WABA} and name = 'trip_receipt' and language = 'rw_RW'`;
  return row && { ...row };
}

/** When this file was read, in seconds since 1970. */
export const NOW = Number(secondsAgo());
const RECEIPT = {
  message_template_id: 564750795574598,
  message_template_name: "trip_receipt",
  message_template_language: "rw_RW",
};

/** Lets Meta's event tell the template's status, as of some minutes ago. */
export async function told(
  sql: TransactionSql,
  event: string,
  minutes: number,
  fields: Record<string, unknown> = {},
): Promise<void> {
  const value = { event, reason: null, ...RECEIPT, ...fields };
  await ingest(sql, change("message_template_status_update", value, { time: NOW - 60 * minutes }));
}
