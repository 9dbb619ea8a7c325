import { assertEquals } from "@std/assert";
import { sendMessage } from "../../../shared/whatsapp/send_message.ts";
import { DOUBTS, REFUSALS, seededMisbehaviour } from "../../../scripts/fakes/graph/choose_misbehaviour.ts";
import { type FakeGraph, startFakeGraph } from "../../../scripts/fakes/graph/fake_graph.ts";
import { LASTING_ANSWERS } from "../../../scripts/fakes/graph/misbehaviour.ts";
import { NUMBER, reach, textMessage } from "./reach.ts";

const INTENTS = Array.from({ length: 40 }, (_, index) => `intent-${index}`);
const PROMPT = [...DOUBTS, ...REFUSALS].filter(({ answer }) => !LASTING_ANSWERS.includes(answer));

/** The smallest sender that heeds what each outcome means: of what is doubtful, statuses tell. */
async function deliverOnce(graph: FakeGraph, intent: string, confirmed: ReadonlySet<string>): Promise<void> {
  while (!confirmed.has(intent)) {
    const { kind } = await sendMessage(reach(graph), NUMBER, textMessage(intent));
    if (kind === "accepted") return;
    if (kind === "unknown") await graph.statuses.deliver({ copies: 2, shuffled: true, batch: 2 });
  }
}

for (const seed of [1, 2, 3]) {
  Deno.test(`sendMessage() tells enough for each message to be sent once, whatever goes wrong (seed ${seed})`, async () => {
    const confirmed = new Set<string>();
    async function target(request: Request): Promise<Response> {
      for (const [, intent] of (await request.text()).matchAll(/"biz_opaque_callback_data":"([^"]+)"/g)) {
        confirmed.add(intent!);
      }
      return new Response();
    }
    const misbehave = seededMisbehaviour({ seed, share: 0.7, among: PROMPT });
    await using graph = startFakeGraph({ seed, misbehave, webhook: { target } });

    for (const intent of INTENTS) await deliverOnce(graph, intent, confirmed);

    assertEquals(graph.mailbox.messages.map(({ intent }) => intent), INTENTS);
    assertEquals(graph.misbehaved > INTENTS.length, true);
  });
}
