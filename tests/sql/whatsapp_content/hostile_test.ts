import { assertEquals } from "@std/assert";
import fc from "fast-check";
import type { JSONValue, TransactionSql } from "postgres";
import { createTestDatabase, rolledBack } from "../../support/database.ts";
import { NUMBER } from "../../support/deliveries.ts";
import { EXAMPLES } from "./examples.ts";
import { damaged, type Holder, objectsIn, values } from "./hostile.ts";
import { learnNumber, list, listed } from "./listings.ts";
import { undone } from "../whatsapp/undone.ts";
import { type Message, type Problem, problemsOf } from "./payloads.ts";

const database = await createTestDatabase();
const messages = Object.values(EXAMPLES);
const types = [...new Set(messages.map(([type]) => type)), "gif", ""];

/** Whether a pointer leads to something that is there, or to something missing in what is. */
function leadsSomewhere(document: unknown, pointer: string): boolean {
  if (pointer === "") return true;
  const steps = pointer.slice(1).split("/").map((step) => step.replaceAll("~1", "/").replaceAll("~0", "~"));
  const parent = steps.slice(0, -1).reduce<unknown>(
    (value, step) => (value as Holder | null | undefined)?.[step],
    document,
  );
  return pointer.startsWith("/") && typeof parent === "object" && parent !== null;
}

/** Fails if SQL raises, or tells of a problem where there is nothing that could have one. */
async function judged(sql: TransactionSql, message: Message): Promise<Problem[]> {
  const problems = await problemsOf(sql, message);
  for (const { pointer, detail } of problems) {
    assertEquals([leadsSomewhere(message[1], pointer), detail.length > 0], [true, true], `${pointer}: ${detail}`);
  }
  return problems;
}

Deno.test(
  "whatever JSON comes is judged, and never raises",
  rolledBack(database, async (sql) => {
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...types), values, async (type, value) => {
        await judged(sql, [type, value]);
        await judged(sql, [type, { [type]: value, context: value }]);
      }),
      { numRuns: 500 },
    );
  }),
);

Deno.test(
  "a message that is damaged anywhere is judged, and never raises",
  rolledBack(database, async (sql) => {
    await fc.assert(fc.asyncProperty(damaged, async (message) => void await judged(sql, message)), { numRuns: 2000 });
  }),
);

Deno.test(
  "a member that nobody knows is found in any object of any example but those that are ours to fill",
  rolledBack(database, async (sql) => {
    const free = /\/(data|flow_action_data|values|validation_errors|date_time|saved_addresses)(\/|$)/;
    for (const [type, payload] of messages) {
      for (const [path, object] of objectsIn(payload, "")) {
        if (free.test(path)) continue;
        object.surprise = 1;
        const pointers = (await problemsOf(sql, [type, payload])).map(({ pointer }) => pointer);
        delete object.surprise;
        assertEquals(pointers, [`${path}/surprise`], `${type} ${path}`);
      }
    }
  }),
);

Deno.test(
  "whatever is known of a template, and whatever is filled in, is compared and never raises",
  rolledBack(database, async (sql) => {
    await learnNumber(sql);
    const definitions = fc.oneof(
      values,
      fc.array(fc.record({ type: fc.constantFrom("BODY", "HEADER", "BUTTONS", 1) })),
    );
    await fc.assert(
      fc.asyncProperty(damaged, definitions, fc.integer({ min: 0, max: 3 }), async ([, payload], components, at) => {
        const [name, language] = [namesIn(payload).name ?? "trip_receipt", namesIn(payload).language ?? "rw_RW"];
        const definition = [BODY, HEADER, BUTTONS].map((part, index) =>
          index === at ? { ...part, ...(typeof components === "object" ? components : {}) } : part
        );
        await undone(sql, async (sql) => {
          await list(sql, [listed({ name, language, components: at === 3 ? components : definition })]);
          await sql`select private.whatsapp_template_problems(${NUMBER}, ${sql.json(payload as JSONValue)})`;
        });
      }),
      { numRuns: 500 },
    );
  }),
);

const BODY = { type: "BODY", text: "Muraho {{1}}" };
const HEADER = { type: "HEADER", format: "IMAGE" };
const BUTTONS = { type: "BUTTONS", buttons: [{ type: "URL", url: "https://easymo.example/{{1}}" }] };

/** The template that a payload names, as far as it can be registered under that name. */
function namesIn(payload: unknown): { name?: string; language?: string } {
  const template = (payload as { template?: { name?: unknown; language?: { code?: unknown } } } | null)?.template;
  const fit = (value: unknown) =>
    typeof value === "string" && value.trim() !== "" && value.length < 32 ? value : undefined;
  return { name: fit(template?.name), language: fit(template?.language?.code) };
}
