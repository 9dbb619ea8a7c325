import type { Random } from "../random.ts";
import { type AcceptedMessage, acceptedMessage, faultOf } from "./accepted_message.ts";
import { graphError } from "./graph_errors.ts";
import { RateLimiter } from "./rate_limiter.ts";

/** Meta's limits of throughput (Cloud API: "Throughput"); none by default. */
export interface SendLimits {
  /** Messages of one number in a second; Meta's is 80. */
  perSecond?: number;
  /** One message in 6 seconds from a number to a person, 45 of them in advance. */
  pairs?: boolean;
}

/** What the mailbox needs to know of its surroundings. */
export interface MailboxOptions {
  limits: SendLimits;
  random: Random;
  /** Milliseconds since 1970. */
  now: () => number;
  categoryOf: (template: string | undefined) => string;
}

/** A message that was shown as read. */
export interface ReadReceipt {
  wamid: string;
  typing: boolean;
}

/** `POST /{phone_number_id}/messages`: what Meta accepted. */
export class Mailbox {
  readonly messages: AcceptedMessage[] = [];
  readonly receipts: ReadReceipt[] = [];
  readonly #numbers: RateLimiter | undefined;
  readonly #pairs: RateLimiter | undefined;

  constructor(readonly options: MailboxOptions) {
    const { limits: { perSecond, pairs }, now } = options;
    if (perSecond) this.#numbers = new RateLimiter(1_000 / perSecond, perSecond, now);
    if (pairs) this.#pairs = new RateLimiter(6_000, 45, now);
  }

  /** Takes a message, or says why not. */
  accept(phoneNumberId: string, body: Record<string, unknown>): AcceptedMessage | Response {
    const fault = faultOf(body);
    if (fault) return graphError(fault[0], { details: fault[1] });
    if (this.#numbers?.admits(phoneNumberId) === false) return graphError(130429);
    if (this.#pairs?.admits(`${phoneNumberId} ${body.to ?? body.recipient}`) === false) return graphError(131056);
    const { random, now, categoryOf } = this.options;
    const category = body.type === "template" ? categoryOf((body.template as { name?: string }).name) : "service";
    const message = acceptedMessage(body, { phoneNumberId, category, now: now(), random });
    this.messages.push(message);
    return message;
  }

  /** Shows a message as read. */
  read({ message_id, typing_indicator }: Record<string, unknown>): Response {
    if (typeof message_id !== "string") return graphError(131008, { details: "The parameter message_id is required." });
    this.receipts.push({ wamid: message_id, typing: typing_indicator !== undefined });
    return Response.json({ success: true });
  }

  /** What we called the messages that Meta accepted more than once. */
  doubles(): string[] {
    const byIntent = Map.groupBy(this.messages, ({ intent }) => intent);
    return [...byIntent].flatMap(([intent, copies]) => intent !== undefined && copies.length > 1 ? intent : []);
  }
}
