import type { Limit } from "./limit.ts";
import { letters, several } from "../payloads.ts";

const CAPTIONED: Limit[] = ["image", "video", "document"].map((kind): Limit => ({
  what: `${kind}: caption`,
  unit: "characters",
  highest: 1024,
  pointer: `/${kind}/caption`,
  of: (n) => [kind, { [kind]: { id: "1", caption: letters(n) } }],
}));

/** Limits of what is not interactive and no template. */
export const MESSAGE_LIMITS: Limit[] = [
  {
    what: "text: body",
    unit: "characters",
    highest: 4096,
    pointer: "/text/body",
    of: (n) => ["text", { text: { body: letters(n) } }],
  },
  ...CAPTIONED,
  {
    what: "location: latitude",
    unit: "degrees",
    lowest: -90,
    highest: 90,
    pointer: "/location/latitude",
    of: (n) => ["location", { location: { latitude: n, longitude: 30.06 } }],
  },
  {
    what: "location: longitude",
    unit: "degrees",
    lowest: -180,
    highest: 180,
    pointer: "/location/longitude",
    of: (n) => ["location", { location: { latitude: -1.94, longitude: String(n) } }],
  },
  {
    what: "contacts: contacts",
    unit: "entries",
    highest: 257,
    pointer: "/contacts",
    of: (
      n,
    ) => ["contacts", { contacts: several(n, () => ({ name: { formatted_name: "Aline U.", first_name: "Aline" } })) }],
  },
  {
    what: "contacts: phones, emails, urls or addresses of one (ours)",
    unit: "entries",
    lowest: 0,
    highest: 100,
    pointer: "/contacts/0/phones",
    of: (n) => {
      const name = { formatted_name: "Aline U.", first_name: "Aline" };
      return ["contacts", { contacts: [{ name, phones: several(n, () => ({ phone: "+250788000000" })) }] }];
    },
  },
  {
    what: "reaction: message_id",
    unit: "characters",
    highest: 512,
    pointer: "/reaction/message_id",
    of: (n) => ["reaction", { reaction: { message_id: letters(n), emoji: "👍" } }],
  },
  {
    what: "context: message_id",
    unit: "characters",
    highest: 512,
    pointer: "/context/message_id",
    of: (n) => ["text", { text: { body: "Yego" }, context: { message_id: letters(n) } }],
  },
];
