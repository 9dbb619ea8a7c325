import { assertEquals } from "@std/assert";
import { createTestDatabase, rolledBack } from "../../support/database.ts";
import { EXAMPLES } from "./examples.ts";
import { problemsOf } from "./payloads.ts";

const database = await createTestDatabase();

for (const [name, message] of Object.entries(EXAMPLES)) {
  Deno.test(
    `fine: ${name}`,
    rolledBack(database, async (sql) => assertEquals(await problemsOf(sql, message), [])),
  );
}

Deno.test(
  "there is an example of every kind of message, action, component, parameter and button that is known",
  rolledBack(database, async (sql) => {
    const [row] = await sql<{ known: string[] }[]>`
      select array(
        select distinct word.match[1] from pg_proc as p
        cross join lateral regexp_matches(p.prosrc, 'when ''([a-z_]+)'' then', 'g') as word (match)
        where p.pronamespace = 'private'::regnamespace and p.proname in (
          'whatsapp_payload_problems', 'whatsapp_interactive_problems', 'whatsapp_parameter_problems',
          'whatsapp_component_problems', 'whatsapp_template_button_problems', 'whatsapp_button_action_problems'
        )
        order by 1
      ) as known`;
    const shown = JSON.stringify(EXAMPLES).toLowerCase();

    assertEquals(row!.known.length > 30, true);
    assertEquals(row!.known.filter((word) => !shown.includes(`"${word}"`)), []);
  }),
);
