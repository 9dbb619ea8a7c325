import { clip, LIMITS } from "./limits.ts";

/** A message for the outbound queue: `enqueue_whatsapp_message()` takes the two as they are. */
export interface Reply {
  type: "text" | "interactive";
  payload: Record<string, unknown>;
}

/** Something to be tapped: what comes back, and what it says. */
export interface Choice {
  id: string;
  title: string;
}

/** A line of a list. */
export interface Row extends Choice {
  description?: string;
}

/** At most three buttons have their place under a message. */
export type Choices = readonly [Choice] | readonly [Choice, Choice] | readonly [Choice, Choice, Choice];

/** Plain words. */
export function say(body: string): Reply {
  return { type: "text", payload: { text: { body: clip(body, LIMITS.text) } } };
}

/** Words with buttons under them. */
export function offer(body: string, choices: Choices): Reply {
  const buttons = choices.map(({ id, title }) => ({
    type: "reply",
    reply: { id, title: clip(title, LIMITS.buttonTitle) },
  }));
  return interactive("button", body, { buttons });
}

/** Words with a list behind a button; of the rows the first ten. */
export function list(body: string, button: string, rows: readonly [Row, ...Row[]]): Reply {
  const shown = rows.slice(0, LIMITS.rows).map(({ id, title, description }) => ({
    id,
    title: clip(title, LIMITS.rowTitle),
    ...(description && { description: clip(description, LIMITS.rowDescription) }),
  }));
  const title = clip(button, LIMITS.buttonTitle);
  return interactive("list", body, { button: title, sections: [{ title, rows: shown }] });
}

/** Asks where somebody is, with WhatsApp's own button for it. */
export function askLocation(body: string): Reply {
  return interactive("location_request_message", body, { name: "send_location" });
}

/** Asks somebody who is known by a user id only for their phone number, with WhatsApp's own button for it. */
export function askPhone(body: string): Reply {
  return interactive("contact_request", body, { name: "request_contact_info" });
}

function interactive(type: string, body: string, action: Record<string, unknown>): Reply {
  const text = clip(body, LIMITS.body);
  return { type: "interactive", payload: { interactive: { type, body: { text }, action } } };
}
