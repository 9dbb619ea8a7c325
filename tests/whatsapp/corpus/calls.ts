import type { Element, Json } from "./delivery.ts";
import { errorElement, post } from "./messages.ts";
import { named } from "./people.ts";
import * as scene from "./scene.ts";
import { type Scenario, type Scene, someone, table } from "./scene.ts";

const SDP = "v=0\r\no=- 7669997803033704573 2 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\n";

const CALLS: Record<string, (s: Scene, at: number) => Json> = {
  connect: () => ({ session: { sdp_type: "offer", sdp: SDP } }),
  terminate: (s, at) => ({
    status: s.random.pick(["COMPLETED", "FAILED"]),
    start_time: String(at - 61),
    end_time: String(at - 1),
    duration: 60,
    biz_opaque_callback_data: s.random.token(12),
  }),
  call_created: () => ({}),
  call_recording_available: (s) => ({ recording: { id: scene.digits(s) } }),
  call_transcription_available: (s) => ({ transcription: { id: scene.digits(s) } }),
};

const wacid = (s: Scene) => `wacid.${s.random.token(40)}`;

function call(s: Scene, event: string, direction: string): Element {
  const at = scene.recent(s);
  const user = someone(s);
  const ours = s.phone.display_phone_number;
  const ends = direction === "USER_INITIATED"
    ? { ...named("from", user.identity), to: ours }
    : { from: ours, ...named("to", user.identity) };
  const json = { id: wacid(s), ...ends, event, direction, timestamp: scene.stamp(s, at), ...CALLS[event]!(s, at) };
  return { collection: "calls", json, claim: { kind: "event", at }, contact: scene.contactOf(s, user) };
}

function callStatus(s: Scene, name: string): Element {
  const at = scene.recent(s);
  const json = {
    id: wacid(s),
    type: "call",
    status: name,
    timestamp: scene.stamp(s, at),
    ...named("recipient", someone(s).identity),
  };
  return { collection: "statuses", json, claim: { kind: "event", at } };
}

const FIELD = { field: "calls" };

/** Calls: every event both ways, the statuses of ours, errors. */
export const CALL_SCENARIOS: Record<string, Scenario> = {
  ...table("by a user,", CALLS, (_, event) => (s) => post(s, [call(s, event, "USER_INITIATED")], FIELD)),
  ...table("by us,", CALLS, (_, event) => (s) => post(s, [call(s, event, "BUSINESS_INITIATED")], FIELD)),
  "ringing": (s) => post(s, [callStatus(s, "RINGING")], FIELD),
  "accepted": (s) => post(s, [callStatus(s, "ACCEPTED")], FIELD),
  "rejected, with errors": (s) =>
    post(s, [call(s, "terminate", "BUSINESS_INITIATED"), callStatus(s, "REJECTED"), errorElement(s, 138009)], FIELD),
};
