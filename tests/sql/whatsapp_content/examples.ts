import { INTERACTIVE } from "./examples/interactive.ts";
import { MESSAGES } from "./examples/messages.ts";
import { TEMPLATES } from "./examples/templates.ts";
import type { Message } from "./payloads.ts";

/** Messages of every kind that Meta's documentation shows, in our own words. */
export const EXAMPLES: Record<string, Message> = { ...MESSAGES, ...INTERACTIVE, ...TEMPLATES };
