import { assertEquals } from "@std/assert";
import { connect } from "../../../scripts/stack/connection.ts";
import { createTestDatabase } from "../../support/database.ts";
import { claim, claimedIds, complete, enqueued, enqueueTemplate, outcomeOf } from "./outbound.ts";

const database = await createTestDatabase();
const clients = Array.from({ length: 4 }, () => connect(database.url));
const TEMPLATE = { message_type: "template", message_payload: { template: { name: "a", language: { code: "en" } } } };

Deno.test("the same key from four sides at once is one message", async () => {
  const draft = { ...TEMPLATE, idempotency_key: "once", recipient_phone: "+250788000011" };

  const answers = await Promise.all(clients.map((client) => enqueued(client, draft)));

  assertEquals(new Set(answers.map(({ message_id }) => message_id)).size, 1);
  assertEquals(answers.filter(({ is_duplicate }) => !is_duplicate).length, 1);
});

Deno.test("four messages at once to somebody new make one contact and one lane", async () => {
  const ids = await Promise.all(
    clients.map((client) => enqueueTemplate(client, { recipient_phone: "+250788000012" })),
  );

  const rows = await database.sql`
    select distinct contact_id from public.whatsapp_message_queue where id in ${database.sql(ids)}`;
  const outcomes = await Promise.all(ids.map((id) => outcomeOf(database.sql, id)));
  assertEquals([rows.length, outcomes.sort()], [1, ["blocked", "blocked", "blocked", "ready"]]);
});

Deno.test("four claims at once share no message, and take all there are", async () => {
  await drain();
  const ids = await Promise.all(
    Array.from(
      { length: 40 },
      (_, at) => enqueueTemplate(clients[at % 4]!, { recipient_phone: `+${250_788_001_000 + at}` }),
    ),
  );

  const claimed = (await Promise.all(clients.map((client) => claimedIds(client, 15)))).flat();

  assertEquals(claimed.toSorted(), ids.toSorted());
});

Deno.test("four answers at once, each with a successor in its lane, lose nothing", async () => {
  await drain();
  const phones = clients.map((_, at) => `+${250_788_002_000 + at}`);
  for (const recipient_phone of [...phones, ...phones]) await enqueueTemplate(clients[0]!, { recipient_phone });
  const claims = await claim(clients[0]!);

  await Promise.all(claims.map((each, at) => complete(clients[at]!, each)));

  assertEquals((await claim(clients[0]!)).length, 4);
});

/** Takes whatever tests before have left. */
async function drain(): Promise<void> {
  for (let claims = await claim(database.sql); claims.length > 0; claims = await claim(database.sql)) {
    for (const each of claims) await complete(database.sql, each);
  }
}
