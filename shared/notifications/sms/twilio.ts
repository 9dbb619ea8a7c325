import * as z from "zod";
import { toBase64 } from "../../base64.ts";
import { setting } from "../../env.ts";
import type { OutboundFetch } from "../../outbound_fetch.ts";
import { below, type HttpProvider, notTaken, notTakenBy, post, type ProviderAnswer } from "../http_provider.ts";
import type { Delivery, Provider, SendOutcome } from "../provider.ts";
import { secondsToLive } from "../seconds_to_live.ts";
import type { SmsAddress } from "./sms_address.ts";
import { smsText } from "./sms_text.ts";

const LIVE = "https://api.twilio.com";
/** What `ValidityPeriod` took before it took more. */
const MAX_VALIDITY_SECONDS = 14_400;

/**
 * Refusals that heal: too many requests, sends or queued messages, maintenance. Every other code of a 4xx is final.
 *
 * @see Twilio, "Error and Warning Dictionary"
 */
const TEMPORARY_CODES = [14107, 20429, 21611, 21730, 30001, 30022];

const Message = z.object({
  sid: z.string().min(1),
  status: z.string().catch("queued"),
  error_code: z.int().nullable().catch(null),
  error_message: z.string().nullable().catch(null),
});
const TwilioError = z.object({ code: z.int(), message: z.string().catch("") });

/**
 * Text messages by Twilio; undefined without an account.
 *
 * @see Twilio, Messages resource: "Create a Message"
 */
export function twilio(fetch: OutboundFetch): Provider<SmsAddress> | undefined {
  const account = setting("TWILIO_ACCOUNT_SID", null);
  if (!account) return undefined;
  const provider: HttpProvider = { name: "twilio", fetch, isRepeatable: false };
  const credentials = toBase64(new TextEncoder().encode(`${account}:${setting("TWILIO_AUTH_TOKEN")}`));
  const from = setting("TWILIO_FROM");
  const sender: Record<string, string> = from.startsWith("MG") ? { MessagingServiceSid: from } : { From: from };
  const url = below(setting("TWILIO_API_URL", LIVE), `2010-04-01/Accounts/${account}/Messages.json`);
  return {
    async send({ address, title, body, expires_at }: Delivery<SmsAddress>): Promise<SendOutcome> {
      const fields = {
        ...sender,
        To: address.phone,
        Body: smsText({ title, body }),
        ...(expires_at && { ValidityPeriod: String(secondsToLive(expires_at, new Date(), MAX_VALIDITY_SECONDS)) }),
      };
      const answer = await post(provider, {
        url,
        headers: { authorization: `Basic ${credentials}` },
        body: new URLSearchParams(fields).toString(),
        type: "application/x-www-form-urlencoded",
      });
      return answer.kind === "answered" ? outcomeOf(provider, answer) : answer;
    },
  };
}

function outcomeOf(provider: HttpProvider, answer: ProviderAnswer): SendOutcome {
  if (answer.status >= 400) return refusalOf(provider, answer);
  const { data } = Message.safeParse(answer.json);
  if (!data) return notTakenBy(provider, answer);
  const { sid, status, error_code, error_message } = data;
  if (status === "failed" || status === "undelivered") {
    return notTaken(provider, "rejected", { code: error_code, detail: error_message });
  }
  return { kind: "sent", provider: provider.name, provider_message_id: sid };
}

function refusalOf(provider: HttpProvider, answer: ProviderAnswer): SendOutcome {
  const { data } = TwilioError.safeParse(answer.json);
  if (!data) return notTakenBy(provider, answer);
  const words = { code: data.code, detail: data.message };
  if (TEMPORARY_CODES.includes(data.code)) return notTaken(provider, "temporary", words, answer);
  return notTakenBy(provider, answer, words);
}
