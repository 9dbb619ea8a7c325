import type { OutboundFetch } from "../../outbound_fetch.ts";
import { chosenProvider } from "../chosen_provider.ts";
import type { Provider } from "../provider.ts";
import { africasTalking } from "./africas_talking.ts";
import type { SmsAddress } from "./sms_address.ts";
import { twilio } from "./twilio.ts";

/** Text messages: by Africa's Talking if it is set, else by Twilio. */
export function smsProvider(fetch: OutboundFetch): Provider<SmsAddress> {
  return chosenProvider(
    [() => africasTalking(fetch), () => twilio(fetch)],
    "neither AFRICAS_TALKING_API_KEY nor TWILIO_ACCOUNT_SID is set",
  );
}
