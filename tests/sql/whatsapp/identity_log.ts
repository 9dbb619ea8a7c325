import fc from "fast-check";
import { change, inbox, messages, text } from "../../support/deliveries.ts";
import type { LogEntry, Names } from "./identity_model.ts";

/** When a log begins: far enough back that nothing lies in the future, and nothing is stale. */
const START = Math.floor(Date.now() / 1000) - 10_000;

const phone = fc.constantFrom("250788000001", "250788000002", "250788000003");
const user = fc.constantFrom("RW.1", "RW.2", "RW.3", "RW.4");
const at = fc.integer({ min: 0, max: 40 }).map((second) => START + second);
const body = fc.constantFrom("Muraho", "Muraho", "STOP", "Hagarika!", "START", "anza");
const names: fc.Arbitrary<Names> = fc.oneof(
  fc.record({ phone }),
  fc.record({ user }),
  fc.record({ phone, user }),
);

const entry: fc.Arbitrary<Record<string, unknown>> = fc.oneof(
  { weight: 6, arbitrary: fc.record({ what: fc.constant("message"), at, names, body }) },
  { weight: 1, arbitrary: fc.record({ what: fc.constant("new_number"), at, names, now: names }) },
  {
    weight: 1,
    arbitrary: fc.record({
      what: fc.constant("new_user_id"),
      at,
      previous: user,
      current: user,
      phone: fc.option(phone, { nil: undefined }),
    }),
  },
);

/** Logs of few people with few names, most of them of a kind that Meta would never send: the rules must hold for all. */
export const anyLog: fc.Arbitrary<LogEntry[]> = fc.array(entry, { minLength: 1, maxLength: 14 })
  .map((entries) => entries.map((each, index) => ({ ...each, id: `wamid.log${index}` }) as unknown as LogEntry));

/** A log as deliveries: some entries doubled, all in any order, in batches of any size. */
export function deliveriesOf(log: LogEntry[]): fc.Arbitrary<Uint8Array<ArrayBuffer>[]> {
  return fc.tuple(
    fc.shuffledSubarray([...log, ...log], { minLength: log.length }),
    fc.array(fc.integer({ min: 1, max: 6 }), { minLength: 1, maxLength: 8 }),
  ).map(([shuffled, sizes]) => {
    const missing = log.filter((each) => !shuffled.includes(each));
    const pending = [...shuffled, ...missing];
    const batches: Uint8Array<ArrayBuffer>[] = [];
    for (let batch = 0; pending.length > 0; batch++) {
      const taken = pending.splice(0, sizes[batch % sizes.length]!);
      const inboxed = taken.filter((each) => each.what !== "new_user_id");
      if (inboxed.length > 0) batches.push(messages(...inboxed.map(written)));
      batches.push(
        ...taken.filter((each) => each.what === "new_user_id").map((each) =>
          change(
            "user_id_update",
            inbox({ user_id_update: [written(each)] }),
          )
        ),
      );
    }
    return batches;
  });
}

function written(entry: LogEntry): Record<string, unknown> {
  if (entry.what === "new_user_id") {
    const { phone, previous, current, at } = entry;
    return { wa_id: phone, detail: "User changed number", user_id: { previous, current }, timestamp: String(at) };
  }
  const common = {
    id: entry.id,
    timestamp: String(entry.at),
    from: entry.names.phone,
    from_user_id: entry.names.user,
  };
  if (entry.what === "message") return text({ ...common, text: { body: entry.body } });
  const { phone, user } = entry.now;
  return { ...common, type: "system", system: { type: "user_changed_number", wa_id: phone, user_id: user } };
}
