import { assert, assertEquals } from "@std/assert";
import { DOUBTS } from "../../../../scripts/fakes/graph/choose_misbehaviour.ts";
import { LASTING_ANSWERS } from "../../../../scripts/fakes/graph/misbehaviour.ts";
import { random } from "../../../../scripts/fakes/random.ts";
import type { PaymentAttempt, PaymentProvider } from "../../../../shared/payments/payment_provider.ts";
import { attempt, gist } from "../attempts.ts";
import { momoWith } from "./momo.ts";

const PROMPT = DOUBTS.filter(({ answer }) => !LASTING_ANSWERS.includes(answer));

/** The smallest payer of an attempt that heeds what each answer means: asks again only what MTN has never heard of. */
async function settle(provider: PaymentProvider, asked: PaymentAttempt): Promise<string> {
  let answer = await provider.charge(asked);
  for (;;) {
    if (answer.kind === "answered" && !["processing", "unknown"].includes(answer.signal.status)) return gist(answer);
    answer = answer.kind === "answered" ? await provider.check(asked) : await provider.charge(asked);
  }
}

for (const seed of [1, 2, 3]) {
  Deno.test(`answers tell enough for each payment to be made once, whatever goes wrong (seed ${seed})`, async () => {
    const dice = random(seed);
    let misbehaved = 0;
    await using momo = momoWith({
      seed,
      course: ({ amount }) => Number(amount) % 3 === 0 ? { reason: "NOT_ENOUGH_FUNDS" } : {},
      misbehave() {
        if (!dice.chance(0.6)) return undefined;
        misbehaved++;
        return dice.pick(PROMPT);
      },
    });
    const attempts = Array.from({ length: 30 }, (_, at) => attempt({ amount: 100 + at }));

    const ends: string[] = [];
    for (const asked of attempts) ends.push(await settle(momo.provider, asked));

    assertEquals(ends, attempts.map(({ amount }) => amount % 3 === 0 ? "failed insufficient_funds" : "succeeded"));
    assertEquals([...momo.fake.books.entries.keys()], attempts.map(({ id }) => id));
    assert(misbehaved > attempts.length);
  });
}
