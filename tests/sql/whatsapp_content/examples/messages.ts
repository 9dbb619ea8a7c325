import type { Message } from "../payloads.ts";

const ID = "1037543291543637";
const LINK = "https://files.easymo.example/receipts/1042.pdf";
const PHOTO = "https://files.easymo.example/moto.jpg";
const MESSAGE = "wamid.HBgMMjUwNzg4MDAwMDAxFQIAEhgg";

/** Messages that are neither interactive nor templates. */
export const MESSAGES: Record<string, Message> = {
  "a text": ["text", { text: { body: "Muraho! Umushoferi wawe ari hafi." } }],
  "a text with a preview": [
    "text",
    { text: { preview_url: true, body: "Kurikira urugendo: https://easymo.example/t/1" } },
  ],
  "an answer that quotes": ["text", { text: { body: "Yego" }, context: { message_id: MESSAGE } }],
  "an uploaded image": ["image", { image: { id: ID, caption: "Ifoto ya moto" } }],
  "an image by its link": ["image", { image: { link: PHOTO } }],
  "a video": ["video", { video: { link: "https://files.easymo.example/safety.mp4", caption: "Umutekano" } }],
  "an audio file": ["audio", { audio: { id: ID } }],
  "a voice message": ["audio", { audio: { id: ID, voice: true } }],
  "a document": ["document", { document: { link: LINK, filename: "receipt-1042.pdf", caption: "Inyemezabuguzi" } }],
  "a sticker": ["sticker", { sticker: { id: ID } }],
  "a place": [
    "location",
    {
      location: { latitude: -1.9441, longitude: 30.0619, name: "Nyabugogo", address: "KN 1 Rd, Kigali" },
    },
  ],
  "a place in strings": ["location", { location: { latitude: "-1.94407178", longitude: "30.06188540" } }],
  "a contact, whole": [
    "contacts",
    {
      contacts: [{
        name: {
          formatted_name: "Dr. Aline Uwase",
          first_name: "Aline",
          last_name: "Uwase",
          middle_name: "M.",
          suffix: "MD",
          prefix: "Dr.",
        },
        birthday: "1991-02-28",
        phones: [{ phone: "+250 788 000 003", type: "Mobile", wa_id: "250788000003" }, { phone: "+250788000004" }],
        emails: [{ email: "aline@easymo.example", type: "Work" }],
        urls: [{ url: "https://easymo.example", type: "Company" }],
        addresses: [{
          street: "KN 3 Ave 12",
          city: "Kigali",
          state: "Kigali City",
          zip: "00000",
          country: "Rwanda",
          country_code: "RW",
          type: "Office",
        }],
        org: { company: "EasyMO", department: "Riders", title: "Lead" },
      }],
    },
  ],
  "a reaction": ["reaction", { reaction: { message_id: MESSAGE, emoji: "\u{1F44D}\u{1F3FE}" } }],
  "a reaction taken back": ["reaction", { reaction: { message_id: MESSAGE, emoji: "" } }],
};
