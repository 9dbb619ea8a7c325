import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { type LaneState, nextTurn } from "shared/worker/next_turn.ts";

const FRESH: LaneState = {
  isLooking: false,
  hasRoom: true,
  inFlight: 0,
  lookedAt: -Infinity,
  isSpent: false,
  hasFailed: false,
  restsUntil: -Infinity,
};
const SPENT: LaneState = { ...FRESH, isSpent: true, lookedAt: 90, restsUntil: 190 };
const RULES = { now: 100, maxLooks: 2, lastLookFrom: 0 };

for (
  const [situation, lanes, rules, expected] of [
    ["there is no source", [], {}, "end"],
    ["nobody was looked at: the first", [FRESH, FRESH], {}, { look: 0 }],
    ["one was looked at longer ago", [{ ...FRESH, lookedAt: 50 }, { ...FRESH, lookedAt: 40 }], {}, { look: 1 }],
    ["one is being looked at: another", [{ ...FRESH, isLooking: true }, FRESH], {}, { look: 1 }],
    ["as many are looked at as may be", [{ ...FRESH, isLooking: true }, { ...FRESH, isLooking: true }, FRESH], {}, {
      waitUntil: Infinity,
    }],
    ["one has no room", [{ ...FRESH, hasRoom: false, inFlight: 9 }, { ...FRESH, lookedAt: 50 }], {}, { look: 1 }],
    ["all are spent", [SPENT, SPENT], {}, "end"],
    ["a spent one has items in work", [{ ...SPENT, inFlight: 1 }], {}, { waitUntil: 190 }],
    ["a spent one rests while another works", [SPENT, { ...FRESH, isLooking: true }], {}, { waitUntil: 190 }],
    ["its rest is over and another works", [{ ...SPENT, restsUntil: 99 }, { ...FRESH, isLooking: true }], {}, {
      look: 0,
    }],
    ["one was looked at too early", [SPENT, { ...SPENT, lookedAt: 10, restsUntil: 99 }], { lastLookFrom: 50 }, {
      look: 1,
    }],
    ["one was looked at too early and rests", [{ ...SPENT, lookedAt: 10 }], { lastLookFrom: 50 }, { waitUntil: 190 }],
    ["one failed, however early", [{ ...SPENT, lookedAt: 10, hasFailed: true }], { lastLookFrom: 50 }, "end"],
    [
      "one is finished and another has its last look",
      [{ ...SPENT, lookedAt: 60, restsUntil: 99 }, { ...SPENT, isLooking: true }],
      { lastLookFrom: 50 },
      { waitUntil: Infinity },
    ],
  ] as const
) {
  Deno.test(`nextTurn() when ${situation}: ${JSON.stringify(expected)}`, () => {
    assertEquals(nextTurn(lanes, { ...RULES, ...rules }), expected);
  });
}

/** Looks one after another at sources that never end; each look lasts a while. Gives whose turn it was, in order. */
function turnsOf(lasting: number[][], maxLooks: number): number[] {
  const lanes = lasting.map(() => ({ ...FRESH }));
  const looking: { lane: number; until: number }[] = [];
  const turns: number[] = [];
  let now = 0;
  while (turns.length < 20 * lanes.length) {
    const decision = nextTurn(lanes, { now, maxLooks, lastLookFrom: 0 });
    if (typeof decision === "object" && "look" in decision) {
      const { look: lane } = decision;
      const durations = lasting[lane]!;
      Object.assign(lanes[lane]!, { isLooking: true, lookedAt: now });
      looking.push({ lane, until: now + durations[turns.length % durations.length]! });
      turns.push(lane);
    } else {
      looking.sort((one, other) => one.until - other.until);
      const { lane, until } = looking.shift()!;
      now = until;
      lanes[lane]!.isLooking = false;
    }
  }
  return turns;
}

Deno.test("nextTurn() lets nobody wait for more than one turn of each other source, however long the turns last", () => {
  const durations = fc.array(fc.array(fc.integer({ min: 1, max: 1_000 }), { minLength: 1 }), {
    minLength: 1,
    maxLength: 8,
  });
  fc.assert(fc.property(durations, fc.integer({ min: 1, max: 4 }), (lasting, maxLooks) => {
    const turns = turnsOf(lasting, maxLooks);
    const count = lasting.length;

    for (let lane = 0; lane < count; lane++) {
      const own = turns.flatMap((turn, index) => turn === lane ? [index] : []);
      assertEquals(own[0]! < count, true, "everybody has a turn in the first round");
      // While its own look lasts, others with shorter ones may come again; from its end on, nobody comes twice before it.
      if (maxLooks > 1) continue;
      for (const [index, place] of own.slice(1).entries()) assertEquals(place - own[index]! <= count, true);
    }
  }));
});
