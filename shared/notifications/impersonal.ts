import { redact } from "../log.ts";

const MAX_LENGTH = 300;
const EMAIL = /[^\s@<>()"',;:]+@[^\s@<>()"',;:]+/g;
const PUSH_TOKEN = /Expo(?:nent)?PushToken\[[^\]]*\]/g;

/** A provider's words without phone numbers, e-mail addresses, tokens and keys, and not long. */
export function impersonal(text: string): string {
  // Redacted before it is cut: half an address is still personal.
  return redact(text.replaceAll(PUSH_TOKEN, "[redacted]").replaceAll(EMAIL, "[redacted]")).slice(0, MAX_LENGTH);
}
