import { assert, assertEquals } from "@std/assert";
import { webhookTest } from "../../support/webhook.ts";
import { corpus } from "../../whatsapp/corpus/corpus.ts";
import type { Delivery } from "../../whatsapp/corpus/delivery.ts";
import { forge } from "../../../scripts/fakes/graph/deliver.ts";
import { expectedItems, expectedStore } from "../../whatsapp/expected.ts";
import { inOrder, storedContents } from "../../whatsapp/stored.ts";
import { random } from "../../../scripts/fakes/random.ts";

const NOW = new Date();

webhookTest("the webhook makes of each delivery the items that it contains", async ({ accept, sql }) => {
  const seen = new Set<string>();
  const answered = new Set<string>();
  for (const { name, bytes } of corpus(11, 380, NOW)) {
    const response = await accept(bytes);
    assertEquals(response.status, 200, name);
    const { delivery_id, is_copy } = await response.json();
    assertEquals(is_copy, answered.has(delivery_id), name);
    if (is_copy) continue;
    answered.add(delivery_id);

    const rows =
      await sql`select path, kind, outcome, reason from private.whatsapp_items_of(${delivery_id}) order by path`;
    const expected = expectedItems(bytes, NOW, seen).map(({ path, kind, outcome, reason }) => ({
      path,
      kind,
      outcome,
      reason,
    }));
    const byPath = (a: { path: string }, b: { path: string }) => a.path < b.path ? -1 : 1;
    assertEquals(rows.map((row) => ({ ...row })).sort(byPath as never), expected.sort(byPath) as never, name);
  }
});

for (const seed of [1, 2]) {
  webhookTest(
    `the webhook stores the same whatever the order, twice over, concurrently and among forgeries (${seed})`,
    async (webhook) => {
      const { accept, send, sql, log } = webhook;
      const deliveries = corpus(seed, 400, NOW);
      const order = random(seed).shuffle([...deliveries, ...deliveries]);

      let next = 0;
      async function sender(): Promise<void> {
        while (next < order.length) {
          const delivery: Delivery = order[next++]!;
          if (next % 20 === 0) await sendForgeries(send, delivery);
          const response = await accept(delivery.bytes);
          assertEquals(response.status, 200, delivery.name);
          await response.body?.cancel();
        }
      }
      await Promise.all(Array.from({ length: 8 }, sender));

      assertEquals(log.raw.filter((line) => /2507880\d{5}|wamid\./.test(line)), []);
      const stored = await storedContents(sql);
      const expected = expectedStore(order, NOW);
      assertEquals(inOrder(stored), inOrder(expected));
      for (const person of expected.people) {
        assert(stored.people.some((names) => person.every((name) => names.includes(name))), person.join(" "));
      }
      const leaking = await sql`select delivery_id from public.whatsapp_delivery_outcomes where not is_whole`;
      assertEquals(leaking.length, 0);
    },
  );
}

async function sendForgeries(
  send: (bytes: Uint8Array<ArrayBuffer>, signature: string | null) => Promise<Response>,
  { bytes, name }: Delivery,
): Promise<void> {
  for (const forgery of await forge(bytes)) {
    const response = await send(forgery.bytes, forgery.signature);
    assertEquals(response.status, 401, `${forgery.name} of ${name}`);
    await response.body?.cancel();
  }
}
