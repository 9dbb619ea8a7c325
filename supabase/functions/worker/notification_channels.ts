import type { ServiceRpc } from "shared/db/service_rpc.ts";
import { guardedFetch, isAllowedSocket } from "shared/http/guarded_fetch.ts";
import { log } from "shared/log.ts";
import { emailProvider } from "shared/notifications/email/email_provider.ts";
import type { EmailAddress } from "shared/notifications/email/email_address.ts";
import { type ExpoTicket, pushProvider } from "shared/notifications/push/push_provider.ts";
import type { PushAddress } from "shared/notifications/push/push_address.ts";
import { smsProvider } from "shared/notifications/sms/sms_provider.ts";
import type { SmsAddress } from "shared/notifications/sms/sms_address.ts";
import { Problem } from "shared/problem.ts";
import type { NotificationChannel } from "./notification_source.ts";

/** Text messages. */
export function sms(): NotificationChannel<SmsAddress> {
  return { name: "sms", provider: smsProvider(guardedFetch), concurrency: 10 };
}

/** Push messages; Expo asks for six connections at most. */
export function push(call: ServiceRpc): NotificationChannel<PushAddress> {
  const provider = pushProvider({
    fetch: guardedFetch,
    onGone: (endpoint_ids) => noting(() => call("forget_push_endpoints", { endpoint_ids })),
    onTickets: (tickets) => noting(() => call("keep_push_tickets", columnsOf(tickets))),
  });
  return { name: "push", provider, concurrency: 6 };
}

/** E-mail; Resend takes five requests a second, and few servers like many sessions. */
export function email(): NotificationChannel<EmailAddress> {
  return { name: "email", provider: emailProvider({ fetch: guardedFetch, isAllowedSocket }), concurrency: 2 };
}

function columnsOf(tickets: ExpoTicket[]): { ticket_ids: string[]; endpoint_ids: string[] } {
  return {
    ticket_ids: tickets.map(({ ticket_id }) => ticket_id),
    endpoint_ids: tickets.map(({ endpoint_id }) => endpoint_id),
  };
}

/** Not worth a failed delivery: the next one to these endpoints brings the same. */
async function noting(work: () => Promise<unknown>): Promise<void> {
  try {
    await work();
  } catch (error) {
    log("notifications.push", { code: error instanceof Problem ? error.code : "internal_error" }, "warn");
  }
}
