import { isPlace, type Place } from "./session.ts";
import { readButtonId, type Tap } from "./button_id.ts";

/** What somebody said, of all that Meta may bring. */
export type Said =
  | { kind: "text"; text: string }
  | { kind: "location"; place: Place }
  | { kind: "tap"; tap: Tap }
  /** Their own number, given by WhatsApp's own button. */
  | { kind: "phone"; phone: string }
  /** A chat opened without a word. */
  | { kind: "greeting" }
  | { kind: "unknown" };

type Fields = Record<string, unknown>;

/** Reads a message object as Meta sent it; nothing in it is taken for granted. */
export function readMessage(message: Fields): Said {
  switch (message.type) {
    case "text":
      return textOf(fieldsOf(message.text).body);
    case "location":
      return locationOf(fieldsOf(message.location));
    case "interactive":
      return tapOf(fieldsOf(message.interactive));
    case "button":
      return tappedId(fieldsOf(message.button).payload);
    case "contacts":
      return phoneOf(message.contacts);
    case "request_welcome":
      return { kind: "greeting" };
    default:
      return { kind: "unknown" };
  }
}

function textOf(body: unknown): Said {
  return typeof body === "string" ? { kind: "text", text: body } : { kind: "unknown" };
}

function locationOf({ latitude, longitude, name }: Fields): Said {
  const place = { lat: latitude, lng: longitude };
  if (!isPlace(place)) return { kind: "unknown" };
  const label = typeof name === "string" ? [...name].slice(0, 80).join("").trim() : "";
  return { kind: "location", place: label ? { ...place, label } : place };
}

function tapOf(interactive: Fields): Said {
  return tappedId(fieldsOf(interactive.button_reply ?? interactive.list_reply).id);
}

function tappedId(id: unknown): Said {
  const tap = typeof id === "string" ? readButtonId(id) : null;
  return tap ? { kind: "tap", tap } : { kind: "unknown" };
}

/** A card that answers our own request is the sender's; any other may be anybody's. */
function phoneOf(contacts: unknown): Said {
  const card = fieldsOf(Array.isArray(contacts) ? contacts[0] : null);
  const phone = fieldsOf(Array.isArray(card.phones) ? card.phones[0] : null);
  const isOwn = card.origin === "contact_request" && typeof phone.wa_id === "string" &&
    /^[1-9]\d{6,14}$/.test(phone.wa_id);
  return isOwn ? { kind: "phone", phone: `+${phone.wa_id}` } : { kind: "unknown" };
}

function fieldsOf(value: unknown): Fields {
  return typeof value === "object" && value !== null ? value as Fields : {};
}
