import { envelope, type Json, whole } from "./delivery.ts";
import { message, post, textMessage } from "./messages.ts";
import { BEYOND_DOUBLE } from "../../../scripts/fakes/graph/meta_json.ts";
import * as scene from "./scene.ts";
import { entry, type Scenario, table } from "./scene.ts";

function nested(depth: number, wrap: (inner: unknown) => unknown): unknown {
  return depth === 0 ? "bottom" : wrap(nested(depth - 1, wrap));
}

const textOf = (body: string): Json => ({ type: "text", text: { body } });
const keys = (count: number) => Object.fromEntries(Array.from({ length: count }, (_, key) => [`k${key}`, key]));

/** What a message may contain and yet be stored. */
const CONTENTS: Record<string, Json> = {
  "NUL": textOf("a\0b"),
  "NULs alone": textOf("\0\0\0"),
  "a backslash before u0000": textOf("\\u0000"),
  "a lone high surrogate": textOf("a\ud800b"),
  "a lone low surrogate": textOf("\udc00"),
  "a surrogate pair reversed": textOf("\ude00\ud83d"),
  "NUL in a key": { ...textOf("a"), "b\0c": 1 },
  "a lone surrogate in a key": { ...textOf("a"), "b\ud800": 1 },
  "NUL in the type": { type: "te\0xt" },
  "control characters": textOf("\u0001\u001b[31m\u007f\u0085\u2028\ufeff"),
  "noncharacters": textOf("\ufffe\uffff\u{10ffff}"),
  "SQL": textOf("'; drop table whatsapp_messages; --"),
  "500,000 characters": textOf("é/".repeat(250_000)),
  "100 levels of objects": { ...textOf("a"), deep: nested(100, (inner) => ({ inner })) },
  "100 levels of lists": { ...textOf("a"), deep: nested(100, (inner) => [inner]) },
  "1e400": { type: "location", location: { latitude: BEYOND_DOUBLE, longitude: 30 } },
  "2,000 keys": { ...textOf("a"), ...keys(2000) },
  "a body that is no object": { type: "text", text: "plain" },
  "a type without its object": { type: "image" },
  "a key of JavaScript's": { ...textOf("a"), ["__proto__"]: { type: "image" } },
};

/** Hostile text, numbers and shapes inside of items that are otherwise good. */
export const CONTENT_SCENARIOS: Record<string, Scenario> = {
  ...table("message with", CONTENTS, (part) => (s) => post(s, [textMessage(s), message(s, part)])),
  "a name with NUL": (s) => {
    const sender = scene.someone(s, "phone");
    const contact = { profile: { name: "A\0B\ud800" }, ...sender.identity };
    return post(s, [{ ...textMessage(s, { sender }), contact }]);
  },
  "an id with NUL": (s) => post(s, [message(s, { id: `${scene.wamid(s)}\0`, ...textOf("a") })]),
  "events with NUL": (s) =>
    envelope(entry(s, [
      whole("account_update", { event: "VERIFIED_ACCOUNT", ["k\0"]: `\ud800${s.random.token(8)}` }),
      whole("new\0field", { note: s.random.token(8) }, { kind: "unknown" }),
    ])),
};
