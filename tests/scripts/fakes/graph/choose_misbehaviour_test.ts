import { assert, assertEquals, assertNotEquals } from "@std/assert";
import { DOUBTS, REFUSALS, seededMisbehaviour } from "../../../../scripts/fakes/graph/choose_misbehaviour.ts";

const INTENTS = Array.from({ length: 500 }, (_, index) => `intent-${index}`);

function choices(seed: number, intents: readonly string[]) {
  const choose = seededMisbehaviour({ seed, share: 0.3 });
  return new Map(intents.map((intent) => [intent, choose({ intent, count: 1 })]));
}

Deno.test("seededMisbehaviour() does the same to each intent, whatever the order", () => {
  const forward = choices(7, INTENTS);
  const backward = choices(7, INTENTS.toReversed());

  for (const intent of INTENTS) assertEquals(forward.get(intent), backward.get(intent));
  assertNotEquals([...forward.values()], [...choices(8, INTENTS).values()]);
});

Deno.test("seededMisbehaviour() lets about the share go wrong that it was told", () => {
  const wrong = [...choices(7, INTENTS).values()].filter((bad) => bad !== undefined).length;

  assert(wrong > 100 && wrong < 200, String(wrong));
});

Deno.test("seededMisbehaviour() draws anew for another attempt", () => {
  const choose = seededMisbehaviour({ seed: 7, share: 0.5 });

  const attempts = Array.from({ length: 40 }, (_, count) => choose({ intent: "a", count }) !== undefined);

  assertEquals(new Set(attempts).size, 2);
});

Deno.test("refusals carry nothing out; every doubt comes carried out and not", () => {
  assertEquals(REFUSALS.filter(({ accepts }) => accepts), []);
  assertEquals(DOUBTS.filter(({ accepts }) => accepts).length, DOUBTS.length / 2);
});
