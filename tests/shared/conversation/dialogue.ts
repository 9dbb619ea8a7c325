import { converse, type Input } from "shared/conversation/converse.ts";
import type { Command, Outcome } from "shared/conversation/command.ts";
import type { Reply } from "shared/conversation/reply.ts";
import type { Person, Session } from "shared/conversation/session.ts";
import type { Turn } from "shared/conversation/turn.ts";

/** Of these tests. */
export const NOW = new Date("2026-11-20T08:00:00Z");
/** Of these tests. */
export const TRIP_ID = "019a8a4e-0000-7000-8000-000000000001";
/** Of these tests. */
export const KIMIRONKO = { lat: -1.9365, lng: 30.1287 };
/** Of these tests. */
export const REMERA = { lat: -1.9577, lng: 30.1127, label: "Remera" };
/** Of these tests. */
export const RIDER: Person = { has_phone: true, driver: null, places: [] };
/** Of these tests. */
export const DRIVER: Person = { has_phone: true, driver: { is_approved: true, is_online: true }, places: [] };

/** A session at its beginning. */
export function session(fields: Partial<Session> = {}): Session {
  return { state: "idle", context: {}, version: 1, locale: "en", ...fields };
}

/** A text message. */
export function words(body: string): Input {
  return { kind: "message", message: { type: "text", text: { body } }, consent: null };
}

/** A shared location. */
export function location({ lat, lng }: { lat: number; lng: number }): Input {
  return { kind: "message", message: { type: "location", location: { latitude: lat, longitude: lng } }, consent: null };
}

/** A tap on a button or row with that id. */
export function tap(id: string): Input {
  const interactive = { type: "button_reply", button_reply: { id, title: "x" } };
  return { kind: "message", message: { type: "interactive", interactive }, consent: null };
}

/** What became of a command. */
export function outcome(command: Command, fields: Outcome): Input {
  return { kind: "outcome", command, outcome: fields };
}

/** One step, at the time of these tests unless told otherwise. */
export function step(from: Session, input: Input, person: Person = RIDER, now: Date = NOW): Turn {
  return converse(from, person, input, now);
}

/** The session as the database has it after a turn. */
export function stored({ session }: Turn): Session {
  return { ...session, version: session.version + 1 };
}

/** The words of a reply. */
export function bodyOf({ payload }: Reply): string {
  const { text, interactive } = payload as { text?: { body: string }; interactive?: { body: { text: string } } };
  return text?.body ?? interactive!.body.text;
}

/** The ids and titles that a reply offers. */
export function choicesOf({ payload }: Reply): { id: string; title: string; description?: string }[] {
  // deno-lint-ignore no-explicit-any
  const action = (payload as any).interactive?.action ?? {};
  return [
    // deno-lint-ignore no-explicit-any
    ...(action.buttons ?? []).map(({ reply }: any) => reply),
    // deno-lint-ignore no-explicit-any
    ...(action.sections ?? []).flatMap(({ rows }: any) => rows),
  ];
}

/** The id behind the choice of an action. */
export function idOf(turn: Turn, action: string): string {
  const ids = turn.replies.flatMap(choicesOf).map(({ id }) => id);
  const id = ids.find((known) => known.startsWith(`${action}|`));
  if (!id) throw new Error(`nothing offers ${action} among ${ids}`);
  return id;
}
