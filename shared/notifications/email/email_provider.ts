import type { OutboundFetch } from "../../outbound_fetch.ts";
import { chosenProvider } from "../chosen_provider.ts";
import type { Provider, SendOutcome } from "../provider.ts";
import { type EmailAddress, isMailbox } from "./email_address.ts";
import { resend } from "./resend.ts";
import { type IsAllowedSocket, smtp } from "./smtp.ts";

/** What the e-mail provider needs besides settings. */
export interface EmailOptions {
  fetch: OutboundFetch;
  isAllowedSocket: IsAllowedSocket;
}

/** E-mail: by Resend if it is set, else by SMTP. */
export function emailProvider({ fetch, isAllowedSocket }: EmailOptions): Provider<EmailAddress> {
  const provider = chosenProvider(
    [() => resend(fetch), () => smtp(isAllowedSocket)],
    "neither RESEND_API_KEY nor SMTP_URL is set",
  );
  return {
    send(delivery): Promise<SendOutcome> {
      if (isMailbox(delivery.address.email)) return provider.send(delivery);
      return Promise.resolve({ kind: "rejected", code: "invalid_address" });
    },
  };
}
