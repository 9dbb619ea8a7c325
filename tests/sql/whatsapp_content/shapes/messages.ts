import { letters, type Message } from "../payloads.ts";
import type { Shapes } from "./shape.ts";

const LINK = "https://easymo.example/a.jpg";

const NAME = { formatted_name: "Aline U.", first_name: "Aline" };

function contact(fields: Record<string, unknown>): Message {
  return ["contacts", { contacts: [{ name: NAME, ...fields }] }];
}

/** Faults of payloads, and of messages that are neither interactive nor templates. */
export const MESSAGE_SHAPES: Shapes = {
  "a type that there is not": [
    ["gif", { gif: { id: "1" } }],
    ": message_type must be text, template, interactive, image, video, audio, document, sticker, location, contacts or reaction",
  ],
  "no payload": [["text", null], ": is required"],
  "a payload that is an array": [["text", [{ body: "Muraho" }]], ": must be an object"],
  "nothing under the type's name": [["text", {}], "/text: is required"],
  "the content without its wrapper": [
    ["text", { body: "Muraho" }],
    "/body: is not known here",
    "/text: is required",
  ],
  "content beside the type's own": [
    ["text", { text: { body: "Muraho" }, image: { id: "1" } }],
    "/image: is not known here",
  ],
  "a member with a slash and a tilde": [
    ["text", { text: { body: "Muraho", "a/b~c": 1 } }],
    "/text/a~1b~0c: is not known here",
  ],
  "a whole message where its content belongs": [
    ["text", { messaging_product: "whatsapp", to: "+250788000000", type: "text", text: { body: "Muraho" } }],
    "/messaging_product: is not known here",
    "/to: is not known here",
    "/type: is not known here",
  ],
  "too much": [["text", { text: { body: letters(262144) } }], ": at most 262144 bytes"],

  "text that is a number": [["text", { text: { body: 7 } }], "/text/body: must be a string"],
  "text that is null": [["text", { text: { body: null } }], "/text/body: must be a string"],
  "text of white space": [["text", { text: { body: " \n\t " } }], "/text/body: must not be empty"],
  "a preview that is neither yes nor no": [
    ["text", { text: { body: "Muraho", preview_url: "yes" } }],
    "/text/preview_url: must be true or false",
  ],
  "a text that quotes nothing": [["text", { text: { body: "Yego" }, context: {} }], "/context/message_id: is required"],

  "an image by id and link": [["image", { image: { id: "1", link: LINK } }], "/image: exactly one of id and link"],
  "an image by neither": [["image", { image: {} }], "/image: exactly one of id and link"],
  "an image over http": [
    ["image", { image: { link: "http://easymo.example/a.jpg" } }],
    "/image/link: must be an https URL",
  ],
  "a link with a space": [
    ["image", { image: { link: "https://easymo.example/a b.jpg" } }],
    "/image/link: must be an https URL",
  ],
  "a link to nowhere": [["image", { image: { link: "https:///a.jpg" } }], "/image/link: must be an https URL"],
  "an image with a file's name": [
    ["image", { image: { id: "1", filename: "a.jpg" } }],
    "/image/filename: is not known here",
  ],
  "audio with a caption": [["audio", { audio: { id: "1", caption: "Umva" } }], "/audio/caption: is not known here"],
  "a voice that is not said": [["audio", { audio: { id: "1", voice: 1 } }], "/audio/voice: must be true or false"],
  "a sticker with a caption": [
    ["sticker", { sticker: { id: "1", caption: "!" } }],
    "/sticker/caption: is not known here",
  ],
  "an id that is a number": [["document", { document: { id: 1 } }], "/document/id: must be a string"],

  "half a position": [["location", { location: { latitude: -1.94 } }], "/location/longitude: is required"],
  "a position in words": [
    ["location", { location: { latitude: "1e1", longitude: "30,06" } }],
    "/location/latitude: must be decimal degrees from -90 to 90",
    "/location/longitude: must be decimal degrees from -180 to 180",
  ],
  "a position in too many digits": [
    ["location", { location: { latitude: "0001", longitude: "1." } }],
    "/location/latitude: must be decimal degrees from -90 to 90",
    "/location/longitude: must be decimal degrees from -180 to 180",
  ],
  "a position a little too far north": [
    ["location", { location: { latitude: 90.000001, longitude: 0 } }],
    "/location/latitude: must be decimal degrees from -90 to 90",
  ],

  "a contact without a name": [["contacts", { contacts: [{}] }], "/contacts/0/name: is required"],
  "a name without parts": [
    contact({ name: { formatted_name: "Aline" } }),
    "/contacts/0/name: needs one of first_name, last_name, middle_name, prefix, suffix",
  ],
  "a phone without a number": [contact({ phones: [{ type: "CELL" }] }), "/contacts/0/phones/0/phone: is required"],
  "an address that is a string": [contact({ addresses: ["Kigali"] }), "/contacts/0/addresses/0: must be an object"],
  "a contact in numbers": [
    contact({ name: { formatted_name: 1, first_name: 2 }, phones: [{ phone: 250788000003 }], org: { company: 4 } }),
    "/contacts/0/name/first_name: must be a string",
    "/contacts/0/name/formatted_name: must be a string",
    "/contacts/0/org/company: must be a string",
    "/contacts/0/phones/0/phone: must be a string",
  ],
  "a birthday in words": [contact({ birthday: "1 May" }), "/contacts/0/birthday: must be YYYY-MM-DD"],
  "a birthday that never was": [contact({ birthday: "2001-02-30" }), "/contacts/0/birthday: is no day of the calendar"],
  "contacts that are no array": [["contacts", { contacts: { 0: { name: NAME } } }], "/contacts: must be an array"],

  "a reaction to nothing": [["reaction", { reaction: { emoji: "👍" } }], "/reaction/message_id: is required"],
  "a reaction in words": [
    ["reaction", { reaction: { message_id: "wamid.1", emoji: "ok" } }],
    "/reaction/emoji: must be one emoji, or an empty string to take it back",
  ],
  "two reactions": [
    ["reaction", { reaction: { message_id: "wamid.1", emoji: "👍👍" } }],
    "/reaction/emoji: must be one emoji, or an empty string to take it back",
  ],
  "a reaction without an emoji": [
    ["reaction", { reaction: { message_id: "wamid.1" } }],
    "/reaction/emoji: is required",
  ],
  "a reaction that quotes": [
    ["reaction", { reaction: { message_id: "wamid.1", emoji: "👍" }, context: { message_id: "wamid.1" } }],
    "/context: must not stand beside a reaction",
  ],
};
