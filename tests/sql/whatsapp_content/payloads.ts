import type { JSONValue, TransactionSql } from "postgres";

/** What a message is made of: its type, and the payload that `enqueue_whatsapp_message()` takes. */
export type Message = readonly [type: string, payload: unknown];

/** One thing that Meta would refuse. */
export interface Problem {
  pointer: string;
  detail: string;
}

/** What SQL finds wrong with a message. */
export async function problemsOf(sql: TransactionSql, [type, payload]: Message): Promise<Problem[]> {
  const [row] = await sql<{ problems: Problem[] }[]>`
    select private.whatsapp_payload_problems(${type}, ${sql.json(payload as JSONValue)}) as problems`;
  return row!.problems;
}

/** The same, one line each: `/text/body: is required`. */
export async function complaintsAbout(sql: TransactionSql, message: Message): Promise<string[]> {
  return (await problemsOf(sql, message)).map(({ pointer, detail }) => `${pointer}: ${detail}`).sort();
}

/** So many letters. */
export function letters(count: number): string {
  return "x".repeat(count);
}

/** So many different things, numbered from 0. */
export function several<T>(count: number, make: (index: number) => T): T[] {
  return Array.from({ length: count }, (_, index) => make(index));
}

/** An interactive message of this type around an action. */
export function interactive(type: string, action: unknown, fields: Record<string, unknown> = {}): Message {
  return ["interactive", { interactive: { type, body: { text: "Wahitamo iki?" }, action, ...fields } }];
}

/** A message with reply buttons. */
export function buttons(
  count: number,
  reply: Record<string, unknown> = {},
  fields: Record<string, unknown> = {},
): Message {
  const list = several(
    count,
    (index) => ({ type: "reply", reply: { id: `b${index}`, title: `Choice ${index}`, ...reply } }),
  );
  return interactive("button", { buttons: list }, fields);
}

/** Rows of a list, with ids that begin like this. */
export function rows(count: number, prefix = "r", fields: Record<string, unknown> = {}): Record<string, unknown>[] {
  return several(count, (index) => ({ id: `${prefix}${index}`, title: `Row ${index}`, ...fields }));
}

/** A list of these sections. */
export function list(sections: unknown[], fields: Record<string, unknown> = {}): Message {
  return interactive("list", { button: "Reba", sections }, fields);
}

/** A template message in Kinyarwanda with these components. */
export function template(...components: unknown[]): Message {
  return ["template", { template: { name: "trip_receipt", language: { code: "rw_RW" }, components } }];
}

/** What is filled in for a template's button. */
export function templateButton(subType: string, ...parameters: unknown[]): Record<string, unknown> {
  return { type: "button", sub_type: subType, index: "0", parameters };
}

/** Text that fills a placeholder. */
export function filler(text: string): Record<string, unknown> {
  return { type: "text", text };
}
