import type { Delivery } from "../provider.ts";

/** What an e-mail says. */
export interface EmailContent {
  subject: string;
  text: string;
  html: string;
}

/** Says that nobody waits for an answer, so that no absence note is sent (RFC 3834, section 5). */
export const AUTOMATIC = { "Auto-Submitted": "auto-generated" };

const MAX_SUBJECT = 150;
const ENTITIES: Record<string, string> = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#39;" };

/** A delivery as an e-mail: the title, or else the first line, is the subject; the body is plain text and the same in HTML. */
export function emailContent({ title, body, locale }: Delivery<unknown>): EmailContent {
  const text = body.replaceAll(/\r\n?/g, "\n");
  const subject = oneLine(title || text.trimStart().split("\n", 1)[0]!);
  const paragraphs = text.trim().split(/\n{2,}/).map((paragraph) =>
    `<p>${escape(paragraph).replaceAll("\n", "<br>")}</p>`
  );
  const language = locale ? ` lang="${escape(locale)}"` : "";
  return {
    subject,
    text,
    html: `<!doctype html><html${language}><head><meta charset="utf-8"><title>${escape(subject)}</title></head>` +
      `<body>${paragraphs.join("")}</body></html>`,
  };
}

/** A header's value: no line ends, no other control characters, not long. */
function oneLine(text: string): string {
  const line = text.replaceAll(/[\p{Cc}\u2028\u2029]+/gu, " ").trim();
  const characters = [...line];
  return characters.length <= MAX_SUBJECT ? line : characters.slice(0, MAX_SUBJECT - 1).join("").trimEnd() + "…";
}

function escape(text: string): string {
  return text.replaceAll(/[&<>"']/g, (character) => ENTITIES[character]!);
}
