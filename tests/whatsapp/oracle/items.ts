import type { ExpectedItem, Kind, Reason } from "../corpus/delivery.ts";
import { canonical, isObject, textAt } from "./json.ts";
import { type Found, itemsOf } from "./walk.ts";

/** An item, the found thing it comes from, and the key under which it is stored. */
export type Judged = ExpectedItem & { found: Found; key: string };

/** What is known of a message's way (Meta, Status messages webhook). */
export type Status = "sent" | "delivered" | "read" | "played" | "failed";

/** The kinds that have an id, a time and a number of their own. */
const KEYED: readonly Kind[] = ["message", "echo", "history", "status"];
/** A later one wins over an earlier: delivered and what follows it contradict failed. */
export const STATUSES: readonly Status[] = ["sent", "failed", "delivered", "read", "played"];
const STALE_AFTER = 35 * 86_400_000;

/**
 * The items of one delivery and what becomes of each.
 *
 * @param seen - keys of the items stored before; it grows. Without it the delivery meets an empty database
 */
export function expectedItems(bytes: Uint8Array, now: Date, seen: Set<string> = new Set()): ExpectedItem[] {
  return judged(bytes, now, seen).map(({ path, kind, outcome, reason, occurred_at }) => (
    { path, kind, outcome, reason, occurred_at }
  ));
}

/** The items of one delivery with all that the store needs of them. */
export function judged(bytes: Uint8Array, now: Date, seen: Set<string>): Judged[] {
  return [...itemsOf(bytes)].map((found) => judge(found, now, seen));
}

function judge(found: Found, now: Date, seen: Set<string>): Judged {
  const kind = isNewStatus(found) ? "unknown" : found.kind;
  const reason = reasonOf(found);
  const entryTime = timeOf(found.entry, "time");
  const occurred_at = timeOf(found.json, "timestamp") ?? entryTime;
  const item = { path: found.path, kind, reason, occurred_at, found, key: keyOf(found, kind) };
  const age = kind === "history" ? entryTime : occurred_at;
  if (reason) return { ...item, outcome: "dead_letter" };
  if (KEYED.includes(kind) && !phoneOf(found)) return { ...item, outcome: "unroutable" };
  if (age && now.getTime() - age.getTime() > STALE_AFTER) return { ...item, outcome: "stale" };
  const rank = rankOf(item);
  if (BETTER.slice(rank).some((better) => seen.has(`${item.key}#${better}`))) return { ...item, outcome: "duplicate" };
  seen.add(`${item.key}#${rank}`);
  return { ...item, outcome: "stored" };
}

const BETTER = [0, 1, 2, 3];

/** Which of two copies of a message is kept: live over standby over history over a placeholder in it. */
export function rankOf({ kind, found }: Pick<Judged, "kind" | "found">): number {
  if (kind !== "history") return found.field === "standby" ? 2 : 3;
  return textAt(found.json, "type") === "media_placeholder" ? 0 : 1;
}

function isNewStatus({ kind, json }: Found): boolean {
  return kind === "status" && isObject(json) && !STATUSES.includes(json.status as Status);
}

function reasonOf({ reason, kind, json, isElement }: Found): Reason | null {
  if (reason) return reason;
  if (isElement && !isObject(json)) return "not_an_object";
  if (!KEYED.includes(kind)) return null;
  const id = textAt(json, "id");
  if (!id || id.length > 512) return "invalid_id";
  return timeOf(json, "timestamp") ? null : "invalid_timestamp";
}

function timeOf(json: unknown, member: string): Date | null {
  const seconds = isObject(json) ? json[member] : undefined;
  if (typeof seconds !== "number" && (typeof seconds !== "string" || !/^-?\d+$/.test(seconds))) return null;
  const time = Number(seconds) * 1000;
  if (!Number.isInteger(Number(seconds)) || time < Date.UTC(2009) || time > Date.UTC(2100)) return null;
  return new Date(time);
}

function keyOf(found: Found, kind: Kind): string {
  const phone = phoneOf(found);
  const id = textAt(found.json, "id");
  if (kind === "status") {
    return canonical(["status", phone, id, participantOf(found.json), textAt(found.json, "status")]);
  }
  if (KEYED.includes(kind)) return canonical(["message", phone, id]);
  if (found.isElement) return canonical([kind, found.json]);
  return canonical([kind, found.field, textAt(found.entry, "id"), timeOf(found.entry, "time"), found.json]);
}

/** The business number that a change names, or null. */
export function phoneOf({ value }: Found): string | null {
  return isObject(value) ? textAt(value.metadata, "phone_number_id") : null;
}

/** Whose status it is in a group; empty otherwise. */
export function participantOf(status: unknown): string {
  const members = ["recipient_participant_id", "participant_recipient_id", "recipient_participant_user_id"];
  return members.map((member) => textAt(status, member)).find((participant) => participant) ?? "";
}
