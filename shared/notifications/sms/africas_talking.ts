import * as z from "zod";
import { setting } from "../../env.ts";
import type { OutboundFetch } from "../../outbound_fetch.ts";
import { below, type HttpProvider, notTaken, notTakenBy, post, type ProviderAnswer } from "../http_provider.ts";
import type { Delivery, Provider, SendOutcome } from "../provider.ts";
import type { SmsAddress } from "./sms_address.ts";
import { smsText } from "./sms_text.ts";

const LIVE = "https://api.africastalking.com";
const SANDBOX = "https://api.sandbox.africastalking.com";

/** Processed, sent, queued. */
const TAKEN = [100, 101, 102];
/**
 * Sender, number, balance, blacklist, route, do-not-disturb, and the network's no: none heals while somebody waits. What
 * remains (held for a look at it, errors inside and of a gateway, codes to come) leaves open whether it goes out.
 */
const REJECTED = [402, 403, 404, 405, 406, 407, 409, 502];

const SmsAnswer = z.object({
  SMSMessageData: z.object({
    Message: z.string().catch(""),
    Recipients: z.array(z.object({
      statusCode: z.int(),
      status: z.string().catch(""),
      messageId: z.string().catch(""),
    })),
  }),
});

/**
 * Text messages by Africa's Talking; undefined without a key. One message per request: each has its own text. Not by its
 * queue (`enqueue`), so that the answer tells what the network said.
 *
 * @see Africa's Talking, SMS: "Sending"
 */
export function africasTalking(fetch: OutboundFetch): Provider<SmsAddress> | undefined {
  const apiKey = setting("AFRICAS_TALKING_API_KEY", null);
  if (!apiKey) return undefined;
  const provider: HttpProvider = { name: "africas_talking", fetch, isRepeatable: false };
  const username = setting("AFRICAS_TALKING_USERNAME");
  const from = setting("AFRICAS_TALKING_SENDER_ID", null);
  const url = setting("AFRICAS_TALKING_API_URL", username === "sandbox" ? SANDBOX : LIVE);
  return {
    async send({ address, title, body }: Delivery<SmsAddress>): Promise<SendOutcome> {
      const message = smsText({ title, body });
      const fields = { username, to: address.phone, message, bulkSMSMode: "1", ...(from && { from }) };
      const answer = await post(provider, {
        url: below(url, "version1/messaging"),
        headers: { apiKey },
        body: new URLSearchParams(fields).toString(),
        type: "application/x-www-form-urlencoded",
      });
      return answer.kind === "answered" ? outcomeOf(provider, answer) : answer;
    },
  };
}

function outcomeOf(provider: HttpProvider, answer: ProviderAnswer): SendOutcome {
  const { data } = SmsAnswer.safeParse(answer.json);
  if (answer.status >= 400 || !data) return notTakenBy(provider, answer, { detail: wordsOf(answer) });
  const { Message, Recipients: [recipient] } = data.SMSMessageData;
  // Without a recipient the message says why: InvalidSenderId, for instance.
  if (!recipient) return notTaken(provider, "rejected", { code: "no_recipient", detail: Message });
  const { statusCode, status, messageId } = recipient;
  if (!TAKEN.includes(statusCode)) {
    const kind = REJECTED.includes(statusCode) ? "rejected" : "unknown";
    return notTaken(provider, kind, { code: statusCode, detail: status });
  }
  return {
    kind: "sent",
    provider: provider.name,
    provider_message_id: messageId && messageId !== "None" ? messageId : null,
  };
}

/** Refusals of whole requests come in plain words. */
function wordsOf({ text, json }: ProviderAnswer): string | undefined {
  return json === undefined && !text.startsWith("<") ? text : undefined;
}
