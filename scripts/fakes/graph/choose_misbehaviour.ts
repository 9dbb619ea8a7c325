import { random } from "../random.ts";
import { GRAPH_ERRORS } from "./graph_errors.ts";
import { DOUBTFUL_ANSWERS, type Misbehaviour } from "./misbehaviour.ts";

/** One arrival of a request that sends a message. */
export interface Attempt {
  /** `biz_opaque_callback_data`, or the path of a request that has none. */
  intent: string;
  /** How often it arrived, this time included. */
  count: number;
}

/** Says how a request goes wrong; nothing when it goes well. */
export type Misbehave = (attempt: Attempt) => Misbehaviour | undefined;

/** Codes that Meta may answer although it carried the request out. */
const DOUBTFUL_CODES = DOUBTFUL_ANSWERS.flatMap((answer) =>
  typeof answer === "object" && "code" in answer ? answer.code : []
);

/** A refusal by each code that is a definite answer: nothing was carried out. */
export const REFUSALS: readonly Misbehaviour[] = Object.keys(GRAPH_ERRORS).map(Number)
  .filter((code) => !DOUBTFUL_CODES.includes(code))
  .map((code) => ({ accepts: false, answer: { code } }));

/** Every doubtful answer, carried out and not. */
export const DOUBTS: readonly Misbehaviour[] = DOUBTFUL_ANSWERS.flatMap((answer) => [
  { accepts: true, answer },
  { accepts: false, answer },
]);

/**
 * Lets a share of requests go wrong. What happens follows from the seed, the intent and the attempt alone, so that it
 * does not depend on the order in which requests arrive.
 */
export function seededMisbehaviour(
  { seed, share, among = [...DOUBTS, ...REFUSALS] }: {
    seed: number;
    share: number;
    among?: readonly Misbehaviour[];
  },
): Misbehave {
  return ({ intent, count }) => {
    const dice = random(hash(`${seed} ${intent} ${count}`));
    return dice.chance(share) ? dice.pick(among) : undefined;
  };
}

/** FNV-1a, 32 bits. */
function hash(text: string): number {
  let bits = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) bits = Math.imul(bits ^ text.charCodeAt(i), 0x01000193);
  return bits;
}
