import { assertEquals } from "@std/assert";
import { createTestDatabase, rolledBack } from "../../support/database.ts";
import { buttons, complaintsAbout, letters } from "./payloads.ts";
import { INTERACTIVE_SHAPES } from "./shapes/interactive.ts";
import { MESSAGE_SHAPES } from "./shapes/messages.ts";
import { TEMPLATE_SHAPES } from "./shapes/templates.ts";

const database = await createTestDatabase();
const shapes = { ...MESSAGE_SHAPES, ...INTERACTIVE_SHAPES, ...TEMPLATE_SHAPES };

for (const [name, [message, ...complaints]] of Object.entries(shapes)) {
  Deno.test(
    `refused: ${name}`,
    rolledBack(database, async (sql) => assertEquals(await complaintsAbout(sql, message), complaints)),
  );
}

Deno.test(
  "a character is a code point: an emoji counts as many as it is made of",
  rolledBack(database, async (sql) => {
    assertEquals(await complaintsAbout(sql, buttons(1, { title: "🚕".repeat(20) })), []);
    assertEquals(await complaintsAbout(sql, buttons(1, { title: "👍🏾".repeat(11) })), [
      "/interactive/action/buttons/0/reply/title: at most 20 characters",
    ]);
  }),
);

Deno.test(
  "every problem of a message is told at once",
  rolledBack(database, async (sql) => {
    const message = buttons(1, { title: letters(21), id: "" }, { footer: { text: letters(61) } });

    assertEquals(await complaintsAbout(sql, message), [
      "/interactive/action/buttons/0/reply/id: must not be empty",
      "/interactive/action/buttons/0/reply/title: at most 20 characters",
      "/interactive/footer/text: at most 60 characters",
    ]);
  }),
);

Deno.test(
  "of unknown members the first twenty are named",
  rolledBack(database, async (sql) => {
    const unknown = Object.fromEntries(Array.from({ length: 10_000 }, (_, index) => [`k${index}`, 1]));

    assertEquals((await complaintsAbout(sql, ["text", { text: { body: "Muraho", ...unknown } }])).length, 20);
  }),
);

Deno.test(
  "only templates go out while the window is shut",
  rolledBack(database, async (sql) => {
    const rows = await sql<{ type: string }[]>`
      select type from unnest(${["text", "image", "interactive", "template", "reaction"]}::text[]) as type
      where not private.whatsapp_message_needs_window(type)`;

    assertEquals(rows.map(({ type }) => type), ["template"]);
  }),
);
