import { ACCOUNT_SCENARIOS } from "./account.ts";
import { BODY_SCENARIOS } from "./bodies.ts";
import { CALL_SCENARIOS } from "./calls.ts";
import { COEXISTENCE_SCENARIOS } from "./coexistence.ts";
import { CONTACT_SCENARIOS } from "./contacts.ts";
import { CONTENT_SCENARIOS } from "./contents.ts";
import { type Delivery, written } from "./delivery.ts";
import { ENVELOPE_SCENARIOS } from "./envelope.ts";
import { FAULT_SCENARIOS } from "./faults.ts";
import { MESSAGE_SCENARIOS } from "./messages.ts";
import { metaJson } from "../../../scripts/fakes/graph/meta_json.ts";
import { type Random, random } from "../../../scripts/fakes/random.ts";
import { PHONES } from "./scene.ts";
import { STATUS_SCENARIOS } from "./statuses.ts";

const SCENARIOS = Object.entries({
  messages: MESSAGE_SCENARIOS,
  statuses: STATUS_SCENARIOS,
  calls: CALL_SCENARIOS,
  coexistence: COEXISTENCE_SCENARIOS,
  account: ACCOUNT_SCENARIOS,
  contacts: CONTACT_SCENARIOS,
  envelope: ENVELOPE_SCENARIOS,
  bodies: BODY_SCENARIOS,
  faults: FAULT_SCENARIOS,
  contents: CONTENT_SCENARIOS,
}).flatMap(([area, scenarios]) =>
  Object.entries(scenarios).map(([name, scenario]) => ({ name: `${area}/${name}`, scenario }))
);

const ENCODINGS = [
  metaJson,
  metaJson,
  metaJson,
  metaJson,
  JSON.stringify,
  (value: unknown) => JSON.stringify(value, null, 2),
];

/**
 * Deliveries as Meta would send them, the same for the same arguments: every scenario in some order, then again
 * with other people and times, and now and then a copy of an earlier body. 450 deliveries hold every scenario.
 *
 * @param now - the end of the corpus' time; nothing but what is meant to be stale is older than 20 days
 */
export function corpus(seed: number, size: number, now: Date): Delivery[] {
  const source = random(seed);
  const deliveries: Delivery[] = [];
  while (deliveries.length < size) {
    for (const { name, scenario } of source.shuffle(SCENARIOS)) {
      deliveries.push(...tell(name, scenario, source, now));
      if (source.chance(0.08)) deliveries.push(copyOf(source.pick(deliveries)));
    }
  }
  return deliveries.slice(0, size);
}

function tell(name: string, scenario: (typeof SCENARIOS)[number]["scenario"], source: Random, now: Date): Delivery[] {
  const drafts = scenario({ random: source, now: Math.floor(now.getTime() / 1000), phone: source.pick(PHONES) });
  return [drafts].flat().map((draft, part) => written(`${name} ${part + 1}`, draft, source.pick(ENCODINGS)));
}

function copyOf(delivery: Delivery): Delivery {
  return { ...delivery, name: `${delivery.name} (copy)` };
}
